//! The parts of a record: a call of the router with its time, and the outcome of the call.
//!
//! All values have the types of [`router::io`](crate::router::io), except the configuration: a
//! record has the configuration as text.

use std::num::NonZeroU16;

use serde::{Deserialize, Serialize};

use crate::addr::InstanceId;
use crate::rng::Seed;
use crate::router::descriptors::Descriptors;
use crate::router::io::{
    Command, ControlDatagram, Inbound, KernelEvent, Outbound, Outer, Output, PathEvent,
    ProcessEvent, TcpEvent,
};
use crate::router::kept::KeptNonces;
use crate::time::Time;

/// A call and its time. This is the first part of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step<'a> {
    /// The time that the router received with the call.
    pub at: Time,
    /// The call.
    #[serde(borrow)]
    pub call: Call<'a>,
}

/// A call of a router, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call<'a> {
    /// `Router::new`. This call is always the first step of a record, and never a later step.
    Start {
        /// The version of the Eidway that wrote the record.
        eidway: &'a str,
        /// The seed of the router's random numbers.
        seed: Seed,
        /// The wall clock at the start, in microseconds since 1970.
        wall_clock: u64,
        /// The running configuration as text.
        config: &'a str,
    },
    /// `Router::handle` with `Input::Control`.
    #[serde(borrow)]
    Control(ControlDatagram<'a>),
    /// `Router::handle` with `Input::Kernel`.
    Kernel(KernelEvent),
    /// `Router::handle` with `Input::Process`.
    Process(ProcessEvent),
    /// `Router::handle` with `Input::Tcp`.
    Tcp(TcpEvent<'a>),
    /// `Router::handle` with `Input::Path`.
    Path(PathEvent),
    /// `Router::handle` with `Input::Configure`. The text is the running configuration after the
    /// change.
    Configure(&'a str),
    /// `Router::handle` with `Input::Command`.
    Command(Command),
    /// `Router::handle` with `Input::Descriptors`.
    Descriptors(Descriptors),
    /// `Router::handle` with `Input::Nonces`.
    Nonces(KeptNonces),
    /// `Router::handle` with `Input::Stop`.
    Stop,
    /// `Router::handle_timeout`.
    Timeout,
    /// `Router::encapsulate`.
    Encapsulate {
        /// The instance of the device `lisp0`, from which the driver read the packet.
        instance_id: InstanceId,
        /// The octets of the packet before the call.
        #[serde(serialize_with = "octets")]
        packet: &'a [u8],
        /// The number of payload octets in each segment, if the packet is a super-packet.
        segment_size: Option<NonZeroU16>,
    },
    /// `Router::decapsulate`.
    Decapsulate {
        /// The values of the outer headers.
        outer: Outer,
        /// The octets of the UDP payload before the call.
        #[serde(serialize_with = "octets")]
        datagram: &'a [u8],
        /// The number of payload octets in each segment, if the packet is a super-packet.
        segment_size: Option<NonZeroU16>,
    },
}

/// The outcome of a call. This is the second part of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The verdict on the packet of the call, if the call has a packet.
    pub verdict: Verdict,
    /// The changes that the call made to the octets of the packet.
    pub changes: Vec<Change>,
    /// The outputs that the caller polled before the next call. Outputs that were not polled before
    /// the next call are recorded with that call.
    pub outputs: Vec<Output>,
    /// Whether the caller polled all outputs before the next call.
    pub drained: bool,
}

/// The decision about a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The call has no packet.
    #[default]
    None,
    /// The decision of `encapsulate`.
    Outbound(Outbound),
    /// The decision of `decapsulate`.
    Inbound(Inbound),
}

/// One changed octet of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The position of the octet in the packet.
    pub at: u32,
    /// The new value of the octet.
    pub octet: u8,
}

/// Returns the octets that differ between a packet before and after a call. A call does not change
/// the length of a packet.
pub(super) fn changes(before: &[u8], after: &[u8]) -> Vec<Change> {
    // Most packets change only in the header, or not at all. If two chunks are equal, one
    // comparison is enough.
    const CHUNK: usize = 64;
    let mut changes = Vec::new();
    for (number, (old, new)) in before.chunks(CHUNK).zip(after.chunks(CHUNK)).enumerate() {
        if old != new {
            let octets = (number * CHUNK..).zip(old.iter().zip(new));
            let changed = octets.filter(|(_, (old, new))| old != new);
            changes.extend(changed.map(|(at, (_, &octet))| Change { at: at as u32, octet }));
        }
    }
    changes
}

/// Serializes the octets as one piece. serde would serialize a slice octet by octet, with the same
/// result but more slowly.
fn octets<S: serde::Serializer>(octets: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(octets)
}
