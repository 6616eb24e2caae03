//! The parts of a record: a call of the router, with its time, and its outcome.
//!
//! All values have the types of [`router::io`](crate::router::io), except a configuration, which is
//! recorded as its text.

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

/// A call and its time, as the first part of a frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step<'a> {
    /// The time that the router was given.
    pub at: Time,
    /// The call.
    #[serde(borrow)]
    pub call: Call<'a>,
}

/// A call of a router, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call<'a> {
    /// `Router::new`; always the first step, and only the first.
    Start {
        /// The version of the Eidway that ran.
        eidway: &'a str,
        /// The seed of the router's randomness.
        seed: Seed,
        /// Microseconds since 1970 at the start.
        wall_clock: u64,
        /// The running configuration.
        config: &'a str,
    },
    /// `Input::Control`.
    #[serde(borrow)]
    Control(ControlDatagram<'a>),
    /// `Input::Kernel`.
    Kernel(KernelEvent),
    /// `Input::Process`.
    Process(ProcessEvent),
    /// `Input::Tcp`.
    Tcp(TcpEvent<'a>),
    /// `Input::Path`.
    Path(PathEvent),
    /// `Input::Configure`: the running configuration after the change.
    Configure(&'a str),
    /// `Input::Command`.
    Command(Command),
    /// `Input::Descriptors`.
    Descriptors(Descriptors),
    /// `Input::Nonces`.
    Nonces(KeptNonces),
    /// `Input::Stop`.
    Stop,
    /// `handle_timeout`.
    Timeout,
    /// `encapsulate`.
    Encapsulate {
        /// The instance whose `lisp0` the packet was read from.
        instance_id: InstanceId,
        /// The packet before the call.
        #[serde(serialize_with = "octets")]
        packet: &'a [u8],
        /// The payload octets of each segment of a super-packet.
        segment_size: Option<NonZeroU16>,
    },
    /// `decapsulate`.
    Decapsulate {
        /// The outer headers.
        outer: Outer,
        /// The UDP payload before the call.
        #[serde(serialize_with = "octets")]
        datagram: &'a [u8],
        /// The payload octets of each segment of a super-packet.
        segment_size: Option<NonZeroU16>,
    },
}

/// The outcome of a call: the second part of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The verdict on a packet.
    pub verdict: Verdict,
    /// The octets of the packet that the call has changed.
    pub changes: Vec<Change>,
    /// The outputs that were polled before the next call. If a call is made before all outputs of
    /// the earlier call were polled, the rest are recorded with the later call.
    pub outputs: Vec<Output>,
    /// Whether polling reached the end, rather than being interrupted by the next call.
    pub drained: bool,
}

/// The decision on a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The call was not about a packet.
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
    /// Its position.
    pub at: u32,
    /// Its new value.
    pub octet: u8,
}

/// The differences between a packet and its earlier octets; a call does not change its length.
pub(super) fn changes(before: &[u8], after: &[u8]) -> Vec<Change> {
    // Most packets change only in the header, or not at all: equal chunks need only one comparison.
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

/// Serializes the octets as one piece; serde would serialize a slice octet by octet, with the same
/// result.
fn octets<S: serde::Serializer>(octets: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(octets)
}
