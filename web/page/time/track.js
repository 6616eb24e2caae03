// @ts-check
// The track of the time bar. It shows the whole run, marks for events, and the present.

import { h } from "../dom.js";
import { clock, span } from "../format.js";

/** @import {App} from "../app" */
/** @import {Player, Unit} from "./player.js" */

/**
 * The rows of marks, from above. Each kind of mark has its own place and form, so that a user does
 * not need the colours.
 */
const ROWS = [
  { kind: "message", color: "--control", label: "messages" },
  { kind: "change", color: "--changed-edge", label: "changes" },
  { kind: "drop", color: "--lost", label: "drops" },
];
const STEPS = 480;
const REFRESH = 200;
const LEAST = 20_000;

/**
 * Returns the track.
 *
 * @param {App} app
 * @param {Player} player
 * @param {() => Unit} unit  the unit of a step
 */
export function createTrack({ store, source }, player, unit) {
  const canvas = h("canvas", { "aria-hidden": "true" });
  const ticks = h("div", { class: "ticks", "aria-hidden": "true" });
  const element = h(
    "div",
    {
      class: "track",
      role: "slider",
      tabindex: 0,
      "aria-label": "Time. Arrow keys move by a step, with Shift by a second. Page Up and Page Down move by a tenth of the run",
      "aria-valuemin": 0,
      onpointerdown: press,
      onkeydown: key,
      onwheel: wheel,
    },
    canvas,
    ticks,
  );
  /** The part of the run that is shown. Null stands for the whole run. @type {{from: number, to: number}|null} */
  let part = null;
  /** @type {Record<string, number[]>|null} */
  let density = null;
  let shown = { from: 0, to: 1 };
  let asked = "";
  let askedAt = 0;
  let timer = 0;

  const whole = () => ({ from: 0, to: Math.max(1_000_000, store.state.clock.end, store.state.now) });
  const view = () => part ?? whole();

  /** Asks for the counts of the part that is shown. */
  function refresh() {
    clearTimeout(timer);
    const { from, to } = view();
    const key = [from, to, store.state.items.length, store.state.epoch, store.state.clock.end].join();
    if (key === asked) return;
    const wait = askedAt + REFRESH - performance.now();
    if (wait > 0) {
      timer = window.setTimeout(refresh, wait);
      return;
    }
    [asked, askedAt] = [key, performance.now()];
    source.request("density", { from, to, steps: STEPS }).then(
      (counts) => {
        [density, shown] = [counts, { from, to }];
        draw();
      },
      () => {},
    );
  }

  function draw() {
    const { from, to } = view();
    const { width, height } = canvas.getBoundingClientRect();
    const scale = devicePixelRatio || 1;
    canvas.width = Math.max(1, width * scale);
    canvas.height = Math.max(1, height * scale);
    const pen = canvas.getContext("2d");
    if (!pen || width === 0) return;
    pen.scale(scale, scale);
    const style = getComputedStyle(element);
    const color = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
    const x = (/** @type {number} */ at) => ((at - from) / (to - from)) * width;
    const now = x(store.state.now);
    if (density) drawMarks(pen, density, { color, x, shown, height, now });
    pen.globalAlpha = 1;
    pen.fillStyle = color("--accent");
    pen.fillRect(now - 1, 0, 2, height);
    pen.beginPath();
    pen.moveTo(now - 6, 0);
    pen.lineTo(now + 6, 0);
    pen.lineTo(now, 8);
    pen.fill();
    label(from, to, width);
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} width
   */
  function label(from, to, width) {
    const step = tickStep((to - from) / Math.max(2, width / 90));
    const marks = [];
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      const left = ((at - from) / (to - from)) * 100;
      const digits = step >= 1e6 ? 0 : step >= 1e3 ? 3 : 6;
      if (left < 97) marks.push(h("span", { style: { left: `${left}%` } }, clock(at, digits)));
    }
    ticks.replaceChildren(...marks);
  }

  /** @param {PointerEvent} event */
  function press(event) {
    element.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ now) => void player.goto(at(now));
    move(event);
    element.addEventListener("pointermove", move);
    const end = () => element.removeEventListener("pointermove", move);
    element.addEventListener("pointerup", end, { once: true });
    element.addEventListener("pointercancel", end, { once: true });
  }

  /** @param {{clientX: number}} event */
  function at({ clientX }) {
    const box = element.getBoundingClientRect();
    const { from, to } = view();
    const share = Math.min(1, Math.max(0, (clientX - box.left) / box.width));
    return from + share * (to - from);
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const { now } = store.state;
    const { from, to } = view();
    const tenth = (to - from) / 10;
    /** @type {Record<string, () => unknown>} */
    const acts = {
      ArrowRight: () => (event.shiftKey ? player.goto(now + 1e6) : player.step(unit())),
      ArrowLeft: () => (event.shiftKey ? player.goto(now - 1e6) : player.back(unit())),
      PageUp: () => player.goto(now + tenth),
      PageDown: () => player.goto(now - tenth),
      Home: () => player.goto(0),
      End: () => player.goto(store.state.clock.end),
      "+": () => zoom(0.5, now),
      "-": () => zoom(2, now),
      0: () => zoom(Infinity, now),
    };
    if (!acts[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    acts[event.key]();
  }

  /** @param {WheelEvent} event */
  function wheel(event) {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, at(event));
  }

  /**
   * Shows a smaller or a larger part of the run around an instant.
   *
   * @param {number} by
   * @param {number} around
   */
  function zoom(by, around) {
    const { from, to } = view();
    const all = whole();
    const size = Math.max(LEAST, (to - from) * by);
    if (size >= all.to) part = null;
    else {
      const start = Math.min(all.to - size, Math.max(0, around - ((around - from) / (to - from)) * size));
      part = { from: start, to: start + size };
    }
    update();
  }

  /** Moves the shown part so that the present is inside. */
  function follow() {
    if (!part) return;
    const { now } = store.state;
    const size = part.to - part.from;
    if (now < part.from || now > part.to) part = { from: Math.max(0, now - size / 4), to: Math.max(0, now - size / 4) + size };
  }

  function update() {
    follow();
    const { now, clock: state } = store.state;
    element.setAttribute("aria-valuemax", String(state.end));
    element.setAttribute("aria-valuenow", String(now));
    element.setAttribute("aria-valuetext", `${span(now)} of ${span(state.end)}`);
    draw();
    refresh();
  }

  new ResizeObserver(update).observe(element);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  return { element, update, zoom: (/** @type {number} */ by) => zoom(by, store.state.now), legend };
}

