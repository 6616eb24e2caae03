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
    /// Change the state of the router.
    Command(Command),
    /// Turn debugging of the router on or off.
    Debug(bool),
    /// Start or stop sending debug lines to this session.
    Monitor(bool),
    /// Print this text.
    Text(&'static str),
    /// Set the number of lines of the user's screen, or forget it.
    Length(Option<u16>),
    /// Set the number of columns of the user's screen, or forget it.
    Width(Option<u16>),
    /// No effect, because the requested state is already in force.
    Nothing,
    /// End the session, if it is in exec mode.
    Leave,
}
