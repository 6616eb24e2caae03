// @ts-check
// Shows octets: nested packets, the header's diagram, the fields, and the hexadecimal dump. A field and its
// octets light up together.

import { h } from "../dom.js";
import { hexRows } from "../format.js";
import { diagram, layersOf } from "./layers.js";

/** @import {Dissection, Field} from "../model" */
/** @import {Layer} from "./layers.js" */

/**
 * Returns the view of a dissected packet or message.
 *
 * @param {Dissection} dissection
 * @param {string} digits the octets in hexadecimal
 */
export function octetsView(dissection, digits) {
  const layers = layersOf(dissection);
  const dump = dumpElement(digits);
  const element = h("div", { class: "octets" });

  /** @param {{from: number, len: number} | null} range */
  function light(range) {
    for (const octet of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-at]"))) {
      const at = Number(octet.dataset.at);
      octet.classList.toggle("lit", range !== null && at >= range.from && at < range.from + range.len);
    }
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-from]"))) {
      const [from, len] = [Number(part.dataset.from), Number(part.dataset.len)];
      part.classList.toggle("lit", range !== null && from < range.from + range.len && range.from < from + len);
    }
  }

  element.append(
    ...layers.map((layer, i) => layerElement(layer, i === layers.length - 1 || layers.length < 3)),
    h("h3", {}, `${digits.length / 2} octets`),
    dump,
  );
  element.addEventListener("pointerover", (event) => {
    const part = /** @type {Element} */ (event.target).closest("[data-from], [data-at]");
    light(rangeOf(/** @type {HTMLElement | null} */ (part), layers));
  });
  element.addEventListener("pointerleave", () => light(null));
  element.addEventListener("focusin", (event) => {
    light(rangeOf(/** @type {Element} */ (event.target).closest("[data-from]"), layers));
  });
  return element;
}

/**
 * Returns the octets of a field or a box, or those of the field of an octet.
 *
 * @param {any} part
 * @param {Layer[]} layers
 */
function rangeOf(part, layers) {
  if (!part) return null;
  if (part.dataset.from !== undefined) return { from: Number(part.dataset.from), len: Number(part.dataset.len) };
  const at = Number(part.dataset.at);
  const fields = layers.flatMap(({ fields }) => fields).filter(({ from, len }) => at >= from && at < from + len);
  return fields.sort((a, b) => a.len - b.len)[0] ?? { from: at, len: 1 };
}

/**
 * @param {Layer} layer
 * @param {boolean} open
 */
function layerElement(layer, open) {
  const boxes = diagram(layer);
  return h(
    "details",
    { class: "layer", open },
    h("summary", {}, layer.name),
    boxes.length > 1 ? h("div", { class: "diagram", "aria-hidden": "true" }, boxes.map(boxElement)) : null,
    h("table", { class: "field-table" }, h("tbody", {}, layer.fields.map(fieldElement))),
  );
}

/** @param {import("./layers.js").Box} box */
function boxElement(box) {
  return h(
    "span",
    {
      class: box.name ? "box" : "box blank",
      "data-from": box.from,
      "data-len": box.len,
      style: { gridColumn: `${box.column + 1} / span ${box.columns}`, gridRow: `span ${box.rows}` },
      title: box.value ? `${box.name}: ${box.value}` : "",
    },
    box.name,
  );
}

/** @param {Field} field */
function fieldElement(field) {
  return h(
    "tr",
    { "data-from": field.from, "data-len": field.len, tabindex: 0 },
    h("th", { scope: "row" }, field.name),
    h("td", {}, field.value),
  );
}

/** @param {string} digits */
function dumpElement(digits) {
  const rows = hexRows(digits, 8).map(({ offset, octets }) =>
    h(
      "tr",
      {},
      h("th", { scope: "row" }, offset.toString(16).padStart(4, "0")),
      octets.map((octet, i) => h("td", { "data-at": offset + i }, octet)),
    ),
  );
  return h("table", { class: "dump", "aria-label": "Octets in hexadecimal" }, h("tbody", {}, rows));
}

/**
 * Returns the packet as nested boxes: each encapsulation is a box around the packet in it.
 *
 * @param {string[][]} packets
 * @returns {HTMLElement | null}
 */
export function nested(packets) {
  if (packets.length === 0) return null;
  const [[...headers], ...inner] = packets;
  const labels = headers.map((name) => h("span", { class: "header" }, name));
  return h("div", { class: `nest${inner.length > 0 ? " outer" : ""}` }, labels, nested(inner));
}
