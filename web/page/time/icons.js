// @ts-check
// The signs of the time bar, as drawings. Many fonts do not have these characters.

import { s } from "../dom.js";

/** @typedef {"play" | "pause" | "back" | "forward" | "next"} Sign */

/** @type {Record<Sign, string>} */
const PATHS = {
  play: "M5 3L14 9 5 15Z",
  pause: "M4.5 3h3v12h-3zM10.5 3h3v12h-3z",
  back: "M12 3L4 9l8 6zM13.5 3h2v12h-2z",
  forward: "M6 3l8 6-8 6zM2.5 3h2v12h-2z",
  next: "M3 3l6 6-6 6zM9 3l6 6-6 6zM15 3h1.8v12H15z",
};

/**
 * Returns a sign.
 *
 * @param {Sign} name
 */
export function sign(name) {
  return s("svg", { viewBox: "0 0 18 18", width: 18, height: 18, "aria-hidden": "true" }, s("path", { d: PATHS[name], fill: "currentColor" }));
}
