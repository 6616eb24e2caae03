import type { ActResult, Hand } from "./model";
import type { Source } from "./source.js";
import type { Store } from "./store.js";

/** The selection of the user. */
export type Selection =
  | { kind: "node"; name: string }
  | { kind: "segment"; name: string }
  /** A message, change, decision, hop or log line, by its serial number. */
  | { kind: "item"; n: number }
  | { kind: "packet"; packet: string };

/** The parts of the page that a panel uses. */
export interface App {
  store: Store;
  source: Source;
  /** Shows the selection in the inspector. Null closes the inspector. */
  select(selection: Selection | null): void;
  /** Opens a panel of the drawer below the stage, such as "console". */
  open(panel: string, detail?: unknown): void;
  /** Carries out an action in the lab, and shows the command with the same effect. */
  act(hand: Hand): Promise<ActResult | null>;
  /** Shows a text in the status line. A screen reader reads it too. */
  announce(text: string): void;
}

/** Builds a panel below an element. Each panel is a JavaScript module that exports such a function. */
export type Mount = (root: HTMLElement, app: App) => void;
