//! The data that all roles of a router need: the configuration, the addresses, the counters, and
//! the outputs (messages, and events for the log and for debugging).
//!
//! If a role needs only its own data and a [`Context`], its methods take the context as an
//! argument. Then the role does not depend on the [`Router`](super::Router).

use std::collections::{BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::config::{Config, Roles};
use super::counters::{ControlDrop, Counters};
use super::debugging::{DebugType, Debugging};
use super::decision::{Because, Rule, Verdict};
use super::event::{Event, MessageEvent};
use super::held::Held;
use super::io::{DropReason, KernelRequest, Output, TcpRequest};
use super::last_drops::{LastDrop, LastDrops};
use super::locators::LocalRlocs;
use super::packet_event::PacketEvent;
use super::rate::Rate;
use super::reason::MessageReason;
use super::recent::Recent;
use super::refusals::{Explanation, Refusals};
use super::witness::Witness;
use crate::addr::Family;
use crate::time::Time;
use crate::wire::Message;

/// The wall clock of the router. It is read once, at the start.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    /// The router's [`Time`] at its start.
    pub started_at: Time,
    /// The wall clock at the start, in microseconds since 1970.
    pub at_start: u64,
}

impl Clock {
    /// The wall clock at `now`, in microseconds since 1970: the wall clock at the start, plus the
    /// time from the start to `now`.
    pub(super) fn at(&self, now: Time) -> u64 {
        let passed = u64::try_from(now.since(self.started_at).as_micros()).unwrap_or(u64::MAX);
        self.at_start.saturating_add(passed)
    }
}

/// The rate limit of events about packets, while debugging of packets is on.
const PACKET_EVENTS: Rate = Rate { burst: 200, interval: Duration::from_millis(20) };

/// The data that all roles of a router need; see the module.
#[derive(Debug, Default)]
pub(super) struct Context {
    /// The wall clock.
    pub clock: Clock,
    /// The current configuration.
    pub config: Config,
    /// The router's own locators.
    pub local: LocalRlocs,
    /// The addresses of all interfaces. If the source of a packet is one of these addresses, the
    /// router itself sent the packet.
    pub own_addresses: BTreeSet<IpAddr>,
    /// The counters. They count since the start, or since the operator cleared them.
    pub counters: Counters,
    /// The Map-Requests that this router received recently. They are the Map-Requests that
    /// `counters.map_requests` counts.
    pub recent_requests: Recent,
    /// The Map-Registers that were received recently.
    pub recent_registers: Recent,
    /// The control messages that were refused recently.
    pub refusals: Refusals,
    /// For each reason, the packet that was dropped last.
    pub last_drops: LastDrops,
    /// The time at which the counters were cleared.
    pub cleared_at: Option<Time>,
    /// The kinds of debug lines that are on. If a kind about control messages is on, the router
    /// outputs an [`Event::Message`] for each control message.
    pub debugging: Debugging,
    /// Whether the router reports decisions on packets, even if debugging of packets is off.
    pub is_watched: bool,
    /// From this time on, a full burst of [`PACKET_EVENTS`] is permitted again.
    pub packet_events_at: Option<Time>,
    /// The receivers of the calls, the decisions and the outputs of the router.
    pub witnesses: Vec<Box<dyn Witness>>,
    /// The outputs that the caller has to carry out.
    pub outputs: VecDeque<Output>,
}

impl Context {
    /// Whether `is` returns true for the roles of at least one address family.
    pub(super) fn has_role(&self, is: impl Fn(Roles) -> bool) -> bool {
        Family::BOTH.into_iter().any(|family| is(self.config.roles(family)))
    }

    /// Counts a received Map-Request.
    pub(super) fn took_request(&mut self, now: Time) {
        self.counters.map_requests.received += 1;
        self.recent_requests.count(now);
    }

