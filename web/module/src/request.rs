//! The requests of the page, and their answers.

use std::collections::BTreeMap;

use eidway::lab::explain::journey::Explained;
use eidway::lab::lesson::{LessonAnswer, Listed};
use eidway::lab::scenario::library;
use eidway::watch::answer::{ConsoleAnswer, Done, FlowState, Key};
use eidway::watch::fields::Dissection;
use eidway::watch::hand::Hand;
use eidway::watch::script::Script;
use eidway::watch::{Detail, Item, Snapshot, Stop, tables};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The maximum number of items of one answer, if the request has no limit.
pub const ITEMS: usize = 5000;

/// A request.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Request {
    /// Build a lab and switch it on. The answer is a [`Snapshot`].
    Open {
        /// The files of the lab: the text of each, by its path in the directory of the lab.
        files: BTreeMap<String, String>,
        /// The seed of all random numbers.
        #[serde(default)]
        seed: u64,
        /// The scenario whose overlays the routers have.
        #[serde(default)]
        scenario: Option<String>,
    },
    /// Return the state of the nodes and links: a [`Snapshot`].
    Snapshot,
    /// Let time pass. The answer is a [`Run`].
    Run {
        /// The time at which the run ends, in microseconds.
        until: u64,
        /// The maximum number of items of the answer. If there are more, the run ends early.
        #[serde(default = "items")]
        limit: usize,
        /// The most steps of the simulator. The run ends early after them, at the end of an instant.
        steps: Option<u64>,
        /// The conditions at which the run ends early.
        #[serde(default)]
        stop_at: Vec<Stop>,
        /// The items that the answer has.
        #[serde(default)]
        detail: Detail,
    },
    /// Let time pass until something of this kind happens. The answer is a [`Run`].
    Step {
        /// The condition at which the step ends.
        to: Stop,
    },
    /// Return the tables of a router: a list of [`tables::Table`].
    Tables {
        /// The router.
        node: String,
    },
    /// Carry out a line at the console of a node. The answer is a [`ConsoleAnswer`].
    Console {
        /// A router or a host.
        node: String,
        /// The line, or the start of it.
        line: String,
        /// Whether to carry the line out, list the next words, or complete the last word.
        #[serde(default)]
        key: Key,
    },
    /// Do something in the lab. The answer is a [`Done`].
    Act {
        /// The thing to do.
        hand: Hand,
    },
    /// Return the journey of a packet from a node to a host, in words. No packet is sent. The
    /// answer is an [`Explained`].
    Explain {
        /// The node that would send the packet.
        from: String,
        /// The destination: an address, or the name of a host.
        to: String,
        /// Whether to use the IPv6 address of the host.
        #[serde(default)]
        ipv6: bool,
    },
    /// Return the lessons of the lab: a list of [`Listed`].
    Lessons,
    /// Return a lesson and the tasks that are done. The answer is a [`LessonAnswer`].
    Lesson {
        /// The name of the lesson.
        name: String,
        /// Whether to look first if the current task is done. No time passes.
        #[serde(default)]
        check: bool,
    },
    /// Return the scenarios of the lab: a list of [`library::Listed`].
    Scenarios,
    /// Play a scenario in a copy of the lab that has just been switched on, and return its actions:
    /// a [`Script`]. The open lab does not change. If it is opened again with this scenario, the same
    /// requests at the same times make the same run.
    Scenario {
        /// The name of the scenario.
        name: String,
    },
    /// Return the record of the lesson for a teacher. The answer is a [`HandIn`].
    HandIn,
    /// Return the flows that were begun with [`Hand::Flow`] and [`Hand::Ping`]: a list of
    /// [`FlowState`].
    Flows,
    /// Return the fields of octets: a [`Dissection`]. It needs no lab.
    Dissect {
        /// The octets in hexadecimal.
        octets: String,
        /// The kind of the octets.
        of: Of,
    },
}

/// The kind of the octets of [`Request::Dissect`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Of {
    /// A LISP message: the payload of a datagram, or a frame of the reliable transport.
    Message,
    /// An IP packet.
    Packet,
}

const fn items() -> usize {
    ITEMS
}

/// The answer to [`Request::Run`] and [`Request::Step`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct Run {
    /// The time at the end, in microseconds.
    pub now: u64,
    /// The time of the next event, if there is one.
    pub next: Option<u64>,
    /// The items, in the order in which they happened.
    pub items: Vec<Item>,
    /// The number of the item at which a condition ended the run.
    pub stopped: Option<u64>,
    /// Whether the run ended early because there were too many items. Then a part of the instant may
    /// not have happened.
    pub more: bool,
}

/// The answer to [`Request::HandIn`].
#[derive(Debug, Serialize, JsonSchema)]
pub struct HandIn {
    /// The text of the file for `eidway lab grade`.
    pub text: String,
    /// The number of commands in it.
    pub commands: usize,
    /// The hands of the lesson that the file cannot hold.
    pub left_out: Vec<String>,
}

/// An answer.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Answer {
    /// The state of the nodes and links.
    Snapshot(Box<Snapshot>),
    /// The items of a run.
    Run(Run),
    /// The tables of a router.
    Tables(Vec<tables::Table>),
    /// The output of a console.
    Console(ConsoleAnswer),
    /// The result of an action.
    Done(Done),
    /// A journey in words.
    Explained(Explained),
    /// The lessons.
    Lessons(Vec<Listed>),
    /// The scenarios.
    Scenarios(Vec<library::Listed>),
    /// A scenario that was played.
    Script(Box<Script>),
    /// A lesson.
    Lesson(Box<LessonAnswer>),
    /// The record of a lesson.
    HandIn(HandIn),
    /// The flows.
    Flows(Vec<FlowState>),
    /// The fields of octets.
    Dissection(Dissection),
}
