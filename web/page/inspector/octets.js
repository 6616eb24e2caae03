// @ts-check
// Shows octets: for each header the RFC's diagram and the fields, then the hexadecimal dump. If the mouse is over a
// field, its box or its octets, all three are marked.

import { h } from "../dom.js";
import { hexRows } from "../format.js";
import { diagram, fieldsAt, layersOf } from "./layers.js";
import { sectionElement } from "./reason.js";

/** @import {Dissection} from "../model" */
/** @import {Box, Layer, NumberedField} from "./layers.js" */

/**
 * Returns the view of a dissected packet or message.
 *
 * @param {Dissection} dissection
 * @param {string} digits the octets in hexadecimal
 */
export function octetsView(dissection, digits) {
  const layers = layersOf(dissection);
  const element = h("div", { class: "octets" });
  const dump = h("div", { class: "dump-pane" }, h("h3", {}, `${digits.length / 2} octets`), dumpElement(digits));
  // All layers of a message are open at first. In a packet, only the innermost header is open.
  const isPacket = layers[0]?.name.startsWith("IP") ?? false;
  /** The fields that were clicked. They stay marked. @type {NumberedField[]} */
  let chosen = [];

  /** @param {NumberedField[]} fields */
  function light(fields) {
    const ids = new Set(fields.map(({ id }) => String(id)));
    for (const part of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-field]"))) {
      part.classList.toggle("lit", ids.has(part.dataset.field ?? ""));
    }
    for (const octet of /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[data-at]"))) {
      const at = Number(octet.dataset.at);
      octet.classList.toggle("lit", fields.some(({ from, len }) => at >= from && at < from + len));
    }
    const first = /** @type {HTMLElement | null} */ (dump.querySelector(".lit"));
    if (first && !dump.matches(":hover")) dump.scrollTop = first.offsetTop - dump.clientHeight / 2;
  }

  element.append(
    ...layers.map((layer, i) => layerElement(layer, !isPacket || i === layers.length - 1)),
    dump,
  );
  const over = (/** @type {Event} */ event) => {
    const fields = fieldsOf(/** @type {Element} */ (event.target), layers);
    light(fields.length > 0 ? fields : chosen);
  };
  element.addEventListener("pointerover", over);
  element.addEventListener("focusin", over);
  element.addEventListener("pointerleave", () => light(chosen));
  element.addEventListener("click", (event) => {
    const fields = fieldsOf(/** @type {Element} */ (event.target), layers);
    if (fields.length === 0) return;
    chosen = fields[0] === chosen[0] ? [] : fields;
    light(chosen);
  });
  return element;
}

/**
 * Returns the field of a row or a box, or the fields of an octet.
 *
 * @param {Element} target
 * @param {Layer[]} layers
 * @returns {NumberedField[]}
 */
function fieldsOf(target, layers) {
  const part = /** @type {HTMLElement | null} */ (target.closest("[data-field], [data-at]"));
  if (!part) return [];
  if (part.dataset.at !== undefined) return fieldsAt(layers, Number(part.dataset.at));
  return layers.flatMap(({ fields }) => fields).filter(({ id }) => String(id) === part.dataset.field);
}

/**
 * @param {Layer} layer
 * @param {boolean} open
 */
function layerElement(layer, open) {
  return h(
    "details",
    { class: "layer", open },
    h("summary", {}, layer.name),
    layer.section ? h("p", { class: "faint" }, sectionElement(layer.section)) : null,
    h("div", { class: "diagram", "aria-hidden": "true" }, [0, 8, 16, 24].map((bit) => h("span", { class: "bit" }, String(bit))), diagram(layer).map(boxElement)),
    h("table", { class: "field-table" }, h("tbody", {}, layer.fields.map(fieldElement))),
  );
}

/** @param {Box} box */
function boxElement({ field, label, row, column, columns, rows, cut }) {
  const upright = columns === 1 && label.length > 1;
  return h(
    "span",
    {
      class: `box${cut ? " cut" : ""}${upright ? " upright" : ""}`,
      "data-field": field.id,
      // The first row of the grid has the numbers of the bits.
      style: { gridColumn: `${column + 1} / span ${columns}`, gridRow: `${row + 2} / span ${rows}` },
      title: `${field.name}: ${field.value}`,
    },
    label,
  );
}

/** @param {NumberedField} field */
function fieldElement(field) {
  return h(
    "tr",
    { "data-field": field.id, tabindex: 0, class: field.name === "Damage" ? "damage" : "" },
    h("th", { scope: "row" }, field.name),
    h("td", {}, h("span", { class: "value" }, field.value), field.meaning ? h("span", { class: "meaning" }, field.meaning) : null),
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
