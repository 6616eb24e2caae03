// @ts-check
// Runs inside the page: goes to instants of the run, opens the inspector of a router, and compares its tables
// with the texts that `show` prints at the console.

import { PRINTED } from "./printed.js";

/** @type {Record<string, string[]>} the commands of each table */
const COMMANDS = {
  "map-cache": ["show ip lisp map-cache", "show ipv6 lisp map-cache"],
  database: ["show ip lisp database", "show ipv6 lisp database"],
  away: ["show ip lisp away", "show ipv6 lisp away"],
  sites: ["show lisp site detail"],
  sessions: ["show lisp session"],
  "dynamic-eids": ["show lisp dynamic-eid detail"],
  smr: ["show ip lisp smr", "show ipv6 lisp smr"],
};

/** The tables by their titles on the page. @type {Record<string, string>} */
const TITLES = { "Map-cache": "map-cache", Database: "database", Away: "away", Sites: "sites", Sessions: "sessions", "Dynamic EIDs": "dynamic-eids", SMRs: "smr" };

/** At most this number of differences of a scenario is told. */
const MOST = 3;

/**
 * A difference between the page and the console.
 *
 * @typedef {object} Difference
 * @property {number} at
 * @property {string} node
 * @property {string} table
 * @property {any} page
 * @property {any} console
 */

/** @typedef {{compared: number, had: string[], differences: Difference[]}} Result */

/**
 * Makes a request to the worker of the page.
 *
 * @param {Record<string, any>} request
 * @returns {Promise<any>}
 */
function ask(request) {
  const worker = /** @type {any} */ (globalThis).labWorker;
  const id = `test ${Math.random()}`;
  return new Promise((resolve, reject) => {
    const hear = (/** @type {any} */ { data }) => {
      if (data.id !== id) return;
      worker.removeEventListener("message", hear);
      if (data.ok) resolve(data.result);
      else reject(new Error(`${JSON.stringify(request)}: ${data.error}`));
    };
    worker.addEventListener("message", hear);
    worker.postMessage({ id, ...request });
  });
}

/** @param {string} node opens the inspector of a router, and returns its tables when they are drawn */
async function opened(node) {
  const element = [...document.querySelectorAll(".node")].find((it) => it.getAttribute("data-node") === node);
  element?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  const inspector = /** @type {HTMLElement} */ (document.querySelector("#inspector"));
  const drawn = () => {
    const tables = inspector.querySelector(".tables");
    return inspector.querySelector("h2")?.textContent === node && tables?.hasChildNodes() ? tables : null;
  };
  return new Promise((resolve) => {
    const look = () => {
      const tables = drawn();
      if (!tables) return;
      observer.disconnect();
      resolve(/** @type {HTMLElement} */ (tables));
    };
    const observer = new MutationObserver(look);
    observer.observe(inspector, { childList: true, subtree: true });
    look();
  });
}

/**
 * Returns the rows of a table on the page, as texts.
 *
 * @param {string} table
 * @param {Element} section
 */
function rowsOf(table, section) {
  const rows = [...section.querySelectorAll("tbody > tr:not(.more, .removed)")].map((row) => [
    row.querySelector("th button")?.textContent ?? "",
    ...[...row.querySelectorAll("td")].map((cell) => cell.textContent ?? ""),
  ]);
  // The cause of an entry of the away table is in the JSON only.
  return table === "away" ? rows.map((row) => row.slice(0, 2)) : rows;
}

/**
 * Returns the text that the page shows in place of a table, as the console prints it.
 *
 * @param {HTMLElement} tables
 * @param {string} title
 */
function printedOf(tables, title) {
  const section = () => [...tables.querySelectorAll("section.table")].find((it) => it.getAttribute("aria-label") === title);
  /** @type {HTMLElement | null | undefined} */ (section()?.querySelector("header button"))?.click();
  return section()?.querySelector("pre.printed")?.textContent;
}

/** The selected router. The selection outlives a scenario. */
let node = "";

/**
 * Compares the tables of a router at each instant. The routers that run take turns.
 *
 * @param {number[]} instants in order
 * @returns {Promise<Result>}
 */
async function compare(instants) {
  let compared = 0;
  /** @type {Set<string>} */
  const had = new Set();
  /** @type {Difference[]} */
  const differences = [];
  const differ = (/** @type {Difference} */ it) => JSON.stringify(it.page) !== JSON.stringify(it.console) && differences.length < MOST && differences.push(it);
  for (const [turn, at] of instants.entries()) {
    await ask({ op: "goto", at });
    const { nodes } = await ask({ op: "snapshot" });
    const routers = nodes.filter((/** @type {any} */ node) => node.kind === "router" && node.runs);
    // The routers take turns: to draw the page takes most of the time. A selection that does not change draws nothing.
    const others = routers.filter((/** @type {any} */ router) => router.name !== node);
    node = others[turn % others.length].name;
    const tables = await opened(node);
    const sections = [...tables.querySelectorAll("section.table")];
    const texts = Object.fromEntries(
      await Promise.all(
        Object.entries(COMMANDS).map(async ([table, lines]) => {
          const answers = await Promise.all(lines.map((line) => ask({ op: "console", node, line })));
          return [table, answers.filter(({ ok }) => ok).map(({ text }) => text)];
        }),
      ),
    );
    for (const [title, table] of Object.entries(TITLES)) {
      const section = sections.find((it) => it.getAttribute("aria-label") === title);
      const rows = section ? rowsOf(table, section) : [];
      const printed = texts[table].flatMap(PRINTED[table]);
      differ({ at, node, table, page: rows, console: printed });
      for (const [key, ...rest] of printed) had.add(`${table} ${key.includes("/") || table === "dynamic-eids" ? (key.includes(":") ? "IPv6" : "IPv4") : ""} ${rest[0]}`);
    }
    const section = sections[turn % Math.max(sections.length, 1)];
    const title = section?.getAttribute("aria-label") ?? "";
    const text = (texts[TITLES[title]] ?? []).map((/** @type {string} */ it) => it.trim()).join("\n\n");
    if (section) differ({ at, node, table: `${title}, as the console prints it`, page: printedOf(tables, title), console: text });
    compared += 1;
  }
  return { compared, had: [...had], differences };
}

Object.assign(globalThis, { looker: { ask, compare } });
