//! The news of routers and kernels, and the requests of pages, for the hub.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use crate::driver::netlink::monitor::Link;
use crate::watch::Snapshot;
use crate::watch::stream::Told;

/// A piece of news for the hub.
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
        /// Whether it answers.
        runs: bool,
    },
    /// The links of a namespace: all of them, as they are now.
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
    /// The shares of the packets that the taps take from now on. Of packets of hosts, the taps take
    /// one in the first number. Of other packets, they take one in the second number.
    Sampled(u32, u32),
    /// A page wants all lines from now on.
    Subscribe(SyncSender<Arc<str>>),
    /// A request needs the state of the lab.
    Snapshot(SyncSender<Snapshot>),
    /// Nothing: the sender only checks whether the hub is still there.
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
