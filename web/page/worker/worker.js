// @ts-check
// The script of the worker: it answers `{id, op, ...}` with `{id, ok, result | error}` and posts events.

import { decompress } from "fzstd";
import { decode as base85 } from "./base85.js";
import { Live } from "./live.js";
import { Machine } from "./machine.js";
import { Session } from "./session.js";

/** @import {Exports} from "./types" */

const scope = /** @type {any} */ (globalThis);

/** @type {Promise<Session|Live>|null} */
let session = null;

/** A message that the worker sends to itself waits behind the messages of the page. So work is done in slices. */
const channel = new MessageChannel();
/** @type {(() => void)[]} */
const deferred = [];
channel.port1.onmessage = () => deferred.shift()?.();

/**
 * @param {string} text  the module: base 85 of Zstandard (RFC 8878), which takes a quarter less than the browser's gzip
 * @returns {Promise<WebAssembly.Module>}
 */
async function decode(text) {
  return WebAssembly.compile(/** @type {BufferSource} */ (decompress(base85(text))));
}

/**
 * Connects to a lab that is up. The module is needed only for the fields of packets, and is started at the first
 * request for them.
 * @param {{url: string, token: string}} server
 * @param {string} [wasm]
 */
function connect(server, wasm) {
  /** @type {Promise<Machine>|null} */
  let machine = null;
  const make = async () => {
    const compiled = await decode(wasm ?? "");
    return new Machine(() => /** @type {Exports} */ (/** @type {any} */ (new WebAssembly.Instance(compiled, {}).exports)));
  };
  return new Live(server, {
    post: (message) => scope.postMessage(message),
    fetch: (...request) => fetch(...request),
    later: (work, ms) => setTimeout(work, ms),
    dissect: async (request) => (await (machine ??= make())).call(request),
  });
}

/**
 * Makes the session of a module.
 * @param {{wasm?: string, module?: WebAssembly.Module}} message
 */
async function begin({ wasm, module }) {
  if (!module && !wasm) throw new Error("the simulator's module is missing in this page: build the page again with web/build");
  const compiled = module ?? (await decode(wasm ?? "").catch((error) => {
    throw new Error(`the simulator's module cannot be read: ${error.message}. The file may be incomplete.`);
  }));
  return new Session({
    make: () => /** @type {Exports} */ (/** @type {any} */ (new WebAssembly.Instance(compiled, {}).exports)),
    post: (message) => scope.postMessage(message),
    defer(work) {
      deferred.push(work);
      channel.port2.postMessage(null);
    },
  });
}

scope.onmessage = async (/** @type {MessageEvent} */ { data }) => {
  const { wasm, module, ...message } = data;
  try {
    if (message.op === "open" && message.live) session = Promise.resolve(connect(message.live, wasm));
    else if (message.op === "open" && (wasm || module || !session)) session = begin({ wasm, module });
    if (!session) throw new Error("no lab is open");
    await (await session).receive(message);
  } catch (error) {
    session = null;
    scope.postMessage({ id: message.id, ok: false, error: /** @type {Error} */ (error).message });
  }
};
