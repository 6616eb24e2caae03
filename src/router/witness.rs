//! Reports the calls of a router, and the results of these calls, to a recorder.
//!
//! The witnesses are inside the [`Router`](super::Router). So they record the calls of all callers
//! (the event loop, the simulator, a session on the console), and the callers do not need to know
//! about the witnesses. If a router has no witness, each call costs only one more comparison.

use std::fmt::Debug;
use std::num::NonZeroU16;

use super::io::{Inbound, Input, Outbound, Outer, Output};
use super::packet_event::PacketEvent;
use crate::addr::InstanceId;
use crate::time::Time;

/// A call that may change a router. The witness receives the call before the router carries it out.
/// [`Router::poll_output`](super::Router::poll_output) may change a router too, but is not in this
/// list.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// [`Router::handle`](super::Router::handle).
    Handle(&'a Input<'a>),
    /// [`Router::handle_timeout`](super::Router::handle_timeout).
    Timeout,
    /// [`Router::encapsulate`](super::Router::encapsulate).
    Encapsulate {
        /// The instance of the `lisp0` from which the packet was read.
        instance_id: InstanceId,
        /// The packet before the call.
        packet: &'a [u8],
        /// The number of payload octets in each segment of a super-packet.
        segment_size: Option<NonZeroU16>,
    },
    /// [`Router::decapsulate`](super::Router::decapsulate).
    Decapsulate {
        /// The outer headers.
        outer: &'a Outer,
        /// The UDP payload before the call.
        datagram: &'a [u8],
        /// The number of payload octets in each segment of a super-packet.
        segment_size: Option<NonZeroU16>,
    },
}

/// Receives the calls of one router, in the order of the calls.
pub trait Witness: Debug {
    /// Is called when a call of the router begins.
    fn call(&mut self, call: Call<'_>, now: Time);

    /// Is called when [`Router::encapsulate`](super::Router::encapsulate) has returned `verdict`.
    /// `packet` is the packet after the call.
    fn outbound(&mut self, verdict: Outbound, packet: &[u8]);

    /// Is called when [`Router::decapsulate`](super::Router::decapsulate) has returned `verdict`.
    /// `datagram` is the datagram after the call.
    fn inbound(&mut self, verdict: Inbound, datagram: &[u8]);

    /// Is called for each decision on a data packet, when the router carries out the decision.
    /// `packet` has the octets of the packet, without a LISP header. The router decides twice on a
    /// packet that waits. This function is not called for two kinds of packets, which have only a
    /// verdict: a packet that is not a complete IP packet, and a packet that the flow cache
    /// forwards by an earlier decision.
    fn decided(&mut self, decision: &PacketEvent, packet: &[u8], now: Time) {
        let _ = (decision, packet, now);
    }

    /// Is called with the output that [`Router::poll_output`](super::Router::poll_output) is about
    /// to return.
    fn output(&mut self, output: Option<&Output>);

    /// Whether the witness needs no more calls. If so,
    /// [`Router::remove_ended_witnesses`](super::Router::remove_ended_witnesses) removes the
    /// witness.
    fn has_ended(&self) -> bool {
        false
    }
}