    /// Outputs an event.
    pub(super) fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }

    /// Outputs several events.
    pub(super) fn tell_all(&mut self, events: Vec<Event>) {
        self.outputs.extend(events.into_iter().map(Output::Event));
    }

    /// Outputs the event that `event` returns, if debugging of control messages is on. The event is
    /// about a message that was received or sent.
    pub(super) fn trace(&mut self, event: impl FnOnce() -> Option<MessageEvent>) {
        if self.traces_messages()
            && let Some(event) = event()
        {
            self.tell(Event::Message(event));
        }
    }

    /// Whether the router outputs events about control messages.
    pub(super) fn traces_messages(&self) -> bool {
        self.debugging.has_any(Debugging::CONTROL_PLANE)
    }

    /// Reports the decision on a packet from or to an EID, if the router [reports such
    /// decisions](Self::reports_packets). The rate limit is [`PACKET_EVENTS`].
    pub(super) fn trace_packet(&mut self, event: impl FnOnce() -> Event, now: Time) {
        if self.reports_packets()
            && let Some(full_at) = PACKET_EVENTS.admit(self.packet_events_at, now)
        {
            self.packet_events_at = Some(full_at);
            self.tell(event());
        }
    }

    /// Whether the router reports its decisions on packets: it is watched, or debugging of packets
    /// is on.
    pub(super) fn reports_packets(&self) -> bool {
        self.is_watched || self.debugging.has(DebugType::Forwarding)
    }

    /// Whether the router is watched, and reports its decision on the next packet. In this case,
    /// the router does not use the flow cache, because the flow cache does not contain the reasons
    /// of decisions.
    pub(super) fn reports_next_packet(&self, now: Time) -> bool {
        self.is_watched && PACKET_EVENTS.admit(self.packet_events_at, now).is_some()
    }

    /// Reports a decision on a packet to the witnesses.
    pub(super) fn tell_decision(
        &mut self,
        decision: impl FnOnce() -> PacketEvent,
        packet: &[u8],
        now: Time,
    ) {
        if !self.witnesses.is_empty() {
            let decision = decision();
            let witnesses = self.witnesses.iter_mut();
            witnesses.for_each(|witness| witness.decided(&decision, packet, now));
        }
    }

    /// Drops packets that have waited without success, and counts them under `reason`. `rule` says
    /// how the wait of these packets ended.
    pub(super) fn give_up(&mut self, held: Held, (reason, rule): (DropReason, Rule), now: Time) {
        for held in held {
            let decided =
                || PacketEvent::of(&held.transit, Verdict::Drop(reason), Because::rule(rule));
            self.tell_decision(decided, &held.packet.bytes, now);
            self.trace_packet(|| Event::Packet(decided()), now);
            self.counters.dropped(reason, held.packets);
            self.last_drops.note(reason, LastDrop::of(&held.transit, now));
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

    /// Sends a message from one of the router's own RLOCs. `ends` contains the source and the
    /// destination of the message.
    pub(super) fn send_control(
        &mut self,
        ends: (SocketAddr, SocketAddr),
        message: &Message,
        reason: MessageReason,
    ) {
        log::debug!("{message} to {}", ends.1);
        self.send_octets(ends, message.emit(), reason);
    }

    /// Sends a message that is already encoded. A signed message is encoded before this call,
    /// because its signature covers the octets.
    pub(super) fn send_octets(
        &mut self,
        (source, destination): (SocketAddr, SocketAddr),
        payload: Vec<u8>,
        reason: MessageReason,
    ) {
        self.outputs.push_back(Output::Control { source, destination, payload, reason });
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
        let debugging = self.traces_messages();
        let told = self.refusals.add((source, reason, count), debugging, explain, now);
        if let Some((explanation, is_logged)) = told {
            self.tell(Event::Refused { source, reason, explanation, is_logged });
        }
    }

    /// If the minute in which the router counts refused messages is over, reports the number of
    /// messages that were refused in this minute and got no line in the log. There is one number
    /// for each reason.
    pub(super) fn sum_up_refusals(&mut self, now: Time) {
        if let Some(rest) = self.refusals.end_minute(now) {
            self.tell(Event::RefusedMore(rest));
        }
    }
}
