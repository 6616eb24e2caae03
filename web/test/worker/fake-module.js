// @ts-check
// A fake module. It has the exports of the real module, and its whole state is in a real linear memory. An event
// happens every 100 ms. Each event has a hop, and some have a message, a change or a drop.

/** @import {Exports, Request} from "../../page/worker/types" */

const EVERY = 100_000;
const STATE = 16;
const REQUEST = 70_000;
/** The position of the first of sixteen pages. Each event changes one of them. */
const SCRATCH = 131_072;
const ANSWER = 262_144;
const PAGES = 20;
/** A call makes at most this number of steps: a clock that moves by its looks then sees the work. */
const MOST_STEPS = 20;

/** @returns {Exports} */
export function instantiate() {
  const memory = new WebAssembly.Memory({ initial: PAGES });
  const write = (/** @type {number} */ at, /** @type {any} */ value) => {
    const text = new TextEncoder().encode(JSON.stringify(value));
    new Uint8Array(memory.buffer).set(text, at);
    return text.length;
  };
  const read = (/** @type {number} */ at, /** @type {number} */ length) =>
    JSON.parse(new TextDecoder().decode(new Uint8Array(memory.buffer, at, length)));
  return {
    memory,
    alloc: () => REQUEST,
    free() {},
    call(ptr, len) {
      const size = new DataView(memory.buffer).getUint32(0, true);
      const lab = new FakeLab(size === 0 ? null : read(STATE, size), memory);
      const answer = lab.answer(read(ptr, len));
      const text = answer.error ? answer : { ok: answer };
      new DataView(memory.buffer).setUint32(0, write(STATE, lab.state), true);
      return (BigInt(ANSWER) << 32n) | BigInt(write(ANSWER, text));
    },
  };
}

class FakeLab {
  /**
   * @param {any} state
   * @param {WebAssembly.Memory} memory
   */
  constructor(state, memory) {
    this.state = state ?? { now: 0, event: 0, n: 0, luck: 1 };
    this.memory = memory;
  }

  /**
   * @param {Request} request
   * @returns {any}
   */
  answer(request) {
    switch (request.op) {
      case "open":
        this.state = { now: 0, event: 0, n: 0, luck: request.seed };
        return this.snapshot();
      case "snapshot": return this.snapshot();
      case "run": return this.run(request);
      case "act": return this.act(request.hand);
      case "console": return this.console(request);
      case "scenario": return script(request.name);
    }
    return { error: `no ${request.op}` };
  }

  snapshot() {
    const { now, luck } = this.state;
    return { lab: { name: "fake", title: "" }, now, nodes: [], segments: [], flows: [], luck };
  }

  /** @param {any} hand */
  act(hand) {
    if (hand.kind === "refused") return { error: "this hand is refused" };
    if (hand.kind === "trap") throw new WebAssembly.RuntimeError("unreachable");
    if (hand.kind === "grow") this.memory.grow(hand.pages);
    this.luck(hand.value ?? 7);
    const items = [this.item({ kind: "log", node: "R", text: hand.kind })];
    // Time can pass during an action.
    if (hand.takes) items.push(...this.run({ until: this.state.now + hand.takes }).items);
    return { command: `eidway lab ${hand.kind}`, items };
  }

  /** @param {any} request */
  console({ line }) {
    if (!line.startsWith("show")) this.luck(line.length);
    return { text: `${line}: ${this.state.luck}`, prompt: "R#", ok: true };
  }

  /** @param {any} request */
  run({ until, limit = 5000, steps = MOST_STEPS, stop_at = [], detail = "all" }) {
    const items = [];
    let stopped = null;
    for (let left = Math.min(steps, MOST_STEPS); left > 0 && this.due() <= until && items.length < limit && stopped === null; left -= 1) {
      for (const item of this.happen()) {
        items.push(item);
        stopped ??= stop_at.some((/** @type {any} */ stop) => meets(item, stop)) ? item.n : null;
      }
    }
    const more = stopped === null && this.due() <= until && items.length >= limit;
    if (stopped === null && this.due() > until) this.state.now = Math.max(this.state.now, until);
    const wanted = items.filter(({ n, kind, verdict }) => n === stopped || detail === "all" || (detail === "events" && (kind !== "hop" || verdict === "drop")));
    return { now: this.state.now, next: this.due(), items: wanted, stopped, more };
  }

  due() {
    return (this.state.event + 1) * EVERY;
  }

  /** Lets the next event happen. */
  happen() {
    const { state } = this;
    state.now = this.due();
    state.event += 1;
    this.luck(state.event);
    new Uint32Array(this.memory.buffer)[(SCRATCH + (state.event % 16) * 4096) / 4] = state.luck;
    const packet = String(state.event);
    const items = [this.item({ kind: "hop", class: "native", fate: "carried", packet, summary: String(state.luck) })];
    if (state.event % 10 === 0) items.push(this.item({ kind: "message", direction: "sent", node: "R", name: "Map-Register", source: "192.0.2.1:4342", destination: "192.0.2.2:4342" }));
    if (state.event % 25 === 0) items.push(this.item({ kind: "change", node: "R", table: "map-cache", key: "10.0.0.0/8" }));
    if (state.event % 37 === 0) items.push(this.item({ kind: "decision", node: "R", verdict: "drop", packet }));
    return items;
  }

  /** @param {any} item */
  item(item) {
    return { n: this.state.n++, at: this.state.now, ...item };
  }

  /** @param {number} value */
  luck(value) {
    this.state.luck = (Math.imul(this.state.luck ^ value, 1664525) + 1013904223) >>> 0;
  }
}

/**
 * A scenario with an action after 5 s, and another after 8 s.
 *
 * @param {string} name
 */
function script(name) {
  const deed = (/** @type {number} */ at, /** @type {number} */ value) => ({ at, request: { op: "act", hand: { kind: "move", value } } });
  const statement = (/** @type {number} */ began, /** @type {number} */ ended) => ({ path: `${name}.scenario`, line: 1, text: "move", began, ended, transcript: "" });
  return {
    name, title: "", began: 5_000_000, end: 10_000_000, stopped: null,
    hands: [deed(5_000_000, 1), deed(8_000_000, 2)],
    statements: [statement(5_000_000, 8_000_000), statement(8_000_000, 10_000_000)],
  };
}

/**
 * @param {any} item
 * @param {any} stop
 */
function meets(item, stop) {
  if (stop.at === "any") return true;
  if (stop.at === "drop") return item.verdict === "drop";
  return item.kind === stop.at && (!stop.name || stop.name === item.name) && (!stop.table || stop.table === item.table);
}

/**
 * Returns a clock that advances by a step at each reading. So a run takes the same time on every machine.
 * @param {number} [step] milliseconds
 */
export function ticking(step = 1) {
  let now = 0;
  return () => (now += step);
}
