// @ts-check
// The picture of the network, with its nodes, links and the packets on the links.

import { h, s } from "../dom.js";
import { nodeElement, segmentElement, zones } from "./draw.js";
import { enableDrag } from "./drag.js";
import { fit, freePlace } from "./geometry.js";
import { CLASS_NAMES, icon } from "./glyphs.js";
import { walk } from "./keys.js";
import { arrange } from "./layout.js";
import { createRides, ridesLayer } from "./rides.js";

/** @import {App} from "../app" */
/** @import {Snapshot} from "../model" */
/** @import {Layout} from "./layout.js" */
/** @import {Picture} from "./geometry.js" */

/** The keys that work everywhere. */
const KEYS = [
  ["Space", "play or pause"],
  [".", "one step forward"],
  [",", "one step back"],
  ["Esc", "close the inspector"],
];

/** A packet leaves its router within this time after the message was sent, in microseconds. */
const CARRIED_WITHIN = 100_000;

/**
 * Builds the topology below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store } = app;
  const layers = {
    zones: s("g", { class: "zones" }),
    segments: s("g", { class: "segments" }),
    // Packets are drawn below the nodes, so that the names can be read.
    rides: ridesLayer(),
    nodes: s("g", { class: "nodes" }),
  };
  const svg = s("svg", { class: "network", role: "group", "aria-label": "Network" }, Object.values(layers));
  const scroller = h("div", { class: "scroller" }, svg);
  const starting = h("p", { class: "empty starting" }, "The lab starts …");
  root.replaceChildren(scroller, starting);

  /** @type {Layout | null} */
  let layout = null;
  /** @type {Picture | null} */
  let picture = null;
  /** The LAN of each host at the start. A host in another LAN has moved. */
  /** @type {Map<string, string>} */
  let homes = new Map();
  let drawn = "";
  /** @type {Snapshot | null} */
  let last = null;
  let lastSize = "";
  let chosen = "";
  let epoch = 0;
  let labName = "";
  const rides = createRides(layers.rides, store, () => picture);

  /** @param {Snapshot} snapshot */
  function lay(snapshot) {
    const key = `${snapshot.lab.name} ${snapshot.nodes.length}`;
    if (!layout || key !== labName) {
      layout = arrange(snapshot.nodes, snapshot.segments);
      homes = lans(snapshot);
      labName = key;
    }
    picture = fit(layout, scroller.clientWidth, scroller.clientHeight);
    for (const [host, lan] of lans(snapshot)) {
      if (homes.get(host) === lan) continue;
      const segment = snapshot.segments.find(({ name }) => name === lan);
      const others = (segment?.ports ?? []).map(({ node }) => node).filter((name) => name !== host);
      const other = others.find((name) => store.node(name)?.kind === "host") ?? others[0];
      const beside = picture.at.get(other ?? "");
      if (beside) picture.at.set(host, freePlace(picture, beside, host));
    }
    svg.setAttribute("width", String(picture.width));
    svg.setAttribute("height", String(picture.height));
  }

  function draw() {
    const { snapshot, selection } = store.state;
    starting.hidden = snapshot !== null || store.state.error !== null;
    if (!snapshot || scroller.clientWidth === 0) return;
    const size = `${scroller.clientWidth} ${scroller.clientHeight}`;
    const key = snapshot === last && size === lastSize ? drawn : JSON.stringify([snapshot.nodes, snapshot.segments, size]);
    [last, lastSize] = [snapshot, size];
    if (key !== drawn) {
      drawn = key;
      chosen = "";
      const focused = /** @type {HTMLElement | null} */ (svg.contains(document.activeElement) ? document.activeElement : null);
      lay(snapshot);
      const shape = /** @type {Picture} */ (picture);
      layers.zones.replaceChildren(...zones(snapshot, shape));
      layers.segments.replaceChildren(...snapshot.segments.map((it) => segmentElement(it, shape, store.node)));
      layers.nodes.replaceChildren(
        ...snapshot.nodes.map((it) => nodeElement(it, shape, (layout?.places.get(it.name)?.side ?? 0) > 0)),
      );
      layers.nodes.querySelector("[data-node]")?.setAttribute("tabindex", "0");
      restore(focused?.dataset.node);
      rides.relay();
    }
    const news = changedNodes(app);
    mark(JSON.stringify([selection, [...news]]), news);
    if (store.state.epoch !== epoch) {
      epoch = store.state.epoch;
      rides.clear();
    }
  }

  /** @param {string | undefined} name */
  function restore(name) {
    if (name === undefined) return;
    const again = [...layers.nodes.children].find((it) => /** @type {any} */ (it).dataset.node === name);
    /** @type {any} */ (again)?.focus();
  }

  /**
   * Marks the selection, the way of a packet, and the routers whose tables have changed.
   *
   * @param {string} key
   * @param {Set<string>} news
   */
  function mark(key, news) {
    if (key === chosen) return;
    chosen = key;
    const { nodes, segments, way, class_ } = marked(app);
    for (const element of /** @type {NodeListOf<SVGGElement>} */ (svg.querySelectorAll("[data-node]"))) {
      element.classList.toggle("chosen", nodes.has(element.dataset.node ?? ""));
      element.classList.toggle("fresh", news.has(element.dataset.node ?? ""));
    }
    for (const element of /** @type {NodeListOf<SVGGElement>} */ (svg.querySelectorAll("[data-segment]"))) {
      element.classList.toggle("chosen", segments.has(element.dataset.segment ?? ""));
      const ends = way.get(element.dataset.segment ?? "");
      element.classList.toggle("on-way", ends !== undefined);
      for (const wire of /** @type {NodeListOf<SVGElement>} */ (element.querySelectorAll(".wire"))) {
        wire.classList.toggle("off", ends !== undefined && !ends.has(wire.dataset.end ?? ""));
      }
    }
    svg.classList.toggle("with-way", way.size > 0);
    svg.dataset.way = class_;
  }

  svg.addEventListener("click", (event) => {
    const element = /** @type {Element} */ (event.target).closest("[data-hop], [data-node], [data-segment]");
    if (element) pick(/** @type {SVGGElement} */ (element));
    else if (store.state.selection) app.select(null);
  });
  svg.addEventListener("keydown", (event) => {
    const element = /** @type {SVGGElement | null} */ (document.activeElement);
    if (!element || !svg.contains(element)) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      pick(element);
    } else if (walk(event.key, element, layers.nodes, picture)) {
      event.preventDefault();
    }
  });

  /** @param {SVGGElement} element */
  function pick({ dataset }) {
    if (dataset.hop !== undefined) app.select({ kind: "item", n: Number(dataset.hop) });
    else if (dataset.node !== undefined) app.select({ kind: "node", name: dataset.node });
    else if (dataset.segment !== undefined) app.select({ kind: "segment", name: dataset.segment });
  }

  enableDrag(svg, layers.nodes, app, () => picture);
  new ResizeObserver(() => draw()).observe(scroller);
  store.subscribe(draw);
  root.addEventListener("replay", (event) => rides.replay(/** @type {CustomEvent} */ (event).detail));
}

