// @ts-check
// One run of a lab: an instance of the module, and the data about the run outside the module's memory. The present can
// be any instant of the run. If the user acts in the past, another future begins.

import { Checkpoints, Ledger, write } from "./checkpoints.js";
import { Density } from "./density.js";
import { History, isDrop } from "./history.js";
import { Machine, Refused } from "./machine.js";

/** @import {Item, Stop, Stopped} from "../model" */
/** @import {Exports, Recipe, Request, Script} from "./types" */

/** The minimum computing time between two copies of the module's memory, in milliseconds. */
const BETWEEN_COPIES = 50;

/** The same for a part that runs again, so that a step back from there costs less. */
const BETWEEN_COPIES_AGAIN = 20;

/** The wanted duration of a call of the module, in milliseconds. */
const CALL = 3;

/** The maximum number of items of one call. */
const LIMIT = 2000;

/** The minimum and the maximum number of steps of the simulator in one call. */
const STEPS = [100, 1_000_000];

/**
 * The work of one slice.
 * @typedef {object} Slice
 * @property {Item[]} items    the items that are new
 * @property {boolean} done whether the wanted instant is reached
 * @property {Stopped|null} stopped
 */

export class Run {
  /**
   * @param {() => Exports} make  makes an instance of the module
   * @param {object} [options]
   * @param {Ledger} [options.ledger]
   * @param {() => number} [options.clock]  milliseconds
   */
  constructor(make, { ledger = new Ledger(), clock = () => performance.now() } = {}) {
    this.make = make;
    this.ledger = ledger;
    this.clock = clock;
    this.machine = new Machine(make);
    this.checkpoints = new Checkpoints(ledger);
    this.history = new History();
    this.density = new Density();
    /** @type {Recipe} */
    this.recipe = { files: {}, seed: 1, scenario: null, hands: [] };
    /** The place in the run at which the module is. */
    this.present = { at: 0, n: -1, hands: 0, cost: 0 };
    /** The instant of the module's next event, or null if it is not known. @type {number|null} */
    this.next = null;
    /** Whether all events of the present instant have happened. */
    this.settled = true;
    /** The latest instant that the run has reached. */
    this.end = 0;
    /** The repeated actions that the module refused. @type {{at: number, text: string}[]} */
    this.refusals = [];
    /** The scenario that made the hands. @type {Script|null} */
    this.script = null;
    /** The cost of the last copy. */
    this.copied = 0;
    /** The duration of the last copy, in milliseconds. */
    this.copy_took = 0;
    /** The number of steps of the simulator that fit into the duration of a call. */
    this.steps = 1000;
  }

  /**
   * Starts the lab of a recipe without its actions. Returns the snapshot.
   * @param {Record<string, string>} files
   * @param {number} seed
   * @param {string|null} [scenario]  the scenario whose overlays the routers have
   */
  open(files, seed, scenario = null) {
    const snapshot = this.machine.call({ op: "open", files, seed, scenario });
    this.recipe = { files, seed, scenario, hands: [] };
    this.present = { at: snapshot.now ?? 0, n: -1, hands: 0, cost: 0 };
    this.end = this.present.at;
    this.checkpoints.clear();
    this.history = new History();
    this.density = new Density();
    this.keep();
    return snapshot;
  }

  /** Whether there is a recorded future: later actions, or later instants that the run has reached. */
  get has_future() {
    return this.present.hands < this.recipe.hands.length || this.present.n < this.history.last;
  }

  /**
   * Makes a request to the module that changes nothing.
   * @param {Request} request
   */
  ask(request) {
    const result = this.machine.call(request);
    if (result?.items && !this.has_future) this.take(result.items);
    return result;
  }

  /**
   * Makes a request that changes the lab, at the end of the present instant, and remembers it. Removes a recorded
   * future.
   * @param {Request} request
   * @returns {{result: any, items: Item[], at: number}}
   */
  hand(request) {
    const items = this.settle();
    const result = this.machine.call(request);
    this.forget_future();
    const { at } = this.present;
    const command = typeof result?.command === "string" ? { command: result.command } : {};
    this.recipe.hands.push({ at, request, ...command });
    this.present.hands += 1;
    this.density.count(at, "hand");
    items.push(...this.take(result?.items), ...this.catch_up());
    return { result, items, at };
  }

