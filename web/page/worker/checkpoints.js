// @ts-check
// Copies of the module's linear memory. If a page of memory has not changed since the previous copy, the two copies
// share it. The farther an instant is from the present, the fewer copies are kept.

/** The size of a page in octets. */
export const PAGE = 4096;

/** The words of a page. */
const WORDS = PAGE / 4;

/** The maximum number of octets of the pages of all copies of all runs: 64 MB. */
export const BUDGET = 64_000_000;

/** The smallest distance between two copies: the milliseconds of computing time of the module. */
const GRAIN = 20;

/** The distance between two copies is at most this part of their distance from the present. */
const PART = 1 / 5;

/** @typedef {{words: Int32Array, users: number}} Page */

/**
 * The place of a copy in its run.
 * @typedef {object} Mark
 * @property {number} at the instant; all events until this instant have happened
 * @property {number} n      the number of the last item
 * @property {number} hands the number of actions before this place
 * @property {number} cost the computing time of the module since the start, in milliseconds
 */

/** @typedef {Mark & {size: number, pages: Page[]}} Checkpoint */

/** The lists of copies of some runs, and the number of octets that their pages take together. */
export class Ledger {
  constructor(budget = BUDGET) {
    this.budget = budget;
    this.octets = 0;
    /** @type {Set<Checkpoints>} */
    this.lists = new Set();
  }

  /**
   * Removes copies until the pages fit into the budget. A copy that is close to others goes first, in
   * whichever run it is. The first copy of a run stays: all else is computed again from it.
   */
  fit() {
    while (this.octets > this.budget) {
      let densest = null;
      for (const list of this.lists) {
        const found = list.densest();
        if (found && (!densest || found.looseness < densest.looseness)) densest = { ...found, list };
      }
      if (!densest) break;
      densest.list.drop(densest.index);
    }
    for (const list of this.lists) {
      while (this.octets > this.budget && list.list.length > 1) list.drop(1);
    }
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
    this.ledger.lists.add(this);
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
    this.ledger.lists.add(clone);
    return clone;
  }

  /** Removes all copies. */
  clear() {
    while (this.list.length > 0) this.drop(this.list.length - 1);
    this.ledger.lists.delete(this);
  }

  /** @param {number} index */
  drop(index) {
    const [copy] = this.list.splice(index, 1);
    for (const page of copy.pages) {
      page.users -= 1;
      if (page.users === 0) this.ledger.octets -= page.words.byteLength;
    }
  }

  /** Removes copies that are too close to other copies for their distance from the present. */
  thin() {
    for (let index = this.list.length - 2; index > 0; index -= 1) {
      if (this.looseness(index) < 1) this.drop(index);
    }
    this.ledger.fit();
  }

  /** Returns the copy that is closest to its neighbours, except the first and the last one, if there is one. */
  densest() {
    let densest = null;
    for (let index = 1; index < this.list.length - 1; index += 1) {
      const looseness = this.looseness(index);
      if (!densest || looseness < densest.looseness) densest = { index, looseness };
    }
    return densest;
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
  const words = wordsOf(memory);
  checkpoint.pages.forEach((page, index) => words.set(page.words, index * WORDS));
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
  const words = wordsOf(memory);
  const pages = [];
  for (let start = 0; start < words.length; start += WORDS) {
    let page = before[start / WORDS];
    if (page === undefined || !isEqual(words, start, page.words)) {
      page = { words: words.slice(start, start + WORDS), users: 0 };
      ledger.octets += page.words.byteLength;
    }
    page.users += 1;
    pages.push(page);
  }
  return pages;
}

/** @param {Uint8Array} memory */
function wordsOf({ buffer, byteOffset, length }) {
  return new Int32Array(buffer, byteOffset, length >> 2);
}

/**
 * @param {Int32Array} words
 * @param {number} start
 * @param {Int32Array} others
 */
function isEqual(words, start, others) {
  for (let index = 0; index < others.length; index += 1) {
    if (words[start + index] !== others[index]) return false;
  }
  return true;
}
