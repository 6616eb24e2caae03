// @ts-check
// The main part of the worker. It answers the requests of the page, works in slices, and reports news to the page.
// `postMessage` and the clock come from its caller, so that a test can replace them.

import { Ledger } from "./checkpoints.js";
import { isDrop } from "./history.js";
import { Broken } from "./machine.js";
import { Messenger } from "./messenger.js";
import { fromFile, MOST_HANDS, sum, toFile } from "./recipe.js";
import { Run } from "./run.js";

/** @import {Item, Stop} from "../model" */
/** @import {Deed, Exports, Request} from "./types" */

/** The longest duration of a slice, in milliseconds. A message of the page waits at most this time. */
const SLICE = 8;

/** A search for a breakpoint keeps all items for this number of milliseconds. */
const NEAR = 4;

/** When the page goes to an instant, it gets all items of this number of microseconds before the instant. */
const DETAIL = 3_000_000;

/** At a faster pace than this, packets that arrive are left out until the run pauses. */
const FAST = 20;

/** A search for a breakpoint ends after this number of microseconds of virtual time. */
const FARTHEST = 24 * 3_600_000_000;

/**
 * @typedef {object} Surroundings
 * @property {() => Exports} make        makes an instance of the module
 * @property {(message: any) => void} post
 * @property {(work: () => void) => void} defer does work after the waiting messages
 * @property {() => number} [clock]       milliseconds
 */

export class Session {
  /** @param {Surroundings} surroundings */
  constructor({ make, post, defer, clock = () => performance.now() }) {
    this.make = make;
    this.post = post;
    this.defer = defer;
    this.clock = clock;
    this.ledger = new Ledger();
    /** The run that the page shows. */
    this.run = new Run(make, { ledger: this.ledger, clock });
    /** The other run, for comparisons. @type {Run|null} */
    this.other = null;
    this.messenger = new Messenger(post, clock);
    this.lab = "";
    this.playing = false;
    this.pace = 1;
    /** The instant to which the run plays. */
    this.target = 0;
    /** @type {Stop[]} */
    this.breakpoints = [];
    /** The work that is being done in slices. @type {{end: (done: boolean) => void}|null} */
    this.task = null;
    /** Settles when the run has reached the instant that the page asked for. @type {Promise<any>} */
    this.arrived = Promise.resolve();
    /** Settles when the last seconds have run again, if they do. @type {Promise<void>|null} */
    this.filled = null;
  }

  /**
   * Answers a message of the page.
   * @param {{id: number, op: string, [field: string]: any}} message
   */
  async receive({ id, op, ...fields }) {
    try {
      const result = await this.answer(op, fields);
      this.post({ id, ok: true, result: result ?? null });
    } catch (error) {
      if (error instanceof Broken) this.recover();
      this.post({ id, ok: false, error: error instanceof Error ? error.message : String(error) });
    }
  }

  /**
   * @param {string} op
   * @param {any} fields
   * @returns {Promise<any>}
   */
  async answer(op, fields) {
    // The present is elsewhere for a moment: a step from there would be a wrong one.
    if (this.filled) await this.filled;
    switch (op) {
      case "open": return this.open(fields);
      case "play": return this.play(fields);
      case "pace": return this.set_pace(fields);
      case "pause": return this.pause();
      case "frame": return this.frame(fields);
      case "step": return this.step(fields);
      case "back": return this.back(fields);
      case "goto": return this.goto(fields);
      case "until": return this.until(fields);
      case "breakpoints": this.breakpoints = fields.stops ?? []; return null;
    }
    await this.arrived;
    switch (op) {
      case "act": return this.hand({ op, hand: fields.hand });
      case "console": return this.console(fields);
      case "status": return this.status();
      case "items": return this.items(fields);
      case "density": return this.pick(fields).density.between(fields.from, fields.to, fields.steps ?? 400);
      case "export": return toFile(this.run.recipe, { lab: this.lab, at: this.run.present.at, end: this.run.end, until: this.run.script?.until ?? null });
      case "import": return this.load(fields.run);
      case "scenario": return this.scenario(fields);
      case "script": return this.run.script;
      case "fork": return this.keep_other(this.run.clone());
      case "vary": return this.vary(fields);
      case "level": return this.level();
      case "swap": return this.swap();
      case "forget": return this.keep_other(null);
    }
    return this.pick(fields).ask({ op, ...fields });
  }

