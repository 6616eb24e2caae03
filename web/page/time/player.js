// @ts-check
// Lets the time of the lab run: it sends the time of each frame to the worker. A hidden page has no frames, so the lab
// stops.

/** @import {App} from "../app" */

/** The possible paces, in virtual seconds per second. */
export const PACES = [0.01, 0.1, 0.5, 1, 2, 5, 10, 60, 100, 1000];

/** @typedef {"event"|"message"|"change"|"drop"} Unit */

/**
 * Returns the steps through time.
 *
 * @param {App} app
 */
export function createPlayer({ store, source, announce }) {
  let last = 0;
  let running = false;
  /** The instant to go to when the worker has arrived at the previous instant. @type {number|null} */
  let waiting = null;
  let going = false;

  /**
   * @param {string} op
   * @param {object} [fields]
   */
  function ask(op, fields) {
    return source.request(op, fields).catch((error) => announce(error.message));
  }

  /** @param {number} time */
  function frame(time) {
    if (!store.state.clock.playing) {
      running = false;
      return;
    }
    void ask("frame", { elapsed: Math.max(0, time - last) });
    last = time;
    requestAnimationFrame(frame);
  }

  store.subscribe(({ clock }) => {
    if (!clock.playing || running || !clock.steerable) return;
    running = true;
    last = performance.now();
    requestAnimationFrame(frame);
  });

  return {
    toggle: () => ask(store.state.clock.playing ? "pause" : "play", { pace: store.state.clock.pace }),
    pause: () => ask("pause"),
    /** @param {number} pace */
    pace: (pace) => ask("pace", { pace }),
    /** @param {Unit} to */
    step: (to) => ask("step", { to }),
    /** @param {Unit} to */
    back: (to) => ask("back", { to }),
    /** Runs to the next breakpoint. */
    next: () => ask("until"),
    /**
     * Goes to an instant. While the worker is still on its way, only the last request is kept.
     *
     * @param {number} at
     */
    async goto(at) {
      waiting = Math.max(0, Math.round(at));
      if (going) return;
      going = true;
      while (waiting !== null) {
        const aim = waiting;
        waiting = null;
        await ask("goto", { at: aim });
      }
      going = false;
    },
  };
}

/** @typedef {ReturnType<typeof createPlayer>} Player */
