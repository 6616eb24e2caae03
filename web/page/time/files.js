// @ts-check
// Saves a run: as a small file with its actions, or as this page with the run inside.

import { h } from "../dom.js";

/** @import {App} from "../app" */

/**
 * Lets the user save a text.
 *
 * @param {string} name  of the file
 * @param {string} text
 * @param {string} type
 */
export function save(name, text, type) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/**
 * Returns the HTML of the page with the data of another lab.
 *
 * @param {Document} from
 * @param {any} lab  what the script element `lab` holds
 */
export function withLab(from, lab) {
  const root = /** @type {HTMLElement} */ (from.documentElement.cloneNode(true));
  for (const name of root.getAttributeNames()) if (name !== "lang") root.removeAttribute(name);
  const body = /** @type {HTMLElement} */ (root.querySelector("body"));
  for (const name of body.getAttributeNames()) body.removeAttribute(name);
  for (const child of [...body.children]) if (!["SCRIPT", "NOSCRIPT"].includes(child.tagName)) child.remove();
  const place = /** @type {HTMLElement} */ (root.querySelector("#lab"));
  // Without a `<`, no text of a lab can end the script element.
  place.textContent = JSON.stringify(lab).replaceAll("<", "\\u003c");
  return `<!doctype html>\n${root.outerHTML}\n`;
}

/**
 * Returns in words how the actions of a file were repeated.
 *
 * @param {{hands: unknown[], refusals: {at: number, text: string}[], warning: string|null}} answer  of the worker
 */
export function repeated({ hands, refusals, warning }) {
  const [first] = refusals;
  const refused = first ? ` The lab refused ${refusals.length}, the first at ${(first.at / 1e6).toFixed(3)} s: ${first.text}.` : "";
  return `Repeated actions: ${hands.length}.${refused}${warning ? ` But ${warning}.` : ""}`;
}

/**
 * Returns the menu for the run, as a popover.
 *
 * @param {App} app
 */
export function createFiles({ source, store, announce }) {
  const name = () => store.state.snapshot?.lab.name ?? "lab";
  /** @param {(run: any) => void} use */
  async function exported(use) {
    try {
      use(await source.request("export"));
    } catch (error) {
      announce(/** @type {Error} */ (error).message);
    }
  }
  const saveRun = () => exported((run) => save(`${name()}.run.json`, `${JSON.stringify(run, null, 1)}\n`, "application/json"));
  const savePage = () =>
    exported((run) => {
      const lab = JSON.parse(document.getElementById("lab")?.textContent ?? "null");
      save(`${name()}-run.html`, withLab(document, { ...lab, run }), "text/html");
    });

  /** @param {Event} event */
  async function read(event) {
    const input = /** @type {HTMLInputElement} */ (event.target);
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    try {
      if (file.size > 4e6) throw new Error("it is larger than 4 MB");
      announce(`${file.name}: ${repeated(await source.request("import", { run: JSON.parse(await file.text()) }))}`);
    } catch (error) {
      announce(`${file.name} cannot be read: ${/** @type {Error} */ (error).message}`);
    }
  }

  const input = h("input", { type: "file", accept: ".json,application/json", hidden: true, onchange: read });
  const list = h("ol", { class: "plain-list deeds" });

  async function open() {
    const { hands, done, seed } = await source.request("status").catch(() => ({ hands: [], done: 0, seed: 0 }));
    const rows = hands.map((/** @type {any} */ hand, /** @type {number} */ index) =>
      h("li", { class: index < done ? null : "faint" }, h("span", { class: "mono" }, (hand.at / 1e6).toFixed(3)), h("code", {}, inWords(hand))),
    );
    list.replaceChildren(...(rows.length > 0 ? rows : [h("li", { class: "faint" }, `There is no action yet. The seed is ${seed}.`)]));
  }

  return {
    element: h(
      "div",
      { id: "run-menu", popover: "auto", class: "popover", "aria-label": "Run", onbeforetoggle: open },
      h("h3", {}, "Actions of this run"),
      list,
      h(
        "div",
        { class: "row" },
        h("button", { type: "button", class: "plain", onclick: saveRun, title: "A small file with the seed and the actions" }, "Save the run"),
        h("button", { type: "button", class: "plain", onclick: savePage, title: "This page, with the run inside" }, "Save the page"),
        h("button", { type: "button", class: "plain", onclick: () => input.click() }, "Open a run …"),
        input,
      ),
    ),
  };
}

/**
 * Returns an action as its command.
 *
 * @param {{request: any, command?: string}} hand
 */
export function inWords({ request, command }) {
  if (command) return command;
  if (request.op === "console") return `${request.node}# ${request.line}`;
  return JSON.stringify(request.hand);
}
