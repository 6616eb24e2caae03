// @ts-check
// Shows a router's tables: lines with a countdown, marks on changed lines, and the reason for each line.

import { h } from "../dom.js";
import { uptime } from "../format.js";
import { reasonElement } from "./reason.js";
import { changeOf, lastChanges, tableViews, valueText } from "./tables.js";

/** @import {App} from "../app" */
/** @import {Tables} from "../model" */
/** @import {Cell, Line, TableView} from "./tables.js" */

/** The minimum time between two requests for the tables, in milliseconds. */
const PAUSE = 250;

/** The maximum number of lines of one table that are shown. */
const MOST = 200;

/**
 * Returns the view of the tables of one router.
 *
 * @param {string} node
 * @param {App} app
 */
export function createTablesView(node, app) {
  const { store, source } = app;
  const element = h("div", { class: "tables" });
  /** @type {Set<string>} */
  const open = new Set();
  /** @type {Set<string>} tables that are shown as text */
  const asText = new Set();
  /** @type {Tables | null} */
  let tables = null;
  let fetchedAt = 0;
  let askedAt = -PAUSE;
  let asking = false;
  let stale = true;
  let shown = "";

  async function fetch() {
    if (asking || !stale) return;
    asking = true;
    stale = false;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, askedAt + PAUSE - performance.now())));
    if (!element.isConnected) return;
    askedAt = performance.now();
    try {
      const at = store.state.now;
      tables = await source.request("tables", { node });
      fetchedAt = at;
      draw();
    } catch (error) {
      element.replaceChildren(h("p", { class: "empty" }, /** @type {Error} */ (error).message));
    }
    asking = false;
    void fetch();
  }

  function draw() {
    if (!tables) return;
    const focus = element.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.line : undefined;
    const changes = lastChanges(store.state.items, node);
    const views = tableViews(tables);
    const shows = (/** @type {TableView} */ view) => view.lines.length > 0 || removedIn(view, changes).length > 0;
    const full = views.filter(shows);
    const bare = views.filter((view) => !shows(view));
    element.replaceChildren(
      ...full.map((view) => tableElement(view, changes)),
      bare.length > 0 ? h("p", { class: "faint bare" }, `Empty: ${bare.map(({ title }) => title).join(", ")}.`) : "",
    );
    if (focus) /** @type {HTMLElement | null} */ (element.querySelector(`[data-line="${CSS.escape(focus)}"]`))?.focus();
  }

  /**
   * @param {TableView} view
   * @param {ReturnType<typeof lastChanges>} changes
   */
  function tableElement(view, changes) {
    const text = asText.has(view.name);
    const flip = h(
      "button",
      {
        type: "button",
        class: "link",
        onclick: () => {
          if (!asText.delete(view.name)) asText.add(view.name);
          draw();
        },
      },
      text ? "as a table" : "as the console prints it",
    );
    const body = text ? h("pre", { class: "printed", tabindex: 0 }, view.text) : grid(view, changes);
    const title = h("h3", {}, view.title, h("span", { class: "count" }, String(view.lines.length)));
    return h("section", { class: "table", "aria-label": view.title }, h("header", {}, title, view.text ? flip : null), body);
  }

  /**
   * @param {TableView} view
   * @param {ReturnType<typeof lastChanges>} changes
   */
  function grid(view, changes) {
    const rows = view.lines.slice(0, MOST).flatMap((line) => lineElements(view, line, changes));
    rows.push(...removedIn(view, changes).map((change) => removedElement(change, view.heads.length)));
    const more = view.lines.length > MOST ? h("p", { class: "faint" }, `${view.lines.length - MOST} more lines are not shown.`) : null;
    return [
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, view.heads.map((head) => h("th", { scope: "col" }, head)))),
        h("tbody", {}, rows),
      ),
      more,
    ];
  }

  /**
   * @param {TableView} view
   * @param {Line} line
   * @param {ReturnType<typeof lastChanges>} changes
   */
  function lineElements(view, line, changes) {
    const id = `${view.name} ${line.key}`;
    const change = changeOf(changes, view.name, line);
    const fresh = change !== undefined && change.n > store.state.since;
    const [first, ...rest] = line.cells;
    const opens = h(
      "button",
      { type: "button", class: "line", "data-line": id, "aria-expanded": String(open.has(id)), onclick: () => toggle(id) },
      first.text,
    );
    const row = h(
      "tr",
      { class: fresh ? "fresh" : "" },
      h("th", { scope: "row" }, opens, fresh ? h("span", { class: "tag" }, change.change === "added" ? "new" : "changed") : null),
      rest.map(cellElement),
    );
    if (!open.has(id)) return [row];
    return [row, h("tr", { class: "more" }, h("td", { colspan: line.cells.length }, why(change), details(line)))];
  }

  /**
   * Returns the lines that the last step removed.
   *
   * @param {TableView} view
   * @param {ReturnType<typeof lastChanges>} changes
   */
  function removedIn(view, changes) {
    const here = new Set(view.lines.map(({ key }) => key));
    return [...changes.values()].filter((it) => it.table === view.name && it.change === "removed" && it.n > store.state.since && !here.has(it.key));
  }

  /**
   * @param {import("../model").ChangeItem} change
   * @param {number} columns
   */
  function removedElement(change, columns) {
    const go = () => app.select({ kind: "item", n: change.n });
    return h(
      "tr",
      { class: "fresh removed" },
      h("th", { scope: "row" }, h("del", {}, change.key), h("span", { class: "tag" }, "removed")),
      h("td", { colspan: columns - 1 }, h("button", { type: "button", class: "link", onclick: go }, change.text)),
    );
  }

  /** @param {import("../model").ChangeItem | undefined} change */
  function why(change) {
    if (!change) return h("p", { class: "soft" }, "This line comes from the configuration. It was there at the start.");
    return [h("p", {}, change.text), reasonElement(change.reason, app), causeElement(change, app)];
  }

  /** @param {string} id */
  function toggle(id) {
    if (!open.delete(id)) open.add(id);
    draw();
  }

  /** Counts the seconds of the cells down to the present instant. */
  function tick() {
    const past = (store.state.now - fetchedAt) / 1e6;
    for (const cell of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-seconds]"))) {
      const text = uptime(Math.max(0, Math.ceil(Number(cell.dataset.seconds) - past)));
      if (cell.textContent !== text) cell.textContent = text;
    }
  }

  return {
    element,
    /** Fetches the tables if something happened at the router, and counts down. */
    update() {
      const { items, epoch, now, clock } = store.state;
      // While the time of the lab does not run, the tables are those of the exact instant.
      const key = `${epoch} ${items.at(-1)?.n} ${clock.playing ? Math.floor(now / 1e6) : now}`;
      if (key !== shown) stale = true;
      shown = key;
      void fetch();
      tick();
    },
  };
}

/** @param {Cell} cell */
function cellElement(cell) {
  if (cell.seconds === undefined) return h("td", { class: cell.tone ?? "" }, cell.text);
  return h("td", { class: "soft", "data-seconds": cell.seconds }, uptime(cell.seconds));
}

/** @param {Line} line */
function details(line) {
  const parts = Object.entries(line.raw).flatMap(([name, value]) => [
    h("dt", {}, name.replaceAll("_", " ")),
    h("dd", {}, valueText(value)),
  ]);
  return h("dl", { class: "fields" }, parts);
}

/**
 * Returns a link to the message that caused a change.
 *
 * @param {import("../model").ChangeItem} change
 * @param {App} app
 */
export function causeElement(change, app) {
  const cause = app.store.item(change.cause);
  if (!cause || cause.kind !== "message") return null;
  const go = () => app.select({ kind: "item", n: cause.n });
  return h("p", {}, "Cause: ", h("button", { type: "button", class: "link", onclick: go }, cause.summary));
}
