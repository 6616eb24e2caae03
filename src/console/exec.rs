//! What an exec command asks for.

use super::grammar::Context;
use super::show::Source;
use crate::router::io::Command;

/// What an exec command asks for.
pub enum Action {
    /// Print something.
    Show(Box<dyn Source>),
    /// Go to another mode.
    Enter(Context),
    /// Change the router's state.
    Command(Command),
    /// Turn debugging of the router on or off.
    Debug(bool),
    /// Tell this session what the router's debugging says, or do not.
    Monitor(bool),
    /// Nothing: it is so anyway.
    Nothing,
    /// End the session.
    Leave,
}
