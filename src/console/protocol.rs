//! The vocabulary between a console's client and a session: requests, responses, and their parts.
//!
//! Each request is answered by any number of responses and then by one [`Response::Done`]. Between two
//! processes each of them is a line of JSON: [`json_lines`](super::json_lines).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A request of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// Do this line: `{"line":"show ip lisp"}`.
    Line(String),
    /// Say which words may come next: `{"help":"show ip "}`.
    Help(String),
    /// Complete the last word: `{"complete":"sh ip li"}`.
    Complete(String),
    /// Give an emulated host of the router a task:
    /// `{"host":{"name":"C","task":{"stop":1}}}`.
    Host(HostRequest),
}

/// A task for an emulated host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRequest {
    /// The host's name.
    pub name: String,
    /// Its task.
    pub task: HostTask,
}

/// A task of an emulated host. Each is answered at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostTask {
    /// Begin a ping.
    Ping {
        /// The address to ping.
        to: IpAddr,
        /// How many echos.
        count: u16,
        /// Octets of each IP packet.
        size: u16,
        /// Milliseconds between two echos; if absent, each waits for the answer of the one before.
        every_ms: Option<u64>,
    },
    /// Report the ping with this number.
    Watch(u32),
    /// End this ping, done or not, and report it.
    Stop(u32),
}

/// The report of a ping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAnswer {
    /// The number of a ping that has begun.
    pub ping: Option<u32>,
    /// Every echo has its outcome.
    pub is_done: bool,
    /// The echos that have left, in order.
    pub echos: Vec<Echo>,
}

/// An echo that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// When it left, in microseconds of the router's clock.
    pub sent_us: u64,
    /// The character that IOS prints for its outcome; `?` while that is open.
    pub mark: char,
    /// Microseconds to its answer, if there was one.
    pub round_trip_us: Option<u64>,
}

/// A response of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Response {
    /// To be printed as it is.
    Text(String),
    /// The words that the last word may become.
    Completions(Vec<String>),
    /// A line of debugging. It comes at any time between two responses, to clients that asked for it
    /// with `terminal monitor`.
    Debug(String),
    /// The report of a host's ping.
    Host(HostAnswer),
    /// The request was not carried out, and why.
    Error(String),
    /// The answer is complete.
    Done(Done),
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// To be printed before the next line.
    pub prompt: String,
    /// The command was understood and done.
    pub ok: bool,
    /// The session is over: `exit` at the outermost level.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}
