// @ts-check
// Draws packets that travel along links.

import { s } from "../dom.js";
import { cross, glyph } from "./glyphs.js";
import { pointOn, way } from "./geometry.js";
import { createPlanner, hopTime } from "./schedule.js";

/** @import {HopItem, Item} from "../model" */
/** @import {Ride} from "./schedule.js" */
/** @import {Line, Picture} from "./geometry.js" */
/** @import {Store} from "../store.js" */

/** The maximum number of packets on the screen at one time. Further packets are not drawn. */
const MOST = 160;
const CROSS_STAYS = 1400;
/** If there are more packets than this, they are drawn only after this time in milliseconds, so that a fast flow leaves the processor to others. */
const MANY = 40;
const PACE_OF_MANY = 30;

/**
 * Returns the player of rides.
 *
 * @param {SVGGElement} layer
 * @param {Store} store
 * @param {() => Picture | null} picture
 */
export function createRides(layer, store, picture) {
  const planner = createPlanner();
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  /** @type {{ride: Ride, lines: Line[][], elements: SVGGElement[]}[]} */
  let active = [];
  let running = false;
  let drawnAt = 0;

  /** @param {HopItem} hop */
  function linesFor(hop) {
    const drawn = picture();
    const segment = store.segment(hop.segment);
    if (!drawn || !segment) return [];
    const targets = hop.to.length > 0 ? hop.to : segment.ports.map(({ node }) => node).filter((it) => it !== hop.from).slice(0, 1);
    return targets.map((to) => way(segment, hop.from, to, drawn, store.node)).filter((lines) => lines.length > 0);
  }

  /** @param {Item[]} items */
  function add(items) {
    const hops = /** @type {HopItem[]} */ (items.filter((item) => item.kind === "hop"));
    if (hops.length === 0 || document.hidden) return;
    if (still.matches) return use(hops);
    if (hops.length > 4 * MOST) hops.splice(0, hops.length - MOST);
    const { clock } = store.state;
    for (const ride of planner.plan(hops, performance.now(), hopTime(clock, hops))) {
      if (active.length >= MOST) break;
      active.push({ ride, lines: linesFor(ride.hop), elements: [] });
    }
    if (!running) requestAnimationFrame(frame);
    running = true;
  }

  /** @param {HopItem[]} hops their links are marked, if the user wants no motion */
  function use(hops) {
    const by = new Map(hops.map((hop) => [hop.segment, hop.class]));
    for (const element of /** @type {NodeListOf<SVGGElement>} */ (layer.ownerSVGElement?.querySelectorAll("[data-segment]"))) {
      const class_ = by.get(element.dataset.segment ?? "");
      element.classList.toggle("used", class_ !== undefined);
      for (const name of ["control", "tcp"]) element.classList.toggle(`by-${name}`, class_ === name);
    }
  }

  /** @param {number} now */
  function frame(now) {
    if (active.length <= MANY || now - drawnAt >= PACE_OF_MANY) {
      active = active.filter((one) => draw(one, now));
      drawnAt = now;
    }
    if (active.length > 0) requestAnimationFrame(frame);
    else running = false;
  }

  /**
   * Draws a moving packet at an instant. Returns false if its motion has ended.
   *
   * @param {typeof active[number]} one
   * @param {number} now
   */
  function draw(one, now) {
    const { ride, lines, elements } = one;
    if (now < ride.start) return true;
    const lost = ride.hop.fate === "lost";
    const over = ride.end + (lost ? CROSS_STAYS : 0);
    if (now >= over || lines.length === 0) {
      for (const element of elements) element.remove();
      return false;
    }
    if (elements.length === 0) {
      for (let i = 0; i < lines.length; i += 1) elements.push(glyph(ride.hop.class));
      for (const element of elements) element.dataset.hop = String(ride.hop.n);
      layer.append(...elements);
    }
    const t = Math.min(1, (now - ride.start) / (ride.end - ride.start)) * (lost ? 0.55 : 1);
    if (lost && t >= 0.55 && !elements[0].querySelector(".cross")) {
      for (const element of elements) element.append(cross());
    }
    elements.forEach((element, i) => {
      const { x, y } = along(lines[i], ease(t));
      element.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    });
    return true;
  }

  store.witness(add);
  return {
    /** Removes all packets from the links. */
    clear() {
      for (const { elements } of active) for (const element of elements) element.remove();
      active = [];
      planner.clear();
    },
    /** Uses the lines of a new picture. */
    relay() {
      for (const one of active) one.lines = linesFor(one.ride.hop);
    },
    /** @param {HopItem[]} hops shows these hops once more */
    replay(hops) {
      this.clear();
      add(hops);
    },
  };
}

/** @param {number} t */
const ease = (t) => (t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t));

/**
 * Returns the point at a part of some lines, one after the other.
 *
 * @param {Line[]} lines
 * @param {number} t
 */
function along(lines, t) {
  const lengths = lines.map(({ from, to }) => Math.hypot(to.x - from.x, to.y - from.y) || 1);
  let left = t * lengths.reduce((sum, length) => sum + length, 0);
  for (let i = 0; i < lines.length; i += 1) {
    if (left <= lengths[i] || i === lines.length - 1) return pointOn(lines[i], Math.min(1, left / lengths[i]));
    left -= lengths[i];
  }
  return pointOn(lines[0], 0);
}

/** Returns an empty layer for packets. */
export function ridesLayer() {
  return s("g", { class: "rides", "aria-hidden": "true" });
}
