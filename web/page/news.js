// @ts-check
// The text of the status line, for users and for screen readers: the most important of the new items.

/** @import {Item} from "./model" */

/** @param {Item} item returns its weight; the new item with the greatest weight is shown */
function weight(item) {
  if (item.kind === "decision") return item.verdict === "drop" ? 4 : 0;
  if (item.kind === "message") return item.direction === "sent" ? 3 : 2;
  if (item.kind === "change") return 3;
  if (item.kind === "hop" && item.class === "neighbour") return 0;
  return item.kind === "hop" && item.fate === "lost" ? 4 : 1;
}

/**
 * Returns an item as a sentence.
 *
 * @param {Item} item
 */
export function sentence(item) {
  switch (item.kind) {
    case "message":
      return `${item.node} ${item.direction === "sent" ? "sends" : "receives"} ${item.summary}.`;
    case "change":
      return `${item.node}, ${item.table}: ${item.key} ${item.change}. ${item.text}`;
    case "decision":
      return `${item.node} ${VERDICTS[item.verdict] ?? item.verdict} ${item.summary}: ${item.reason.text}`;
    case "hop":
      return item.fate === "lost" ? `${item.segment} loses ${item.summary}.` : `${item.from} puts ${item.summary} on ${item.segment}.`;
    default:
      return `${item.node}: ${item.text}`;
  }
}

/** @type {Record<string, string>} */
const VERDICTS = { drop: "drops", encapsulate: "encapsulates", deliver: "delivers", forward: "forwards", native: "forwards natively", hold: "holds" };

/**
 * Returns the news of some items. Of the items with the greatest weight, it is the last.
 *
 * @param {Item[]} items
 */
export function news(items) {
  let best = null;
  for (const item of items) if (best === null || weight(item) >= weight(best)) best = item;
  return best && weight(best) > 0 ? sentence(best) : "";
}
