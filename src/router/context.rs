//! The data that all roles of a router need: the configuration, the addresses, the counters, and
//! the outputs (messages, and events for the log and for debugging).
//!
//! If a role needs only its own data and a [`Context`], its methods take the context as an
//! argument. Then the role does not depend on the [`Router`](super::Router).

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};

use super::config::{Config, Roles};
use super::counters::{ControlDrop, Counters};
use super::event::{Event, MessageEvent};
use super::held::Held;
use super::io::{DropReason, KernelRequest, Output, TcpRequest};
use super::locators::LocalRlocs;
use super::refusals::{Explanation, Refusals};
use crate::addr::Family;
use crate::time::Time;
use crate::wire::Message;

/// The wall clock of the router. It is read once, at the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The instant of the start.
    pub started_at: Time,
    /// The wall clock at the start, in microseconds since 1970.
    pub at_start: u64,
}

impl Clock {
    /// The wall clock at `now`, in microseconds since 1970: the wall clock at the start plus the
    /// time that has passed since the start.
    pub(super) fn at(&self, now: Time) -> u64 {
        let passed = u64::try_from(now.since(self.started_at).as_micros()).unwrap_or(u64::MAX);
        self.at_start.saturating_add(passed)
    }
}

/// The data that all roles of a router need; see the module.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// The wall clock.
    pub clock: Clock,
    /// The configuration in force.
    pub config: Config,
    /// The router's own locators.
    pub local: LocalRlocs,
    /// The addresses of all interfaces. If the source of a packet is one of these addresses, the
    /// router itself sent the packet.
    pub own_addresses: BTreeSet<IpAddr>,
    /// The counters since the start.
    pub counters: Counters,
    /// The control messages that were refused recently.
    pub refusals: Refusals,
    /// Whether the router outputs an [`Event::Message`] for each control message.
    pub debugging: bool,
    /// The outputs that the caller has to carry out.
    pub outputs: VecDeque<Output>,
}

impl Context {
    /// Whether `is` returns true for the roles of at least one address family.
    pub(super) fn has_role(&self, is: impl Fn(Roles) -> bool) -> bool {
        Family::BOTH.into_iter().any(|family| is(self.config.roles(family)))
    }

    /// Outputs an event.
    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Outputs several events.
    pub(super) fn tell_all(&mut self, events: Vec<Event>) {
        self.outputs.extend(events.into_iter().map(Output::Event));
    }

    /// Reports a message that was received or sent. If debugging is on, outputs the event that
    /// `event` returns.
    pub(super) fn trace(&mut self, event: impl FnOnce() -> Option<MessageEvent>) {
        if self.debugging
            && let Some(event) = event()
        {
            self.tell(Event::Message(event));
        }
    }

    /// Drops packets that have waited without success, and counts them under `reason`.
    pub(super) fn give_up(&mut self, held: Held, reason: DropReason) {
        for held in held {
            self.counters.dropped(reason, held.packets);
        }
    }

    /// Asks the kernel for changes.
    pub(super) fn request(&mut self, requests: Vec<KernelRequest>) {
        self.outputs.extend(requests.into_iter().map(Output::Kernel));
    }

    /// Asks the caller for an action on TCP.
    pub(super) fn tcp(&mut self, request: TcpRequest) {
        self.outputs.push_back(Output::Tcp(request));
    }

    /// Sends a message from one of the router's own RLOCs.
    pub(super) fn send_control(&mut self, from: SocketAddr, to: SocketAddr, message: &Message) {
        log::debug!("{message} to {to}");
        self.send_octets(from, to, message.emit());
    }

    /// Sends a message that is already encoded. A signed message is encoded before this call,
    /// because its signature covers the octets.
    pub(super) fn send_octets(&mut self, source: SocketAddr, to: SocketAddr, payload: Vec<u8>) {
        self.outputs.push_back(Output::Control { source, destination: to, payload });
    }

    /// Refuses a control message from the address `source`: counts the message under `reason`, and
    /// informs the operator. `explain` is called only if its text is used.
    pub(super) fn refuse(
        &mut self,
        source: IpAddr,
        reason: ControlDrop,
        now: Time,
        explain: impl FnOnce() -> Explanation,
    ) {
        self.refuse_parts(source, (reason, 1), now, explain);
    }

    /// Refuses `count` parts of a control message, for example some of its records. Each part is
    /// counted, and one line reports all of them.
    pub(super) fn refuse_parts(
        &mut self,
        source: IpAddr,
        (reason, count): (ControlDrop, usize),
        now: Time,
        explain: impl FnOnce() -> Explanation,
    ) {
        let count = count as u64;
        if count == 0 {
            return;
        }
        *self.counters.control_drops.entry(reason).or_default() += count;
        self.sum_up_refusals(now);
        let debugging = self.debugging;
        let told = self.refusals.add((source, reason, count), debugging, explain, now);
        if let Some((explanation, is_logged)) = told {
            self.tell(Event::Refused { source, reason, explanation, is_logged });
        }
    }

    /// If the current minute has ended, reports the number of messages that were refused in this
    /// minute and had no line of their own.
    pub(super) fn sum_up_refusals(&mut self, now: Time) {
        if let Some(rest) = self.refusals.end_minute(now) {
            self.tell(Event::RefusedMore(rest));
        }
    }
}
