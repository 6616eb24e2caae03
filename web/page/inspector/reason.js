// @ts-check
// A reason, with the section of the standard.

import { h } from "../dom.js";

/** @import {App} from "../app" */
/** @import {Reason} from "../model" */

/**
 * Returns the address of a section of an RFC, or null.
 *
 * @param {string} section such as "RFC 9301 section 6.1"
 */
export function sectionAddress(section) {
  const found = section.match(/RFC\s*(\d{3,5})(?:\D+([0-9.]*[0-9]))?/i);
  if (!found) return null;
  return `https://www.rfc-editor.org/rfc/rfc${found[1]}${found[2] ? `#section-${found[2]}` : ""}`;
}

/**
 * Returns a section of a standard, as a link where it is an RFC.
 *
 * @param {string | null | undefined} section
 */
export function sectionElement(section) {
  if (!section) return null;
  const href = sectionAddress(section);
  if (!href) return h("span", { class: "section" }, section);
  return h("a", { class: "section", href, target: "_blank", rel: "noreferrer noopener" }, section);
}

/**
 * Returns a reason.
 *
 * @param {Reason | null} reason
 * @param {App} _
 */
export function reasonElement(reason, _) {
  if (!reason) return null;
  return h("p", { class: "reason" }, h("b", {}, "Why: "), reason.text, " ", sectionElement(reason.section));
}