  /** @param {{run?: string}} fields the run of the request */
  pick({ run }) {
    if (run !== "other") return this.run;
    if (!this.other) throw new Error("there is no other run");
    return this.other;
  }

  // ---- the lab -------------------------------------------------------------------------------

  /** @param {{files: Record<string, string>, seed?: number, run?: any}} fields */
  async open({ files, seed = 1, run }) {
    if (!files) throw new Error("the page has no lab inside: `eidway lab page LAB` writes a page with one");
    this.stop();
    const file = run ? fromFile(run) : null;
    this.run.close();
    this.run = new Run(this.make, { ledger: this.ledger, clock: this.clock });
    const snapshot = this.run.open(files, file?.seed ?? seed);
    this.lab = snapshot.lab?.name ?? "";
    this.keep_other(null);
    this.messenger.forget();
    this.tell();
    return file ? this.load(run) : snapshot;
  }

  /**
   * Repeats the run of a file in the open lab.
   * @param {any} given
   */
  async load(given) {
    const file = fromFile(given);
    await this.again({ ...file, scenario: file.scenario?.name ?? null });
    if (file.scenario) this.run.script = { ...this.played(file.scenario.name).script, until: file.scenario.until };
    const warning = sum(this.run.recipe.files) === file.files ? null : `this run was made in another lab (${file.lab}) or another version of it`;
    return { ...this.status(), snapshot: this.run.ask({ op: "snapshot" }), warning, refusals: this.run.refusals };
  }

  /**
   * Starts the open lab again, repeats `hands` until `end`, and goes to the instant `at`.
   * @param {{seed: number, scenario: string|null, hands: Deed[], at: number, end: number}} run
   */
  async again({ seed, scenario, hands, at, end }) {
    const { files } = this.run.recipe;
    this.stop();
    this.run.close();
    this.run = new Run(this.make, { ledger: this.ledger, clock: this.clock });
    this.run.open(files, seed, scenario);
    this.run.recipe.hands = hands;
    this.messenger.forget();
    await this.go(end, {});
    if (at < end) await this.go(at, {});
  }

  /**
   * Plays a scenario. The lab starts again, and the hands of the scenario become the future of the lab.
   * The present is then the beginning of the first statement.
   * @param {{name: string}} fields
   */
  async scenario({ name }) {
    const { hands, script } = this.played(name);
    await this.again({ seed: this.run.recipe.seed, scenario: name, hands, at: script.began, end: script.end });
    this.run.script = { ...script, until: null };
    return { ...this.run.script, refusals: this.run.refusals };
  }

  /**
   * Plays a scenario in a copy of the lab, and returns its hands and its statements.
   * @param {string} name
   */
  played(name) {
    const { hands, ...script } = this.run.ask({ op: "scenario", name });
    return { hands, script };
  }

  status() {
    const { present, recipe, checkpoints, machine } = this.run;
    return {
      now: present.at,
      n: present.n,
      next: this.run.next,
      has_future: this.run.has_future,
      hands: recipe.hands,
      done: present.hands,
      seed: recipe.seed,
      breakpoints: this.breakpoints,
      copies: { count: checkpoints.list.length, octets: this.ledger.octets, memory: machine.octets.length },
      items: this.run.history.items.length,
      complete_from: this.run.history.complete_from,
      other: this.other && { end: this.other.end, hands: this.other.recipe.hands, now: this.other.present.at },
      ...this.clock_state(),
    };
  }