  /** Asks the module for its time, because time can pass during an action. */
  catch_up() {
    this.settled = false;
    return this.settle();
  }

  /** Carries out the remaining events of the present instant. */
  settle() {
    const items = [];
    while (!this.settled) {
      const slice = this.call({ until: this.present.at });
      items.push(...slice.items);
    }
    return items;
  }

  /** Removes the actions, items and copies after the present. */
  forget_future() {
    if (!this.has_future && this.end <= this.present.at) return;
    const { at, n, hands } = this.present;
    this.recipe.hands.length = hands;
    if (this.script) this.script = { ...this.script, until: Math.min(this.script.until ?? at, at) };
    this.history.truncate(n);
    this.density.truncate(at, this.history.items, this.recipe.hands.map((hand) => hand.at));
    this.checkpoints.truncate(at, hands);
    this.end = at;
  }

  /**
   * Runs on for some milliseconds, until an instant at most. Carries out the recorded actions on the way.
   * @param {number} until
   * @param {object} [options]
   * @param {number} [options.budget]  milliseconds
   * @param {Stop[]} [options.stops]
   * @param {"all"|"events"|"none"} [options.detail]  the items of the result: all, all without packets that
   *   arrive, or none. "none" is for a known part of the run
   * @returns {Slice}
   */
  advance(until, { budget = 8, stops = [], detail = "all" } = {}) {
    const start = this.clock();
    const items = [];
    for (;;) {
      items.push(...this.due_hands());
      if (this.settled && this.present.at >= until) return { items, done: true, stopped: null };
      if (this.clock() - start >= budget) return { items, done: false, stopped: null };
      const hand = this.recipe.hands[this.present.hands];
      const aim = Math.min(until, hand?.at ?? until);
      const slice = this.call({
        until: Math.max(aim, this.present.at),
        ...(stops.length > 0 ? { stop_at: stops } : {}),
        ...(detail === "all" ? {} : { detail }),
      });
      items.push(...slice.items);
      if (slice.stopped) return { items, done: true, stopped: slice.stopped };
    }
  }

  /** Carries out the recorded actions of the present instant. */
  due_hands() {
    const items = [];
    for (;;) {
      const hand = this.recipe.hands[this.present.hands];
      if (!hand || !this.settled || hand.at > this.present.at) return items;
      this.present.hands += 1;
      try {
        items.push(...this.take(this.machine.call(hand.request)?.items), ...this.catch_up());
      } catch (error) {
        // A refused action is not remembered, so only an action from a file can be refused here.
        if (!(error instanceof Refused)) throw error;
        if (this.refusals.length < 100) this.refusals.push({ at: hand.at, text: error.message });
      }
    }
  }

  /**
   * Goes to the next item, or to the next recorded action if it comes first.
   * @returns {Slice}
   */
  step() {
    /** @type {Item[]} */
    const items = this.settled ? this.advance(this.present.at, { budget: Infinity }).items : [];
    // After a restore, only the module knows its next event.
    if (this.next === null && this.settled) items.push(...this.call({ until: this.present.at }).items);
    const hand = this.recipe.hands[this.present.hands];
    const isFirst = hand && (this.next === null || hand.at < this.next);
    const until = isFirst ? hand.at : (this.next ?? this.present.at);
    const slice = this.advance(until, { budget: Infinity, stops: [{ at: "any" }] });
    return { ...slice, items: [...items, ...slice.items] };
  }

  /**
   * Calls the module once to let time pass.
   * @param {{until: number, [field: string]: any}} request
   * @returns {{items: Item[], stopped: Slice["stopped"]}}
   */
  call(request) {
    const start = this.clock();
    const answer = this.machine.call({ op: "run", limit: LIMIT, steps: Math.floor(this.steps), ...request });
    const took = this.clock() - start;
    this.present.cost += took;
    const { now, next, stopped, more } = answer;
    this.measure(took, now < request.until && !more && typeof stopped !== "number");
    const found = (answer.items ?? []).find((/** @type {Item} */ item) => item.n === stopped);
    this.next = next ?? null;
    this.settled = !more && !found;
    const items = this.take(answer.items);
    if (request.detail === "events" && now > this.end) this.history.left_out_until(now);
    this.arrive(now);
    if (this.settled && this.present.cost - this.copied >= this.grain) this.keep();
    return { items, stopped: found ? { stop: stopOf(request.stop_at, found), item: found } : null };
  }

