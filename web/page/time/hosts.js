// @ts-check
// The hosts of a lab, by their addresses.

/** @import {Snapshot} from "../model" */

/**
 * Returns two functions of an address: one returns its node, the other returns a name for it.
 *
 * @param {Snapshot|null} snapshot
 */
export function hosts(snapshot) {
  /** @type {Map<string, string>} */
  const nodes = new Map();
  for (const node of snapshot?.nodes ?? []) {
    if (node.kind !== "host") continue;
    for (const address of node.addresses) nodes.set(address.split("/")[0].toLowerCase(), node.name);
  }
  const nodeOf = (/** @type {string} */ address) => nodes.get(address);
  return { nodeOf, nameOf: (/** @type {string} */ address) => nodeOf(address) ?? address };
}
