// @ts-check
// Makes the rows of the ladder from items. The rows are messages between lifelines, changes of tables, dropped packets,
// lines of logs, and gaps in time.

/** @import {ChangeItem, DecisionItem, Item, LogItem, MessageItem, NodeState} from "../model" */

/**
 * @typedef {object} MessageRow
 * @property {"message"} kind
 * @property {number} n the number of the item of its sending; if there is none, of its arrival
 * @property {number} at
 * @property {MessageItem} item
 * @property {string | null} from
 * @property {string | null} to
 * @property {number | null} arrives null: not received yet
 */
/** @typedef {{kind: "note", n: number, at: number, node: string, item: ChangeItem | DecisionItem | LogItem}} NoteRow */
/** @typedef {{kind: "gap", n: number, at: number, span: number}} GapRow */
/** @typedef {MessageRow | NoteRow | GapRow} Row */

export const HEIGHTS = { message: 36, note: 22, gap: 24 };

/** The ladder shows a pause as a gap if it has at least this number of microseconds. */
const PAUSE = 250_000;

/**
 * @typedef {object} Filter
 * @property {boolean} changes
 * @property {boolean} logs
 * @property {string} node  only rows of this router, if not empty
 */

/** Returns a list of rows that grows with the items. */
export function createRows() {
  /** @type {Row[]} */
  let rows = [];
  /** @type {number[]} */
  let tops = [];
  let height = 0;
  /** @type {Map<number, MessageRow>} */
  let bySent = new Map();
  /** @type {Set<string>} */
  let columns = new Set();
  let last = -1;
  let lastAt = 0;

  function clear() {
    rows = [];
    tops = [];
    height = 0;
    bySent = new Map();
    columns = new Set();
    last = -1;
    lastAt = 0;
  }

  /** @param {Row} row */
  function push(row) {
    if (rows.length > 0 && row.at - lastAt >= PAUSE) {
      tops.push(height);
      rows.push({ kind: "gap", n: -1, at: lastAt, span: row.at - lastAt });
      height += HEIGHTS.gap;
    }
    lastAt = Math.max(lastAt, row.at);
    tops.push(height);
    rows.push(row);
    height += HEIGHTS[row.kind];
  }

  /**
   * @param {Item} item
   * @param {Filter} filter
   * @param {(endpoint: string) => string | undefined} owner
   */
  function take(item, filter, owner) {
    if (item.kind === "message") return takeMessage(item, filter, owner);
    if (item.kind === "change" ? !filter.changes : item.kind === "log" ? !filter.logs : true) {
      if (!(item.kind === "decision" && item.verdict === "drop" && filter.changes)) return;
    }
    const note = /** @type {ChangeItem | DecisionItem | LogItem} */ (item);
    if (filter.node && note.node !== filter.node) return;
    columns.add(note.node);
    push({ kind: "note", n: note.n, at: note.at, node: note.node, item: note });
  }

  /**
   * @param {MessageItem} item
   * @param {Filter} filter
   * @param {(endpoint: string) => string | undefined} owner
   */
  function takeMessage(item, filter, owner) {
    const known = item.direction === "received" && item.sent !== null ? bySent.get(item.sent) : undefined;
    if (known) {
      known.arrives = item.at;
      known.to = item.node;
      columns.add(item.node);
      return;
    }
    const received = item.direction === "received";
    const from = received ? (owner(item.source) ?? null) : item.node;
    const to = received ? item.node : (owner(item.destination) ?? null);
    if (filter.node && from !== filter.node && to !== filter.node) return;
    for (const end of [from, to]) if (end !== null) columns.add(end);
    /** @type {MessageRow} */
    const row = { kind: "message", n: item.n, at: item.at, item, from, to, arrives: received ? item.at : null };
    if (!received) bySent.set(item.n, row);
    push(row);
  }

  return {
    clear,
    /**
     * Takes in the items that are new.
     *
     * @param {Item[]} items
     * @param {Filter} filter
     * @param {(endpoint: string) => string | undefined} owner returns the node of an address
     */
    update(items, filter, owner) {
      let first = items.length;
      while (first > 0 && items[first - 1].n > last) first -= 1;
      for (let i = first; i < items.length; i += 1) take(items[i], filter, owner);
      last = items.at(-1)?.n ?? last;
    },
    get rows() {
      return rows;
    },
    get height() {
      return height;
    },
    get columns() {
      return columns;
    },
    /** @param {number} index */
    top: (index) => tops[index],
    /**
     * Returns the first row that ends below a height.
     *
     * @param {number} y
     */
    at(y) {
      let low = 0;
      let high = rows.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (tops[middle] + HEIGHTS[rows[middle].kind] <= y) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    /**
     * Returns the row of an item. A received message is in the row of the sent message.
     *
     * @param {Item | undefined} item
     */
    indexOf(item) {
      if (!item) return -1;
      const n = item.kind === "message" && item.sent !== null ? item.sent : item.n;
      return rows.findIndex((row) => row.n === n || row.n === item.n);
    },
  };
}

/**
 * Returns the routers in the order of their lifelines: sites, map-servers, proxies, each by name.
 *
 * @param {NodeState[]} nodes
 */
export function lifelineOrder(nodes) {
  const rank = (/** @type {NodeState} */ { roles }) =>
    roles.some((role) => role === "itr" || role === "etr") ? 0 : roles.includes("map-server") || roles.includes("map-resolver") ? 1 : 2;
  return nodes
    .filter(({ kind }) => kind === "router")
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, "en", { numeric: true }))
    .map(({ name }) => name);
}

/**
 * Returns the subject of a message in a few words: the EIDs that it asks for or reports, without its nonce.
 *
 * @param {MessageItem} message
 */
export function subject({ name, summary }) {
  const rest = summary.startsWith(name) ? summary.slice(name.length).trim() : summary;
  const marks = /\bSMR-invoked\b/.test(rest) ? "SMR-invoked, " : /\bprobe\b/.test(rest) && name !== "SMR" ? "probe, " : "";
  const about = rest.match(/\bfor (.+)$/)?.[1];
  return about ? marks + about : rest.replace(/\bnonce 0x[0-9A-Fa-f-]+x?[0-9A-Fa-f]*\s*/g, "").trim();
}

/**
 * Returns the place of each lifeline.
 *
 * @param {string[]} names
 * @param {number} width
 * @returns {{x: Map<string, number>, width: number, step: number}}
 */
export function lifelines(names, width) {
  const left = TIME_WIDTH + 22;
  const right = 30;
  const step = Math.max(54, names.length > 1 ? (width - left - right) / (names.length - 1) : 0);
  const x = new Map(names.map((name, i) => [name, left + i * step]));
  return { x, step, width: Math.max(width, left + step * Math.max(0, names.length - 1) + right) };
}

export const TIME_WIDTH = 66;
