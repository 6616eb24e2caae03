// @ts-check
// Shows a failure of the source, such as a lab that cannot be read.

import { h } from "./dom.js";

/** @import {Store} from "./store.js" */

/**
 * Returns the element. It is hidden while there is no failure.
 *
 * @param {Store} store
 */
export function createFailure(store) {
  const text = h("p");
  const element = h(
    "div",
    { class: "failure", role: "alert", hidden: true },
    text,
    h("button", { type: "button", class: "plain", onclick: () => store.receive({ event: "error", message: "" }) }, "Close"),
  );
  store.subscribe(({ error }) => {
    if (text.textContent === (error ?? "")) return;
    text.textContent = error ?? "";
    element.hidden = !error;
  });
  return element;
}
