// @ts-check
// The page's script: it starts the worker with the lab and builds the screen.

import { h } from "./dom.js";
import { createApp } from "./shell.js";
import { connect } from "./source.js";
import { createStore } from "./store.js";
import { repeated } from "./time/files.js";

/** @import {LabData} from "./model" */

/** @param {string} id */
const text = (id) => document.getElementById(id)?.textContent ?? "";

/**
 * Returns the lab that the page holds.
 *
 * @returns {LabData | null}
 */
function read() {
  try {
    return JSON.parse(text("lab"));
  } catch (error) {
    throw new Error(`the lab is no JSON: ${/** @type {Error} */ (error).message}`);
  }
}

/** Starts the lab that the page holds. */
async function start() {
  const store = createStore();
  const lab = read();
  const script = new Blob([text("worker")], { type: "text/javascript" });
  const source = connect(new Worker(URL.createObjectURL(script)));
  source.listen(store.receive);
  const app = createApp(document.body, store, source);
  try {
    // The worker decodes and compiles the module. A lab has `files` for the simulator, or `live` for a lab that is up.
    const answer = await source.request("open", { ...lab, wasm: text("wasm").trim() });
    // If the page contains a run, the store already has a snapshot.
    if (!store.state.snapshot) store.receive({ event: "reset", now: answer.now, n: -1, snapshot: answer });
    const greeting = "The lab is up. Press Play, ping from host to host, click a node or a message.";
    app.announce(lab?.run ? repeated(answer) : greeting);
  } catch (error) {
    store.receive({ event: "error", message: String(/** @type {Error} */ (error).message) });
  }
}

start().catch((error) => {
  document.body.append(h("p", { role: "alert", class: "failure" }, `The page cannot start: ${error.message}`));
});