  clock_state() {
    const { playing, pace, run } = this;
    return { playing, pace, end: run.end, steerable: true };
  }

  // ---- time ----------------------------------------------------------------------------------

  /** @param {{pace?: number}} fields */
  play({ pace = this.pace }) {
    this.set_pace({ pace });
    this.playing = true;
    this.target = this.run.present.at;
    this.tell();
    return this.clock_state();
  }

  /** @param {{pace: number}} fields */
  set_pace({ pace }) {
    if (!(pace >= 0.001 && pace <= 100_000)) throw new Error(`a pace of ${pace} is not between 0.001 and 100000`);
    this.pace = pace;
    this.tell();
    return this.clock_state();
  }

  async pause() {
    this.stop();
    this.tell();
    const { at, n } = this.run.present;
    this.fill_in(at, n);
    return { now: at };
  }

  /**
   * Runs the last seconds before the present again, with all items, if some of them were left out.
   * The page has its answer before that. Its next request waits.
   * @param {number} at
   * @param {number} n
   */
  fill_in(at, n) {
    const { run, messenger } = this;
    if (run.history.complete_from[0] <= at - DETAIL || run.history.complete_from[0] === 0) return;
    messenger.forget();
    const filling = this.go(at, run.settled ? {} : { n }).then(() => {}, (error) => this.fail(error));
    this.filled = filling.finally(() => (this.filled = null));
  }

  /** Ends the present work. */
  stop() {
    this.playing = false;
    this.task?.end(false);
  }

  /**
   * Lets the run go on after a frame of the page, by the time since the previous frame.
   * @param {{elapsed: number}} fields milliseconds
   */
  frame({ elapsed }) {
    if (!this.playing) return null;
    const span = Math.min(Math.max(elapsed, 0), 100) * 1000 * this.pace;
    // If the run is too slow for the pace, it runs as fast as it can. It does not catch up later.
    const behind = this.target - this.run.present.at;
    this.target = (behind > 2 * span ? this.run.present.at : this.target) + span;
    if (!this.task) this.work(() => this.toward(Math.floor(this.target))).catch((error) => this.fail(error));
    return null;
  }

  /**
   * Does one slice of work. Returns whether the wanted instant is reached.
   * @param {number} until
   */
  toward(until) {
    const detail = this.pace > FAST ? "events" : "all";
    const { done, stopped } = this.run.advance(until, { budget: SLICE, stops: this.breakpoints, detail });
    if (stopped) {
      this.playing = false;
      this.messenger.stopped(stopped);
    }
    this.tell();
    return done;
  }

  /** @param {{at: number, n?: number}} fields */
  async goto({ at, n }) {
    if (!Number.isFinite(at)) throw new Error("`at` is no time");
    this.stop();
    const done = await this.go(Math.max(0, Math.floor(at)), { n });
    return { now: this.run.present.at, done };
  }

  /**
   * Goes to an instant of the run, or on to a later one.
   * @param {number} at
   * @param {{n?: number}} options `n`: the number of the item at which to stop; by default the end of the instant
   */
  go(at, { n }) {
    const { run } = this;
    const aim = n === undefined ? at : at - 1;
    // The known part of the run is computed again without items. Only the items of its end are needed, if they were
    // removed.
    const last = Math.min(aim, run.end);
    const seen = Math.max(0, last - DETAIL);
    const isWhole = run.history.complete_from[0] <= seen;
    const known = isWhole ? last : seen;
    const unseen = aim - DETAIL;
    run.approach(isWhole ? at : seen, isWhole ? { n } : {});
    const going = this.work(() => {
      const { present } = run;
      if (present.at < known) {
        if (!run.advance(known, { budget: SLICE, detail: "none" }).done) return false;
      } else if (present.at < unseen) {
        const { done } = run.advance(unseen, { budget: SLICE, detail: "events" });
        this.tell();
        if (!done) return false;
      }
      if (n !== undefined && !this.step_to(n, at)) return false;
      // The item can be before the instant, if nothing has happened since.
      if (n !== undefined && run.present.at >= at) return true;
      return run.advance(at, { budget: SLICE }).done;
    });
    this.arrived = going.catch(() => {});
    return going.then((done) => (this.tell(), done));
  }

