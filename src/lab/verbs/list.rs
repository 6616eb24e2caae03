//! `lab list`: the labs of this machine.

use schemars::JsonSchema;
use serde::Serialize;

/// The labs that are up, and the labs that can be brought up by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LabList {
    /// The names of the labs that are up.
    pub running: Vec<String>,
    /// The names of the labs under `./lab`, and of the built-in labs.
    pub available: Vec<String>,
}
