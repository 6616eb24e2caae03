//! The neighbours on the link of one device, as Linux manages them (RFC 4861 section 7.3, for both
//! families).
//!
//! ```text
//!              send ─▶ Incomplete ─ answer ─▶ Reachable ─ ages ─▶ Stale ─ send ─▶ Delay ─▶ Probe
//!                          │ 3 s                   ▲                 ▲                       │ 3 s
//!                          ▼                       └───── answer ────┼───────────────────────┤
//!                        Failed                    an announcement ──┘                       ▼
//!                                                                                         Failed
//! ```
//!
//! This module states the work to do ([`Output`]), and the owner of the device does it: an emulated
//! host, or the simulator's kernel. An entry here is reachable for exactly the configured time.
//! Linux instead chooses a random time between half and one and a half of it.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::frame::HardwareAddress;
use crate::packet::IpHeader;
use crate::time::Time;

/// The time between two solicitations.
const RETRANSMIT: Duration = Duration::from_secs(1);
/// The number of solicitations to the whole link, or to one neighbour, before the neighbour has
/// failed.
const QUESTIONS: u8 = 3;
/// The most packets that wait for one neighbour; one more packet replaces the oldest.
const WAITING: usize = 101;
/// The most entries of a device (`gc_thresh3`).
pub const ENTRIES: usize = 1024;
/// If two answers are received within this time, the first is accepted (`locktime`).
const LOCK: Duration = Duration::from_secs(1);
/// The interval at which Linux probes watched neighbours (`interval_probe_time_ms` of the whole
/// table).
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// The timers of a device's neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// How long an answer is valid (`base_reachable_time_ms`).
    pub reachable: Duration,
    /// How long a stale neighbour may take to confirm its presence without a probe
    /// (`delay_first_probe_time`).
    pub first_probe: Duration,
}

impl Default for Clocks {
    /// The defaults of Linux.
    fn default() -> Self {
        Clocks { reachable: Duration::from_secs(30), first_probe: Duration::from_secs(5) }
    }
}

/// The state of a neighbour (`NUD_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A solicitation was sent to the whole link.
    Incomplete,
    /// It answered a short time ago.
    Reachable,
    /// It was reachable before.
    Stale,
    /// It was reachable before, and a packet has been sent to it.
    Delay,
    /// Solicitations are being sent to the neighbour itself.
    Probe,
    /// It did not answer.
    Failed,
}

/// The effect of a message about a neighbour's hardware address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// If the hardware address differs from the known one, the message is ignored.
    Weak,
    /// If the hardware address differs, a reachable entry becomes stale and keeps its known
    /// address.
    Doubt,
    /// The message changes a known address.
    Override,
}

/// The work of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a packet to a neighbour.
    Send(HardwareAddress, Vec<u8>),
    /// Send a solicitation for a neighbour.
    Solicit {
        /// The destination.
        target: IpAddr,
        /// The one neighbour that is solicited; `None` for the whole link.
        to: Option<HardwareAddress>,
        /// The source of the packet that waits for the answer.
        source: Option<IpAddr>,
    },
    /// The neighbour of this packet cannot be reached.
    Unreachable(Vec<u8>),
    /// An entry has changed; without state, it was removed.
    Changed(IpAddr, Option<State>),
}

#[derive(Debug)]
struct Entry {
    state: State,
    mac: Option<HardwareAddress>,
    /// The number of solicitations since the last answer.
    asked: u8,
    confirmed_at: Option<Time>,
    used_at: Time,
    updated_at: Option<Time>,
    timer: Option<Time>,
    waiting: VecDeque<Vec<u8>>,
    is_watched: bool,
}

impl Entry {
    fn is_valid(&self) -> bool {
        !matches!(self.state, State::Incomplete | State::Failed)
    }

    /// Whether `span` after `at` is not over yet.
    fn within(at: Option<Time>, span: Duration, now: Time) -> bool {
        at.is_some_and(|at| now <= at + span)
    }
}

/// The neighbours of a device.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// Its timers.
    pub clocks: Clocks,
    entries: BTreeMap<IpAddr, Entry>,
    watch_at: Option<Time>,
    outputs: VecDeque<Output>,
}

impl Neighbours {
    /// The state of a neighbour.
    pub fn state(&self, address: IpAddr) -> Option<State> {
        self.entries.get(&address).map(|entry| entry.state)
    }

    /// Its hardware address, when it is known.
    pub fn mac(&self, address: IpAddr) -> Option<HardwareAddress> {
        self.entries.get(&address).filter(|entry| entry.is_valid())?.mac
    }