/**
 * Returns the LAN of each host.
 *
 * @param {Snapshot} snapshot
 */
function lans(snapshot) {
  const found = new Map();
  for (const node of snapshot.nodes) {
    const segment = node.kind === "host" && node.ports.find((port) => port.segment !== null)?.segment;
    if (segment) found.set(node.name, segment);
  }
  return found;
}

/**
 * Returns the routers with a table that changed in the last step.
 *
 * @param {App} app
 */
function changedNodes({ store }) {
  const { items, since } = store.state;
  /** @type {Set<string>} */
  const found = new Set();
  for (let i = items.length - 1; i >= 0 && items[i].n > since; i -= 1) {
    const item = items[i];
    if (item.kind === "change") found.add(item.node);
  }
  return found;
}

/**
 * Returns the things to mark for a selection.
 *
 * @param {App} app
 */
function marked({ store }) {
  /** @type {Set<string>} */
  const nodes = new Set();
  /** @type {Set<string>} */
  const segments = new Set();
  /** The segments of the way. Each segment has the nodes that it connects on the way. */
  /** @type {Map<string, Set<string>>} */
  const way = new Map();
  const { selection, items } = store.state;
  if (selection?.kind === "node") nodes.add(selection.name);
  if (selection?.kind === "segment") segments.add(selection.name);
  const item = selection?.kind === "item" ? store.item(selection.n) : undefined;
  if (item && "node" in item) nodes.add(item.node);
  const carrier = item?.kind === "message" ? carrierOf(item, store) : item?.kind === "hop" ? item : null;
  const packet = selection?.kind === "packet" ? selection.packet : (carrier?.packet ?? null);
  let class_ = "data";
  if (packet !== null) {
    for (const hop of items) {
      if (hop.kind !== "hop" || hop.packet !== packet) continue;
      const ends = way.get(hop.segment) ?? new Set();
      for (const node of [hop.from, ...hop.to]) ends.add(node);
      way.set(hop.segment, ends);
      if (hop.class !== "native") class_ = hop.class;
    }
  }
  return { nodes, segments, way, class_ };
}

/**
 * Returns the first hop of the packet that carries a message.
 *
 * @param {import("../model").MessageItem} message
 * @param {App["store"]} store
 */
function carrierOf(message, store) {
  const sent = message.direction === "sent" ? message : store.item(message.sent);
  if (sent?.kind !== "message") return null;
  for (const hop of store.state.items) {
    if (hop.kind !== "hop" || hop.from !== sent.node || hop.at < sent.at) continue;
    if (hop.at > sent.at + CARRIED_WITHIN) return null;
    if (hop.octets ? hop.octets.includes(sent.octets) : hop.summary === sent.summary) return hop;
  }
  return null;
}

/** Returns the legend: the form of each class of packet. */
export function legend() {
  const entries = Object.entries(CLASS_NAMES).map(([class_, name]) =>
    h("li", {}, icon(/** @type {any} */ (class_)), name),
  );
  entries.push(zoneKey("site", "LISP site"), zoneKey("core", "core, without LISP"));
  entries.push(zoneKey("outside", "network without LISP"));
  const keys = KEYS.map(([key, act]) => h("li", {}, h("kbd", {}, key), ` ${act}`));
  return h("details", { class: "legend" }, h("summary", {}, "Legend"), h("ul", {}, entries, keys));
}

/**
 * @param {string} zone
 * @param {string} name
 */
function zoneKey(zone, name) {
  return h(
    "li",
    {},
    s("svg", { class: "icon", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, s("rect", { class: `zone ${zone}`, x: 1, y: 2, width: 14, height: 12, rx: 4 })),
    name,
  );
}
