//! The effects of exec commands.

use super::grammar::Context;
use super::show::Source;
use crate::router::io::Command;

/// The effect of an exec command.
pub enum Action {
    /// Print something.
    Show(Box<dyn Source>),
    /// Enter another mode.
    Enter(Context),
    /// Change the router's state.
    Command(Command),
    /// Turn debugging of the router on or off.
    Debug(bool),
    /// Start or stop sending the debug lines to this session.
    Monitor(bool),
    /// Nothing: the requested state is already in force.
    Nothing,
    /// End the session.
    Leave,
}
