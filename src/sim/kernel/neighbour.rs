//! Receives and sends Ethernet frames. Handles ARP and neighbour discovery, and sends each packet
//! to its next hop.
//!
//! The kernel acts as Linux does with the settings of `driver/netlink`. It answers an ARP request
//! for any address of the node. It answers neighbour discovery for addresses of the device only. It
//! also answers in place of a proxied host, without delay. It answers ARP in place of this host
//! only if the route to the host leads to another device. On a port for roaming hosts, the kernel
//! accepts a host that announces itself.
//!
//! The kernel notifies the process of a neighbour's state, as `driver/netlink` notifies the core.
//! It does this in two cases: the state differs from the last notified state, or the neighbour has
//! just confirmed that it is present.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::table::Flow;
use super::{Answer, DeviceId, DeviceKind, Kernel, KernelDrop, KernelOutput};
use crate::addr::Family;
use crate::host::frame::{
    Advertisement, Arp, BROADCAST, Content, Frame, HardwareAddress, Solicitation, ip_frame,
    ip_packet, is_group,
};
use crate::host::link::solicitation;
use crate::host::neighbour::{Clocks, ENTRIES, Output, State, Strength};
use crate::router::io::{KernelEvent, Mac, NeighbourState};
use crate::time::{Deadline, Time};

/// The interval at which the process checks how many entries the neighbour tables have.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

impl Kernel {
    /// Tells the process how many entries the neighbour tables have, as `driver/netlink` does. This
    /// happens at most once a second. It happens only if the number has changed and the node has a
    /// port for roaming hosts. Each simulated kernel has its own tables.
    pub(super) fn look_at_tables(&mut self) {
        let mut devices = self.devices.iter();
        // A port is for roaming hosts if its timers differ from the default timers.
        let is_mobile = devices.any(|device| device.neighbours.clocks != Clocks::default());
        if !is_mobile || self.now < self.look_at {
            return;
        }
        self.look_at = self.now + LOOK_INTERVAL;
        for (family, told) in Family::BOTH.into_iter().zip(&mut self.neighbours_told) {
            let addresses = self.devices.iter().flat_map(|device| device.neighbours.iter());
            let entries = addresses.filter(|(address, _)| Family::of(*address) == family).count();
            if std::mem::replace(told, entries) != entries {
                let (entries, limit) = (entries as u32, ENTRIES as u32);
                self.events.push_back(KernelEvent::NeighbourTable { family, entries, limit });
            }
        }
    }

    /// Sets the kernel's clock to the time of the next event.
    pub fn set_time(&mut self, now: Time) {
        self.now = now;
    }

