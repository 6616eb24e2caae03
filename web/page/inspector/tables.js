// @ts-check
// Makes lines with columns from the JSON of a router's tables. It does not use the DOM.

import { uptime } from "../format.js";

/** @import {ChangeItem, Item, Tables} from "../model" */

/** @typedef {{text: string, tone?: "good" | "bad" | "soft", seconds?: number}} Cell `seconds`: counts down */
/** @typedef {{key: string, cells: Cell[], raw: Record<string, any>}} Line */
/** @typedef {{name: string, title: string, heads: string[], lines: Line[], text: string}} TableView */

/** @type {[string, string][]} the name in changes, and the title */
const TABLES = [
  ["map-cache", "Map-cache"],
  ["database", "Database"],
  ["away", "Away"],
  ["sites", "Sites"],
  ["registrations", "Registrations"],
  ["sessions", "Sessions"],
  ["reachability", "Reachability"],
  ["dynamic-eids", "Dynamic EIDs"],
  ["smr", "SMRs"],
];

/**
 * Returns the lines of a table's JSON: its first array of objects.
 *
 * @param {any} view
 * @returns {Record<string, any>[]}
 */
export function entries(view) {
  if (Array.isArray(view)) return view;
  if (view === null || typeof view !== "object") return [];
  const arrays = Object.values(view).filter((value) => Array.isArray(value));
  return arrays.find((list) => list.length > 0 && typeof list[0] === "object") ?? [];
}

/** @param {Record<string, any>} raw */
function keyOf(raw) {
  return String(raw.eid_prefix ?? raw.prefix ?? raw.eid ?? raw.peer ?? raw.rloc ?? raw.key ?? raw.name ?? "");
}

/**
 * A table with columns of its own: the lines of its JSON, and their cells.
 *
 * @typedef {object} Spec
 * @property {string[]} heads
 * @property {(raw: any) => Cell[]} cells
 * @property {(view: any) => any[]} [rows]
 */

/** @type {Record<string, Spec>} */
const SPECS = {
  "map-cache": {
    heads: ["EID prefix", "State", "Locators", "Expires"],
    cells: (raw) => [
      { text: raw.eid_prefix },
      { text: raw.state ?? "", tone: raw.state === "complete" ? "good" : raw.state === "drop" ? "bad" : "soft" },
      { text: locators(raw.locators) },
      raw.expires === null || raw.expires === undefined ? { text: "never", tone: "soft" } : { text: "", seconds: raw.expires },
    ],
  },
  database: {
    heads: ["EID prefix", "Locators", "Route"],
    cells: (raw) => [
      { text: raw.eid_prefix },
      { text: locators(raw.locators) },
      raw.has_route === false ? { text: "no route", tone: "bad" } : { text: "yes", tone: "good" },
    ],
  },
  away: {
    heads: ["EID prefix", "Producer", "Cause"],
    cells: (raw) => [{ text: raw.eid_prefix ?? keyOf(raw) }, { text: raw.producer ?? "" }, { text: raw.cause ?? "", tone: "soft" }],
  },
  sites: {
    heads: ["EID prefix", "Registered by", "Last", "Site"],
    cells: (raw) => {
      const all = Array.isArray(raw.registrations) ? raw.registrations : [];
      return [
        { text: raw.eid_prefix ?? "" },
        all.length > 0 ? { text: all.map((/** @type {any} */ it) => it.etr).join(", "), tone: "good" } : { text: "none", tone: "soft" },
        { text: all.length > 0 ? uptime(Math.min(...all.map((/** @type {any} */ it) => it.last_registered ?? 0))) : "", tone: "soft" },
        { text: raw.site ?? "", tone: "soft" },
      ];
    },
  },
  sessions: {
    heads: ["Peer", "State", "Up"],
    cells: (raw) => [
      { text: endpoint(String(raw.peer), raw.port) },
      { text: raw.state ?? "", tone: raw.state === "Up" ? "good" : "bad" },
      { text: typeof raw.up === "number" ? uptime(raw.up) : "", tone: "soft" },
    ],
  },
  "dynamic-eids": {
    heads: ["EID", "Interface", "Last seen", "Name"],
    rows: (view) =>
      (view?.ranges ?? []).flatMap((/** @type {any} */ { name, eid_prefix, hosts }) => hosts.map((/** @type {any} */ host) => ({ ...host, name, range: eid_prefix }))),
    cells: (raw) => [{ text: raw.eid }, { text: raw.interface }, { text: uptime(raw.last_seen), tone: "soft" }, { text: raw.name, tone: "soft" }],
  },
  smr: {
    heads: ["EID prefix", "Tables"],
    cells: (raw) => [{ text: raw.eid_prefix }, { text: raw.producers.join(", ") }],
  },
};

