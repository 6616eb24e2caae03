// @ts-check
// The ladder: control messages over the routers' lifelines, with time downward. Only the visible rows are
// drawn.

import { h, s } from "../dom.js";
import { lifelineElements, nameElements, rowElement } from "./draw.js";
import { createRows, lifelineOrder, lifelines } from "./rows.js";

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
  /** The drawn rows, by their index. The key of a row changes when it must be drawn again. */
  /** @type {Map<number, {key: string, element: SVGElement}>} */
  let shown = new Map();
  let lowest = 0;
  let framed = "";
  /** The marks of the chosen item and its related items. They are valid for one selection and one number of rows. */
  /** @type {Map<number, string>} */
  let marks = new Map();
  let markedFor = "";
  let markedRows = -1;

  const names = s("svg", { class: "names", height: 36, "aria-hidden": "true" });
  const ground = s("g", { "aria-hidden": "true" });
  const body = s("svg", { class: "ladder-body", role: "presentation" }, ground);
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
    clear();
    update();
  }

  function clear() {
    rows.clear();
    for (const { element } of shown.values()) element.remove();
    shown = new Map();
    markedRows = -1;
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
      clear();
    }
    rows.update(items, filter, store.owner);
    const routers = lifelineOrder(snapshot.nodes);
    if (node.options.length - 1 !== routers.length) {
      node.replaceChildren(h("option", { value: "" }, "all routers"), ...routers.map((it) => h("option", { value: it }, it)));
    }
    empty.hidden = rows.rows.length > 0;
    const height = String(rows.height + BOTTOM);
    if (body.getAttribute("height") !== height) body.setAttribute("height", height);
    if (follows) scroller.scrollTop = rows.height + BOTTOM;
    draw();
  }

  /** @returns {Lifelines} the lifelines of the routers that send or receive messages; in a small lab, of all routers */
  function lines() {
    const routers = lifelineOrder(store.state.snapshot?.nodes ?? []);
    const speaks = routers.length <= 6 && !filter.node ? routers : routers.filter((name) => rows.columns.has(name));
    return lifelines(speaks, scroller.clientWidth);
  }

  function draw() {
    const { selection } = store.state;
    const [top, bottom] = [scroller.scrollTop - SPARE, scroller.scrollTop + scroller.clientHeight + SPARE];
    const first = rows.at(Math.max(0, top));
    const end = Math.min(rows.rows.length, rows.at(bottom) + 1);
    const shape = lines();
    const frame = JSON.stringify([[...shape.x], shape.width, rows.height]);
    if (frame !== framed) {
      framed = frame;
      body.setAttribute("width", String(shape.width));
      ground.replaceChildren(...lifelineElements(shape, 0, rows.height + BOTTOM));
      names.setAttribute("width", String(shape.width));
      names.replaceChildren(...nameElements(shape));
    }
    const columns = JSON.stringify([[...shape.x], shape.width]);
    const chosen = JSON.stringify(selection);
    if (chosen !== markedFor || rows.rows.length !== markedRows) {
      markedFor = chosen;
      markedRows = rows.rows.length;
      marks = relatives(selection?.kind === "item" ? store.item(selection.n) : undefined);
    }
    /** @type {typeof shown} */
    const now = new Map();
    const above = [];
    for (let i = first; i < end; i += 1) {
      const row = rows.rows[i];
      const mark = marks.get(row.n) ?? "";
      const key = `${columns} ${row.n} ${mark} ${row.kind === "message" ? row.arrives : row.at}`;
      const old = shown.get(i);
      if (old?.key === key) {
        now.set(i, old);
        shown.delete(i);
        continue;
      }
      const element = rowElement(row, rows.top(i), shape, mark, rows.rows[i - 1]);
      now.set(i, { key, element });
      if (i < lowest) above.push(element);
      else body.append(element);
    }
    ground.after(...above);
    for (const { element } of shown.values()) element.remove();
    shown = now;
    lowest = first;
    latest.hidden = follows || rows.height < scroller.clientHeight;
  }

  /**
   * Returns the marks of a chosen item and of its related items: its request, its answers and its cause.
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

  /** @param {number} by 1 selects the next row, -1 the previous row */
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
