// @ts-check
// The time bar: play, steps, pace, the track, breakpoints, and the run as a file.

import { h } from "../dom.js";
import { clock, liveText } from "../format.js";
import { choice, createBreakpoints, inWords } from "./breakpoints.js";
import { createFiles } from "./files.js";
import { sign } from "./icons.js";
import { createPlayer, PACES } from "./player.js";
import { createTrack } from "./track.js";

/** @import {App} from "../app" */
/** @import {Unit} from "./player.js" */

/**
 * Builds the time bar below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store, source } = app;
  const player = createPlayer(app);
  const steps = choice("Step by", [["message", "message"], ["event", "event"], ["change", "change"], ["drop", "drop"]]);
  const unit = () => /** @type {Unit} */ (steps.select.value);
  const track = createTrack(app, player, unit);
  const pace = choice("Pace", PACES.map((value) => [String(value), `× ${value}`]));
  pace.select.addEventListener("change", () => player.pace(Number(pace.select.value)));
  const play = icon("Play", "play", () => player.toggle());
  /** The number of pressed buttons whose moves are not finished. */
  let working = 0;
  /** Tells assistive technology, during a move to another instant, that the page is busy. @param {() => Promise<unknown>} move */
  const busy = (move) => async () => {
    steering.ariaBusy = String((working += 1) > 0);
    await move();
    steering.ariaBusy = String((working -= 1) > 0);
  };
  const next = icon("Run to the next breakpoint", "next", busy(() => player.next()));
  next.disabled = true;
  const badge = h("span", { class: "badge", hidden: true });
  const breakpoints = createBreakpoints(app, player, (count) => {
    badge.textContent = String(count);
    badge.hidden = count === 0;
    next.disabled = count === 0;
  });
  const files = createFiles(app);
  const now = h("output", { class: "now", "aria-label": "Time" });
  const end = h("span", { class: "end faint" });
  const steering = h(
    "div",
    { class: "steering", role: "group", "aria-label": "Play and step" },
    icon("Back one step", "back", busy(() => player.back(unit()))),
    play,
    icon("Forward one step", "forward", busy(() => player.step(unit()))),
    next,
    steps.label,
    pace.label,
  );
  const popovers = h(
    "div",
    { class: "steering", role: "group", "aria-label": "Breakpoints and run" },
    h("button", { type: "button", popovertarget: "breakpoints" }, "Breakpoints ", badge),
    h("button", { type: "button", popovertarget: "run-menu" }, "Run"),
  );
  root.append(
    steering,
    h("div", { class: "lane" }, track.legend(), track.element),
    h("div", { class: "instant" }, now, end),
    popovers,
    breakpoints.element,
    files.element,
  );

  store.subscribe(({ now: at, clock: state, leftOut }) => {
    now.textContent = clock(at);
    end.textContent = state.steerable ? (state.end > at ? `of ${clock(state.end, 1)}` : "") : liveText(state, leftOut);
    const label = state.playing ? "Pause" : "Play";
    if (play.getAttribute("aria-label") !== label) play.replaceChildren(sign(state.playing ? "pause" : "play"));
    play.setAttribute("aria-label", label);
    play.title = `${state.playing ? "Pause" : "Play"} (Space)`;
    if (document.activeElement !== pace.select) pace.select.value = String(state.pace);
    steering.hidden = !state.steerable;
    root.classList.toggle("in-past", state.end > at);
    track.update();
  });
  source.listen((event) => {
    if (event.event === "stopped") app.announce(`Stopped: ${inWords(event.stopped.stop)}`);
    if (event.event === "stopped") app.select({ kind: "item", n: event.stopped.item.n });
    if (event.event === "branched") app.announce("A new run begins here. The earlier run is kept: see Compare.");
  });
  addEventListener("keydown", (event) => shortcut(event, player, unit));
}

/**
 * The keys that work everywhere, except where text is typed.
 *
 * @param {KeyboardEvent} event
 * @param {import("./player.js").Player} player
 * @param {() => Unit} unit
 */
function shortcut(event, player, unit) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest?.("input, select, textarea, button, a, [role=slider], [role=textbox]")) return;
  /** @type {Record<string, () => unknown>} */
  const acts = { " ": player.toggle, ".": () => player.step(unit()), ",": () => player.back(unit()) };
  if (!acts[event.key]) return;
  event.preventDefault();
  acts[event.key]();
}

/**
 * @param {string} label
 * @param {import("./icons.js").Sign} name
 * @param {() => unknown} act
 */
function icon(label, name, act) {
  return h("button", { type: "button", class: "icon", "aria-label": label, title: label, onclick: act }, sign(name));
}
