//! The script of a scenario that has run: the actions in the lab, and the statements with their
//! results.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hand::Hand;

/// An action in a lab, with its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Deed {
    /// The time, in microseconds. All events of this time happened before the action.
    pub at: u64,
    /// The request that repeats the action, in the form in which the page sends it.
    #[schemars(with = "serde_json::Value")]
    pub request: Act,
}

/// A request that changes a lab.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Act {
    /// Carry out an action in the lab.
    Act {
        /// The action.
        hand: Hand,
    },
    /// Carry out a line at the console of a router.
    Console {
        /// The router.
        node: String,
        /// The line.
        line: String,
    },
}

/// A scenario that has run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Script {
    /// The name of the scenario.
    pub name: String,
    /// The title of the scenario.
    pub title: String,
    /// The actions, in order.
    pub hands: Vec<Deed>,
    /// The statements that have run, in order.
    pub statements: Vec<Statement>,
    /// The time of the first statement, in microseconds.
    pub began: u64,
    /// The time of the end, in microseconds.
    pub end: u64,
    /// The reason why the scenario stopped early.
    pub stopped: Option<String>,
}

/// A statement that the scenario has run.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Statement {
    /// The path of the file.
    pub path: String,
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The text of the statement.
    pub text: String,
    /// The time at which the statement began, in microseconds.
    pub began: u64,
    /// The time at which the statement ended, in microseconds.
    pub ended: u64,
    /// The transcript of the statement, as `eidway lab run` prints it.
    pub transcript: String,
}
