// @ts-check
// The screen of the page: places for the panels, and the functions that panels share.

import * as compare from "./time/compare.js";
import * as console_ from "./console/console.js";
import * as hands from "./time/hands.js";
import * as inspector from "./inspector/inspector.js";
import * as journey from "./journey/journey.js";
import * as ladder from "./ladder/ladder.js";
import * as lessons from "./lessons/lessons.js";
import * as scenarios from "./scenarios/scenarios.js";
import * as timeBar from "./time/time-bar.js";
import * as timeline from "./time/timeline.js";
import * as topology from "./topology/topology.js";
import { h } from "./dom.js";
import { createDrawer } from "./drawer.js";
import { createFailure } from "./failure.js";
import { news } from "./news.js";
import { createTop } from "./top.js";

/** @import {App, Selection} from "./app" */
/** @import {Source} from "./source.js" */
/** @import {Store} from "./store.js" */

/** The views on a phone. A phone shows one view at a time. */
const VIEWS = [
  ["stage", "Network"],
  ["ladder", "Ladder"],
  ["side", "Inspect"],
];

/**
 * Builds the screen.
 *
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Source} source
 * @returns {App}
 */
export function createApp(root, store, source) {
  const places = createPlaces();
  const drawer = createDrawer({
    console: ["Console", places.console],
    journey: ["Journey", places.journey],
    timeline: ["Timeline", places.timeline],
    compare: ["Compare", places.compare],
  });
  const latest = h("span", { class: "news", role: "status", "aria-live": "polite" });
  const command = h("code", { title: "The command that has the same effect in a terminal" });
  const nothing = h("p", { class: "empty" }, "Choose a node or a link in the network, or a message in the ladder.");
  const shown = { inspector: false, lessons: false, scenarios: false };

  function arrange() {
    places.inspector.hidden = !shown.inspector;
    places.lessons.hidden = !shown.lessons;
    places.scenarios.hidden = !shown.scenarios;
    const any = Object.values(shown).some(Boolean);
    nothing.hidden = any;
    document.body.classList.toggle("with-side", any);
    top.mark("lessons", shown.lessons);
    top.mark("scenarios", shown.scenarios);
  }

  /** @param {string} name @param {string} [panel] the panel of the drawer, if it is the drawer */
  function view(name, panel) {
    document.body.dataset.view = name;
    for (const button of views.querySelectorAll("button")) {
      button.setAttribute("aria-current", String(panel ? button.dataset.panel === panel : button.dataset.view === name));
    }
  }

  /** @type {App} */
  const app = {
    store,
    source,
    select(selection) {
      store.select(selection);
      shown.inspector = selection !== null;
      arrange();
      if (selection) view("side");
      else if (document.body.dataset.view === "side" && !shown.lessons) view("stage");
    },
    open(panel, detail) {
      if (panel === "lessons" || panel === "scenarios") {
        // A scenario starts the lab again. This ends a lesson, so only one of the two panels is open.
        Object.assign(shown, { lessons: false, scenarios: false, [panel]: detail !== false });
        arrange();
        view(shown[panel] ? "side" : "stage");
        return;
      }
      drawer.open(panel);
      view("drawer", panel);
      places[panel]?.dispatchEvent(new CustomEvent("open", { detail }));
    },
    async act(hand) {
      try {
        const done = await source.request("act", { hand });
        command.textContent = done.command ? `$ ${done.command}` : "";
        return done;
      } catch (error) {
        app.announce(/** @type {Error} */ (error).message);
        return null;
      }
    },
    announce(text) {
      latest.textContent = text;
      latest.title = text;
    },
  };

  const top = createTop(store, {
    lessons: () => app.open("lessons", !shown.lessons),
    scenarios: () => app.open("scenarios", !shown.scenarios),
  });
  const views = createViews(view, (panel) => app.open(panel));
  const main = h(
    "main",
    { id: "main" },
    h("div", { class: "stage" }, places.hands, places.topology, h("div", { class: "status" }, latest, command, topology.legend())),
    places.ladder,
    h("div", { class: "drawer" }, drawer.element),
    h("aside", { class: "side", "aria-label": "Inspector, lesson and scenario" }, places.lessons, places.scenarios, places.inspector, nothing),
  );
  drawer.attach(/** @type {HTMLElement} */ (main.querySelector(".drawer")));
  root.append(skipLink(), top.element, main, places["time-bar"], views, createFailure(store));
  mountAll(places, app);
  arrange();
  view("stage");
  let told = 0;
  store.witness((items) => {
    // A screen reader cannot read all news of a fast run, so there is at most one line in two seconds.
    if (store.state.clock.playing && performance.now() - told < 2000) return;
    const text = news(items);
    if (!text) return;
    told = performance.now();
    app.announce(text);
  });
  root.addEventListener("keydown", (event) => {
    const { selection } = store.state;
    if (event.key !== "Escape" || !selection) return;
    app.select(null);
    const from = selection.kind === "node" ? `.node[data-node="${CSS.escape(selection.name)}"]` : ".ladder-rows";
    /** @type {HTMLElement | null} */ (document.querySelector(from))?.focus({ preventScroll: true });
  });
  return app;
}

/** Returns a link with which users of the keyboard go to the network directly. */
function skipLink() {
  return h("a", { class: "skip", href: "#topology" }, "To the network");
}

/** @returns {Record<string, HTMLElement>} */
function createPlaces() {
  const names = {
    topology: "Network",
    ladder: "Control messages",
    inspector: "Inspector",
    console: "Console",
    journey: "Journey of a packet",
    timeline: "Timeline",
    compare: "Compare",
    lessons: "Lesson",
    scenarios: "Scenario",
    hands: "Hands",
    "time-bar": "Time",
  };
  return Object.fromEntries(
    Object.entries(names).map(([id, label]) => [id, h("section", { id, "aria-label": label, tabindex: -1 })]),
  );
}

/**
 * @param {Record<string, HTMLElement>} places
 * @param {App} app
 */
function mountAll(places, app) {
  topology.mount(places.topology, app);
  ladder.mount(places.ladder, app);
  inspector.mount(places.inspector, app);
  console_.mount(places.console, app);
  journey.mount(places.journey, app);
  timeline.mount(places.timeline, app);
  compare.mount(places.compare, app);
  lessons.mount(places.lessons, app);
  scenarios.mount(places.scenarios, app);
  hands.mount(places.hands, app);
  timeBar.mount(places["time-bar"], app);
}

/**
 * Returns the row of buttons of a phone.
 *
 * @param {(view: string) => void} view
 * @param {(panel: string) => void} open
 */
function createViews(view, open) {
  const buttons = VIEWS.map(([name, label]) =>
    h("button", { type: "button", "data-view": name, onclick: () => view(name) }, label),
  );
  for (const [name, label] of [["console", "Console"], ["journey", "Journey"], ["timeline", "Timeline"], ["compare", "Compare"]]) {
    buttons.push(h("button", { type: "button", "data-panel": name, onclick: () => open(name) }, label));
  }
  return h("nav", { class: "views tabs", "aria-label": "Views" }, buttons);
}
