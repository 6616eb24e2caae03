// @ts-check
// The form of each class of packet. A reader can know the class by the form or by the colour.

import { s } from "../dom.js";

/** @import {PacketClass} from "../model" */

/** @type {Record<PacketClass, string>} */
export const CLASS_NAMES = {
  control: "LISP control",
  tcp: "reliable transport (TCP)",
  data: "encapsulated data",
  native: "packet without LISP",
  neighbour: "ARP or neighbour discovery",
};

/**
 * Returns the glyph of a packet, around the point 0, 0.
 *
 * @param {PacketClass} class_
 */
export function glyph(class_) {
  return s("g", { class: `packet ${class_}` }, forms[class_]?.() ?? forms.native());
}

/** @type {Record<PacketClass, () => Element[]>} */
const forms = {
  // A diamond.
  control: () => [s("path", { d: "M0-8L8 0 0 8-8 0Z" })],
  // A triangle.
  tcp: () => [s("path", { d: "M0-7.5L7.5 6H-7.5Z" })],
  // A packet in a packet.
  data: () => [
    s("rect", { class: "outer", x: -9, y: -7, width: 18, height: 14, rx: 2.5 }),
    s("rect", { x: -4.5, y: -3.2, width: 9, height: 6.4, rx: 1 }),
  ],
  // The packet alone.
  native: () => [s("rect", { x: -6, y: -4.5, width: 12, height: 9, rx: 1.5 })],
  // A small ring.
  neighbour: () => [s("circle", { r: 3.6 })],
};

/** Returns the cross of a lost packet, around the point 0, 0. */
export function cross() {
  return s("g", { class: "cross" }, s("path", { d: "M-6-6L6 6M6-6L-6 6" }));
}

/**
 * Returns a glyph as a small picture in a line of text.
 *
 * @param {PacketClass} class_
 */
export function icon(class_) {
  return s("svg", { class: "icon", viewBox: "-11 -11 22 22", width: 16, height: 16, "aria-hidden": "true" }, glyph(class_));
}
