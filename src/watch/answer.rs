//! The types of answers that a page of the simulator and a live page have in common.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::item::Item;

/// The key that a user presses after a line of a console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    /// Enter: carry the line out.
    #[default]
    Enter,
    /// `?`: list the words that may come next.
    Help,
    /// Tab: complete the last word.
    Tab,
}

/// The answer to a request with a line for a console.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct ConsoleAnswer {
    /// The text to print.
    pub text: String,
    /// The prompt for the next line.
    pub prompt: String,
    /// Whether the line was carried out.
    pub ok: bool,
    /// Whether the session has ended.
    pub closed: bool,
    /// The completions of the last word.
    pub completions: Vec<String>,
    /// The debug lines of the router since the last request.
    pub debug: Vec<String>,
    /// The time of the lab after the command, in microseconds. Time passes while a command waits.
    pub now: u64,
    /// The items since the last request.
    pub items: Vec<Item>,
}

/// The answer to a request for an action of a user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {
    /// The command that does the same in a terminal.
    pub command: String,
    /// The items since the last request.
    pub items: Vec<Item>,
}

/// A ping that runs, or has ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FlowState {
    /// The name.
    pub name: String,
    /// The sending host.
    pub from: String,
    /// The address to which the host sends the echos.
    pub to: String,
    /// One character for each echo, as in IOS, for at least the latest hundred echos. `?` is an
    /// echo that waits for its answer.
    pub marks: String,
    /// The number of echos that were sent.
    pub sent: u64,
    /// The number of echos that were answered.
    pub answered: u64,
    /// The number of echos without an answer. An echo that still waits for its answer is not
    /// counted.
    pub lost: u64,
    /// The time at which the latest echo was sent, in microseconds.
    pub last_sent: u64,
}