  /**
   * @param {number} n
   * @param {number} at
   */
  step_to(n, at) {
    const start = this.clock();
    while (this.run.present.n < n && this.run.present.at <= at) {
      if (this.clock() - start > SLICE) return false;
      this.run.step();
    }
    return true;
  }

  /** @param {{to?: "event"|"message"|"change"|"drop"}} fields */
  async step({ to = "event" }) {
    this.stop();
    const { run } = this;
    if (to !== "event") return this.until({ stops: STEPS[to] });
    run.step();
    this.tell();
    return { now: run.present.at, n: run.present.n };
  }

  /**
   * Goes back to the event, message, change or drop before the present.
   * @param {{to?: "event"|"message"|"change"|"drop"}} fields
   */
  async back({ to = "event" }) {
    this.stop();
    const { run } = this;
    const { at, n } = run.present;
    const wanted = (/** @type {Item} */ item) => item.at < at || item.n < n ? isStep(item, to) : false;
    for (let from = n + 1; ; ) {
      const item = run.history.next(from, -1, wanted);
      if (!item) {
        await this.go(0, {});
        break;
      }
      await this.go(item.at, { n: item.n });
      // An event can have several items. If the present has not changed, the next item is tried.
      if (run.present.at < at || run.present.n < n) break;
      from = item.n;
    }
    return { now: run.present.at, n: run.present.n };
  }

  /**
   * Runs as fast as possible until a condition holds.
   * @param {{stops?: Stop[], within?: number}} fields
   */
  async until({ stops = this.breakpoints, within = FARTHEST }) {
    if (stops.length === 0) throw new Error("there is no breakpoint");
    this.stop();
    const { run } = this;
    const last = run.present.at + within;
    // On the way to a near breakpoint, all items are kept. On a long way, packets that arrive are left out.
    const near = run.advance(run.present.at + DETAIL, { budget: NEAR, stops });
    /** @type {any} */
    let found = near.stopped;
    const detail = found ? "all" : "events";
    const going = this.work(() => {
      if (found) return this.tell(), true;
      const { done, stopped } = run.advance(last, { budget: SLICE, stops, detail });
      found = stopped;
      if (!done || detail === "all") this.tell();
      return done;
    });
    this.arrived = going.catch(() => {});
    await going;
    if (found) this.messenger.stopped(found);
    const { at, n } = run.present;
    if (detail === "events") this.fill_in(at, n);
    return { now: at, n, stopped: found };
  }

  // ---- actions ---------------------------------------------------------------------------------

  /**
   * Carries out an action. An action in the past begins another future, and the recorded future becomes the other run.
   * @param {Request} request
   */
  hand(request) {
    const { run } = this;
    if (run.present.hands >= MOST_HANDS) throw new Error(`this run has ${MOST_HANDS} actions already. No further action is possible`);
    const past = run.has_future ? run.clone() : null;
    let done;
    try {
      done = run.hand(request);
    } catch (error) {
      past?.close();
      throw error;
    }
    if (past) {
      this.keep_other(past);
      this.post({ event: "branched", at: done.at });
    }
    this.tell(true);
    // The page gets the items by an event.
    const { items, ...result } = done.result;
    return result;
  }

  /** @param {any} fields */
  console({ run, ...fields }) {
    const request = { op: "console", ...fields };
    const changes = (fields.key ?? "enter") === "enter" && !isLook(String(fields.line));
    return changes && run !== "other" ? this.hand(request) : this.pick({ run }).ask(request);
  }

  // ---- the other run -------------------------------------------------------------------------

  /** @param {Run|null} run */
  keep_other(run) {
    this.other?.close();
    this.other = run;
    return this.status();
  }

