//! The calls of a router and their results, as a recorder sees them.
//!
//! The witnesses stand inside the [`Router`](super::Router): each caller (the event loop, the simulator, a session on
//! the console) is seen and knows nothing of it. A router without a witness pays for it with one
//! comparison a call.

use std::fmt::Debug;
use std::num::NonZeroU16;

use super::io::{Inbound, Input, Outbound, Outer, Output};
use crate::addr::InstanceId;
use crate::time::Time;

/// A call that may change a router, before it is made. [`Router::poll_output`](super::Router::poll_output) is the only other one.
#[derive(Clone, Copy, Debug)]
pub enum Call<'a> {
    /// [`Router::handle`](super::Router::handle).
    Handle(&'a Input<'a>),
    /// [`Router::handle_timeout`](super::Router::handle_timeout).
    Timeout,
    /// [`Router::encapsulate`](super::Router::encapsulate).
    Encapsulate {
        /// The instance whose `lisp0` the packet was read from.
        instance_id: InstanceId,
        /// The packet before the call.
        packet: &'a [u8],
        /// The payload octets of each segment of a super-packet.
        segment_size: Option<NonZeroU16>,
    },
    /// [`Router::decapsulate`](super::Router::decapsulate).
    Decapsulate {
        /// The outer headers.
        outer: &'a Outer,
        /// The UDP payload before the call.
        datagram: &'a [u8],
        /// As of [`Call::Encapsulate`].
        segment_size: Option<NonZeroU16>,
    },
}

/// Sees the calls of one router, in their order.
pub trait Witness: Debug {
    /// A call begins.
    fn call(&mut self, call: Call<'_>, now: Time);

    /// [`Router::encapsulate`](super::Router::encapsulate) has decided, and left the packet so.
    fn outbound(&mut self, verdict: Outbound, packet: &[u8]);

    /// [`Router::decapsulate`](super::Router::decapsulate) has decided, and left the datagram so.
    fn inbound(&mut self, verdict: Inbound, datagram: &[u8]);

    /// The output that [`Router::poll_output`](super::Router::poll_output) is about to return.
    fn output(&mut self, output: Option<&Output>);
}
