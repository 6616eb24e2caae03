//! The neighbours on the link of one device. IPv4 and IPv6 neighbours have the states of RFC 4861
//! section 7.3, as in Linux.
//!
//! ```text
//!              send ─▶ Incomplete ─ answer ─▶ Reachable ─ ages ─▶ Stale ─ send ─▶ Delay ─▶ Probe
//!                          │ 3 s                   ▲                 ▲                       │ 3 s
//!                          ▼                       └───── answer ────┼───────────────────────┤
//!                        Failed                    an announcement ──┘                       ▼
//!                                                                                         Failed
//! ```
//!
//! This module reports the work that must be done ([`Output`]). The owner of the device does the
//! work: an emulated host, or the kernel of the simulator. In this module, an entry is reachable
//! for exactly the configured time. Linux chooses a random time from 0.5 to 1.5 times the
//! configured time.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use super::frame::HardwareAddress;
use crate::packet::IpHeader;
use crate::time::Time;

/// The time between two solicitations of a neighbour.
const RETRANSMIT: Duration = Duration::from_secs(1);
/// If a neighbour does not answer this number of solicitations, it has failed. The solicitations
/// are sent to the whole link or to the neighbour itself.
const QUESTIONS: u8 = 3;
/// The maximum number of packets that wait for one neighbour. If one more packet comes, it replaces
/// the oldest packet.
const WAITING: usize = 101;
/// The maximum number of neighbours of a device (`gc_thresh3`).
pub const ENTRIES: usize = 1024;
/// If a second answer comes within this time, only the first answer is accepted (`locktime`).
const LOCK: Duration = Duration::from_secs(1);
/// The interval at which Linux probes watched neighbours (`interval_probe_time_ms`, one value for
/// the whole table).
const WATCH_INTERVAL: Duration = Duration::from_secs(5);

/// The timers for the neighbours of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// The time for which an answer is valid (`base_reachable_time_ms`).
    pub reachable: Duration,
    /// The time between the first packet to a stale neighbour and the first probe. If the neighbour
    /// answers in this time, no probe is sent (`delay_first_probe_time`).
    pub first_probe: Duration,
}

impl Default for Clocks {
    /// Returns the default values of Linux.
    fn default() -> Self {
        Clocks { reachable: Duration::from_secs(30), first_probe: Duration::from_secs(5) }
    }
}

/// The state of a neighbour (`NUD_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A solicitation was sent to the whole link.
    Incomplete,
    /// The neighbour answered a short time ago.
    Reachable,
    /// The hardware address of the neighbour is known, but no recent answer confirms it.
    Stale,
    /// A packet was sent to a stale neighbour. No solicitation was sent yet.
    Delay,
    /// Solicitations are being sent to the neighbour itself.
    Probe,
    /// The neighbour did not answer.
    Failed,
}

/// The effect of a message that contains the hardware address of a neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// If the hardware address differs from the known address, the message has no effect.
    Weak,
    /// If the hardware address differs from the known address, a reachable entry becomes stale. The
    /// known address is kept.
    Doubt,
    /// The hardware address in the message replaces the known address.
    Override,
}

/// Work that the owner of a device must do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Send a packet to a neighbour.
    Send(HardwareAddress, Vec<u8>),
    /// Send a solicitation for a neighbour.
    Solicit {
        /// The address of the neighbour.
        target: IpAddr,
        /// The hardware address to which the solicitation is sent; `None` for the whole link.
        to: Option<HardwareAddress>,
        /// The source address of the packet that waits for the neighbour.
        source: Option<IpAddr>,
    },
    /// This packet cannot be sent, because its neighbour cannot be reached.
    Unreachable(Vec<u8>),
    /// Too many packets wait for one neighbour. The oldest of them, this packet, is dropped.
    Displaced(Vec<u8>),
    /// The entry of a neighbour has a new state. `None` means that the entry was removed.
    Changed(IpAddr, Option<State>),
}

