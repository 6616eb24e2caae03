// @ts-check
// The source of a live page: a lab that is up in namespaces, served by `eidway lab web`. It sends the same events to
// the page as a simulated run, but the page cannot control its time.

import { Density } from "./density.js";
import { History, isDrop } from "./history.js";

/** @import {Item, Sampled, Snapshot} from "../model" */

/** The number of milliseconds before the page connects again. */
const AGAIN = 1000;

/**
 * If no line arrives for this number of milliseconds, the page treats the server as gone. The
 * server sends two lines a second.
 */
const SILENCE = 4000;

/** The maximum number of characters of a line from the server. */
const LONGEST = 64 * 1024 * 1024;

/** The maximum number of actions that are remembered. */
const MOST_HANDS = 1000;

/**
 * @typedef {object} Line
 * @property {number} now
 * @property {Snapshot} [snapshot]
 * @property {Item[]} [items]
 * @property {number} [left_out]
 * @property {Sampled} [sampled]
 * @property {string} [gone]
 */

/**
 * @typedef {object} Surroundings
 * @property {(message: any) => void} post
 * @property {typeof fetch} fetch
 * @property {(work: () => void, ms: number) => any} later
 * @property {(request: any) => any} dissect asks the module for the fields of octets
 */

export class Live {
  /**
   * @param {{url: string, token: string}} server
   * @param {Surroundings} surroundings
   */
  constructor({ url, token }, { post, fetch, later, dissect }) {
    this.url = url;
    this.headers = { authorization: `Bearer ${token}` };
    this.post = post;
    this.fetch = fetch;
    this.later = later;
    this.dissect = dissect;
    /** The sessions at the consoles belong to this page. */
    this.page = Math.random().toString(36).slice(2);
    this.history = new History();
    this.density = new Density();
    /** @type {any[]} */
    this.hands = [];
    this.now = 0;
    this.lost = false;
    /** @type {Sampled | undefined} */
    this.sampled = undefined;
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
      this.post({ id, ok: false, error: error instanceof Error ? error.message : String(error) });
    }
  }

  /**
   * @param {string} op
   * @param {any} fields
   * @returns {Promise<any>}
   */
  async answer(op, fields) {
    switch (op) {
      case "open": return this.open();
      case "snapshot": case "tables": case "flows": case "explain": case "lessons": case "lesson": return this.ask({ op, ...fields });
      case "console": return this.ask({ op, page: this.page, ...fields });
      case "act": return this.hand({ op, hand: fields.hand });
      case "dissect": return this.dissect({ op, ...fields });
      case "items": return this.items(fields);
      case "density": return this.density.between(fields.from, fields.to, fields.steps ?? 400);
      case "status": return this.status();
      case "level": case "forget": case "frame": case "pause": return null;
      case "scenarios": return [];
      case "script": return null;
    }
    throw new Error("the time of a live lab cannot be stopped or turned back. The page of eidway lab page can do that");
  }

  status() {
    return {
      now: this.now, n: this.history.last, next: null, has_future: false, hands: this.hands, done: this.hands.length, seed: 0,
      breakpoints: [], items: this.history.items.length, complete_from: this.history.complete_from, other: null, ...this.clock(),
    };
  }

  clock() {
    return { playing: !this.lost, pace: 1, end: this.now, steerable: false, sampled: this.sampled };
  }

  /** @param {any} request */
  async hand(request) {
    const at = this.now;
    const result = await this.ask(request);
    this.hands.push({ at, request, command: result.command });
    if (this.hands.length > MOST_HANDS) this.hands.shift();
    this.density.count(at, "hand");
    return result;
  }

  /** @param {any} fields */
  items({ from = 0, to = Infinity, kinds, limit }) {
    const wanted = kinds && ((/** @type {Item} */ item) => kinds.includes(item.kind) || (kinds.includes("drop") && isDrop(item)));
    return this.history.window(from, to, wanted, limit);
  }

  /** @param {any} request */
  async ask(request) {
    const { fetch } = this;
    const response = await fetch(`${this.url}/request`, {
      method: "POST", headers: { ...this.headers, "content-type": "application/json" }, body: JSON.stringify(request),
    }).catch(() => { throw new Error("eidway lab web does not answer: the lab may be down"); });
    if (!response.ok) throw new Error((await response.text()).trim());
    const { ok, error } = await response.json();
    if (error !== undefined) throw new Error(error);
    return ok;
  }

  // ---- the events ----------------------------------------------------------------------------

  /** Connects to the server, and resolves with the first snapshot. @returns {Promise<Snapshot>} */
  open() {
    return new Promise((resolve, reject) => {
      let first = true;
      const go = async () => {
        let reason = "eidway lab web does not answer";
        try {
          reason = (await this.follow((snapshot) => {
            if (first) resolve(snapshot);
            first = false;
          })) ?? reason;
        } catch (error) {
          reason = /** @type {Error} */ (error).message;
        }
        if (first) return reject(new Error(reason));
        this.lose(reason);
        this.later(go, AGAIN);
      };
      go();
    });
  }

  /**
   * Reads the lines of a connection until it ends. Returns the reason, if the server has sent one.
   * @param {(snapshot: Snapshot) => void} opened
   */
  async follow(opened) {
    const { fetch } = this;
    const stop = new AbortController();
    const response = await fetch(`${this.url}/events`, { headers: this.headers, signal: stop.signal });
    if (!response.ok || !response.body) throw new Error((await response.text()).trim());
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    let heard = true;
    let is_open = true;
    const watch = () => {
      if (!is_open) return;
      if (!heard) return stop.abort();
      heard = false;
      this.later(watch, SILENCE);
    };
    watch();
    try {
      for (let first = true; ; ) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        heard = true;
        rest += value;
        if (rest.length > LONGEST) throw new Error("a line of the server is too long");
        const lines = rest.split("\n");
        rest = lines.pop() ?? "";
        for (const text of lines) {
          /** @type {Line} */
          const line = JSON.parse(text);
          if (line.gone !== undefined) return line.gone;
          if (first && line.snapshot) opened(this.begin(line.snapshot, line.sampled));
          else this.take(line);
          first = false;
        }
      }
    } finally {
      is_open = false;
      stop.abort();
    }
  }

  /**
   * Begins a connection. All earlier items are removed.
   * @param {Snapshot} snapshot
   * @param {Sampled} [sampled]
   */
  begin(snapshot, sampled) {
    this.history = new History();
    this.density = new Density();
    this.now = snapshot.now;
    this.sampled = sampled;
    if (this.lost) this.post({ event: "error", message: "" });
    this.lost = false;
    this.post({ event: "reset", now: snapshot.now, n: -1, snapshot });
    this.post({ event: "clock", clock: this.clock() });
    return snapshot;
  }

  /** @param {Line} line */
  take({ now, snapshot, items = [], left_out, sampled }) {
    this.now = now;
    this.sampled = sampled;
    this.density.add(this.history.add(items));
    this.post({ event: "items", now, items, snapshot: snapshot ?? null, left_out });
    this.post({ event: "clock", clock: this.clock() });
  }

  /** @param {string} reason */
  lose(reason) {
    this.lost = true;
    this.post({ event: "clock", clock: this.clock() });
    this.post({ event: "error", message: `${reason}. The page shows the last state, and connects again when the lab is up and served.` });
  }
}
