//! The messages between a console's client and a session: requests, responses, and their parts.
//!
//! The answer to each request is any number of responses, then one [`Response::Done`]. Between two
//! processes, each message is a line of JSON: [`json_lines`](super::json_lines).

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// A request of a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// Carry out this line: `{"line":"show ip lisp"}`.
    Line(String),
    /// List the words that may come next: `{"help":"show ip "}`.
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

/// A task for an emulated host. Each is answered immediately.
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
        /// Milliseconds between two echos; if absent, each echo waits for the answer to the one
        /// before.
        every_ms: Option<u64>,
    },
    /// Return the report of the ping with this number.
    Watch(u32),
    /// End the ping with this number, finished or not, and return its report.
    Stop(u32),
}

/// The report of a ping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAnswer {
    /// The number of the new ping.
    pub ping: Option<u32>,
    /// Whether every echo has its outcome.
    pub is_done: bool,
    /// The echos sent so far, in order.
    pub echos: Vec<Echo>,
}

/// An echo that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// The time of sending, in microseconds of the router's clock.
    pub sent_us: u64,
    /// The character that IOS prints for its outcome; `?` while the echo waits for an answer.
    pub mark: char,
    /// Microseconds until its answer, if there was an answer.
    pub round_trip_us: Option<u64>,
}

/// A response of a router.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Response {
    /// Text to print unchanged.
    Text(String),
    /// The possible completions of the last word.
    Completions(Vec<String>),
    /// A debug line. It may arrive at any time between two responses, but only at clients that
    /// asked for debug lines with `terminal monitor`.
    Debug(String),
    /// The report of a host's ping.
    Host(HostAnswer),
    /// The reason why the request was not carried out.
    Error(String),
    /// The answer is complete.
    Done(Done),
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The prompt to print before the next line.
    pub prompt: String,
    /// Whether the command was understood and carried out.
    pub ok: bool,
    /// Whether the session is over: `exit` at the outermost level.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}
