// @ts-check
// Reports the run to the page. The page always has the items until the present, except items that were removed.

/** @import {ClockState, Item, Stopped} from "../model" */
/** @import {Run} from "./run.js" */

import { weight } from "./history.js";

/** The maximum number of items of one message. Items with the least weight are left out. */
const MOST_AT_ONCE = 1500;

/** The maximum number of items before the present that the page gets after a jump. */
const WINDOW = 4000;

/** The number of items that the page keeps at least. */
const PAGE_HAS = 40_000;

/** The time after which the page gets a new snapshot, in milliseconds, also if there are many items. */
const SNAPSHOT = 250;

export class Messenger {
  /**
   * @param {(message: any) => void} post
   * @param {() => number} clock
   */
  constructor(post, clock) {
    this.post = post;
    this.clock = clock;
    /** The number of the first item that the page has. @type {number} */
    this.first = Infinity;
    /** The number of the last item that the page has. @type {number} */
    this.last = -1;
    this.now = -1;
    /** Whether the page has no items of this run. */
    this.is_new = true;
    /** The number of items that were posted since `first`. */
    this.posted = 0;
    this.clock_state = "";
    this.snapshot_at = -Infinity;
  }

  /** Makes the next message replace all items of the page. */
  forget() {
    [this.first, this.last, this.now, this.is_new, this.posted] = [Infinity, -1, -1, true, 0];
  }

  /** @param {Stopped} stopped */
  stopped(stopped) {
    this.post({ event: "stopped", stopped });
  }

  /**
   * @param {Run} run
   * @param {ClockState} clock
   * @param {boolean} changed  whether the snapshot has changed without an item
   */
  tell(run, clock, changed) {
    const { at, n } = run.present;
    if (this.is_new || n < this.last || at < this.now) this.reset(run);
    const news = n > this.last;
    if (news || changed || at !== this.now) this.news(run, news || changed);
    const state = JSON.stringify(clock);
    if (state !== this.clock_state) this.post({ event: "clock", clock });
    this.clock_state = state;
  }

  /** @param {Run} run */
  reset(run) {
    const { at, n } = run.present;
    const snapshot = run.ask({ op: "snapshot" });
    const isKept = !this.is_new && n >= this.first;
    this.post({ event: "reset", now: at, n: isKept ? n : -1, snapshot });
    if (!isKept) {
      const items = before(run, n, WINDOW);
      this.first = items[0]?.n ?? n + 1;
      if (items.length > 0) this.post({ event: "items", now: at, items, snapshot: null });
    }
    this.is_new = false;
    [this.last, this.now] = [n, at];
    this.snapshot_at = this.clock();
  }

  /**
   * @param {Run} run
   * @param {boolean} changed
   */
  news(run, changed) {
    const { at, n } = run.present;
    const start = run.history.index(this.last + 1);
    const end = run.history.index(n + 1);
    if (end - start > WINDOW && this.last >= 0) {
      this.is_new = true;
      return this.reset(run);
    }
    const { items, left_out } = lightened(run.history.items.slice(start, end));
    const due = this.clock() - this.snapshot_at > SNAPSHOT;
    const snapshot = changed && (due || items.length < MOST_AT_ONCE) ? run.ask({ op: "snapshot" }) : null;
    if (snapshot) this.snapshot_at = this.clock();
    this.post({ event: "items", now: at, items, snapshot, left_out });
    [this.last, this.now] = [n, at];
    this.posted += items.length;
    this.first = Math.min(this.first, items[0]?.n ?? Infinity);
    // The page has a gap, or it has removed its oldest items. So only the items from here on are complete.
    const isPart = left_out > 0 || run.history.complete_from[0] > at;
    if (isPart || this.posted > PAGE_HAS) [this.first, this.posted] = [n + 1, 0];
  }
}

/**
 * @param {Run} run
 * @param {number} n
 * @param {number} count
 */
function before(run, n, count) {
  const end = run.history.index(n + 1);
  return run.history.items.slice(Math.max(0, end - count), end);
}

/**
 * Leaves out items with little weight until the rest fits into one message.
 * @param {Item[]} items
 */
function lightened(items) {
  let kept = items;
  for (let least = 1; kept.length > MOST_AT_ONCE && least <= 3; least += 1) {
    kept = kept.filter((item) => weight(item) >= least);
  }
  kept = kept.slice(-MOST_AT_ONCE);
  return { items: kept, left_out: items.length - kept.length };
}
