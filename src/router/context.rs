//! The part of a router that each role needs and no role owns: its configuration and addresses, and the
//! ways by which something leaves it (messages, counters, lines of the log and of debugging).
//!
//! A role that needs nothing else is a type with methods on a [`Context`], and does not know the
//! [`Router`](super::Router).

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use super::config::{Config, Roles};
use super::counters::Counters;
use super::event::{Event, MessageEvent};
use super::io::{KernelRequest, Output, TcpRequest};
use super::locators::LocalRlocs;
use super::refusals::Refusals;
use crate::addr::Family;
use crate::wire::Message;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// The configuration in force.
    pub config: Config,
    /// The router's own locators.
    pub local: LocalRlocs,
    /// Addresses of all interfaces: a packet from one of them is the router's own.
    pub own_addresses: BTreeSet<IpAddr>,
    /// What has been counted since the start.
    pub counters: Counters,
    /// The control messages that were refused of late.
    pub refusals: Refusals,
    /// Whether [`Event::Message`] is wanted.
    pub debugging: bool,
    /// What the caller is to do.
    pub outputs: VecDeque<Output>,
}

impl Context {
    /// Whether the router has a role for one of the families.
    pub(super) fn has_role(&self, is: impl Fn(Roles) -> bool) -> bool {
        Family::BOTH.into_iter().any(|family| is(self.config.roles(family)))
    }

    /// Something has changed.
    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Some things have changed.
    pub(super) fn tell_all(&mut self, events: Vec<Event>) {
        self.outputs.extend(events.into_iter().map(Output::Event));
    }

    /// A message came or left: while debugging is on, `event` says which.
    pub(super) fn trace(&mut self, event: impl FnOnce() -> Option<MessageEvent>) {
        if self.debugging
            && let Some(event) = event()
        {
            self.tell(Event::Message(event));
        }
    }

    /// Asks the kernel for changes.
    pub(super) fn request(&mut self, requests: Vec<KernelRequest>) {
        self.outputs.extend(requests.into_iter().map(Output::Kernel));
    }

    /// Does something on TCP.
    pub(super) fn tcp(&mut self, request: TcpRequest) {
        self.outputs.push_back(Output::Tcp(request));
    }

    /// Sends a message from one of the router's own RLOCs.
    pub(super) fn send_control(&mut self, from: SocketAddr, to: SocketAddr, message: &Message) {
        log::debug!("{message} to {to}");
        self.send_octets(from, to, message.emit());
    }

    /// Sends a message that has been emitted, for it is signed.
    pub(super) fn send_octets(&mut self, source: SocketAddr, to: SocketAddr, payload: Vec<u8>) {
        self.outputs.push_back(Output::Control { source, destination: to, payload });
    }
}
