// @ts-check
// A worker with a fake lab, for work on the page without the simulator.

import { fifty, gsmr } from "./lab.js";
import { load, story } from "./run.js";
import { answer } from "./answers.js";

/** @import {Item, Snapshot} from "../../page/model" */

/** @type {Snapshot} */
let lab;
/** @type {Item[]} */
let rest = [];

/** @param {any} message */
const post = (message) => self.postMessage(message);

/**
 * Sends the items until an instant to the page.
 *
 * @param {(item: Item) => boolean} until
 */
function run(until) {
  /** @type {Item[]} */
  const items = [];
  while (rest.length > 0) {
    const item = /** @type {Item} */ (rest.shift());
    items.push(item);
    if (until(item)) break;
  }
  for (const item of items) {
    if (item.kind !== "change") continue;
    const node = lab.nodes.find((it) => it.name === item.node);
    const by = item.change === "added" ? 1 : item.change === "removed" ? -1 : 0;
    if (item.table === "map-cache" && node) node.counts.mappings += by;
    if (item.table === "registrations" && node) node.counts.registrations += by;
    if (item.table === "away" && node) node.counts.away += by;
    const port = node?.ports.find((it) => it.interface === "Ethernet1/0");
    if (item.table === "away" && port) port.up = port.carrier = false;
  }
  lab.now = items.at(-1)?.at ?? lab.now;
  post({ event: "items", now: lab.now, items, snapshot: structuredClone(lab) });
}

/** @param {any} data */
function respond(data) {
  switch (data.op) {
    case "open":
      lab = data.name === "fifty" ? fifty() : gsmr();
      if (data.hostile) lab.nodes[0].name = "<img src=x onerror=alert(1)>";
      rest = data.name === "fifty" || data.hostile ? [] : story(lab);
      if (data.load) rest = rest.concat(load(lab, data.load));
      if (!data.waits) setTimeout(() => run(() => false), 50);
      return structuredClone(lab);
    case "snapshot":
      return structuredClone(lab);
    case "run":
      run((item) => item.at >= data.until);
      return {};
    case "step":
      run((item) => data.to === "event" || item.kind === data.to);
      return {};
    default:
      return answer(data, lab);
  }
}

self.onmessage = ({ data }) => {
  try {
    post({ id: data.id, ok: true, result: respond(data) });
  } catch (error) {
    post({ id: data.id, ok: false, error: /** @type {Error} */ (error).message });
  }
};
