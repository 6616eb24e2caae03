// The types of all that crosses from the lab's source to the page: the JSON of `src/watch` (Rust), and
// the requests and events between page and worker. Times are microseconds since the start of the lab.

/** Microseconds since the start of the lab. */
export type Micros = number;

export type Role = "itr" | "etr" | "pitr" | "petr" | "map-server" | "map-resolver";

export interface Port {
  device: string;
  interface: string;
  up: boolean;
  carrier: boolean;
  segment: string | null;
}

export interface NodeState {
  name: string;
  kind: "router" | "core" | "host";
  roles: Role[];
  /** The place in lab.toml. Null: the page finds one. */
  position: [number, number] | null;
  runs: boolean;
  addresses: string[];
  counts: { mappings: number; registrations: number; away: number };
  ports: Port[];
}

export interface SegmentState {
  name: string;
  kind: "link" | "lan";
  up: boolean;
  delay_us: number;
  /** In percent. */
  loss: number;
  ports: { node: string; device: string }[];
}

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

/** A reason, and the section of the RFC that it comes from. */
export interface Reason {
  text: string;
  section: string | null;
}

interface Serial {
  /** The serial number of the item in its lab. */
  n: number;
  at: Micros;
}

/** A control message that a router sends or receives. */
export interface MessageItem extends Serial {
  kind: "message";
  node: string;
  direction: "sent" | "received";
  /** `tcp` for the reliable transport. */
  transport: "udp" | "tcp";
  source: string;
  destination: string;
  name: string;
  summary: string;
  encapsulated: boolean;
  nonce: string | null;
  /** The LISP message, in hexadecimal digits. */
  octets: string;
  /** On a received message: the item that sent it. */
  sent: number | null;
  /** The message that this one answers. */
  answers: number | null;
  reason: Reason | null;
}

export type PacketClass = "control" | "data" | "native" | "tcp" | "neighbour";

/** A packet that crosses a segment. */
export interface HopItem extends Serial {
  kind: "hop";
  segment: string;
  from: string;
  to: string[];
  /** Null: the link lost the packet. */
  arrives: Micros | null;
  fate: "carried" | "lost" | "doubled";
  class: PacketClass;
  summary: string;
  /** The same for one inner packet on all its hops. */
  packet: string;
  octets: string;
}

/** A node's decision about a packet. */
export interface DecisionItem extends Serial {
  kind: "decision";
  node: string;
  packet: string | null;
  summary: string;
  /** `encapsulate`, `native`, `deliver`, `forward`, `hold` or `drop`. */
  verdict: string;
  /** The locator to which the packet is encapsulated. */
  locator: string | null;
  line: { table: string; prefix: string } | null;
  reason: Reason;
}

/** A line of a table that came, changed or went. */
export interface ChangeItem extends Serial {
  kind: "change";
  node: string;
  table: string;
  key: string;
  change: "added" | "changed" | "removed";
  text: string;
  reason: Reason | null;
  /** The message that caused the change. */
  cause: number | null;
}

export interface LogItem extends Serial {
  kind: "log";
  node: string;
  severity: string;
  text: string;
}

export type Item = MessageItem | HopItem | DecisionItem | ChangeItem | LogItem;

/** One table of a router, in one family: the JSON of its `show`, and the text that the console prints. */
export interface Table {
  /** `map-cache`, `database`, `away`, `sites`, `registrations`, `sessions`, `reachability`, `dynamic-eids`. */
  table: string;
  family: "ipv4" | "ipv6" | null;
  command: string;
  text: string;
  view: any;
}

export type Tables = Table[];

/** A condition at which a run ends. A member that is absent matches everything. */
export type Stop =
  | { at: "message"; name?: string; node?: string }
  | { at: "change"; table?: string; node?: string }
  | { at: "drop"; node?: string }
  | { at: "any" };

export interface Stopped {
  stop: Stop;
  item: Item;
}

export type StepTo = "event" | "message" | "change";

/** A user's act on the lab. `eidway lab` has a command for each. */
export type Hand =
  | { kind: "ping"; name?: string; from: string; to: string; count?: number; size?: number; ipv6?: boolean }
  | { kind: "flow"; name: string; from: string; to: string; every_us: number; ipv6?: boolean }
  | { kind: "end"; name: string }
  | { kind: "port"; node: string; interface: string; up: boolean }
  | { kind: "move"; host: string; to: string; make_before_break?: boolean }
  | { kind: "start" | "stop" | "kill"; node: string }
  | { kind: "link"; segment: string; delay_us?: number; loss?: number };

export interface ActResult {
  /** The command that does the same in a terminal. */
  command: string;
  items?: Item[];
}

export interface ConsoleResult {
  text: string;
  prompt: string;
  ok: boolean;
  completions?: string[];
  closed?: boolean;
  /** The debug lines since the last request. */
  debug?: string[];
}

/** One step of a journey in words. */
export interface ExplainStep {
  node: string;
  what: string;
  verdict: string;
  because: string;
  section: string | null;
}

export interface Field {
  /** The name in the standard. */
  name: string;
  value: string;
  /** The first octet that has a bit of the field. */
  from: number;
  /** The number of octets that have a bit of the field. 0 for a remark on an octet. */
  len: number;
  /** The first bit, from the high-order bit of the octet `from`, and the number of bits. Null: whole octets. */
  bits: [number, number] | null;
  /** The meaning of the value in a sentence. */
  meaning: string | null;
}

export interface Dissection {
  layers: { name: string; section: string; from: number; len: number; fields: Field[] }[];
}

export interface LessonTask {
  name?: string;
  text: string;
  hints: string[];
  met?: boolean;
}

export interface Lesson {
  name: string;
  title?: string;
  /** Markdown. */
  prose: string;
  tasks: LessonTask[];
}

/** The lab in the page: files for the simulator, or the address of a lab that is up. */
export interface LabData {
  name?: string;
  files?: Record<string, string>;
  seed?: number;
  live?: { url: string; token: string };
}

/** The worker's time engine. */
export interface ClockState {
  playing: boolean;
  /** Virtual seconds in a second. */
  pace: number;
  /** The last instant that the lab has reached, on this course. */
  end: Micros;
  /** True: time can be stepped and turned back. A live lab cannot. */
  steerable: boolean;
}

/** All that the worker says by itself. */
export type SourceEvent =
  /** Items since the last event, in order, and the state after them. */
  | { event: "items"; now: Micros; items: Item[]; snapshot: Snapshot | null; left_out?: number }
  /** The lab is at another instant: the items with a serial number after `n` do not count any more. */
  | { event: "reset"; now: Micros; n: number; snapshot: Snapshot }
  | { event: "clock"; clock: ClockState }
  | { event: "stopped"; stopped: Stopped }
  /** A hand in the past began another future. The run so far is kept for comparison. */
  | { event: "branched"; at: Micros }
  | { event: "error"; message: string };
