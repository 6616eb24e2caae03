//! The reasons why a simulation refuses a request.

use std::time::Duration;

use ipnet::IpNet;

use crate::host::HostError;

/// The reason why a simulation refuses a request.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// No node has this name.
    #[error("there is no node {0}")]
    NoSuchNode(String),
    /// The node exists, but it is of another kind than the caller expects.
    #[error("{name} is not a {wanted}")]
    WrongKind {
        /// The node.
        name: String,
        /// The expected kind.
        wanted: &'static str,
    },
    /// Two nodes or two links have the same name.
    #[error("the name {0} is already used")]
    Duplicate(String),
    /// No link has this name.
    #[error("there is no link {0}")]
    NoSuchLink(String),
    /// A device cannot be plugged into a link. Either the device is in a link already, or the node
    /// is a host and its only device has another name.
    #[error("{node}: the device {device} cannot be connected")]
    BadPort {
        /// The node.
        node: String,
        /// The device.
        device: String,
    },
    /// A call waits for the end of a ping, but the ping has no end.
    #[error("a ping without an end is not allowed here, because the call waits for its end")]
    EndlessPing,
    /// A host cannot be created.
    #[error("{name}: {error}")]
    Host {
        /// The host.
        name: String,
        /// The error from creating the host.
        error: HostError,
    },
    /// A node has no address of the wanted family.
    #[error("{name} has no {family} address")]
    NoAddress {
        /// The node.
        name: String,
        /// `IPv4` or `IPv6`.
        family: String,
    },
    /// The node cannot directly reach the gateway of one of its routes in the lab file.
    #[error("{name}: the route to {prefix} cannot be added: {error}")]
    Route {
        /// The node.
        name: String,
        /// The destination.
        prefix: IpNet,
        /// The kernel's message.
        error: &'static str,
    },
    /// A router's configuration cannot be read or understood.
    #[error("{0}")]
    Config(String),
    /// Some registrations were not acknowledged in time.
    #[error("not every prefix is registered after {} s of virtual time\n{why}", time_limit.as_secs())]
    NotRegistered {
        /// The time within which the registrations had to be acknowledged.
        time_limit: Duration,
        /// The missing registrations, with the reasons.
        why: String,
    },
    /// Writing the report failed.
    #[error("cannot write: {0}")]
    Write(#[from] std::io::Error),
}

pub(super) fn wrong_kind(name: &str, wanted: &'static str) -> SimError {
    SimError::WrongKind { name: name.to_owned(), wanted }
}

pub(super) fn bad_port(node: &str, device: &str) -> SimError {
    SimError::BadPort { node: node.to_owned(), device: device.to_owned() }
}
