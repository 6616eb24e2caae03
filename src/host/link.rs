//! The link of an emulated host. It exchanges Ethernet frames with the network, and IP packets with
//! the stack of the host. It has the table of the host's neighbours.
//!
//! smoltcp has its own Ethernet medium, but an emulated host that replaces a Linux host cannot use
//! this medium. smoltcp's medium ignores gratuitous ARP and proxied advertisements. It requests
//! only one neighbour each second. It drops an answer of the host if the entry of the gateway has
//! expired. Therefore smoltcp handles only IP packets, and this module finds the neighbours as
//! Linux does.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::drops::{DropLog, HostDrop};
use super::frame::{
    Advertisement, Arp, BROADCAST, Content, Frame, HardwareAddress, Solicitation, ip_frame,
    ip_packet, is_group,
};
use super::neighbour::{Neighbours, Output, State, Strength};
use crate::addr::Family;
use crate::time::Time;

/// A device on an Ethernet link.
#[derive(Debug)]
pub(super) struct Link {
    mac: HardwareAddress,
    addresses: Vec<IpAddr>,
    neighbours: Neighbours,
    frames: VecDeque<Vec<u8>>,
    /// The packets that the host has dropped.
    pub drops: DropLog<HostDrop>,
}

impl Link {
    pub fn new(mac: HardwareAddress, addresses: Vec<IpAddr>) -> Self {
        Link {
            mac,
            addresses,
            neighbours: Neighbours::default(),
            frames: VecDeque::new(),
            drops: DropLog::default(),
        }
    }

    /// Starts again on another link, with these addresses. Packets that waited for a neighbour on
    /// the old link are dropped.
    pub fn plug_in(&mut self, addresses: Vec<IpAddr>) {
        let mut drops = std::mem::take(&mut self.drops);
        for packet in self.neighbours.flush() {
            drops.note(HostDrop::NoLink, &packet);
        }
        *self = Link { drops, ..Link::new(self.mac, addresses) };
        self.announce();
    }

    pub fn mac(&self) -> HardwareAddress {
        self.mac
    }

    pub fn neighbours(&self) -> &Neighbours {
        &self.neighbours
    }

    /// Adds an address of the host. From now on, the host answers neighbour requests for this
    /// address.
    pub fn add_address(&mut self, address: IpAddr) {
        self.addresses.push(address);
    }

    /// Announces the host's addresses on the link. Linux does this with `arp_notify` and
    /// `ndisc_notify`.
    pub fn announce(&mut self) {
        let mac = self.mac;
        self.frames.extend(self.addresses.iter().map(|&address| match address {
            IpAddr::V4(address) => Arp::request(mac, address, address).frame(BROADCAST),
            IpAddr::V6(address) => Advertisement::unsolicited(mac, address),
        }));
    }

    /// Sends an IP packet to a neighbour.
    pub fn send(&mut self, next_hop: IpAddr, packet: Vec<u8>, now: Time) {
        self.neighbours.send(next_hop, packet, now);
        self.settle();
    }

