// @ts-check
// The ladder: control messages over the routers' lifelines, with time downward. Only the visible rows are
// drawn.

import { h, s } from "../dom.js";
import { lifelineElements, nameElements, rowElement } from "./draw.js";
import { createRows, lifelines } from "./rows.js";

/** @import {App} from "../app" */
/** @import {Item} from "../model" */
/** @import {Lifelines} from "./draw.js" */

const SPARE = 120;
const BOTTOM = 40;

/**
 * Builds the ladder below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store } = app;
  const rows = createRows();
  const filter = { changes: true, logs: false, node: "" };
  let follows = true;
  let epoch = 0;
  let drawn = "";

  const names = s("svg", { class: "names", height: 36, "aria-hidden": "true" });
  const body = s("svg", { class: "ladder-body", role: "presentation" });
  const scroller = h(
    "div",
    { class: "ladder-rows", role: "listbox", tabindex: 0, "aria-label": "Control messages, by time" },
    body,
  );
  const empty = h("p", { class: "empty" }, "Control messages appear here as the routers send them.");
  const latest = h("button", { type: "button", class: "latest", hidden: true, onclick: toEnd }, "↓ Latest");
  const node = h("select", { "aria-label": "Router", onchange: refilter }, h("option", { value: "" }, "all routers"));
  const changes = h("input", { type: "checkbox", checked: true, onchange: refilter });
  const logs = h("input", { type: "checkbox", onchange: refilter });
  const head = h(
    "div",
    { class: "head" },
    h("h2", {}, "Ladder"),
    h("label", {}, changes, "changes"),
    h("label", {}, logs, "log"),
    node,
  );
  root.replaceChildren(head, h("div", { class: "names-box" }, names), h("div", { class: "rows-box" }, scroller, empty, latest));

  function refilter() {
    Object.assign(filter, { changes: changes.checked, logs: logs.checked, node: node.value });
    rows.clear();
    drawn = "";
    update();
  }

  function toEnd() {
    follows = true;
    scroller.scrollTop = rows.height;
    draw();
  }

  function update() {
    const { snapshot, items } = store.state;
    if (!snapshot) return;
    if (store.state.epoch !== epoch) {
      epoch = store.state.epoch;
      rows.clear();
      drawn = "";
    }
    rows.update(items, filter, store.owner);
    const routers = snapshot.nodes.filter(({ kind }) => kind === "router").map(({ name }) => name);
    if (node.options.length - 1 !== routers.length) {
      node.replaceChildren(h("option", { value: "" }, "all routers"), ...routers.map((it) => h("option", { value: it }, it)));
    }
    empty.hidden = rows.rows.length > 0;
    const height = String(rows.height + BOTTOM);
    if (body.getAttribute("height") !== height) body.setAttribute("height", height);
    if (follows) scroller.scrollTop = rows.height + BOTTOM;
    draw();
  }

  /** @returns {Lifelines} the lifelines of the routers that speak; all of them in a small lab */
  function lines() {
    const routers = (store.state.snapshot?.nodes ?? []).filter(({ kind }) => kind === "router").map(({ name }) => name);
    const speaks = routers.length <= 6 && !filter.node ? routers : routers.filter((name) => rows.columns.has(name));
    return lifelines(speaks, scroller.clientWidth);
  }

  function draw() {
    const { selection } = store.state;
    const [top, bottom] = [scroller.scrollTop - SPARE, scroller.scrollTop + scroller.clientHeight + SPARE];
    const first = rows.at(Math.max(0, top));
    const end = Math.min(rows.rows.length, rows.at(bottom) + 1);
    const key = JSON.stringify([first, end, rows.height, selection, scroller.clientWidth, scroller.clientHeight, arrived(first, end)]);
    if (key === drawn) return;
    drawn = key;
    const shape = lines();
    const related = relatives(selection?.kind === "item" ? store.item(selection.n) : undefined);
    const elements = [];
    for (let i = first; i < end; i += 1) {
      const row = rows.rows[i];
      elements.push(rowElement(row, rows.top(i), shape, related.get(row.n) ?? ""));
    }
    const floor = Math.min(rows.height + BOTTOM, bottom + SPARE);
    body.setAttribute("width", String(shape.width));
    body.replaceChildren(...lifelineElements(shape, Math.max(0, top), floor), ...elements);
    names.setAttribute("width", String(shape.width));
    names.replaceChildren(...nameElements(shape));
    latest.hidden = follows || rows.height < scroller.clientHeight;
  }

  /**
   * Returns how many visible messages have arrived: an arrival changes the drawing of an old row.
   *
   * @param {number} first
   * @param {number} end
   */
  function arrived(first, end) {
    let count = 0;
    for (let i = first; i < end; i += 1) {
      const row = rows.rows[i];
      if (row.kind === "message" && row.arrives !== null) count += 1;
    }
    return count;
  }

  /**
   * Returns the marks of a chosen item and of its relatives: its question, its answers and its cause.
   *
   * @param {Item | undefined} item
   */
  function relatives(item) {
    /** @type {Map<number, string>} */
    const marks = new Map();
    if (!item) return marks;
    const sent = item.kind === "message" && item.sent !== null ? item.sent : item.n;
    for (const row of rows.rows) {
      const about = row.kind === "message" ? row.item.answers : row.kind === "note" && row.item.kind === "change" ? row.item.cause : null;
      if (about !== null && (about === sent || about === item.n)) marks.set(row.n, "related");
    }
    if (item.kind === "message" && item.answers !== null) marks.set(item.answers, "related");
    const cause = item.kind === "change" ? store.item(item.cause) : undefined;
    if (cause?.kind === "message") marks.set(cause.sent ?? cause.n, "related");
    marks.set(sent, "chosen");
    marks.set(item.n, "chosen");
    return marks;
  }

  /** @param {number} by selects the next row in a direction */
  function walk(by) {
    const { selection } = store.state;
    const here = selection?.kind === "item" ? rows.indexOf(store.item(selection.n)) : by > 0 ? -1 : rows.rows.length;
    for (let i = here + by; i >= 0 && i < rows.rows.length; i += by) {
      const row = rows.rows[i];
      if (row.kind === "gap") continue;
      follows = false;
      app.select({ kind: "item", n: row.n });
      const [y, view] = [rows.top(i), scroller.clientHeight];
      if (y < scroller.scrollTop || y > scroller.scrollTop + view - 60) scroller.scrollTop = y - view / 2;
      scroller.setAttribute("aria-activedescendant", `row-${row.n}`);
      return;
    }
  }

  scroller.addEventListener("scroll", () => {
    follows = scroller.scrollTop + scroller.clientHeight >= rows.height + BOTTOM - 30;
    names.style.transform = `translateX(${-scroller.scrollLeft}px)`;
    draw();
  });
  scroller.addEventListener("keydown", (event) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by === 0) return;
    event.preventDefault();
    walk(by);
  });
  body.addEventListener("click", (event) => {
    const row = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-n]"));
    if (row) app.select({ kind: "item", n: Number(row.dataset.n) });
  });
  names.addEventListener("click", (event) => {
    const name = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-node]"));
    if (name?.dataset.node) app.select({ kind: "node", name: name.dataset.node });
  });
  new ResizeObserver(update).observe(scroller);
  store.subscribe(update);
}
