//! The emulated hosts of a router: a stack ([`Host`]) behind a TAP device ([`Tap`]) each.
//!
//! A host costs nothing while it has no traffic: its device is one more source of the event loop,
//! and its deadline is asked for after it has worked, not in every turn.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use log::{info, warn};

use super::tap::Tap;
use crate::console::hosts::{self, HostState, Pings, no_host};
use crate::console::protocol::{HostAnswer, HostRequest};
use crate::host::{Host, HostConfig};
use crate::rng::Seed;
use crate::router::config::{Config, EmulatedHost, Interface, InterfaceName};
use crate::router::io::Mac;
use crate::time::Time;

/// Frames that a host reads in a turn.
const FRAMES_A_TURN: usize = 32;
/// The largest frame.
const FRAME_LEN: usize = (1 << 16) + 14;
/// How often a host looks whether its device has come up. There is no event: the device is a port of a
/// bridge in another namespace.
const PLUG_INTERVAL: Duration = Duration::from_millis(100);
/// The MTU of an interface that says nothing; octets.
const DEFAULT_MTU: u16 = 1500;

const _: () = assert!(EmulatedHost::MOST_ADDRESSES <= smoltcp::config::IFACE_MAX_ADDR_COUNT);

/// All hosts of a router.
#[derive(Default)]
pub struct Hosts {
    /// By slot, the number of a device in the event loop.
    slots: Vec<Option<RunningHost>>,
    buffer: Vec<u8>,
}

/// A host and its device.
struct RunningHost {
    name: String,
    interface: InterfaceName,
    made_of: EmulatedHost,
    mtu: u16,
    host: Host,
    tap: Tap,
    pings: Pings,
    /// The device is up; false until a frame has left by it.
    is_up: bool,
    /// An announcement, tried again and again: when it leaves, the device is up.
    announcement: Option<Vec<u8>>,
    /// When it has work.
    due: Option<Time>,
    received: u64,
    sent: u64,
}

impl Hosts {
    /// Makes them as the configuration has them. A failure is logged, and tried again with the next
    /// change. Returns the slots of the new ones, with the descriptors to watch.
    pub fn follow(&mut self, config: &Config, seed: &Seed, now: Time) -> Vec<(usize, RawFd)> {
        let wanted = wanted(config);
        for slot in &mut self.slots {
            let is_wanted = |running: &RunningHost| {
                wanted.get(running.name.as_str()).is_some_and(|(interface, port, made_of)| {
                    running.interface == **interface
                        && running.made_of == **made_of
                        && running.mtu == mtu(port)
                })
            };
            if slot.as_ref().is_some_and(|running| !is_wanted(running)) {
                *slot = None;
            }
        }
        let mut made = Vec::new();
        for (name, (interface, port, made_of)) in wanted {
            if self.running().any(|running| running.name == name) {
                continue;
            }
            match RunningHost::new(name, *interface, made_of, mtu(port), &seed.fork(name), now) {
                Ok(running) => made.push(self.insert(running)),
                Err(error) => warn!("emulated host {name} on {interface}: {error}"),
            }
        }
        made
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// Reads the frames that wait for a host and lets it answer; true when there may be more.
    ///
    /// # Errors
    /// Those of reading, but for `WouldBlock`.
    pub fn receive(&mut self, slot: usize, now: Time) -> io::Result<bool> {
        self.buffer.resize(FRAME_LEN, 0);
        let Some(running) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return Ok(false);
        };
        let outcome = running.receive(&mut self.buffer, now);
        running.work(now);
        outcome
    }

    /// Lets those work that have work.
    pub fn handle_timeout(&mut self, now: Time) {
        for running in self.slots.iter_mut().flatten() {
            if running.due.is_some_and(|due| due <= now) {
                running.work(now);
            }
        }
    }

    /// When the next has work.
    pub fn poll_timeout(&self) -> Option<Time> {
        self.running().filter_map(|running| running.due).min()
    }

    fn running(&self) -> impl Iterator<Item = &RunningHost> {
        self.slots.iter().flatten()
    }

