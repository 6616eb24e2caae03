// Made by types.mjs from schema.json. Do not edit: change the types in src/watch or web/module, then do
//   cargo run -p eidway-web-module --example schema > web/schema.json && (cd web && npm run types)

/** The kind of change of a line in a table. */
export type Alteration = "added" | "changed" | "removed";
/** An answer. */
export type Answer =
  | Snapshot
  | Run
  | Table[]
  | ConsoleAnswer
  | Done
  | Explained
  | Listed[]
  | ListedScenario[]
  | Script
  | LessonAnswer
  | HandIn
  | FlowState[]
  | Dissection;
/** The kind of a node. */
export type NodeKind = "router" | "core" | "host";
/** One event in a lab. */
export type Item = {
  /** The time in microseconds since the start of the lab. */
  at: number;
  /** The serial number. Later items have larger numbers. */
  n: number;
} & Item1;
export type Item1 =
  | (Message & {
      kind: "message";
    })
  | (Hop & {
      kind: "hop";
    })
  | (Decision & {
      kind: "decision";
    })
  | (Change & {
      kind: "change";
    })
  | (LogLine & {
      kind: "log";
    });
/** The direction of a message, seen from the router that reports the message. */
export type Direction = "sent" | "received";
/** The transport of a LISP message. */
export type Transport = "udp" | "tcp";
/** The class of a packet on a link. */
export type Class = "control" | "tcp" | "data" | "native" | "neighbour";
/** The fate of a packet on a link. */
export type HopFate = "carried" | "doubled" | "lost";
/**
 * An address family: IPv4 or IPv6. An EID, an RLOC and a `service` of the configuration have a
 * family.
*/
export type Family = "ipv4" | "ipv6";
/** One of the two paths of a journey. */
export type JourneyLeg = "there" | "back";
/** The result of a step. */
export type JourneyVerdict = "passes" | "waits" | "arrives" | "lost";
/** A component of a node. In each step of a journey, one component decides. */
export type JourneyPart =
  "route" | "neighbour" | "receive" | "itr" | "etr" | "map-request" | "map-server" | "registration";
/**
 * The items that an answer contains. If an item is left out, its number is left out too, so the
 * numbers have a gap.
*/
export type Detail = "all" | "events" | "none";
/** An action of a user. */
export type Hand =
  | {
      /** The number of echos. */
      count?: number;
      /** The node that sends the echos. */
      from: string;
      /** Whether to use the IPv6 address of the host. */
      ipv6?: boolean;
      kind: "ping";
      /** The name for the ping. */
      name: string;
      /** The number of octets of each packet. */
      size?: number;
      /** The destination: an address, or the name of a host. */
      to: string;
    }
  | {
      /** The time between two echos, in microseconds. */
      every_us: number;
      /** The host that sends the echos. */
      from: string;
      /** Whether to use the IPv6 address of the host. */
      ipv6?: boolean;
      kind: "flow";
      /** The name for the flow. */
      name: string;
      /** The destination: an address, or the name of a host. */
      to: string;
    }
  | {
      kind: "end";
      /** The name of the ping or flow. */
      name: string;
    }
  | {
      /** The interface, as in the lab file. */
      interface: string;
      kind: "port";
      /** The node. */
      node: string;
      /** The new state. */
      up: boolean;
    }
  | {
      /** The host. */
      host: string;
      /** The manner of the move. */
      how?: Plugging & string;
      kind: "move";
      /** The router, or `ROUTER:INTERFACE`. */
      to: string;
    }
  | {
      kind: "start";
      /** The router. */
      node: string;
    }
  | {
      kind: "stop";
      /** The router. */
      node: string;
    }
  | {
      kind: "kill";
      /** The router. */
      node: string;
    }
  | {
      /** The time between two packets, in microseconds. */
      every_us: number;
      kind: "send";
      /** The node. */
      node: string;
      /** The octets of each packet, in hexadecimal. */
      packets: string[];
      /** The number of times that all packets are sent. */
      times: number;
    }
  | {
      /** The address of the server. */
      destination: string;
      kind: "connect";
      /** The name for the connection. */
      name: string;
      /** The plain router. */
      node: string;
      /** The source address: an address of the plain router. */
      source: string;
    }
  | {
      kind: "transmit";
      /** The name of the connection. */
      name: string;
      /** The octets in hexadecimal. */
      octets: string;
    }
  | {
      /** The address and the prefix length of its network. */
      address: string;
      /** The host. */
      host: string;
      kind: "address";
    }
  | {
      /** The interface, as in the lab file. */
      interface: string;
      kind: "mtu";
      /** The MTU in octets. */
      mtu: number;
      /** The node. */
      node: string;
    }
  | {
      kind: "lesson";
      /** The name of the lesson. */
      name: string;
    }
  | {
      kind: "hint";
    }
  | {
      kind: "check";
    }
  | {
      /** The direction, `NODE-to-NODE`. If it is absent, both directions are impaired. */
      direction?: string | null;
      /** The impairment, in the syntax of scenarios, for example `delay 20ms loss 1%` or `none`. */
      impairment: string;
      kind: "impair";
      /** The link: its name, `NODE:NODE` or `NODE:INTERFACE`. */
      link: string;
    };
