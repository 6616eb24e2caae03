import type { ActResult, Hand } from "./model";
import type { Source } from "./source.js";
import type { Store } from "./store.js";

/** A thing that the user has picked. */
export type Selection =
  | { kind: "node"; name: string }
  | { kind: "segment"; name: string }
  /** A message, change, decision, hop or log line, by its serial number. */
  | { kind: "item"; n: number }
  | { kind: "packet"; packet: string };

/** All that a panel works with. */
export interface App {
  store: Store;
  source: Source;
  /** Shows a thing in the inspector; null closes it. */
  select(selection: Selection | null): void;
  /** Opens a panel of the drawer below the stage, such as "console". */
  open(panel: string, detail?: unknown): void;
  /** Does an act on the lab and shows the command that does the same. */
  act(hand: Hand): Promise<ActResult | null>;
  /** Tells a screen reader, and the status line, of an event. */
  announce(text: string): void;
}

/** Builds a panel below an element. Each panel is a module with a `mount`. */
export type Mount = (root: HTMLElement, app: App) => void;