#[derive(Debug)]
struct Entry {
    state: State,
    mac: Option<HardwareAddress>,
    /// The number of solicitations since the latest answer of the neighbour.
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

    /// Whether the time `now` is at most `span` after `at`.
    fn within(at: Option<Time>, span: Duration, now: Time) -> bool {
        at.is_some_and(|at| now <= at + span)
    }
}

/// The neighbours of a device.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// The timers of the neighbours.
    pub clocks: Clocks,
    entries: BTreeMap<IpAddr, Entry>,
    watch_at: Option<Time>,
    outputs: VecDeque<Output>,
}

impl Neighbours {
    /// Returns the state of a neighbour.
    pub fn state(&self, address: IpAddr) -> Option<State> {
        self.entries.get(&address).map(|entry| entry.state)
    }

    /// Returns the hardware address of a neighbour, if it is known.
    pub fn mac(&self, address: IpAddr) -> Option<HardwareAddress> {
        self.entries.get(&address).filter(|entry| entry.is_valid())?.mac
    }

    /// Returns all neighbours with their states, in the order of their addresses.
    pub fn iter(&self) -> impl Iterator<Item = (IpAddr, State)> {
        self.entries.iter().map(|(&address, entry)| (address, entry.state))
    }

    /// Returns the next work that the owner of the device must do.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Returns the next time at which [`Neighbours::handle_timeout`] has work.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Time> {
        let timers = self.entries.values().filter_map(|entry| entry.timer);
        timers.chain(self.watch_at).min()
    }

    /// Sends a packet to a neighbour as soon as the hardware address of the neighbour is known.
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
        let displaced = match entry.waiting.len() >= WAITING {
            true => entry.waiting.pop_front(),
            false => None,
        };
        entry.waiting.push_back(packet);
        self.outputs.extend(displaced.map(Output::Displaced));
        self.seek(address, now);
    }

    /// Solicits a neighbour as if a packet waited for it (`NTF_USE`).
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

    /// Solicits a neighbour. If the hardware address of the neighbour is known, the solicitation
    /// goes to the neighbour itself (`nud probe`). Otherwise, the solicitation goes to the whole
    /// link.
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

    /// Deletes a neighbour. Reports the packets that wait for it as [`Output::Unreachable`].
    pub fn forget(&mut self, address: IpAddr) {
        if let Some(entry) = self.entries.remove(&address) {
            self.outputs.extend(entry.waiting.into_iter().map(Output::Unreachable));
            self.outputs.push_back(Output::Changed(address, None));
        }
    }

    /// Deletes all neighbours, because the link went down. Returns the packets that waited for the
    /// neighbours. The senders of these packets get no error.
    pub fn flush(&mut self) -> Vec<Vec<u8>> {
        let gone = std::mem::take(&mut self.entries);
        let mut waited = Vec::new();
        for (address, entry) in gone {
            waited.extend(entry.waiting);
            self.outputs.push_back(Output::Changed(address, None));
        }
        self.watch_at = None;
        waited
    }

    /// Handles a message that contains the hardware address of a neighbour. If `creates` is true,
    /// an unknown neighbour is added.
    ///
    /// If `mac` is absent, the known address is kept. `state` is [`State::Reachable`] if the
    /// message is an answer, and [`State::Stale`] for any other message. A message that is not an
    /// answer does not change an entry that already has the same hardware address.
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

    /// Returns the strength of an answer. The answer is weak if another answer came a short time
    /// ago (`locktime`).
    pub fn strength_of_answer(&self, address: IpAddr, now: Time) -> Strength {
        let entry = self.entries.get(&address);
        match entry.is_some_and(|entry| Entry::within(entry.updated_at, LOCK, now)) {
            true => Strength::Weak,
            false => Strength::Override,
        }
    }

    /// Does the work that is due now.
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

    /// Handles the end of the timer of an entry.
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
            // Linux does not report a change to the state `Delay`.
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

    /// Returns the entry of a neighbour. Adds an entry if there is none. Returns `None` if the
    /// table is full.
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
