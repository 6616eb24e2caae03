// The types of the data that the page gets from the source of the lab. They are the types of `src/watch` and
// `web/module` in Rust (generated.d.ts) in the form that the page uses, and the events of the worker. Times are
// microseconds since the start of the lab.

import type { Class, ConsoleAnswer, Counts, Dissection, Done, Field, Hand, Item, Layer, LessonAnswer, Node, Port, Reason, Segment, Statement, Stop } from "./generated";
import type { Script as PlayedScript } from "./generated";
import type { Table as ModuleTable } from "./generated";

/** Microseconds since the start of the lab. */
export type Micros = number;

export type Role = "itr" | "etr" | "pitr" | "petr" | "map-server" | "map-resolver";

/** A scenario that was played. `until` is the instant of the user's first own action: from then on, the run is not the scenario's run. */
export type Script = Omit<PlayedScript, "hands"> & { until: Micros | null };

export type { Statement };

export type { Counts, Dissection, Field, Layer, LessonAnswer, Port, Reason, Stop, Item, Hand };

/** A node, with the page's names of roles. */
export type NodeState = Omit<Node, "roles"> & { roles: Role[] };

export type SegmentState = Omit<Segment, "is_lan"> & { kind: "link" | "lan" };

export interface Flow {
  name: string;
  from: string;
  to: string;
  every_us: number;
  sent?: number;
  answered?: number;
  lost?: number;
}

/** The state of a lab at one instant. */
export interface Snapshot {
  lab: { name: string; title: string };
  now: Micros;
  nodes: NodeState[];
  segments: SegmentState[];
  flows: Flow[];
}

export type MessageItem = Extract<Item, { kind: "message" }>;
export type HopItem = Extract<Item, { kind: "hop" }>;
export type DecisionItem = Extract<Item, { kind: "decision" }>;
export type ChangeItem = Extract<Item, { kind: "change" }>;
export type LogItem = Extract<Item, { kind: "log" }>;

export type PacketClass = Class;

/** One table of a router, in one family: the JSON of its `show`, and the text that the console prints. */
export type Table = Omit<ModuleTable, "view"> & { view: any };

export type Tables = Table[];

export interface Stopped {
  stop: Stop;
  item: Item;
}

export type StepTo = "event" | "message" | "change";

/** The result of an action. `command` has the same effect in a terminal. */
export type ActResult = Pick<Done, "command"> & Partial<Done>;

export type ConsoleResult = Pick<ConsoleAnswer, "text" | "prompt" | "ok"> & Partial<ConsoleAnswer>;

/** One step of a journey in words. */
export interface ExplainStep {
  node: string;
  what: string;
  verdict: string;
  because: string;
  section: string | null;
}

/** A journey in words. No packet was sent for it. */
export interface Explained {
  steps: ExplainStep[];
  returns: boolean;
  conclusion: string;
}

export type LessonTask = LessonAnswer["tasks"][number];

/** The lab in the page: files for the simulator, or the address of a lab that is up. */
export interface LabData {
  name?: string;
  files?: Record<string, string>;
  seed?: number;
  /** A saved run, which begins with the page. */
  run?: object;
  live?: { url: string; token: string };
}

/** The state of the time in the worker. */
export interface ClockState {
  playing: boolean;
  /** Virtual seconds per second. */
  pace: number;
  /** The latest instant that this run has reached. */
  end: Micros;
  /** Whether the user can step the time and turn it back. This is false for a live lab. */
  steerable: boolean;
  /** The shares of the packets on links that a live lab shows: one of this number. Absent if it shows all. */
  sampled?: Sampled;
}

export interface Sampled {
  /** Packets of hosts, encapsulated or not. */
  hosts: number;
  /** LISP messages, ARP, neighbour discovery. */
  control: number;
}

/** The messages that the worker sends without a request. */
export type SourceEvent =
  /** Items since the last event, in order, and the state after them. */
  | { event: "items"; now: Micros; items: Item[]; snapshot: Snapshot | null; left_out?: number }
  /** The lab is at another instant. The items with a serial number after `n` are not valid any more. */
  | { event: "reset"; now: Micros; n: number; snapshot: Snapshot }
  | { event: "clock"; clock: ClockState }
  | { event: "stopped"; stopped: Stopped }
  /** An action in the past began another future. The earlier run is kept for comparison. */
  | { event: "branched"; at: Micros }
  | { event: "error"; message: string };
