// @ts-check
// The one screen: places for the panels, and the acts that panels share.

import { h } from "./dom.js";
import * as compare from "./time/compare.js";
import * as console_ from "./console/console.js";
import * as hands from "./time/hands.js";
import * as inspector from "./inspector/inspector.js";
import * as journey from "./journey/journey.js";
import * as ladder from "./ladder/ladder.js";
import * as lessons from "./lessons/lessons.js";
import * as timeBar from "./time/time-bar.js";
import * as timeline from "./time/timeline.js";
import * as topology from "./topology/topology.js";

/** @import {App, Mount} from "./app" */
/** @import {Source} from "./source.js" */
/** @import {Store} from "./store.js" */

/** @type {Record<string, Mount>} */
const PANELS = {
  topology: topology.mount,
  ladder: ladder.mount,
  inspector: inspector.mount,
  console: console_.mount,
  journey: journey.mount,
  timeline: timeline.mount,
  compare: compare.mount,
  lessons: lessons.mount,
  hands: hands.mount,
  "time-bar": timeBar.mount,
};

/**
 * Builds the screen.
 *
 * @param {HTMLElement} root
 * @param {Store} store
 * @param {Source} source
 * @returns {App}
 */
export function createApp(root, store, source) {
  const live = h("div", { id: "announcer", role: "status", "aria-live": "polite" });
  /** @type {App} */
  const app = {
    store,
    source,
    select: (selection) => store.select(selection),
    open() {},
    async act(hand) {
      try {
        return await source.request("act", { hand });
      } catch (error) {
        app.announce(/** @type {Error} */ (error).message);
        return null;
      }
    },
    announce(text) {
      live.textContent = text;
    },
  };
  root.append(live);
  for (const [name, mount] of Object.entries(PANELS)) {
    const place = h("section", { id: name });
    root.append(place);
    mount(place, app);
  }
  return app;
}