    /// Returns the next time at which [`Kernel::handle_timeout`] has work.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        let timers = self.devices.iter().filter_map(|device| device.neighbours.poll_timeout());
        timers.min().map(|at| Deadline { at, why: "neighbours" })
    }

    /// Sends the solicitations that are due. If a neighbour did not answer the last solicitation in
    /// time, the resolution of this neighbour ends.
    pub fn handle_timeout(&mut self, now: Time) {
        self.now = now;
        for device in &mut self.devices {
            device.neighbours.handle_timeout(now);
        }
        self.settle_neighbours();
    }

    /// Receives a frame on a port.
    pub fn receive_frame(&mut self, id: DeviceId, octets: &[u8]) {
        if !self.device(id).is_running() {
            return self.count(KernelDrop::DeviceDown, ip_packet(octets));
        }
        let Some(frame) = Frame::parse(octets) else {
            return self.count(KernelDrop::NotIp, ip_packet(octets));
        };
        let is_broadcast = is_group(frame.destination);
        if frame.destination != self.device(id).mac && !is_broadcast {
            return self.count(KernelDrop::NotForUs, ip_packet(octets));
        }
        match frame.content {
            Content::Arp(arp) => self.hear_arp(id, &arp, is_broadcast),
            Content::Solicitation(asks) => self.hear_solicitation(id, &asks, frame.source),
            Content::Advertisement(says) => self.hear_advertisement(id, &says),
            Content::Ip(packet) => return self.receive(id, packet.to_vec()),
        }
        self.settle_neighbours();
    }

    /// Returns the reason why the kernel answers a neighbour that asks for the owner of the address
    /// `target`. `id` is the device whose link has this neighbour. Returns `None` if the kernel
    /// does not answer.
    pub fn answers(&self, id: DeviceId, target: IpAddr) -> Option<Answer> {
        let device = self.device(id);
        if !device.is_running() {
            return None;
        }
        let own = match target {
            IpAddr::V4(_) => self.is_local(target),
            IpAddr::V6(_) => device.owns(target),
        };
        if own {
            return Some(Answer::Own);
        }
        let is_proxied = device.proxies.contains(&target);
        if target.is_ipv6() {
            return is_proxied.then_some(Answer::Proxy);
        }
        if !device.proxy_arp && !is_proxied {
            return None;
        }
        let route = self.route(&Flow::unbound(target))?;
        let elsewhere = route.device().is_some_and(|out| out != id);
        elsewhere.then_some(Answer::Proxy)
    }

    /// Sends a packet on the link of a device to the neighbour `next_hop`.
    pub(super) fn send_to_neighbour(&mut self, id: DeviceId, next_hop: IpAddr, packet: Vec<u8>) {
        let now = self.now;
        let device = &mut self.devices[id.0];
        if !device.is_running() || device.kind == DeviceKind::Loopback {
            return self.count(KernelDrop::DeviceDown, &packet);
        }
        device.neighbours.send(next_hop, packet, now);
        self.settle_neighbours();
    }

    /// Asks a host whether it is present. If `watch` is true, asks at regular intervals.
    pub(super) fn probe(&mut self, id: DeviceId, address: IpAddr, watch: bool) {
        let now = self.now;
        let neighbours = &mut self.devices[id.0].neighbours;
        if watch {
            neighbours.watch(address, now);
        } else {
            neighbours.probe(address, now);
        }
        self.settle_neighbours();
    }

    /// Deletes a neighbour.
    pub(super) fn forget(&mut self, id: DeviceId, address: IpAddr) {
        self.devices[id.0].neighbours.forget(address);
        self.settle_neighbours();
    }

    /// Deletes all neighbours of a device, and drops the packets that wait for them. Also clears
    /// the device's list of proxied hosts. This happens, for example, if a link goes down.
    pub(super) fn flush_neighbours(&mut self, id: DeviceId) {
        let device = &mut self.devices[id.0];
        let waited = device.neighbours.flush();
        device.proxies.clear();
        for packet in waited {
            self.count(KernelDrop::LinkWentDown, &packet);
        }
        self.settle_neighbours();
    }

    /// Announces to all nodes on a link that a host is reachable through this device.
    pub(super) fn announce_host(&mut self, id: DeviceId, address: IpAddr) {
        let mac = self.device(id).mac;
        let frame = match address {
            IpAddr::V4(address) => Arp::request(mac, address, address).frame(BROADCAST),
            IpAddr::V6(address) => Advertisement::unsolicited(mac, address),
        };
        self.put(id, frame);
    }

    /// Reports all neighbours to the process.
    pub(super) fn tell_neighbours(&mut self) {
        self.told.clear();
        for at in 0..self.devices.len() {
            let neighbours = self.devices[at].neighbours.iter();
            let neighbours: Vec<(IpAddr, State)> = neighbours.collect();
            for (address, state) in neighbours {
                self.tell_neighbour(DeviceId(at), address, Some(state));
            }
        }
    }

    fn hear_arp(&mut self, id: DeviceId, arp: &Arp, is_broadcast: bool) {
        let (sender, mac, now) = (IpAddr::V4(arp.sender), Some(arp.sender_mac), self.now);
        if self.is_local(sender) {
            return;
        }
        let answered = !arp.is_reply && self.answers(id, arp.target.into()).is_some();
        let device = &mut self.devices[id.0];
        if answered {
            if arp.sender != Ipv4Addr::UNSPECIFIED {
                let learned = (State::Stale, Strength::Override);
                device.neighbours.update(sender, mac, learned, true, now);
            }
            let frame = arp.answer(device.mac).frame(arp.sender_mac);
            return self.put(id, frame);
        }
        let is_gratuitous = arp.is_gratuitous();
        let strength = match is_gratuitous {
            true => Strength::Override,
            false => device.neighbours.strength_of_answer(sender, now),
        };
        let is_answer = arp.is_reply && !is_broadcast;
        let state = if is_answer { State::Reachable } else { State::Stale };
        let creates = device.mobility && (is_gratuitous || arp.is_reply);
        device.neighbours.update(sender, mac, (state, strength), creates, now);
    }

    fn hear_solicitation(&mut self, id: DeviceId, asks: &Solicitation, from: HardwareAddress) {
        let Some(answer) = self.answers(id, asks.target.into()) else {
            return;
        };
        let now = self.now;
        let device = &mut self.devices[id.0];
        if asks.source.is_unspecified() {
            return;
        }
        let creates = asks.mac.is_some() || !asks.is_multicast;
        let learned = (State::Stale, Strength::Override);
        device.neighbours.update(asks.source.into(), asks.mac, learned, creates, now);
        let source = match answer {
            Answer::Own => asks.target,
            Answer::Proxy => device.link_local(),
        };
        let says = Advertisement {
            source,
            target: asks.target,
            mac: Some(device.mac),
            solicited: true,
            overrides: answer == Answer::Own && asks.is_multicast,
        };
        let to = (asks.mac.unwrap_or(from), asks.source);
        let frame = says.frame(device.mac, to, answer == Answer::Own);
        self.put(id, frame);
    }

    fn hear_advertisement(&mut self, id: DeviceId, says: &Advertisement) {
        let (target, now) = (IpAddr::V6(says.target), self.now);
        let device = &mut self.devices[id.0];
        // If a neighbour is in state FAILED, Linux ignores its advertisements.
        if device.owns(target) || device.neighbours.state(target) == Some(State::Failed) {
            return;
        }
        let echo_of_ours = says.mac == Some(device.mac) && device.proxies.contains(&target);
        if echo_of_ours {
            return;
        }
        let untracked = device.neighbours.state(target).is_none();
        let is_answer = says.solicited && !untracked;
        let state = if is_answer { State::Reachable } else { State::Stale };
        let strength = if says.overrides { Strength::Override } else { Strength::Doubt };
        let creates = device.mobility;
        device.neighbours.update(target, says.mac, (state, strength), creates, now);
    }

    /// Carries out the outputs of the neighbour tables.
    fn settle_neighbours(&mut self) {
        for at in 0..self.devices.len() {
            let id = DeviceId(at);
            while let Some(output) = self.devices[at].neighbours.poll_output() {
                let mac = self.devices[at].mac;
                match output {
                    Output::Send(to, packet) => self.put(id, ip_frame(to, mac, packet)),
                    Output::Solicit { target, to, source } => {
                        let source = self.solicitation_source(id, target, source);
                        if let Some(frame) = solicitation(mac, source, target, to) {
                            self.put(id, frame);
                        }
                    }
                    Output::Unreachable(packet) => self.neighbour_failed(&packet),
                    Output::Displaced(packet) => {
                        self.count(KernelDrop::NeighbourQueueFull, &packet);
                    }
                    Output::Changed(address, state) => self.tell_neighbour(id, address, state),
                }
            }
        }
    }

    /// Returns the source address of a solicitation. The first choice is the source address of the
    /// waiting packet, if this node (for IPv6: this device) has that address. For IPv6, the second
    /// choice is the device's link-local address. For IPv4, the next choices are: an address of the
    /// device in the neighbour's network, the first address of the device, the first address of any
    /// device.
    fn solicitation_source(
        &self,
        id: DeviceId,
        target: IpAddr,
        of_packet: Option<IpAddr>,
    ) -> Option<IpAddr> {
        let device = self.device(id);
        let own = of_packet.filter(|&source| match source {
            IpAddr::V4(_) => self.is_local(source),
            IpAddr::V6(_) => device.owns(source),
        });
        if own.is_some() || target.is_ipv6() {
            return own.or(Some(device.link_local().into()));
        }
        let mut near = device.addresses.iter().filter(|net| net.contains(&target));
        let near = near.next().map(ipnet::IpNet::addr);
        let of_any = || self.devices.iter().find_map(|other| other.address(Family::Ipv4));
        near.or_else(|| device.address(Family::Ipv4)).or_else(of_any)
    }

    fn put(&mut self, device: DeviceId, frame: Vec<u8>) {
        if self.device(device).is_running() {
            self.outputs.push_back(KernelOutput::Transmit { device, frame });
        }
    }

    fn tell_neighbour(&mut self, id: DeviceId, address: IpAddr, state: Option<State>) {
        let device = &self.devices[id.0];
        let told = match state {
            None | Some(State::Incomplete) => NeighbourState::Absent,
            Some(State::Failed) => NeighbourState::Failed,
            Some(_) => match device.neighbours.mac(address) {
                Some(mac) => NeighbourState::Known(Mac(mac)),
                None => NeighbourState::Absent,
            },
        };
        let before = match told {
            NeighbourState::Absent => self.told.remove(&(id, address)),
            known => self.told.insert((id, address), known),
        };
        let is_news = before.unwrap_or(NeighbourState::Absent) != told;
        if is_news || state == Some(State::Reachable) {
            let device = device.name.clone();
            self.events.push_back(KernelEvent::Neighbour { device, address, state: told });
        }
    }
}
