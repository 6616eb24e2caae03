// @ts-check
// Copies of the module's linear memory. If a page of memory has not changed since the previous copy, the two copies
// share it. The farther an instant is from the present, the fewer copies are kept.

/** The size of a page in octets. */
export const PAGE = 4096;

/** The maximum number of octets of the pages of all copies of all runs. */
export const BUDGET = 64 * 1024 * 1024;

/** The smallest distance between two copies: the milliseconds of computing time of the module. */
const GRAIN = 50;

/** The distance between two copies is at most this part of their distance from the present. */
const PART = 1 / 5;

/** @typedef {{octets: Uint8Array, users: number}} Page */

/**
 * The place of a copy in its run.
 * @typedef {object} Mark
 * @property {number} at the instant; all events until this instant have happened
 * @property {number} n      the number of the last item
 * @property {number} hands the number of actions before this place
 * @property {number} cost the computing time of the module since the start, in milliseconds
 */

/** @typedef {Mark & {size: number, pages: Page[]}} Checkpoint */

/** Counts the octets of the pages of several lists of copies. */
export class Ledger {
  constructor(budget = BUDGET) {
    this.budget = budget;
    this.octets = 0;
  }
}

/** The copies of one run, by their place in it. */
export class Checkpoints {
  /** @param {Ledger} ledger */
  constructor(ledger = new Ledger()) {
    this.ledger = ledger;
    /** @type {Checkpoint[]} */
    this.list = [];
    /** The cost of the place in the run around which most copies are kept. */
    this.focus = 0;
  }

  /**
   * Copies a memory, unless there is already a copy of the same place.
   * @param {Uint8Array} memory
   * @param {Mark} mark
   */
  keep(memory, mark) {
    let index = this.list.findIndex((other) => isAfter(other, mark));
    if (index < 0) index = this.list.length;
    const before = this.list[index - 1];
    if (before && !isAfter(mark, before)) return;
    const pages = copy(memory, before?.pages ?? [], this.ledger);
    this.list.splice(index, 0, { ...mark, size: memory.length, pages });
    this.focus = mark.cost;
    this.thin();
  }

  /**
   * Returns the last copy at or before an instant.
   * @param {number} at
   * @returns {Checkpoint|undefined}
   */
  before(at) {
    return this.list.findLast((copy) => copy.at <= at);
  }

  /**
   * Removes the copies of a future that is not valid any more: the copies after an instant, and the copies with more
   * actions.
   * @param {number} at
   * @param {number} hands
   */
  truncate(at, hands) {
    while (this.list.length > 0) {
      const last = this.list[this.list.length - 1];
      if (last.at <= at && last.hands <= hands) break;
      this.drop(this.list.length - 1);
    }
  }

  /** Returns a list of the same copies. The pages are shared. */
  clone() {
    const clone = new Checkpoints(this.ledger);
    clone.focus = this.focus;
    clone.list = this.list.map((copy) => ({ ...copy }));
    for (const { pages } of clone.list) for (const page of pages) page.users += 1;
    return clone;
  }

  /** Removes all copies. */
  clear() {
    while (this.list.length > 0) this.drop(this.list.length - 1);
  }

  /** @param {number} index */
  drop(index) {
    const [copy] = this.list.splice(index, 1);
    for (const page of copy.pages) {
      page.users -= 1;
      if (page.users === 0) this.ledger.octets -= page.octets.length;
    }
  }

  /** Removes copies that are too close to other copies for their distance from the present. */
  thin() {
    for (let index = this.list.length - 2; index > 0; index -= 1) {
      if (this.looseness(index) < 1) this.drop(index);
    }
    while (this.ledger.octets > this.ledger.budget && this.list.length > 2) {
      let least = 1;
      for (let index = 2; index < this.list.length - 1; index += 1) {
        if (this.looseness(index) < this.looseness(least)) least = index;
      }
      this.drop(least);
    }
    // The last two copies do not fit. Only the copy of the start is kept, and all other states are computed again from
    // it.
    while (this.ledger.octets > this.ledger.budget && this.list.length > 1) this.drop(1);
  }

  /**
   * Returns the distance between the neighbours of a copy, divided by the distance that they should have.
   * @param {number} index
   */
  looseness(index) {
    const last = this.list[this.list.length - 1].cost;
    const { cost } = this.list[index];
    const gap = this.list[index + 1].cost - this.list[index - 1].cost;
    const age = Math.min(Math.abs(this.focus - cost), Math.abs(last - cost));
    return gap / Math.max(GRAIN, age * PART);
  }
}

/**
 * Writes a copy into a memory of its size.
 * @param {Checkpoint} checkpoint
 * @param {Uint8Array} memory
 */
export function write(checkpoint, memory) {
  checkpoint.pages.forEach((page, index) => memory.set(page.octets, index * PAGE));
}

/**
 * @param {Mark} a
 * @param {Mark} b
 */
function isAfter(a, b) {
  return a.at > b.at || (a.at === b.at && a.hands > b.hands);
}

/**
 * @param {Uint8Array} memory
 * @param {Page[]} before
 * @param {Ledger} ledger
 * @returns {Page[]}
 */
function copy(memory, before, ledger) {
  const words = new Int32Array(memory.buffer, memory.byteOffset, memory.length >> 2);
  const pages = [];
  for (let offset = 0; offset < memory.length; offset += PAGE) {
    let page = before[offset / PAGE];
    if (page === undefined || !isEqual(words, offset >> 2, page.octets)) {
      page = { octets: memory.slice(offset, offset + PAGE), users: 0 };
      ledger.octets += page.octets.length;
    }
    page.users += 1;
    pages.push(page);
  }
  return pages;
}

/**
 * @param {Int32Array} words
 * @param {number} start
 * @param {Uint8Array} octets
 */
function isEqual(words, start, octets) {
  const others = new Int32Array(octets.buffer);
  for (let index = 0; index < others.length; index += 1) {
    if (words[start + index] !== others[index]) return false;
  }
  return true;
}
