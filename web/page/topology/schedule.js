// @ts-check
// Plans the times at which packets are drawn. A hop takes a fixed time on the screen, also if it is very short on the
// link. A packet does not leave a node before its cause, another packet, has arrived there.

/** @import {HopItem} from "../model" */

/** @typedef {{hop: HopItem, start: number, end: number}} Ride the times on the screen in milliseconds */

/**
 * A departure from a node within this number of virtual microseconds after an arrival there may be
 * an effect of the arrival.
 */
const EFFECT = 60_000;

/** If the drawing is later than this number of milliseconds, hops are left out. */
const LATEST = 4000;

/**
 * Returns a planner, which remembers the arrivals between calls.
 */
export function createPlanner() {
  /** @type {Map<string, {arrives: number, end: number}[]>} */
  let arrivals = new Map();

  return {
    /** Forgets all arrivals, because time was turned back. */
    clear() {
      arrivals = new Map();
    },
    /**
     * Plans new hops.
     *
     * @param {HopItem[]} hops in the order of time
     * @param {number} now   the time on the screen
     * @param {number} each  the time of one hop on the screen
     * @returns {Ride[]}
     */
    plan(hops, now, each) {
      /** @type {Ride[]} */
      const rides = [];
      for (const hop of hops) {
        let start = now;
        for (const { arrives, end } of arrivals.get(hop.from) ?? []) {
          if (arrives <= hop.at && hop.at - arrives <= EFFECT) start = Math.max(start, end);
        }
        if (start - now > LATEST) continue;
        const end = start + each;
        rides.push({ hop, start, end });
        if (hop.arrives === null) continue;
        for (const node of hop.to) {
          const list = arrivals.get(node) ?? [];
          list.push({ arrives: hop.arrives, end });
          if (list.length > 48) list.shift();
          arrivals.set(node, list);
        }
      }
      return rides;
    },
  };
}

/**
 * Returns the time that one hop takes on the screen.
 *
 * @param {{playing: boolean, pace: number}} clock
 * @param {HopItem[]} hops
 */
export function hopTime(clock, hops) {
  if (!clock.playing) return hops.length > 60 ? 220 : 420;
  const real = hops.length > 0 && hops[0].arrives !== null ? (hops[0].arrives - hops[0].at) / 1000 / clock.pace : 0;
  return Math.max(140, Math.min(900, real));
}
