//! The messages between the client of a console and a session: requests and responses.
//!
//! The answer to a request consists of any number of responses and one final [`Response::Done`].
//! Only [`Request::Interrupt`] has no answer: it ends the answer to an earlier request.
//! Between two processes, each message is a line of JSON: see [`json_lines`](super::json_lines).

use std::net::IpAddr;

use serde::{Deserialize, Serialize, Serializer};

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
    /// Pass a task to an emulated host of the router: `{"host":{"name":"C","task":{"stop":1}}}`.
    Host(HostRequest),
    /// A user logs in over the network, from this address: `{"vty":"127.0.0.1:40000"}`.
    Vty(String),
    /// Watch the router: `{"watch":null}`. After the answer, the router also sends a line for each
    /// event, until the client closes the connection. The lines have the form of
    /// [`watch::stream::Told`](crate::watch::stream::Told).
    #[serde(serialize_with = "null")]
    Watch,
    /// Abort the running command: `{"interrupt":null}`. The answer to this command ends early. An
    /// interrupt has no answer of its own. It does nothing if no command runs.
    #[serde(serialize_with = "null")]
    Interrupt,
}

/// Writes `null` as the value of a request without a value.
fn null<S: Serializer>(to: S) -> Result<S::Ok, S::Error> {
    to.serialize_unit()
}

/// A request that passes a task to an emulated host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRequest {
    /// The name of the host.
    pub name: String,
    /// The task of the host.
    pub task: HostTask,
}

/// A task for an emulated host. The host answers each task immediately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostTask {
    /// Start a ping.
    Ping {
        /// The address to ping.
        to: IpAddr,
        /// The number of echos.
        count: u16,
        /// The size of each IP packet, in octets.
        size: u16,
        /// The time between two echos, in milliseconds. If absent, the host sends the next echo
        /// when the answer to the previous echo arrives.
        every_ms: Option<u64>,
    },
    /// Return the report of the ping with this number.
    Watch(u32),
    /// Stop the ping with this number and return its report. Echos that are not sent yet are never
    /// sent.
    Stop(u32),
}

/// The report of a ping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAnswer {
    /// The number of the ping, if this is the answer to the start of a ping.
    pub ping: Option<u32>,
    /// Whether every echo has an outcome.
    pub is_done: bool,
    /// The echos sent so far, in the order of sending.
    pub echos: Vec<Echo>,
}

/// An echo that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// The time at which the host sent the echo, in microseconds on the clock of the router.
    pub sent_us: u64,
    /// The character that IOS prints for the outcome of the echo. It is `?` while the echo waits
    /// for an answer.
    pub mark: char,
    /// The time from the echo to its answer, in microseconds, if there was an answer.
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
    /// A debug line. It may arrive between any two responses. Only a client that has sent `terminal
    /// monitor` receives debug lines.
    Debug(String),
    /// The report of a ping that an emulated host runs.
    Host(HostAnswer),
    /// The settings of the terminal, if the request changed them: `{"terminal":{"length":0}}`.
    Terminal(TerminalSettings),
    /// The reason why the request was not carried out.
    Error(String),
    /// The answer is complete.
    Done(Done),
}

/// The settings of a user's terminal. Only a terminal needs these settings. They do not change an
/// answer to a program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TerminalSettings {
    /// `terminal length N`: the number of lines of a screen. 0 means that the output does not pause
    /// after each screen. If the value is absent, the number of lines of the user's screen is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    /// `terminal width N`: the number of columns of the screen. 0 means that there is no limit. If
    /// the value is absent, the number of columns of the user's screen is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u16>,
    /// Whether the next line is a password, which the terminal must not show.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_hidden: bool,
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The prompt to print before the next line.
    pub prompt: String,
    /// Whether the command was understood and carried out.
    pub ok: bool,
    /// Whether the session has ended because of `exit` in the outermost mode.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}
