//! The parts of a record: a call of the router, with its time, and its outcome.
//!
//! Everything is told in the words of [`router::io`](crate::router::io), but a configuration, which
//! stands there as its text.

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
    /// The instant that the router was given.
    pub at: Time,
    /// The call.
    #[serde(borrow)]
    pub call: Call<'a>,
}

/// A call of a router, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Call<'a> {
    /// `Router::new`; always the first step, and only that.
    Start {
        /// The version of the Eidway that ran.
        eidway: &'a str,
        /// Where its randomness came from.
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
    /// `Input::Configure`: the running configuration after it.
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
    /// The outputs that were polled before the next call. Where calls follow upon outputs, the outputs of
    /// one stand under the next.
    pub outputs: Vec<Output>,
    /// Whether polling came to an end, and not just to the next call.
    pub drained: bool,
}

/// The decision on a packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// The call was not about a packet.
    #[default]
    None,
    /// Of `encapsulate`.
    Outbound(Outbound),
    /// Of `decapsulate`.
    Inbound(Inbound),
}

/// An octet of a packet that has become another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its place.
    pub at: u32,
    /// Its new value.
    pub octet: u8,
}

/// The differences of a packet from its earlier octets; a call does not change its length.
pub(super) fn changes(before: &[u8], after: &[u8]) -> Vec<Change> {
    // Most packets change in the header only, if at all: equal chunks are passed in one comparison.
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

/// In one piece; serde would take a slice octet by octet, to the same effect.
fn octets<S: serde::Serializer>(octets: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_bytes(octets)
}
