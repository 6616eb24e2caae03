// @ts-check
// The page's memory: the last snapshot, the items up to now, and the user's selection. Panels subscribe, and are called
// once for each frame with a change.

import { addressOf } from "./format.js";
import { normalSnapshot } from "./normal.js";

/** @import {ClockState, Item, MessageItem, NodeState, SegmentState, Snapshot, SourceEvent} from "./model" */
/** @import {Selection} from "./app" */

/** The maximum number of items that are kept. If there are more, the oldest fifth is removed. */
const MOST_ITEMS = 60000;

/**
 * @typedef {object} State
 * @property {Snapshot | null} snapshot
 * @property {number} now       The instant that is shown, in microseconds.
 * @property {Item[]} items     In the order of their serial numbers.
 * @property {ClockState} clock
 * @property {Selection | null} selection
 * @property {string | null} error
 * @property {number} leftOut The number of items that the source left out, because there were too many.
 * @property {number} epoch Increases whenever items are removed because the time goes back.
 * @property {number} since The items after this number are news: those of the last step, or of the last seconds of a
 * run.
 */

/** @typedef {ReturnType<typeof createStore>} Store */

/** Items of a run are news for this time, in microseconds. */
const NEWS = 2_000_000;

/**
 * Returns the number before the first item that is news, when new items arrive.
 *
 * @param {State} state
 * @param {number} first
 */
function newsBefore({ clock, now, items, since }, first) {
  if (!clock.playing) return first - 1;
  let end = items.length;
  while (end > 0 && items[end - 1].at > now - NEWS && items[end - 1].n > since) end -= 1;
  return items[end]?.n !== undefined ? items[end].n - 1 : first - 1;
}

/**
 * Returns an empty store.
 *
 * @param {(run: () => void) => void} [soon] runs a function before the next frame
 */
export function createStore(soon = (run) => requestAnimationFrame(run)) {
  /** @type {State} */
  const state = {
    snapshot: null,
    now: 0,
    items: [],
    clock: { playing: false, pace: 1, end: 0, steerable: true },
    selection: null,
    error: null,
    leftOut: 0,
    epoch: 0,
    since: -1,
  };
  /** @type {Map<number, Item>} */
  const byN = new Map();
  /** @type {Map<string, NodeState>} */
  let nodes = new Map();
  /** @type {Map<string, SegmentState>} */
  let segments = new Map();
  /** The node of each address. The addresses of hosts come from the snapshot, those of routers from their messages. */
  /** @type {Map<string, string>} */
  const owners = new Map();
  /** @type {Set<(state: State) => void>} */
  const subscribers = new Set();
  /** @type {Set<(items: Item[]) => void>} */
  const witnesses = new Set();
  let told = true;

  function changed() {
    if (!told) return;
    told = false;
    soon(() => {
      told = true;
      for (const subscriber of subscribers) subscriber(state);
    });
  }

  /** @param {Snapshot} given */
  function take(given) {
    const snapshot = normalSnapshot(given);
    state.snapshot = snapshot;
    state.now = snapshot.now;
    nodes = new Map(snapshot.nodes.map((node) => [node.name, node]));
    segments = new Map(snapshot.segments.map((segment) => [segment.name, segment]));
    for (const { name, addresses } of snapshot.nodes) {
      for (const address of addresses) owners.set(address.split("/")[0], name);
    }
  }

  /** @param {Item[]} items */
  function add(items) {
    for (const item of items) {
      state.items.push(item);
      byN.set(item.n, item);
      if (item.kind === "message") {
        owners.set(addressOf(item.direction === "sent" ? item.source : item.destination), item.node);
      }
    }
    if (state.items.length > MOST_ITEMS) {
      for (const item of state.items.splice(0, MOST_ITEMS / 5)) byN.delete(item.n);
    }
  }

  /** @param {number} n */
  function forgetAfter(n) {
    let end = state.items.length;
    while (end > 0 && state.items[end - 1].n > n) byN.delete(state.items[--end].n);
    state.items.length = end;
    state.epoch += 1;
  }

  return {
    state,
    /** @param {string} name */
    node: (name) => nodes.get(name),
    /** @param {string} name */
    segment: (name) => segments.get(name),
    /** @param {number | null} n */
    item: (n) => (n === null ? undefined : byN.get(n)),

    /** @param {string} endpoint an address, with a port or without */
    owner: (endpoint) => owners.get(addressOf(endpoint)),
    /** @param {string} name returns the addresses with which a router sent or received messages */
    addressesOf: (name) => [...owners].filter(([, owner]) => owner === name).map(([address]) => address),

    /**
     * Takes in an event of the source.
     *
     * @param {SourceEvent} event
     */
    receive(event) {
      switch (event.event) {
        case "items":
          if (event.snapshot) take(event.snapshot);
          state.now = event.now;
          state.leftOut += event.left_out ?? 0;
          if (event.items.length > 0) state.since = newsBefore(state, event.items[0].n);
          add(event.items);
          if (event.items.length > 0) for (const witness of witnesses) witness(event.items);
          break;
        case "reset":
          forgetAfter(event.n);
          take(event.snapshot);
          state.now = event.now;
          break;
        case "clock":
          state.clock = event.clock;
          break;
        case "stopped":
          state.clock = { ...state.clock, playing: false };
          break;
        case "error":
          state.error = event.message || null;
          break;
      }
      changed();
    },
    /** @param {Selection | null} selection */
    select(selection) {
      state.selection = selection;
      changed();
    },
    /**
     * Calls a function with the state, once for each frame in which the state changed.
     *
     * @param {(state: State) => void} subscriber
     */
    subscribe(subscriber) {
      subscribers.add(subscriber);
      return () => subscribers.delete(subscriber);
    },
    /**
     * Calls a function with new items, as soon as they arrive.
     *
     * @param {(items: Item[]) => void} witness
     */
    witness(witness) {
      witnesses.add(witness);
      return () => witnesses.delete(witness);
    },
  };
}
