// @ts-check
// A lab made by hand after the contract of `page/model.d.ts`.

/** @import {Snapshot} from "../../page/model" */

/** @returns {Snapshot} */
export function snapshot() {
  return { lab: { name: "fake", title: "A lab made by hand" }, now: 0, nodes: [], segments: [], flows: [] };
}