/** The manner in which a host moves to another LAN. */
export type Plugging = "atomic" | "make-before-break" | "break-before-make";
/** The key that a user presses after a line of a console. */
export type Key = "enter" | "help" | "tab";
/** The kind of the octets of [`Request::Dissect`]. */
export type Of = "message" | "packet";
/** A request. */
export type Request =
  | {
      /** The files of the lab: the text of each, by its path in the directory of the lab. */
      files: {
        [k: string]: string;
      };
      op: "open";
      /** The scenario whose overlays the routers have. */
      scenario?: string | null;
      /** The seed of all random numbers. */
      seed?: number;
    }
  | {
      op: "snapshot";
    }
  | {
      detail?: Detail;
      /** The maximum number of items of the answer. If there are more, the run ends early. */
      limit?: number;
      op: "run";
      /** The most steps of the simulator. The run ends early after them, at the end of an instant. */
      steps?: number | null;
      /** The conditions at which the run ends early. */
      stop_at?: Stop[];
      /** The time at which the run ends, in microseconds. */
      until: number;
    }
  | {
      op: "step";
      to: Stop;
    }
  | {
      /** The router. */
      node: string;
      op: "tables";
    }
  | {
      /** Whether to carry the line out, list the next words, or complete the last word. */
      key?: Key & string;
      /** The line, or the start of it. */
      line: string;
      /** A router or a host. */
      node: string;
      op: "console";
    }
  | {
      hand: Hand;
      op: "act";
    }
  | {
      /** The node that would send the packet. */
      from: string;
      /** Whether to use the IPv6 address of the host. */
      ipv6?: boolean;
      op: "explain";
      /** The destination: an address, or the name of a host. */
      to: string;
    }
  | {
      op: "lessons";
    }
  | {
      /** Whether to look first if the current task is done. No time passes. */
      check?: boolean;
      /** The name of the lesson. */
      name: string;
      op: "lesson";
    }
  | {
      op: "scenarios";
    }
  | {
      /** The name of the scenario. */
      name: string;
      op: "scenario";
    }
  | {
      op: "hand-in";
    }
  | {
      op: "flows";
    }
  | {
      /** The octets in hexadecimal. */
      octets: string;
      of: Of;
      op: "dissect";
    };
/** A condition at which a run stops. A field that is absent matches everything. */
export type Stop =
  | {
      at: "message";
      /** The name of the message, for example `SMR`. */
      name?: string | null;
      /** The router that sends or receives the message. */
      node?: string | null;
    }
  | {
      at: "change";
      /** The router. */
      node?: string | null;
      /** The table. */
      table?: string | null;
    }
  | {
      at: "drop";
      /** The node that drops the packet. For a lost packet, the node that sent the packet. */
      node?: string | null;
    }
  | {
      at: "any";
    };