    /// Handles a frame. If the frame has an IP packet for the host, returns this packet.
    pub fn receive<'a>(&mut self, frame: &'a [u8], now: Time) -> Option<&'a [u8]> {
        let Some(parsed) = Frame::parse(frame) else {
            self.drops.note(HostDrop::BadFrame, ip_packet(frame));
            return None;
        };
        if parsed.destination != self.mac && !is_group(parsed.destination) {
            self.drops.note(HostDrop::OtherHardwareAddress, ip_packet(frame));
            return None;
        }
        let frame = parsed;
        match frame.content {
            Content::Ip(packet) => return Some(packet),
            Content::Arp(arp) => self.hear_arp(&arp, is_group(frame.destination), now),
            Content::Solicitation(asks) => self.hear_solicitation(&asks, frame.source, now),
            Content::Advertisement(says) => self.hear_advertisement(&says, now),
        }
        self.settle();
        None
    }

    /// Returns the next frame to send.
    pub fn poll_output(&mut self) -> Option<Vec<u8>> {
        self.frames.pop_front()
    }

    pub fn handle_timeout(&mut self, now: Time) {
        self.neighbours.handle_timeout(now);
        self.settle();
    }

    pub fn poll_timeout(&self) -> Option<Time> {
        self.neighbours.poll_timeout()
    }

    fn hear_arp(&mut self, arp: &Arp, is_broadcast: bool, now: Time) {
        let (sender, mac) = (IpAddr::V4(arp.sender), Some(arp.sender_mac));
        if self.addresses.contains(&sender) {
            return;
        }
        if !arp.is_reply && self.addresses.contains(&arp.target.into()) {
            self.neighbours.update(sender, mac, (State::Stale, Strength::Override), true, now);
            self.frames.push_back(arp.answer(self.mac).frame(arp.sender_mac));
            return;
        }
        let strength = match arp.is_gratuitous() {
            true => Strength::Override,
            false => self.neighbours.strength_of_answer(sender, now),
        };
        let is_answer = arp.is_reply && !is_broadcast;
        let state = if is_answer { State::Reachable } else { State::Stale };
        self.neighbours.update(sender, mac, (state, strength), false, now);
    }

    fn hear_solicitation(&mut self, asks: &Solicitation, from: HardwareAddress, now: Time) {
        if !self.addresses.contains(&asks.target.into()) || asks.source.is_unspecified() {
            return;
        }
        let creates = asks.mac.is_some() || !asks.is_multicast;
        let learned = (State::Stale, Strength::Override);
        self.neighbours.update(asks.source.into(), asks.mac, learned, creates, now);
        let says = Advertisement {
            source: asks.target,
            target: asks.target,
            mac: Some(self.mac),
            solicited: true,
            overrides: asks.is_multicast,
        };
        let to = asks.mac.unwrap_or(from);
        self.frames.push_back(says.frame(self.mac, (to, asks.source), false));
    }

    fn hear_advertisement(&mut self, says: &Advertisement, now: Time) {
        let target = says.target.into();
        // If a neighbour has failed, Linux accepts no advertisement for this neighbour.
        if self.neighbours.state(target) == Some(State::Failed) {
            return;
        }
        let state = if says.solicited { State::Reachable } else { State::Stale };
        let strength = if says.overrides { Strength::Override } else { Strength::Doubt };
        self.neighbours.update(target, says.mac, (state, strength), false, now);
    }

    /// Carries out the outputs of the neighbour table.
    fn settle(&mut self) {
        while let Some(output) = self.neighbours.poll_output() {
            match output {
                Output::Send(mac, packet) => self.frames.push_back(ip_frame(mac, self.mac, packet)),
                Output::Solicit { target, to, source } => {
                    let source = source.or_else(|| self.source(target));
                    self.frames.extend(solicitation(self.mac, source, target, to));
                }
                // A packet to an unreachable neighbour is only dropped: the link reports no error
                // to the stack.
                Output::Unreachable(packet) => self.drops.note(HostDrop::NoNeighbour, &packet),
                Output::Displaced(packet) => {
                    self.drops.note(HostDrop::NeighbourQueueFull, &packet);
                }
                Output::Changed(..) => {}
            }
        }
    }

    fn source(&self, target: IpAddr) -> Option<IpAddr> {
        let mut addresses = self.addresses.iter().copied();
        addresses.find(|&address| Family::of(address) == Family::of(target))
    }
}

/// Makes a frame that asks for the hardware address of `target`. The frame goes to the neighbour
/// `to`. If `to` is `None`, the frame goes to the whole link. Returns `None` if there is no
/// `source`, or if `source` and `target` are of different families.
pub fn solicitation(
    mac: HardwareAddress,
    source: Option<IpAddr>,
    target: IpAddr,
    to: Option<HardwareAddress>,
) -> Option<Vec<u8>> {
    match (source?, target) {
        (IpAddr::V4(source), IpAddr::V4(target)) => {
            Some(Arp::request(mac, source, target).frame(to.unwrap_or(BROADCAST)))
        }
        (IpAddr::V6(source), IpAddr::V6(target)) => {
            let is_multicast = to.is_none();
            let asks = Solicitation { source, target, mac: Some(mac), is_multicast };
            Some(asks.frame(mac, to))
        }
        _ => None,
    }
}
