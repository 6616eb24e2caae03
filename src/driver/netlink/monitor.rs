//! Watches the links of a namespace, for a process that is not a router.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use netlink_bindings::rt_link;

use super::event::{LinkState, decode_link};
use super::socket::{EventSocket, RequestSocket};
use crate::router::io::Mac;

/// A link of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The index of the Linux device.
    pub index: u32,
    /// The name of the Linux device.
    pub device: String,
    /// Whether the link is administratively up.
    pub up: bool,
    /// Whether the other end of the link is up.
    pub carrier: bool,
    /// The index of the bridge, if the link is a port of a bridge.
    pub bridge: Option<u32>,
    /// The hardware address.
    pub mac: Option<Mac>,
}

/// Reports changes of the links of one namespace. It is the namespace in which the monitor was
/// opened.
#[derive(Debug)]
pub struct LinkMonitor {
    requests: RequestSocket,
    events: EventSocket,
}

impl LinkMonitor {
    /// Opens the sockets in the namespace of the calling thread. The monitor detects all changes
    /// that happen after this call.
    ///
    /// # Errors
    /// The kernel refuses a socket.
    pub fn open() -> io::Result<Self> {
        let events = EventSocket::open_for(libc::RTMGRP_LINK)?;
        Ok(LinkMonitor { requests: RequestSocket::open()?, events })
    }

    /// Reads all links. After this call, the file descriptor of the monitor becomes readable when a
    /// link changes.
    ///
    /// # Errors
    /// The kernel does not answer.
    pub fn read(&mut self) -> io::Result<Vec<Link>> {
        self.events.discard();
        let request = rt_link::Request::new().op_getlink_dump(&Default::default());
        self.requests.dump(&request, |message, rows| {
            let Some((index, LinkState { device, up, carrier, .. })) = decode_link(message) else {
                return;
            };
            let (_, attributes) = rt_link::OpNewlinkDo::decode_request(message.payload);
            let mac = attributes.get_address().ok().and_then(|mac| mac.try_into().ok()).map(Mac);
            let bridge = attributes.get_master().ok();
            rows.push(Link { index, device, up, carrier, bridge, mac });
        })
    }
}

impl AsFd for LinkMonitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.events.as_fd()
    }
}