  /**
   * Makes the other run. It has the same end and the same actions, but one action is replaced or left out, or
   * other actions come before all.
   * @param {{hand?: number, request?: Request|null, before?: Deed[], files?: Record<string, string>}} fields
   */
  async vary({ hand = -1, request = null, before = [], files }) {
    const { recipe, end } = this.run;
    const other = new Run(this.make, { ledger: this.ledger, clock: this.clock });
    const hands = recipe.hands.slice();
    if (hands[hand]) hands.splice(hand, 1, ...(request ? [{ at: hands[hand].at, request }] : []));
    other.open({ ...recipe.files, ...files }, recipe.seed, recipe.scenario);
    other.recipe.hands = [...before, ...hands];
    this.stop();
    const done = await this.work(() => other.advance(end, { budget: SLICE }).done);
    if (!done) {
      other.close();
      throw new Error("the comparison was interrupted");
    }
    return this.keep_other(other);
  }

  /** Runs the other run to the latest instant of the shown run. */
  async level() {
    const { other } = this;
    if (!other || this.task || other.present.at >= this.run.end) return null;
    await this.work(() => other.advance(this.run.end, { budget: SLICE }).done);
    return null;
  }

  /** Exchanges the shown run and the other run. */
  swap() {
    if (!this.other) throw new Error("there is no other run");
    this.stop();
    [this.run, this.other] = [this.other, this.run];
    this.messenger.forget();
    this.tell(true);
    return this.status();
  }

  /** @param {any} fields */
  items({ from = 0, to = Infinity, kinds, limit, ...rest }) {
    const wanted = kinds && ((/** @type {Item} */ item) => kinds.includes(item.kind) || (kinds.includes("drop") && isDrop(item)));
    return this.pick(rest).history.window(from, to, wanted, limit);
  }

  // ---- slices --------------------------------------------------------------------------------

  /**
   * Calls `slice` until it returns true. Work that begins later ends this work.
   * @param {() => boolean} slice
   * @returns {Promise<boolean>} whether the work was done to its end
   */
  work(slice) {
    this.task?.end(false);
    return new Promise((resolve, reject) => {
      const task = { end: (/** @type {boolean} */ done) => { this.task = null; resolve(done); } };
      const turn = () => {
        if (this.task !== task) return;
        try {
          if (slice()) task.end(true);
          else this.defer(turn);
        } catch (error) {
          this.task = null;
          reject(error);
        }
      };
      this.task = task;
      turn();
    });
  }

  /** @param {boolean} [changed] whether the snapshot has changed without an item */
  tell(changed = false) {
    this.messenger.tell(this.run, this.clock_state(), changed);
  }

  /** @param {any} error */
  fail(error) {
    this.playing = false;
    if (error instanceof Broken) this.recover();
    this.post({ event: "error", message: error instanceof Error ? error.message : String(error) });
  }

  /** Restores the lab after the module failed. */
  recover() {
    this.stop();
    if (this.other?.machine.broken) this.keep_other(null);
    if (!this.run.machine.broken) return;
    try {
      this.run.recover();
      this.tell(true);
    } catch (error) {
      this.post({ event: "error", message: `the lab cannot be restored: ${/** @type {Error} */ (error).message}` });
    }
  }
}

/** The conditions of the steps. @type {Record<string, Stop[]>} */
const STEPS = {
  message: [{ at: "message" }],
  change: [{ at: "change" }],
  drop: [{ at: "drop" }],
};

/**
 * @param {Item} item
 * @param {string} to
 */
function isStep(item, to) {
  if (to === "event") return true;
  return to === "drop" ? isDrop(item) : item.kind === to;
}

/**
 * Returns whether a line of a console only shows something. Such a line is not an action, and begins no other future in
 * the past.
 * @param {string} line
 */
export function isLook(line) {
  return /^\s*(do\s+)?sh(o(w)?)?\s/i.test(line);
}