/** The states of a locator that can be used: they are not written. */
const USABLE = [undefined, "up", "site-self, reachable", "site-other, report-reachable"];

/** @param {any[]} [list] */
function locators(list = []) {
  return list.map(({ rloc, state }) => (USABLE.includes(state) ? rloc : `${rloc} ${state}`)).join(", ");
}

/**
 * Returns an address and a port as IOS writes them.
 *
 * @param {string} address
 * @param {number} [port] 0 if there is none
 */
function endpoint(address, port) {
  if (!port) return address;
  return `${address}${address.includes(":") ? "." : ":"}${port}`;
}

/**
 * Returns the columns of a table for which the page has no list of columns: the first four plain members.
 *
 * @param {Record<string, any>[]} rows
 */
function plain(rows) {
  const members = Object.keys(rows[0] ?? {}).filter((member) => {
    const value = rows[0][member];
    return value !== null && typeof value !== "object";
  });
  const heads = members.slice(0, 4);
  return {
    heads: heads.map((head) => head.replaceAll("_", " ")),
    cells: (/** @type {any} */ raw) => heads.map((head) => ({ text: valueText(raw[head]) })),
  };
}

/**
 * Returns a value of the JSON as text.
 *
 * @param {any} value
 * @returns {string}
 */
export function valueText(value) {
  if (value === null || value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  if (typeof value === "object") {
    return Object.entries(value).map(([name, it]) => `${name.replaceAll("_", " ")} ${valueText(it)}`).join("; ");
  }
  return String(value);
}

/**
 * Returns the tables of a router. Tables with lines come first. The two families of a table are merged.
 *
 * @param {Tables} tables
 * @returns {TableView[]}
 */
export function tableViews(tables) {
  const order = (/** @type {string} */ name) => (TABLES.findIndex(([it]) => it === name) + TABLES.length + 1) % (TABLES.length + 1);
  const names = [...new Set(tables.map(({ table }) => table))].sort((a, b) => order(a) - order(b));
  const views = names.map((name) => {
    const parts = tables.filter(({ table }) => table === name);
    const rows = parts.flatMap(({ view }) => (SPECS[name]?.rows ?? entries)(view));
    const { heads, cells } = SPECS[name] ?? plain(rows);
    const lines = rows.map((raw) => ({ key: keyOf(raw), cells: cells(raw), raw }));
    const title = TABLES.find(([it]) => it === name)?.[1] ?? name;
    const text = parts.map((part) => part.text.trim()).filter(Boolean).join("\n\n");
    return { name, title, heads, lines, text };
  });
  return [...views.filter(({ lines }) => lines.length > 0), ...views.filter(({ lines }) => lines.length === 0)];
}

/**
 * Returns the last change of each line of a router's tables, by table and key.
 *
 * @param {Item[]} items
 * @param {string} node
 */
export function lastChanges(items, node) {
  /** @type {Map<string, ChangeItem>} */
  const found = new Map();
  for (const item of items) {
    if (item.kind === "change" && item.node === node) found.set(`${item.table} ${item.key}`, item);
  }
  return found;
}

/**
 * Returns the last change of a line.
 *
 * @param {Map<string, ChangeItem>} changes
 * @param {string} table
 * @param {Line} line
 */
export function changeOf(changes, table, line) {
  const key = `${table} ${line.key}`;
  const exact = changes.get(key);
  if (exact) return exact;
  for (const [name, change] of changes) if (name.startsWith(`${key}:`) || name.startsWith(`${key} `)) return change;
  // A registration belongs to a line of the sites at the map-server, and to a line of the database at the xTR.
  return table === "sites" || table === "database" ? changes.get(`registrations ${line.key}`) : undefined;
}
