//! The effects of exec commands.

use std::net::IpAddr;

use super::flash::{FileName, Place};
use super::grammar::Context;
use super::running::{PingOptions, Source as ProbeSource, TracerouteOptions};
use super::show::Source;
use crate::addr::{Eid, Family};
use crate::router::debugging::Debugging;
use crate::router::io::Command;

/// The effect of an exec command.
pub enum Action {
    /// Print the output of a `show` command.
    Show(Box<dyn Source>),
    /// Print the outputs of these `show` commands, one after the other.
    ShowAll(Vec<&'static str>),
    /// Enter another mode.
    Enter(Context),
    /// Change the state of the router.
    Command(Command),
    /// Turn kinds of debug lines on or off.
    Debug(Debugging, bool),
    /// Copy a configuration or a file. `write memory` copies the running configuration into the
    /// startup configuration.
    Copy {
        /// The source.
        from: Place,
        /// The destination.
        to: Place,
    },
    /// Replace the running configuration by the configuration at this place.
    Replace(Place),
    /// Remove a file.
    Delete(FileName),
    /// Restart the router with its startup configuration.
    Reload,
    /// Delete the log lines for `show logging`.
    ClearLog,
    /// Start or stop sending debug lines to this session.
    Monitor(bool),
    /// Print this text.
    Text(&'static str),
    /// Set the number of lines of the user's screen. `None` removes an earlier number.
    Length(Option<u16>),
    /// Set the number of columns of the user's screen. `None` removes an earlier number.
    Width(Option<u16>),
    /// Send packets to a target, and print the answers.
    Probe(ProbeRequest),
    /// Ask the mapping system, and print the answer.
    Lig(LigRequest),
    /// No effect, because the requested state already exists.
    Nothing,
    /// End the session, if it is in exec mode.
    Leave,
}

/// A request to send packets to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRequest {
    /// The destination of the packets.
    pub target: IpAddr,
    /// The name of the destination, if the user gave a name.
    pub name: Option<String>,
    /// The source, if the user chose one.
    pub source: Option<ProbeSource>,
    /// The command.
    pub command: ProbeCommand,
}

/// A command that sends packets to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProbeCommand {
    /// `ping`.
    Ping(PingOptions),
    /// `traceroute`.
    Traceroute(TracerouteOptions),
}

/// A request for a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LigRequest {
    /// The EID of the mapping.
    pub target: LigTarget,
    /// The map-resolver. `None` for the configured map-resolvers.
    pub resolver: Option<IpAddr>,
    /// The maximum number of Map-Requests to send.
    pub requests: u8,
}

/// The EID of a request for a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LigTarget {
    /// The EID that the user entered. If the user entered a name, the text is this name.
    Eid(Eid, Option<String>),
    /// An EID of this router.
    Own(Family),
}