    fn insert(&mut self, running: RunningHost) -> (usize, RawFd) {
        let fd = running.tap.as_raw_fd();
        let free = self.slots.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.slots.len());
        match free {
            Some(slot) => self.slots[slot] = Some(running),
            None => self.slots.push(Some(running)),
        }
        (slot, fd)
    }
}

impl hosts::Hosts for Hosts {
    fn states(&self) -> BTreeMap<String, HostState> {
        let state = |running: &RunningHost| HostState {
            interface: running.interface,
            addresses: running.made_of.addresses.clone(),
            gateways: running.made_of.gateways.values().copied().collect(),
            mac: Mac(running.host.mac()),
            is_up: running.is_up,
            received: running.received,
            sent: running.sent,
        };
        self.running().map(|running| (running.name.clone(), state(running))).collect()
    }

    fn handle(&mut self, request: &HostRequest, now: Time) -> Result<HostAnswer, String> {
        let found = self.slots.iter_mut().flatten().find(|running| running.name == request.name);
        let running = found.ok_or_else(|| no_host(&request.name))?;
        let answer = running.pings.handle(&mut running.host, &request.task);
        running.work(now);
        answer
    }
}

fn wanted(config: &Config) -> BTreeMap<&str, (&InterfaceName, &Interface, &EmulatedHost)> {
    let hosts = config.interfaces.iter().flat_map(|(interface, port)| {
        let hosts = port.emulated_hosts.iter();
        hosts.map(move |(name, made_of)| (name.as_str(), (interface, port, made_of)))
    });
    hosts.collect()
}

fn mtu(port: &Interface) -> u16 {
    port.mtu.unwrap_or(DEFAULT_MTU)
}

impl RunningHost {
    fn new(
        name: &str,
        interface: InterfaceName,
        made_of: &EmulatedHost,
        mtu: u16,
        seed: &Seed,
        now: Time,
    ) -> io::Result<Self> {
        let config = HostConfig {
            name: name.to_owned(),
            addresses: made_of.addresses.clone(),
            gateways: made_of.gateways.values().copied().collect(),
            mtu,
            mac: made_of.mac.map(|mac| mac.0),
        };
        let mut host = Host::new(config, seed, now).map_err(io::Error::other)?;
        let tap = Tap::open(&EmulatedHost::device(name))?;
        let plugged = tap.plug(&interface.device())?;
        let place = if plugged { "plugged in" } else { "to be plugged in" };
        info!("emulated host {name} on {interface}: {place}");
        host.plug_in(now);
        let announcement = host.poll_output();
        Ok(RunningHost {
            name: name.to_owned(),
            interface,
            made_of: made_of.clone(),
            mtu,
            host,
            tap,
            pings: Pings::default(),
            is_up: false,
            announcement,
            due: Some(now),
            received: 0,
            sent: 0,
        })
    }

    fn receive(&mut self, buffer: &mut [u8], now: Time) -> io::Result<bool> {
        for _ in 0..FRAMES_A_TURN {
            match self.tap.receive(buffer) {
                Ok(len) => {
                    self.received += 1;
                    self.host.handle(&buffer[..len], now);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Does the work that is due, sends the frames of the stack, and finds out when it is due again.
    fn work(&mut self, now: Time) {
        if !self.is_up {
            self.is_up = match &self.announcement {
                Some(frame) => self.tap.send(frame).is_ok(),
                None => true,
            };
            if self.is_up {
                self.host.plug_in(now);
            }
        }
        self.host.poll(now);
        while let Some(frame) = self.host.poll_output() {
            // A full queue is a lossy link; a device that is down is a cable pulled out.
            match self.tap.send(&frame) {
                Ok(()) => self.sent += 1,
                Err(error) => self.is_up &= error.raw_os_error() != Some(libc::EIO),
            }
        }
        let stack = self.host.poll_timeout(now).map(|deadline| deadline.at);
        let plug = (!self.is_up).then_some(now + PLUG_INTERVAL);
        self.due = [stack, plug].into_iter().flatten().min();
    }
}

#[cfg(test)]
mod tests;
