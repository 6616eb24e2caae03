// @ts-check
// The items of a run that the page can show. It lies outside the module's memory, and is bounded.

/** @import {Item} from "../model" */

/** A history has at most this number of items. */
export const MOST = 60_000;

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
  }

  /**
   * Adds the items that are new and returns them. A part that runs again gives known items.
   * @param {Item[]} items
   */
  add(items) {
    const fresh = items.filter((item) => item.n > this.last);
    if (fresh.length === 0) return fresh;
    this.last = fresh[fresh.length - 1].n;
    for (const item of fresh) this.items.push(item);
    if (this.items.length > this.most) this.thin();
    return fresh;
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
      left -= 1;
      this.complete_from[of] = Math.max(this.complete_from[of], item.at + 1);
      return false;
    });
  }
}
