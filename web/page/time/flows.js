// @ts-check
// The pings and flows that run, with their marks and losses.

import { h } from "../dom.js";

/** @import {App} from "../app" */
/** @import {FlowState} from "../generated" */

const MARKS = 40;
const REFRESH = 300;

/**
 * Returns the list.
 *
 * @param {App} app
 */
export function createFlows(app) {
  const { store, source } = app;
  const element = h("ul", { class: "flows", "aria-label": "Pings and flows" });
  /** @type {Map<string, {row: HTMLElement, marks: HTMLElement, figures: HTMLElement}>} */
  const rows = new Map();
  let timer = 0;
  let seen = -1;
  let count = 0;

  async function refresh() {
    timer = 0;
    seen = store.state.now;
    /** @type {FlowState[]} */
    const flows = await source.request("flows").catch(() => []);
    for (const [name, { row }] of rows) {
      if (flows.some((flow) => flow.name === name)) continue;
      row.remove();
      rows.delete(name);
    }
    for (const flow of flows) show(flow);
    element.hidden = rows.size === 0;
  }

  /** @param {FlowState} flow */
  function show(flow) {
    const { name, from, to, marks, sent, answered, lost } = flow;
    const known = rows.get(name) ?? create(flow);
    known.marks.textContent = marks.slice(-MARKS);
    known.figures.textContent = `${answered} answered, ${lost} lost`;
    known.figures.classList.toggle("lost", lost > 0);
    known.row.title = `${from} to ${to}: ${sent} sent, ${answered} answered, ${lost} lost`;
  }

  /** @param {FlowState} flow */
  function create({ name, from, to }) {
    const marks = h("code", { "aria-hidden": "true" });
    const figures = h("span");
    const end = h("button", { type: "button", "aria-label": `End ${name}`, title: "End it", onclick: () => app.act({ kind: "end", name }).then(refresh) }, "✕");
    const row = h("li", {}, h("b", {}, `${from} → ${to}`), marks, figures, end);
    element.append(row);
    const made = { row, marks, figures };
    rows.set(name, made);
    return made;
  }

  store.subscribe(({ now }) => {
    if (now !== seen && !timer) timer = window.setTimeout(refresh, REFRESH);
  });
  element.hidden = true;
  return {
    element,
    refresh,
    /**
     * Returns a name that no flow has yet.
     *
     * @param {string} kind
     */
    fresh(kind) {
      do count += 1;
      while (rows.has(`${kind} ${count}`));
      return `${kind} ${count}`;
    },
  };
}
