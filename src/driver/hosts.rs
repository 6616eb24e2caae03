//! The emulated hosts of a router. Each emulated host is a network stack ([`Host`]) with a TAP
//! device ([`Tap`]).
//!
//! A host without traffic needs almost no processor time. The device of the host is one more source
//! of the event loop. The deadline of a host is computed only after the host has done some work,
//! and not in every turn.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use log::info;

use super::tap::Tap;
use crate::console::hosts::{self, HostState, Pings, no_host};
use crate::console::protocol::{HostAnswer, HostRequest};
use crate::host::{Host, HostConfig};
use crate::rng::Seed;
use crate::router::config::EmulatedHost;
use crate::router::io::{HostWish, Mac};
use crate::time::Time;

/// The maximum number of frames that are read for one host in one turn of the loop.
const FRAMES_A_TURN: usize = 32;
/// The length of the largest frame, in octets.
const FRAME_LEN: usize = (1 << 16) + 14;
/// The time between two checks whether a host's device is up. The kernel sends no event when the
/// device comes up, because the device may be a port of a bridge in another namespace.
const PLUG_INTERVAL: Duration = Duration::from_millis(100);

const _: () = assert!(EmulatedHost::MOST_ADDRESSES <= smoltcp::config::IFACE_MAX_ADDR_COUNT);

/// All hosts of a router.
#[derive(Default)]
pub struct Hosts {
    /// The hosts, one in each used slot. The number of a slot identifies the device of its host in
    /// the event loop.
    slots: Vec<Option<RunningHost>>,
    buffer: Vec<u8>,
}

/// A host and its device.
struct RunningHost {
    wish: HostWish,
    host: Host,
    tap: Tap,
    pings: Pings,
    /// Whether the device is up. The value is false until a frame has been sent on the device.
    is_up: bool,
    /// A frame that announces the host. The frame is sent again and again until one send succeeds.
    /// A send succeeds only if the device is up.
    announcement: Option<Vec<u8>>,
    /// The time at which the host must do some work. `None` if the host waits only for frames.
    due: Option<Time>,
    received: u64,
    sent: u64,
}

impl Hosts {
    /// Creates a host, or changes the host with the same name. If this function has created a
    /// device, it returns the slot of the host and the file descriptor of the device. The caller
    /// must watch this descriptor.
    ///
    /// If the interface of a host does not change, the device of the host does not change either. A
    /// lab may have moved this device into the namespace of a LAN, and a new device would not be
    /// connected to that LAN.
    ///
    /// # Errors
    /// The device cannot be created or connected, or the host has too many addresses.
    pub fn open(
        &mut self,
        wish: &HostWish,
        seed: &Seed,
        now: Time,
    ) -> io::Result<Option<(usize, RawFd)>> {
        let seed = seed.fork(&wish.name);
        let mut running = self.slots.iter_mut().flatten();
        let stays = |running: &&mut RunningHost| {
            let old = &running.wish;
            old.name == wish.name && old.interface == wish.interface && running.tap.is_there()
        };
        if let Some(running) = running.find(stays) {
            running.change(wish, &seed, now)?;
            return Ok(None);
        }
        self.close(&wish.name);
        RunningHost::new(wish, &seed, now).map(|running| Some(self.insert(running)))
    }

    /// Removes a host and its device.
    pub fn close(&mut self, name: &str) {
        for slot in &mut self.slots {
            slot.take_if(|running| running.wish.name == name);
        }
    }

    /// Returns the slot of each host, and the file descriptor of the host's device.
    pub fn devices(&self) -> Vec<(usize, RawFd)> {
        let slots = self.slots.iter().enumerate();
        let device = |(slot, host): (usize, &Option<RunningHost>)| {
            Some((slot, host.as_ref()?.tap.as_raw_fd()))
        };
        slots.filter_map(device).collect()
    }

    /// Whether there are no hosts.
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(Option::is_none)
    }

    /// Reads frames that wait for the host in `slot`, and lets the host answer them. Returns true
    /// if there may be more frames.
    ///
    /// # Errors
    /// An error of a read. `WouldBlock` is not returned as an error.
    pub fn receive(&mut self, slot: usize, now: Time) -> io::Result<bool> {
        self.buffer.resize(FRAME_LEN, 0);
        let Some(running) = self.slots.get_mut(slot).and_then(Option::as_mut) else {
            return Ok(false);
        };
        let outcome = running.receive(&mut self.buffer, now);
        running.work(now);
        outcome
    }

    /// Does the work of all hosts that is due now.
    pub fn handle_timeout(&mut self, now: Time) {
        for running in self.slots.iter_mut().flatten() {
            if running.due.is_some_and(|due| due <= now) {
                running.work(now);
            }
        }
    }

    /// Returns the earliest time at which a host must do some work.
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
            interface: running.wish.interface,
            addresses: running.wish.made_of.addresses.clone(),
            gateways: running.wish.made_of.gateways.values().copied().collect(),
            mac: Mac(running.host.mac()),
            is_up: running.is_up,
            received: running.received,
            sent: running.sent,
        };
        self.running().map(|running| (running.wish.name.clone(), state(running))).collect()
    }

    fn handle(&mut self, request: &HostRequest, now: Time) -> Result<HostAnswer, String> {
        let mut running = self.slots.iter_mut().flatten();
        let running = running.find(|running| running.wish.name == request.name);
        let running = running.ok_or_else(|| no_host(&request.name))?;
        let answer = running.pings.handle(&mut running.host, &request.task);
        running.work(now);
        answer
    }
}

impl RunningHost {
    fn new(wish: &HostWish, seed: &Seed, now: Time) -> io::Result<Self> {
        let HostWish { interface, name, .. } = wish;
        let (host, announcement) = stack(wish, seed, now)?;
        let tap = Tap::open(&EmulatedHost::device(name))?;
        let plugged = tap.plug(&interface.device())?;
        let place = if plugged { "plugged in" } else { "not yet plugged in" };
        info!("emulated host {name} on {interface}: {place}");
        Ok(RunningHost {
            wish: wish.clone(),
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

    /// Starts the network stack of the host again, with the addresses in `wish`. Ends the running
    /// pings of the host.
    fn change(&mut self, wish: &HostWish, seed: &Seed, now: Time) -> io::Result<()> {
        (self.host, self.announcement) = stack(wish, seed, now)?;
        self.wish = wish.clone();
        self.pings = Pings::default();
        self.is_up = false;
        self.due = Some(now);
        Ok(())
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

    /// Does the work of the host that is due, sends the frames of the host, and computes the time
    /// of the host's next work.
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
            // If the device does not accept a frame, the frame is lost. A full queue has the same
            // effect as a link that loses frames. A device that is down has the same effect as a
            // cable that is not plugged in.
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

/// Creates the network stack of a host, and a frame that announces the host.
fn stack(wish: &HostWish, seed: &Seed, now: Time) -> io::Result<(Host, Option<Vec<u8>>)> {
    let HostWish { name, mtu, made_of, .. } = wish;
    let config = HostConfig {
        name: name.clone(),
        addresses: made_of.addresses.clone(),
        gateways: made_of.gateways.values().copied().collect(),
        mtu: *mtu,
        mac: made_of.mac.map(|mac| mac.0),
    };
    let mut host = Host::new(config, seed, now).map_err(io::Error::other)?;
    host.plug_in(now);
    let announcement = host.poll_output();
    Ok((host, announcement))
}

#[cfg(test)]
mod tests;
