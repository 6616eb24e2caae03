// @ts-check
// The items of a run that the page can show. They are kept outside the module's memory, and their number is bounded.

/** @import {Item} from "../model" */

/** The maximum number of items of a history. */
export const MOST = 60_000;

/** The maximum number of removed items that are put back at a time. */
const BACK = 10_000;

/**
 * Returns the weight of an item. If items must be removed, those with the least weight are removed first: packets of
 * data and neighbour discovery that arrive, and the decisions about them.
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
     * For each weight, an instant. Some items of this weight before this instant were removed, because of the bound.
     * @type {number[]}
     */
    this.complete_from = [0, 0, 0, 0];
    /** The first and the last number of the items that were put back. @type {{from: number, to: number}|null} */
    this.back = null;
  }

  /**
   * Adds items and returns those that are new. If a part of the run is computed again, its items are known. Those that
   * were removed are put back.
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
   * Puts removed items back. They stay until items of another time are put back.
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
   * Notes that the light items of a part of the run were left out.
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

  /** Returns a copy of the history. */
  clone() {
    const clone = new History(this.most);
    clone.items = this.items.slice();
    clone.last = this.last;
    clone.complete_from = this.complete_from.slice();
    clone.back = this.back;
    return clone;
  }

  /**
   * Returns the item with a number, if the history still has it.
   * @param {number} n
   */
  item(n) {
    const item = this.items[this.index(n)];
    return item?.n === n ? item : undefined;
  }

  /**
   * Returns the items from one instant to another, including both. If there are too many, returns the last ones.
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
   * Returns the next or the previous item for which `wanted` is true.
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
   * Returns the number of the last item at or before an instant, or -1 if there is none.
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

  /** Removes the older items with the least weight, until a quarter of the places is free. */
  thin() {
    const aim = Math.floor((this.most * 3) / 4);
    for (let heaviest = 0; heaviest <= 3 && this.items.length > aim; heaviest += 1) {
      this.remove(heaviest, this.items.length - aim);
    }
  }

  /**
   * Removes the oldest items of a weight, at most `count`. Items of the greatest weight can be removed anywhere. Other
   * items are not removed from the newest eighth.
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