  /**
   * Computes the number of steps of the next call from the duration of a call.
   * @param {number} took  milliseconds
   * @param {boolean} isFull  whether the call made all of its steps
   */
  measure(took, isFull) {
    if (!isFull && took <= CALL) return;
    const wanted = this.steps * Math.min(4, CALL / Math.max(took, 0.01));
    this.steps = Math.min(STEPS[1], Math.max(STEPS[0], wanted));
  }

  /**
   * Notes that the module has reached an instant.
   * @param {number} now
   */
  arrive(now) {
    this.present.at = now;
    this.end = Math.max(this.end, now);
    if (this.settled) this.present.n = Math.max(this.present.n, this.history.last_until(now));
  }

  /** The computing time between two copies, in milliseconds. So copies take at most a fifth of the time. */
  get grain() {
    const least = this.present.at < this.end ? BETWEEN_COPIES_AGAIN : BETWEEN_COPIES;
    return Math.max(least, 5 * this.copy_took);
  }

  /**
   * Adds items to the history and returns those that are new.
   * @param {Item[]|undefined} items
   */
  take(items) {
    if (!items || items.length === 0) return [];
    this.present.n = Math.max(this.present.n, items[items.length - 1].n);
    const fresh = this.history.add(items);
    this.density.add(fresh);
    return fresh;
  }

  /** Copies the memory. */
  keep() {
    const start = this.clock();
    this.checkpoints.keep(this.machine.octets, { ...this.present });
    this.copied = this.present.cost;
    this.copy_took = this.clock() - start;
  }

  /**
   * Restores the last copy before an instant, unless the present is closer to this instant.
   * @param {number} at
   * @param {{n?: number}} [options] `n`: the number of the item at which to stop within the instant; by default its end
   */
  approach(at, { n } = {}) {
    const aim = n === undefined ? at : at - 1;
    const copy = this.checkpoints.before(Math.max(aim, 0)) ?? this.checkpoints.list[0];
    const isHere = this.present.at === at && (n === undefined || this.present.n < n);
    const isAhead = this.present.at < at || isHere;
    const isNearer = isAhead && (!copy || copy.at <= this.present.at) && !this.machine.broken;
    if (isNearer || !copy) return;
    this.restore(copy);
  }

  /** @param {import("./checkpoints.js").Checkpoint} copy */
  restore(copy) {
    this.machine.restore(copy.size, (octets) => write(copy, octets));
    const { at, n, hands, cost } = copy;
    this.present = { at, n, hands, cost };
    this.copied = cost;
    this.settled = true;
    this.next = null;
    this.checkpoints.focus = cost;
  }

  /**
   * Returns to the present after the module failed: restores a copy and runs on from there. A failed action is not
   * remembered, so it is not repeated.
   */
  recover() {
    const { at } = this.present;
    this.approach(at);
    while (!this.advance(at, { budget: 100, detail: "none" }).done);
  }

  /** Returns a copy of the run, with its own instance of the module. */
  clone() {
    const clone = new Run(this.make, { ledger: this.ledger, clock: this.clock });
    const size = this.machine.octets.length;
    clone.machine.restore(size, (octets) => octets.set(this.machine.octets));
    clone.checkpoints = this.checkpoints.clone();
    clone.history = this.history.clone();
    clone.density = this.density.clone();
    clone.recipe = { ...this.recipe, hands: this.recipe.hands.slice() };
    clone.present = { ...this.present };
    const { next, settled, end, script, copied, steps } = this;
    Object.assign(clone, { next, settled, end, script, copied, steps });
    return clone;
  }

  /** Gives the copies back. */
  close() {
    this.checkpoints.clear();
  }
}

/**
 * Returns the condition that an item meets.
 * @param {Stop[]} stops
 * @param {any} item
 * @returns {Stop}
 */
function stopOf(stops, item) {
  const fits = (/** @type {any} */ stop) =>
    ["name", "table", "node"].every((member) => stop[member] === undefined || stop[member] === (item[member] ?? item.from));
  const isOf = (/** @type {Stop} */ stop) => stop.at === item.kind || stop.at === "any" || (stop.at === "drop" && isDrop(item));
  return stops.find((stop) => isOf(stop) && fits(stop)) ?? stops[0];
}
