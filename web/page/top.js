// @ts-check
// The head of the page: the lab's name, and the buttons for scenarios, for lessons and for the theme.

import { h, s } from "./dom.js";

/** @import {Store} from "./store.js" */

/**
 * Returns the head.
 *
 * @param {Store} store
 * @param {{lessons: () => void, scenarios: () => void}} acts
 */
export function createTop(store, acts) {
  const name = h("h1", {}, "Eidway");
  const title = h("span", { class: "title wide" });
  const lessons = h("button", { type: "button", "aria-pressed": "false", onclick: acts.lessons }, "Lessons");
  const scenarios = h("button", { type: "button", "aria-pressed": "false", onclick: acts.scenarios }, "Scenarios");
  const theme = h("button", { type: "button", onclick: choose });

  function choose() {
    setTheme(other(theTheme()));
    remember("eidway-theme", theTheme());
  }

  /** @param {string} to */
  function setTheme(to) {
    document.documentElement.dataset.theme = to;
    theme.textContent = to === "dark" ? "Light" : "Dark";
    theme.setAttribute("aria-label", `Use the ${other(to)} colours`);
  }

  const preference = matchMedia("(prefers-color-scheme: dark)");
  const kept = recall("eidway-theme");
  setTheme(kept ?? (preference.matches ? "dark" : "light"));
  preference.addEventListener("change", () => setTheme(preference.matches ? "dark" : "light"));

  store.subscribe(({ snapshot }) => {
    if (!snapshot || name.textContent === snapshot.lab.name) return;
    name.textContent = snapshot.lab.name;
    title.textContent = snapshot.lab.title;
    title.title = snapshot.lab.title;
    document.title = `${snapshot.lab.name} · Eidway`;
  });
  const spring = h("span", { style: { flex: "1" } });
  return {
    element: h("header", { class: "top" }, mark(), name, title, spring, scenarios, lessons, theme),
    /**
     * @param {"lessons"|"scenarios"} panel
     * @param {boolean} on
     */
    mark(panel, on) {
      ({ lessons, scenarios })[panel].setAttribute("aria-pressed", String(on));
    },
  };
}

/** Returns the logo of Eidway: a packet in a packet. */
function mark() {
  return s(
    "svg",
    { class: "mark", viewBox: "0 0 22 22", "aria-hidden": "true" },
    s("rect", { x: 1.5, y: 3.5, width: 19, height: 15, rx: 3, fill: "none", stroke: "var(--data)", "stroke-width": 2 }),
    s("rect", { x: 8, y: 8, width: 9, height: 6, rx: 1.5, fill: "var(--accent)" }),
  );
}

const theTheme = () => document.documentElement.dataset.theme ?? "light";
const other = (/** @type {string} */ theme) => (theme === "dark" ? "light" : "dark");

/** @param {string} key */
function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A page from a file may have no storage. Then the choice is lost when the page is closed.
  }
}
