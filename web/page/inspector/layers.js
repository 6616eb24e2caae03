// @ts-check
// From a dissection to boxes: the layers of a packet with their octets, and the rows of a header's diagram.

/** @import {Dissection, Field} from "../model" */

/** @typedef {{name: string, fields: Field[], from: number, end: number}} Layer */
/** @typedef {{name: string, value: string, column: number, columns: number, rows: number, from: number, len: number}} Box */

/**
 * Returns the layers with their ranges of octets.
 *
 * @param {Dissection} dissection
 * @returns {Layer[]}
 */
export function layersOf(dissection) {
  return dissection.layers.map(({ name, fields }) => {
    const from = fields.length > 0 ? Math.min(...fields.map((field) => field.from)) : 0;
    const end = fields.length > 0 ? Math.max(...fields.map((field) => field.from + field.len)) : 0;
    return { name, fields, from, end };
  });
}

/**
 * Returns the boxes of a header's diagram, four octets in a row, as RFCs draw them. Fields with the same
 * octets share a box; a field that is cut by the end of a row is drawn over whole rows.
 *
 * @param {Layer} layer
 * @returns {Box[]}
 */
export function diagram(layer) {
  /** @type {Box[]} */
  const boxes = [];
  let next = 0;
  const ordered = [...layer.fields].filter(({ len }) => len > 0).sort((a, b) => a.from - b.from || b.len - a.len);
  for (const { name, value, from, len } of ordered) {
    const at = from - layer.from;
    const last = boxes.at(-1);
    if (last && at < next) {
      if (at === last.from - layer.from || at + len <= next) last.name = joined(last.name, name);
      continue;
    }
    if (at > next) boxes.push(...filler(next, at, layer.from));
    const column = at % 4;
    const whole = len >= 4 || column + len > 4;
    boxes.push({ name, value, column, columns: whole ? 4 - column : len, rows: whole ? Math.ceil(Math.min(len, 16) / 4) : 1, from, len });
    next = at + len;
  }
  return boxes;
}

/**
 * @param {string} names
 * @param {string} name
 */
function joined(names, name) {
  return names.length > 60 || names.split(", ").includes(name) ? names : `${names}, ${name}`;
}

/**
 * Returns empty boxes for octets without a field, one for each row.
 *
 * @param {number} from
 * @param {number} to
 * @param {number} start of the layer
 * @returns {Box[]}
 */
function filler(from, to, start) {
  const boxes = [];
  for (let at = from; at < to; ) {
    const end = Math.min(to, at - (at % 4) + 4);
    boxes.push({ name: "", value: "", column: at % 4, columns: end - at, rows: 1, from: start + at, len: end - at });
    at = end;
  }
  return boxes;
}