/** The state of a lab at one time. */
export interface Snapshot {
  lab: LabName;
  /** The nodes, in the order of their names. */
  nodes: Node[];
  /** The time in microseconds since the start of the lab. */
  now: number;
  /** The links and LANs, in the order of the lab file. */
  segments: Segment[];
}
/** The name and the title of a lab. */
export interface LabName {
  /** The name. */
  name: string;
  /** The subject of the lab in one line. */
  title: string | null;
}
/** A node of the lab. */
export interface Node {
  /** The addresses of a host or of a plain router. Empty for a LISP router. */
  addresses: string[];
  counts: Counts;
  kind: NodeKind;
  /** The name. */
  name: string;
  /** The ports of the node in the lab file. */
  ports: Port[];
  /**
   * The position of the node in the picture, if the lab file has a position: x to the right, y
   * down.
   *
   * @minItems 2
   * @maxItems 2
   */
  position: [number, number] | null;
  /**
   * The roles, with their names in IOS: `itr`, `etr`, `proxy-itr`, `proxy-etr`, `map-server`,
   * `map-resolver`.
   */
  roles: string[];
  /** Whether the node runs. A plain router and a host always run. */
  runs: boolean;
}
/** The number of entries of each table of a router. */
export interface Counts {
  /** The number of entries of the away table. */
  away: number;
  /** The number of entries of the map-cache. */
  mappings: number;
  /** The number of prefixes that are registered at this map-server. */
  registrations: number;
}
/** A port of a node. */
export interface Port {
  /** Whether the link of the port is up. */
  carrier: boolean;
  /** The Linux device. */
  device: string;
  /** The name of the interface in the lab file. */
  interface: string;
  /** The link or LAN into which the port is plugged. */
  segment: string | null;
  /** Whether the port is administratively up. */
  up: boolean;
}
/** A link or a LAN. */
export interface Segment {
  /** The delay in microseconds. */
  delay_us: number;
  /** Whether this is a LAN with any number of ports. Otherwise it is a link between two ports. */
  is_lan: boolean;
  /** The percentage of the packets that are lost. */
  loss: number;
  /** The name. */
  name: string;
  /** The ports that are plugged in now, each with its node. */
  ports: PluggedPort[];
  /** Whether the segment works. */
  up: boolean;
}
/** A port that is plugged into a segment. */
export interface PluggedPort {
  /** The device of the node. */
  device: string;
  /** The node. */
  node: string;
}
/** The answer to [`Request::Run`] and [`Request::Step`]. */
export interface Run {
  /** The items, in the order in which they happened. */
  items: Item[];
  /**
   * Whether the run ended early because there were too many items. Then a part of the instant may
   * not have happened.
   */
  more: boolean;
  /** The time of the next event, if there is one. */
  next: number | null;
  /** The time at the end, in microseconds. */
  now: number;
  /** The number of the item at which a condition ended the run. */
  stopped: number | null;
}
/** A LISP message at a router. */
export interface Message {
  /** The number of the sent message that this message answers. */
  answers: number | null;
  /** The address and port of the receiver. */
  destination: string;
  direction: Direction;
  /** Whether the message is in an Encapsulated Control Message. */
  encapsulated: boolean;
  /** The name of the message, for example `Map-Request` or `SMR`. */
  name: string;
  /** The router. */
  node: string;
  /** The nonce in the notation of IOS. Absent if the message has no nonce. */
  nonce: string | null;
  /** The octets of the message in hexadecimal. */
  octets: string;
  /** The reason for which the router sent the message. */
  reason: Reason | null;
  /** For a received message: the number of the item that reports that this message was sent. */
  sent: number | null;
  /** The address and port of the sender. */
  source: string;
  /** The message in one line. */
  summary: string;
  transport: Transport;
}
/** The reason for a message, a decision or a change. */
export interface Reason {
  /** The standard and the section of the rule, for example `RFC 9301 section 6.1`. */
  section: string | null;
  /** The reason in a sentence. */
  text: string;
}
/** A packet that was put on a link. */
export interface Hop {
  /**
   * The time at which the packet arrives at these nodes, in microseconds. Absent if the link
   * lost the packet.
   */
  arrives: number | null;
  class: Class;
  fate: HopFate;
  /** The sending node. */
  from: string;
  /** The octets of the IP packet in hexadecimal. Empty for ARP. */
  octets: string;
  /**
   * The name of the packet of EIDs. The same packet has the same name on all links, encapsulated
   * or not.
   */
  packet: string;
  /** The name of the link or LAN. */
  segment: string;
  /** The packet in one line. */
  summary: string;
  /** The nodes that the packet will reach. */
  to: string[];
}
/** A decision about a packet. */
export interface Decision {
  /** The line of a table that caused the decision. */
  line: Line | null;
  /** The locator to which the packet is encapsulated. */
  locator: string | null;
  /** The node that made the decision. */
  node: string;
  /** The name of the packet, as in [`Hop::packet`]. */
  packet: string | null;
  reason: Reason;
  /** The packet in a few words: its source address and its destination address. */
  summary: string;
  /** The verdict: `encapsulate`, `native`, `deliver`, `forward`, `hold` or `drop`. */
  verdict: string;
}
/** The line of a table that caused a decision. */
export interface Line {
  /** The EID prefix of the line. */
  prefix: string;
  /** The name of the table. */
  table: string;
}
/** A change of a table of a router. */
export interface Change {
  /** The number of the message that caused the change. */
  cause: number | null;
  change: Alteration;
  /** The key of the line: an EID prefix, or the address of a router. */
  key: string;
  /** The router. */
  node: string;
  /** The reason for the change. */
  reason: Reason | null;
  /**
   * The table: `map-cache`, `database`, `away`, `sites`, `registrations`, `sessions`,
   * `reachability` or `dynamic-eids`. In a lab in namespaces, also `ports` or `process`.
   */
  table: string;
  /** The change in a sentence. */
  text: string;
}
/** A line of the log of a router. */
export interface LogLine {
  /** The router. */
  node: string;
  /** `warning` or `notice`. */
  severity: string;
  /** The text. */
  text: string;
}
/** A table of a router. */
export interface Table {
  /** The command that shows the table. */
  command: string;
  /** The family of the EIDs. Absent if the table is for both families. */
  family: Family | null;
  /** The name of the table, as in [`Change::table`](super::item::Change::table). */
  table: string;
  /** The text that the command prints. */
  text: string;
  /** The JSON of the command. It is null if the router refuses the command. */
  view: {
    [k: string]: unknown;
  };
}
/** The answer to a request with a line for a console. */
export interface ConsoleAnswer {
  /** Whether the session has ended. */
  closed: boolean;
  /** The completions of the last word. */
  completions: string[];
  /** The debug lines of the router since the last request. */
  debug: string[];
  /** The items since the last request. */
  items: Item[];
  /** The time of the lab after the command, in microseconds. Time passes while a command waits. */
  now: number;
  /** Whether the line was carried out. */
  ok: boolean;
  /** The prompt for the next line. */
  prompt: string;
  /** The text to print. */
  text: string;
}
/** The answer to a request for an action of a user. */
export interface Done {
  /** The command that does the same in a terminal. */
  command: string;
  /** The items since the last request. */
  items: Item[];
}
/** The answer to a page that has requested a journey. */
export interface Explained {
  /** The result of the journey in words, with the place and the cause of a loss. */
  conclusion: string;
  /** Whether the packet arrives and its answer comes back. */
  returns: boolean;
  /** The steps of the packet and of its answer. */
  steps: JourneyStep[];
}
/** One step of a journey. */
export interface JourneyStep {
  /** The step and its reason, as a sentence. */
  because: string;
  /**
   * The depth of the step. It is zero for a step of the packet itself, and larger for a step of
   * an outer packet or of a control message.
   */
  depth: number;
  leg: JourneyLeg;
  /** The node. */
  node: string;
  /** The section of the standard that demands this result, if there is one. */
  section: string | null;
  verdict: JourneyVerdict;
  what: JourneyPart;
}
/** A lesson in the list of a lab's lessons. */
export interface Listed {
  /** The name of the lesson. */
  name: string;
  /** The error in the lesson, if there is one. */
  problem?: string | null;
  /** The title. It is empty if the lesson has an error. */
  title: string;
}
/** A scenario in the list of a lab's scenarios. */
export interface ListedScenario {
  /** The name of the scenario. */
  name: string;
  /** The error in the scenario, if there is one. */
  problem?: string | null;
  /** The title. It is empty if the scenario has an error. */
  title: string;
}
/** A scenario that has run. */
export interface Script {
  /** The time of the first statement, in microseconds. */
  began: number;
  /** The time of the end, in microseconds. */
  end: number;
  /** The actions, in order. */
  hands: Deed[];
  /** The name of the scenario. */
  name: string;
  /** The statements that have run, in order. */
  statements: Statement[];
  /** The reason why the scenario stopped early. */
  stopped: string | null;
  /** The title of the scenario. */
  title: string;
}
/** An action in a lab, with its time. */
export interface Deed {
  /** The time, in microseconds. All events of this time happened before the action. */
  at: number;
  /** The request that repeats the action, in the form in which the page sends it. */
  request: {
    [k: string]: unknown;
  };
}
/** A statement that the scenario has run. */
export interface Statement {
  /** The time at which the statement began, in microseconds. */
  began: number;
  /** The time at which the statement ended, in microseconds. */
  ended: number;
  /** The line in the file, counted from 1. */
  line: number;
  /** The path of the file. */
  path: string;
  /** The text of the statement. */
  text: string;
  /** The transcript of the statement, as `eidway lab run` prints it. */
  transcript: string;
}
/** A lesson and its state, for a program that shows the lesson. */
export interface LessonAnswer {
  /** Whether the lesson has begun. */
  begun: boolean;
  /** For each task, whether it is done. */
  met: boolean[];
  /** The name of the lesson. */
  name: string;
  /** The prose before the first task, in Markdown. */
  prose: string;
  /** Whether all expected results of the current task are present, so that a check ends the task. */
  ready: boolean;
  /** The tasks, in order. */
  tasks: TaskView[];
  /** The title. */
  title: string;
  /** The missing result of the current task, if the task was checked. */
  unmet: Unmet | null;
}
/** A task in a form for programs. */
export interface TaskView {
  /** The commands of the model answer. It is absent unless the program has asked for it. */
  answer?: string[] | null;
  /** The hints, in Markdown. */
  hints: string[];
  /** The text, in Markdown. */
  text: string;
  /** The heading. */
  title: string;
}
/** The first missing result of a task. */
export interface Unmet {
  /** The number of the expectation in the task, counted from 1. */
  number: number;
  /** The actual result. */
  seen: string;
  /** The statement with the expectation. */
  statement: string;
  /** The expectation in words. */
  words: string;
}
/** The answer to [`Request::HandIn`]. */
export interface HandIn {
  /** The number of commands in it. */
  commands: number;
  /** The hands of the lesson that the file cannot hold. */
  left_out: string[];
  /** The text of the file for `eidway lab grade`. */
  text: string;
}
/** A ping that runs, or has ended. */
export interface FlowState {
  /** The number of echos that were answered. */
  answered: number;
  /** The sending host. */
  from: string;
  /** The time at which the latest echo was sent, in microseconds. */
  last_sent: number;
  /**
   * The number of echos without an answer. An echo that still waits for its answer is not
   * counted.
   */
  lost: number;
  /**
   * One character for each echo, as in IOS, for at least the latest hundred echos. `?` is an
   * echo that waits for its answer.
   */
  marks: string;
  /** The name. */
  name: string;
  /** The number of echos that were sent. */
  sent: number;
  /** The address to which the host sends the echos. */
  to: string;
}
/** The fields of octets, in the order of the octets. */
export interface Dissection {
  /** The layers. Each layer begins where the layer before it ends. */
  layers: Layer[];
}
/** A header, or a part of a message that has its own diagram in the standard, for example a record. */
export interface Layer {
  /** The fields, in the order of their bits. */
  fields: Field[];
  /** The position of the first octet of the layer. */
  from: number;
  /** The number of octets of the layer. */
  len: number;
  /** The name. */
  name: string;
  /** The standard and the section with the diagram. */
  section: string;
}
/** A field. */
export interface Field {
  /**
   * The first bit, counted from the high-order bit of the octet `from`, and the number of bits.
   * Absent if the field consists of whole octets.
   *
   * @minItems 2
   * @maxItems 2
   */
  bits: [number, number] | null;
  /** The position of the first octet that has a bit of the field. */
  from: number;
  /** The number of octets that have a bit of the field. It is 0 for a remark on an octet. */
  len: number;
  /** The meaning of the value in a sentence. */
  meaning: string | null;
  /** The name in the standard. */
  name: string;
  /** The value. */
  value: string;
}
