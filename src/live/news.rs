//! The messages to the hub: reports about routers and kernels, and requests of pages.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use crate::driver::netlink::monitor::Link;
use crate::watch::Snapshot;
use crate::watch::stream::Told;

/// A message to the hub.
pub enum News {
    /// A router has sent a line.
    Told {
        /// The number of the router.
        source: usize,
        /// The line.
        told: Told,
    },
    /// A router answers, or does not answer any more.
    Runs {
        /// The number of the router.
        source: usize,
        /// Whether the router answers.
        runs: bool,
    },
    /// All links of a namespace, in their present state.
    Links {
        /// The node, or `switch`.
        node: String,
        /// The links.
        links: Vec<Link>,
    },
    /// A packet on a link.
    Seen(Seen),
    /// The number of packets that were not read, because there were too many.
    LeftOut(u64),
    /// The shares of the packets that the taps take from now on. If the first number is N, the taps
    /// take one of N packets of hosts. If the second number is N, the taps take one of N other
    /// packets.
    Sampled(u32, u32),
    /// A page subscribes to all lines from now on.
    Subscribe(SyncSender<Arc<str>>),
    /// A request for the state of the lab. The hub sends the state to this sender.
    Snapshot(SyncSender<Snapshot>),
    /// A message without effect. Its sender only checks whether the hub still runs.
    Alive,
}

/// A frame on a link.
#[derive(Debug)]
pub struct Seen {
    /// The node that has sent the frame.
    pub node: String,
    /// The device of the node.
    pub device: String,
    /// The time at which the node sent the frame, in microseconds since 1970.
    pub sent_us: u64,
    /// The Ethernet frame.
    pub octets: Vec<u8>,
}
