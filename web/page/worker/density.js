// @ts-check
// Counts the events of the whole run in cells of time, for the time bar. The number of cells is bounded: when the run
// gets longer, each pair of cells becomes one cell.

import { isDrop } from "./history.js";

/** @import {Item} from "../model" */

/** The kinds of events that the time bar marks. */
export const KINDS = /** @type {const} */ (["message", "change", "drop", "hand", "data"]);

/** @typedef {typeof KINDS[number]} Kind */

const CELLS = 2048;
const FIRST_WIDTH = 1000;

/**
 * Returns the kind of an item for the time bar, or undefined if the time bar does not count it.
 * @param {Item} item
 * @returns {Kind|undefined}
 */
export function kindOf(item) {
  if (isDrop(item)) return "drop";
  if (item.kind === "message") return item.direction === "received" ? undefined : "message";
  if (item.kind === "change") return "change";
  return item.kind === "hop" && (item.class === "data" || item.class === "native") ? "data" : undefined;
}

/** Counts of events by time. */
export class Density {
  constructor() {
    /** The number of microseconds that a cell covers. */
    this.width = FIRST_WIDTH;
    this.cells = KINDS.map(() => new Uint32Array(CELLS));
  }

  /**
   * @param {number} at
   * @param {Kind} kind
   */
  count(at, kind) {
    while (at >= this.width * CELLS) this.widen();
    this.cells[KINDS.indexOf(kind)][Math.floor(at / this.width)] += 1;
  }

  /** @param {Item[]} items */
  add(items) {
    for (const item of items) {
      const kind = kindOf(item);
      if (kind) this.count(item.at, kind);
    }
  }

  /** Makes one cell from each pair of cells. */
  widen() {
    this.width *= 2;
    for (const cells of this.cells) {
      for (let index = 0; index < CELLS / 2; index += 1) {
        cells[index] = cells[2 * index] + cells[2 * index + 1];
      }
      cells.fill(0, CELLS / 2);
    }
  }

  /**
   * Removes all events after an instant. The cell of this instant is counted again.
   * @param {number} at
   * @param {Item[]} items  the items of the history
   * @param {number[]} hands  the instants of the hands
   */
  truncate(at, items, hands) {
    const cell = Math.min(CELLS, Math.floor(at / this.width));
    for (const cells of this.cells) cells.fill(0, cell);
    const from = cell * this.width;
    let index = items.length;
    while (index > 0 && items[index - 1].at >= from) index -= 1;
    this.add(items.slice(index).filter((item) => item.at <= at));
    for (const hand of hands) if (hand >= from && hand <= at) this.count(hand, "hand");
  }

  /** Returns a copy of the counts. */
  clone() {
    const clone = new Density();
    clone.width = this.width;
    clone.cells = this.cells.map((cells) => cells.slice());
    return clone;
  }

  /**
   * Returns the counts between two instants in equal steps, by kind.
   * @param {number} from
   * @param {number} to
   * @param {number} steps
   * @returns {Record<Kind, number[]>}
   */
  between(from, to, steps) {
    const span = Math.max(1, to - from);
    const sums = KINDS.map(() => new Array(steps).fill(0));
    const first = Math.max(0, Math.floor(from / this.width));
    const last = Math.min(CELLS - 1, Math.floor(to / this.width));
    for (let cell = first; cell <= last; cell += 1) {
      const middle = (cell + 0.5) * this.width;
      const step = Math.min(steps - 1, Math.max(0, Math.floor(((middle - from) / span) * steps)));
      this.cells.forEach((cells, kind) => (sums[kind][step] += cells[cell]));
    }
    return /** @type {any} */ (Object.fromEntries(KINDS.map((kind, index) => [kind, sums[index]])));
  }
}
