// @ts-check
// Makes the rows of a header's diagram from a dissection. As in the RFCs, a row has 32 bits.

/** @import {Dissection, Field} from "../model" */

/** @typedef {Field & {id: number}} NumberedField */
/** @typedef {{name: string, section: string, from: number, fields: NumberedField[]}} Layer */

/**
 * A box of the diagram: a field, or the part of a field in one row.
 *
 * @typedef {object} Box
 * @property {NumberedField} field
 * @property {string} label  the name, shortened to the width; empty for a further part of a field
 * @property {number} row     counted from 0
 * @property {number} column  0 to 31
 * @property {number} columns
 * @property {number} rows
 * @property {boolean} cut    whether the box has fewer rows than the field
 */

const ROW = 32;

/** The maximum number of rows of a field in a diagram. */
const MOST_ROWS = 3;

/**
 * Returns the layers, with a number for each field.
 *
 * @param {Dissection} dissection
 * @returns {Layer[]}
 */
export function layersOf(dissection) {
  let id = 0;
  return dissection.layers.map(({ name, section, from, fields }) => ({
    name,
    section,
    from,
    fields: fields.map((field) => ({ ...field, id: id++ })),
  }));
}

/**
 * Returns the first bit of a field, counted from the start of its layer, and the number of bits.
 *
 * @param {Field} field
 * @param {number} start the first octet of the layer
 */
export function bitsOf(field, start) {
  const [shift, count] = field.bits ?? [0, 8 * field.len];
  return { first: 8 * (field.from - start) + shift, count };
}

/**
 * Returns the fields that have a bit in an octet.
 *
 * @param {Layer[]} layers
 * @param {number} octet
 */
export function fieldsAt(layers, octet) {
  return layers.flatMap(({ fields }) => fields).filter(({ from, len }) => octet >= from && octet < from + len);
}

/**
 * Returns the boxes of a layer's diagram.
 *
 * @param {Layer} layer
 * @returns {Box[]}
 */
export function diagram(layer) {
  /** @type {Box[]} */
  const boxes = [];
  // The number of rows above the box that are left out, because fields with many rows are cut.
  let left_out = 0;
  for (const field of layer.fields) {
    let { first, count } = bitsOf(field, layer.from);
    /** @type {Box[]} */
    const parts = [];
    while (count > 0) {
      const column = first % ROW;
      const whole = column === 0 ? Math.floor(count / ROW) : 0;
      const rows = Math.min(Math.max(whole, 1), MOST_ROWS);
      const bits = whole > 0 ? whole * ROW : Math.min(count, ROW - column);
      const row = Math.floor(first / ROW) - left_out;
      parts.push({ field, label: "", row, column, columns: Math.min(bits, ROW), rows, cut: whole > rows });
      left_out += Math.max(whole, 1) - rows;
      first += bits;
      count -= bits;
    }
    if (parts.length === 0) continue;
    const largest = parts.reduce((best, part) => (part.columns * part.rows > best.columns * best.rows ? part : best));
    largest.label = short(field.name, largest.columns);
    boxes.push(...parts);
  }
  return boxes;
}

/**
 * Returns a name that fits into a box: the name, its initials, or nothing.
 *
 * @param {string} name
 * @param {number} columns
 */
export function short(name, columns) {
  const room = columns * 1.9;
  if (name.length <= Math.max(room, 3)) return name;
  const initials = name.split(/[\s-]+/).map((word) => word[0]).join("");
  return initials.length > 1 && initials.length <= room ? initials : "";
}
