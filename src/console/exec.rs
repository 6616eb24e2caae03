//! The effects of exec commands.

use super::grammar::Context;
use super::show::Source;
use crate::router::io::Command;

/// The effect of an exec command.
pub enum Action {
    /// Print something.
    Show(Box<dyn Source>),
    /// Go to another mode.
    Enter(Context),
    /// Change the router's state.
    Command(Command),
    /// Turn debugging of the router on or off.
    Debug(bool),
    /// Give the lines of debugging to this session, or do not.
    Monitor(bool),
    /// Nothing: it is so anyway.
    Nothing,
    /// End the session.
    Leave,
}