    /// All neighbours and their states, in order.
    pub fn iter(&self) -> impl Iterator<Item = (IpAddr, State)> {
        self.entries.iter().map(|(&address, entry)| (address, entry.state))
    }

    /// The next work of the device.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Neighbours::handle_timeout`] has work.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let timers = self.entries.values().filter_map(|entry| entry.timer);
        timers.chain(self.watch_at).min()
    }

    /// Sends a packet to a neighbour as soon as its hardware address is known.
    pub fn send(&mut self, address: IpAddr, packet: Vec<u8>, now: Time) {
        let first_probe = self.clocks.first_probe;
        let Some(entry) = self.entry(address, now) else {
            return self.outputs.push_back(Output::Unreachable(packet));
        };
        if entry.is_valid() {
            if entry.state != State::Reachable {
                entry.used_at = now;
            }
            if entry.state == State::Stale {
                entry.state = State::Delay;
                entry.timer = Some(now + first_probe);
            }
            let mac = entry.mac;
            self.outputs.extend(mac.map(|mac| Output::Send(mac, packet)));
            return;
        }
        if entry.waiting.len() >= WAITING {
            entry.waiting.pop_front();
        }
        entry.waiting.push_back(packet);
        self.seek(address, now);
    }

    /// Solicits a neighbour as if there were a packet for it (`NTF_USE`).
    pub fn seek(&mut self, address: IpAddr, now: Time) {
        let first_probe = self.clocks.first_probe;
        let Some(entry) = self.entry(address, now) else {
            return;
        };
        entry.used_at = now;
        match entry.state {
            State::Stale => {
                entry.state = State::Delay;
                entry.timer = Some(now + first_probe);
            }
            State::Failed => {
                entry.state = State::Incomplete;
                entry.asked = 0;
                entry.timer = None;
                entry.updated_at = Some(now);
            }
            _ => {}
        }
        if entry.state == State::Incomplete && entry.timer.is_none() {
            entry.timer = Some(now + RETRANSMIT);
            self.ask(address);
        }
    }

    /// Solicits a neighbour directly if its hardware address is known (`nud probe`), otherwise on
    /// the whole link.
    pub fn probe(&mut self, address: IpAddr, now: Time) {
        match self.entries.get_mut(&address) {
            Some(entry) if entry.is_valid() => {
                if entry.state != State::Probe {
                    entry.state = State::Probe;
                    entry.asked = 0;
                    entry.timer = Some(now);
                    entry.updated_at = Some(now);
                    self.expire(address, now);
                }
            }
            _ => self.seek(address, now),
        }
    }

    /// Solicits a neighbour at regular intervals (`NTF_EXT_MANAGED`).
    pub fn watch(&mut self, address: IpAddr, now: Time) {
        if let Some(entry) = self.entry(address, now) {
            entry.is_watched = true;
            self.watch_at.get_or_insert(now + WATCH_INTERVAL);
            self.seek(address, now);
        }
    }

    /// Deletes a neighbour; packets that wait for it are unreachable.
    pub fn forget(&mut self, address: IpAddr) {
        if let Some(entry) = self.entries.remove(&address) {
            self.outputs.extend(entry.waiting.into_iter().map(Output::Unreachable));
            self.outputs.push_back(Output::Changed(address, None));
        }
    }

    /// Deletes all neighbours, because the link went down. Returns the number of packets that
    /// waited for them: their senders get no error.
    pub fn flush(&mut self) -> usize {
        let gone = std::mem::take(&mut self.entries);
        let waited = gone.values().map(|entry| entry.waiting.len()).sum();
        self.outputs.extend(gone.into_keys().map(|address| Output::Changed(address, None)));
        self.watch_at = None;
        waited
    }

    /// Handles a message with a neighbour's hardware address. With `creates`, an unknown neighbour
    /// is added.
    ///
    /// Without `mac` the known address is kept. `state` is [`State::Reachable`] for an answer and
    /// [`State::Stale`] for any other message, which does not change an entry with the same
    /// address.
    pub fn update(
        &mut self,
        address: IpAddr,
        mac: Option<HardwareAddress>,
        (state, strength): (State, Strength),
        creates: bool,
        now: Time,
    ) {
        if !self.entries.contains_key(&address) && (!creates || mac.is_none()) {
            return;
        }
        let reachable = self.clocks.reachable;
        let Some(entry) = self.entry(address, now) else { return };
        let was_valid = entry.is_valid();
        let known = entry.mac.filter(|_| was_valid);
        let Some(mut mac) = mac.or(known) else { return };
        let mut state = state;
        if state == State::Reachable {
            entry.confirmed_at = Some(now);
        }
        if let Some(known) = known {
            match strength {
                Strength::Doubt if mac != known && entry.state == State::Reachable => {
                    (mac, state) = (known, State::Stale);
                }
                Strength::Weak | Strength::Doubt if mac != known => return,
                _ if mac == known && state == State::Stale => state = entry.state,
                _ => {}
            }
        }
        let (before, moved) = (entry.state, known != Some(mac));
        if state == before && !moved {
            return;
        }
        entry.updated_at = Some(now);
        entry.mac = Some(mac);
        if state != before {
            entry.state = state;
            entry.timer = (state == State::Reachable).then_some(now + reachable);
        }
        if moved && state != State::Reachable {
            entry.confirmed_at = None;
        }
        let waiting = std::mem::take(&mut entry.waiting);
        self.outputs.push_back(Output::Changed(address, Some(state)));
        for packet in waiting {
            self.send(address, packet, now);
        }
    }

    /// The strength of an answer that may follow another one (`locktime`).
    pub fn strength_of_answer(&self, address: IpAddr, now: Time) -> Strength {
        let entry = self.entries.get(&address);
        match entry.is_some_and(|entry| Entry::within(entry.updated_at, LOCK, now)) {
            true => Strength::Weak,
            false => Strength::Override,
        }
    }

    /// Does the work that is due.
    pub fn handle_timeout(&mut self, now: Time) {
        if self.watch_at.is_some_and(|at| at <= now) {
            let watched = self.entries.iter().filter(|(_, entry)| entry.is_watched);
            let watched: Vec<IpAddr> = watched.map(|(&address, _)| address).collect();
            self.watch_at = (!watched.is_empty()).then_some(now + WATCH_INTERVAL);
            for address in watched {
                self.seek(address, now);
            }
        }
        let due = |entry: &Entry| entry.timer.is_some_and(|at| at <= now);
        let due = self.entries.iter().filter(|(_, entry)| due(entry));
        let due: Vec<IpAddr> = due.map(|(&address, _)| address).collect();
        for address in due {
            self.expire(address, now);
        }
    }

    /// The timer of an entry has run out.
    fn expire(&mut self, address: IpAddr, now: Time) {
        let Clocks { reachable, first_probe } = self.clocks;
        let Some(entry) = self.entries.get_mut(&address) else { return };
        let (state, timer) = match entry.state {
            State::Reachable => {
                if let Some(at) = entry.confirmed_at.filter(|&at| now < at + reachable) {
                    (State::Reachable, Some(at + reachable))
                } else if Entry::within(Some(entry.used_at), first_probe, now) {
                    (State::Delay, Some(now + first_probe))
                } else {
                    (State::Stale, None)
                }
            }
            State::Delay => match entry.confirmed_at.filter(|&at| now <= at + first_probe) {
                Some(at) => (State::Reachable, Some(at + reachable)),
                None => (State::Probe, Some(now + RETRANSMIT)),
            },
            State::Probe | State::Incomplete if entry.asked >= QUESTIONS => (State::Failed, None),
            asked => (asked, Some(now + RETRANSMIT)),
        };
        let before = std::mem::replace(&mut entry.state, state);
        entry.timer = timer;
        if state != before {
            entry.updated_at = Some(now);
            if state == State::Probe {
                entry.asked = 0;
            }
            // Linux does not report the change to `Delay`.
            if state != State::Delay {
                self.outputs.push_back(Output::Changed(address, Some(state)));
            }
        }
        match state {
            State::Failed => {
                let lost = std::mem::take(&mut entry.waiting);
                self.outputs.extend(lost.into_iter().map(Output::Unreachable));
            }
            State::Probe | State::Incomplete => self.ask(address),
            _ => {}
        }
    }

    fn ask(&mut self, address: IpAddr) {
        let Some(entry) = self.entries.get_mut(&address) else { return };
        entry.asked += 1;
        let first = entry.waiting.front().and_then(|packet| IpHeader::parse(packet).ok());
        self.outputs.push_back(Output::Solicit {
            target: address,
            to: entry.mac.filter(|_| entry.state == State::Probe),
            source: first.map(|header| header.source),
        });
    }

    /// The entry of a neighbour, added if there is none; `None` if the table is full.
    fn entry(&mut self, address: IpAddr, now: Time) -> Option<&mut Entry> {
        if self.entries.len() >= ENTRIES && !self.entries.contains_key(&address) {
            return None;
        }
        Some(self.entries.entry(address).or_insert_with(|| Entry {
            state: State::Incomplete,
            mac: None,
            asked: 0,
            confirmed_at: None,
            used_at: now,
            updated_at: None,
            timer: None,
            waiting: VecDeque::new(),
            is_watched: false,
        }))
    }
}
