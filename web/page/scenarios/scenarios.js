// @ts-check
// The scenarios of the lab. The user chooses one and plays it. The page marks each statement that is done.

import { h } from "../dom.js";
import { clock } from "../format.js";
import { current, headline, nearest, statuses } from "./statements.js";

/** @import {App} from "../app" */
/** @import {Script} from "../model" */
/** @import {Status} from "./statements.js" */

/** @type {Record<Status, [string, string]>} the sign and the words of a status */
const SIGNS = { done: ["✓", "as expected"], failed: ["✗", "not as expected"], now: ["▸", "now"], ahead: ["", "later"], left: ["–", "not played: an action of yours came first"] };

/**
 * Builds the scenarios below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store, source } = app;
  const chooser = h("select", { "aria-label": "Scenario" });
  const play = h("button", { type: "button", class: "plain primary", onclick: () => void begin() }, "Play the scenario");
  const close = h("button", { type: "button", "aria-label": "Close the scenarios", onclick: () => app.open("scenarios", false) }, "×");
  const said = h("p", { class: "soft", role: "status" });
  const back = h("button", { type: "button", class: "plain", onclick: () => go(-1) }, "Statement back");
  const next = h("button", { type: "button", class: "plain", onclick: () => go(1) }, "Next statement");
  const steps = h("div", { class: "row", hidden: true }, back, next);
  const list = h("ol", { class: "statements" });
  const choice = h("div", { class: "row" }, chooser, play);
  const content = h("div", { class: "scenario" }, choice, said, steps, list);
  root.replaceChildren(h("div", { class: "head" }, h("h2", {}, "Scenarios"), close), content);

  /** @type {Script | null} */
  let script = null;
  /** @type {HTMLElement[]} */
  let rows = [];
  let listed = false;
  let epoch = -1;
  /** The scenario that the list has. */
  let known = "";
  let shown = "";

  async function listAll() {
    listed = true;
    try {
      const found = await source.request("scenarios");
      chooser.replaceChildren(...found.map((/** @type {any} */ it) => h("option", { value: it.name }, `${it.name}: ${it.title || it.problem}`)));
      choice.hidden = found.length === 0;
      if (found.length === 0) said.textContent = "This lab has no scenarios that the page can play. eidway lab run plays them in a terminal.";
    } catch (error) {
      said.textContent = `The scenarios cannot be read: ${/** @type {Error} */ (error).message}`;
    }
  }

  /** Plays the chosen scenario. The lab begins anew. */
  async function begin() {
    play.disabled = true;
    said.textContent = "The scenario is played ...";
    try {
      const { statements, stopped, title } = await source.request("scenario", { name: chooser.value });
      said.textContent = stopped === null ? `${title}: ${statements.length} statements, all as expected.` : `${title}: it stopped early.`;
      app.announce("The lab is at the first statement of the scenario. Press Play, or go through the statements one by one.");
    } catch (error) {
      said.textContent = `The scenario cannot be played: ${/** @type {Error} */ (error).message}`;
    }
    play.disabled = false;
    await fetch();
  }

  async function fetch() {
    /** @type {Script | null} */
    const found = await source.request("script").catch(() => null);
    const key = found ? `${found.name} ${found.until} ${found.end}` : "";
    if (key === known) return mark();
    [script, known] = [found, key];
    if (script) chooser.value = script.name;
    steps.hidden = script === null;
    rows = (script?.statements ?? []).map((statement) =>
      h(
        "li",
        {},
        h("span", { class: "sign", "aria-hidden": "true" }),
        h(
          "div",
          {},
          h("span", { class: "unseen" }),
          h("button", { type: "button", class: "link", title: statement.text, onclick: () => goto(statement.ended) }, headline(statement.text)),
          h("span", { class: "faint" }, ` ${clock(statement.began)}`),
          h("details", {}, h("summary", {}, "Transcript"), h("pre", { class: "code" }, statement.transcript.trimEnd())),
        ),
      ),
    );
    if (script && script.stopped !== null) rows.push(h("li", { class: "failed" }, h("span", { class: "sign" }, "✗"), h("pre", { class: "code" }, script.stopped)));
    list.replaceChildren(...rows);
    shown = "";
    mark();
  }

  /** Marks each statement with its status at the present instant. */
  function mark() {
    if (!script) return;
    const { now } = store.state;
    const all = statuses(script, now);
    const here = current(script.statements, now);
    const state = `${all.join(" ")} ${here}`;
    if (state === shown) return;
    shown = state;
    all.forEach((status, index) => {
      const row = rows[index];
      row.className = status;
      const [sign, words] = SIGNS[status];
      /** @type {HTMLElement} */ (row.querySelector(".sign")).textContent = sign;
      /** @type {HTMLElement} */ (row.querySelector(".unseen")).textContent = `${words}: `;
      if (index === here) row.setAttribute("aria-current", "step");
      else row.removeAttribute("aria-current");
    });
    rows[here]?.scrollIntoView({ block: "nearest" });
  }

  /** Goes to the end of the next statement (1), or of the statement before it (-1). @param {1|-1} way */
  function go(way) {
    const at = nearest(script?.statements ?? [], store.state.now, way);
    if (at !== undefined) void goto(at);
  }

  /** @param {number} at */
  async function goto(at) {
    await source.request("goto", { at }).catch((error) => app.announce(error.message));
  }

  store.subscribe((state) => {
    if (root.hidden || !state.snapshot) return;
    if (!listed) void listAll();
    if (state.epoch !== epoch) {
      epoch = state.epoch;
      void fetch();
    } else {
      mark();
    }
  });
  source.listen((event) => {
    if (event.event === "branched" && !root.hidden) void fetch();
  });
  new MutationObserver(() => {
    if (root.hidden || !store.state.snapshot) return;
    if (!listed) void listAll();
    void fetch();
  }).observe(root, { attributeFilter: ["hidden"] });
}