/** Returns the names of the rows. */
function legend() {
  return h("div", { class: "rows", "aria-hidden": "true" }, ROWS.map(({ label, color }) => h("span", { style: { color: `var(${color})` } }, label)));
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Record<string, number[]>} density
 * @param {{color: (name: string) => string, x: (at: number) => number, shown: {from: number, to: number}, height: number, now: number}} place
 */
function drawMarks(pen, density, { color, x, shown, height, now }) {
  const step = (shown.to - shown.from) / STEPS;
  const width = Math.max(1.5, x(shown.from + step) - x(shown.from) - 0.5);
  const row = height / (ROWS.length + 0.6);
  const left = (/** @type {number} */ index) => x(shown.from + index * step);
  ROWS.forEach(({ kind, color: name }, index) => {
    const counts = density[kind] ?? [];
    const most = Math.max(4, ...counts);
    const floor = row * (index + 1.6) - 1;
    pen.fillStyle = color("--line");
    pen.globalAlpha = 1;
    pen.fillRect(0, floor, 1e5, 1);
    pen.fillStyle = color(name);
    counts.forEach((count, cell) => {
      if (count === 0) return;
      const size = Math.max(3, (Math.log1p(count) / Math.log1p(most)) * (row - 2));
      // The recorded future is pale.
      pen.globalAlpha = left(cell) > now ? 0.35 : 1;
      if (kind === "drop") drawCross(pen, left(cell) + width / 2, floor - row / 2, Math.min(3.5, row / 2 - 1));
      else pen.fillRect(left(cell), floor - size, width, size);
    });
  });
  drawHands(pen, density.hand ?? [], { left, now, color, width });
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number[]} counts
 * @param {{left: (cell: number) => number, now: number, color: (name: string) => string, width: number}} place
 */
function drawHands(pen, counts, { left, now, color, width }) {
  pen.fillStyle = color("--ink");
  counts.forEach((count, cell) => {
    if (count === 0) return;
    const at = left(cell) + width / 2;
    pen.globalAlpha = left(cell) > now ? 0.35 : 1;
    pen.beginPath();
    pen.moveTo(at, 0);
    pen.lineTo(at + 4, 4);
    pen.lineTo(at, 8);
    pen.lineTo(at - 4, 4);
    pen.fill();
  });
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number} x
 * @param {number} y
 * @param {number} size
 */
function drawCross(pen, x, y, size) {
  pen.strokeStyle = pen.fillStyle;
  pen.lineWidth = 1.5;
  pen.beginPath();
  pen.moveTo(x - size, y - size);
  pen.lineTo(x + size, y + size);
  pen.moveTo(x + size, y - size);
  pen.lineTo(x - size, y + size);
  pen.stroke();
}

/**
 * Returns the smallest round span that is not shorter than a given span.
 *
 * @param {number} least
 */
export function tickStep(least) {
  const minute = 60e6;
  const long = [1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440].map((minutes) => minutes * minute);
  const short = [10e6, 15e6, 30e6];
  for (let unit = 1; unit < 1e7; unit *= 10) {
    for (const by of [1, 2, 5]) if (unit * by >= least && unit * by <= 5e6) return unit * by;
  }
  return [...short, ...long].find((step) => step >= least) ?? Math.ceil(least / (1440 * minute)) * 1440 * minute;
}
