// @ts-check
// Sends requests to the worker, and receives answers and events from it.

/** @import {SourceEvent} from "./model" */

/**
 * @typedef {object} Source
 * @property {(op: string, fields?: object, transfer?: Transferable[]) => Promise<any>} request
 *   Makes a request to the worker. Rejects with the worker's message if the request fails.
 * @property {(listener: (event: SourceEvent) => void) => () => void} listen
 *   Calls the listener for each event. The returned function removes the listener.
 */

/**
 * Returns the source of a worker. `worker` can be any object with `postMessage` and `onmessage`.
 *
 * @param {{postMessage: (message: any, transfer?: any) => void, onmessage: any, onerror?: any}} worker
 * @returns {Source}
 */
export function connect(worker) {
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  const waiting = new Map();
  /** @type {Set<(event: SourceEvent) => void>} */
  const listeners = new Set();
  let last = 0;

  worker.onmessage = (/** @type {{data: any}} */ { data }) => {
    if (data.event) {
      for (const listener of listeners) listener(data);
      return;
    }
    const asked = waiting.get(data.id);
    if (!asked) return;
    waiting.delete(data.id);
    if (data.ok) asked.resolve(data.result);
    else asked.reject(new Error(String(data.error)));
  };
  worker.onerror = (/** @type {any} */ error) => {
    const message = `The simulator ended: ${error.message ?? "its script cannot be read"}`;
    for (const { reject } of waiting.values()) reject(new Error(message));
    waiting.clear();
    for (const listener of listeners) listener({ event: "error", message });
  };

  return {
    request(op, fields = {}, transfer = []) {
      const id = ++last;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        worker.postMessage({ ...fields, id, op }, transfer);
      });
    },
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
