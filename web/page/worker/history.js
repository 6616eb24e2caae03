// @ts-check
// The items of a run that the page can show. It lies outside the module's memory, and is bounded.

/** @import {Item} from "../model" */

/** A history has at most this number of items. */
export const MOST = 60_000;

/** At most this number of items that were removed come back at a time. */
const BACK = 10_000;

/**
 * Returns the weight of an item. Where items have to go, the lightest go first: packets of data and
 * neighbour discovery that arrive, and the decisions about them.
 * @param {Item} item
 */
export function weight(item) {
  if (item.kind === "hop") {
    if (item.fate === "lost") return 2;
    return item.class === "control" || item.class === "tcp" ? 1 : 0;
  }
  if (item.kind === "decision") return isDrop(item) ? 2 : 0;
  return item.kind === "log" ? 2 : 3;
}

/**
 * Returns whether a packet ended with this item.
 * @param {Item} item
 */
export function isDrop(item) {
  return (item.kind === "hop" && item.fate === "lost") || (item.kind === "decision" && item.verdict === "drop");
}

/** The items of a run, in the order of their numbers. */
export class History {
  /** @param {number} [most] */
  constructor(most = MOST) {
    this.most = most;
    /** @type {Item[]} */
    this.items = [];
    /** The number of the last item that was added. */
    this.last = -1;
    /**
     * The instants before which not all items are left, by weight. The bound on items removed them.
     * @type {number[]}
     */
    this.complete_from = [0, 0, 0, 0];
    /** The numbers of the items that came back. @type {{from: number, to: number}|null} */
    this.back = null;
  }

  /**
   * Adds items and returns those that are new. A part that runs again gives known items: those that
   * are not there any more come back.
   * @param {Item[]} items
   */
  add(items) {
    const start = items.findIndex((item) => item.n > this.last);
    const known = start < 0 ? items : items.slice(0, start);
    const fresh = start < 0 ? [] : items.slice(start);
    if (known.length > 0 && known[0].at < this.complete_from[0]) this.bring_back(known);
    if (fresh.length === 0) return fresh;
    this.last = fresh[fresh.length - 1].n;
    for (const item of fresh) this.items.push(item);
    if (this.items.length > this.most) this.thin();
    return fresh;
  }

  /**
   * Puts items back that were removed. They stay until those of another time come back.
   * @param {Item[]} items
   */
  bring_back(items) {
    const [from, to] = [items[0].n, items[items.length - 1].n];
    const continues = this.back !== null && from > this.back.from && from <= this.back.to + BACK;
    this.back = { from: continues ? Math.max(this.back?.from ?? from, to - BACK) : from, to };
    const [start, end] = [this.index(from), this.index(to + 1)];
    const kept = this.items.slice(start, end);
    const given = new Set(items.map((item) => item.n));
    const merged = [...kept.filter((item) => !given.has(item.n)), ...items].sort((a, b) => a.n - b.n);
    this.items = [...this.items.slice(0, start), ...merged, ...this.items.slice(end)];
    if (this.items.length > this.most) this.thin();
  }

  /**
   * A part of the run is known by its events alone.
   * @param {number} at  the end of the part
   */
  left_out_until(at) {
    this.complete_from[0] = Math.max(this.complete_from[0], at);
  }

  /**
   * Removes all items after an item.
   * @param {number} n
   */
  truncate(n) {
    this.items.length = this.index(n + 1);
    this.last = Math.min(this.last, n);
  }

  /** Returns a history of the same items. */
  clone() {
    const clone = new History(this.most);
    clone.items = this.items.slice();
    clone.last = this.last;
    clone.complete_from = this.complete_from.slice();
    clone.back = this.back;
    return clone;
  }

  /**
   * Returns the item of a number, if it is still there.
   * @param {number} n
   */
  item(n) {
    const item = this.items[this.index(n)];
    return item?.n === n ? item : undefined;
  }

  /**
   * Returns the items from one instant to another, both included, the last ones if there are too many.
   * @param {number} from
   * @param {number} to
   * @param {(item: Item) => boolean} [wanted]
   * @param {number} [limit]
   */
  window(from, to, wanted = () => true, limit = 5000) {
    const found = [];
    for (let index = this.items.length - 1; index >= 0; index -= 1) {
      const item = this.items[index];
      if (item.at < from) break;
      if (item.at > to || !wanted(item)) continue;
      if (found.length === limit) return { items: found.reverse(), left_out: true };
      found.push(item);
    }
    return { items: found.reverse(), left_out: false };
  }

  /**
   * Returns the first item after an instant or the last one before it that is wanted.
   * @param {number} n   the number of the item from which the search starts
   * @param {1|-1} way
   * @param {(item: Item) => boolean} wanted
   */
  next(n, way, wanted) {
    let index = way > 0 ? this.index(n + 1) : this.index(n) - 1;
    for (; index >= 0 && index < this.items.length; index += way) {
      if (wanted(this.items[index])) return this.items[index];
    }
    return undefined;
  }

  /**
   * Returns the index of the first item whose number is not below `n`.
   * @param {number} n
   */
  index(n) {
    let [low, high] = [0, this.items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.items[middle].n < n) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Returns the number of the last item until an instant, -1 if there is none.
   * @param {number} at
   */
  last_until(at) {
    let [low, high] = [0, this.items.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.items[middle].at <= at) low = middle + 1;
      else high = middle;
    }
    return this.items[low - 1]?.n ?? -1;
  }

  /** Removes the lightest of the older items until a quarter of the room is free. */
  thin() {
    const aim = Math.floor((this.most * 3) / 4);
    for (let heaviest = 0; heaviest <= 3 && this.items.length > aim; heaviest += 1) {
      this.remove(heaviest, this.items.length - aim);
    }
  }

  /**
   * Removes the oldest items of a weight, at most `count`. The newest eighth stays whole as long as
   * items of this weight are older.
   * @param {number} of
   * @param {number} count
   */
  remove(of, count) {
    const old = of === 3 ? this.items.length : this.items.length - (this.most >> 3);
    let left = count;
    this.items = this.items.filter((item, index) => {
      if (left === 0 || index >= old || weight(item) !== of) return true;
      if (of < 3 && this.back && item.n >= this.back.from && item.n <= this.back.to) return true;
      left -= 1;
      this.complete_from[of] = Math.max(this.complete_from[of], item.at + 1);
      return false;
    });
  }
}
