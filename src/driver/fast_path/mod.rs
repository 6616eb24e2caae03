//! The fast path: programs in the kernel that repeat the router's decisions on flows.
//!
//! ```text
//!   site ── kernel ──▶ lisp0 ─┬─ encapsulate: hit ──────────────▶ port to the core
//!                             └─ miss ─▶ Router ─▶ UDP socket ──▶
//!   site ◀── kernel ── lisp0 ◀┬───────────── hit: decapsulate ─┬─ port to the core
//!                             └─ Router ◀─ UDP socket ◀─ miss ─┘
//! ```
//!
//! The router alone decides. It writes its verdict on a flow to the kernel, together with the
//! number of the present epoch. A new epoch begins when data changes on which the decisions depend.
//! A verdict of an earlier epoch is a miss, so the kernel forwards no packet by an old decision.
//! Unusual packets always go up to the router. The reasons are in [`Miss`].
//!
//! The programs of a killed router do no harm. The programs forward packets only until the time
//! [`State::until`]. While the router runs, it extends this time again and again. Linux 6.6 and
//! newer kernels remove the programs when the process ends. On an older kernel, the next router of
//! the namespace removes them.

mod flows;
mod memory;
mod shared;

use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use aya::maps::{HashMap as KernelMap, Map, MapData};
use aya::programs::tc::{NlOptions, TcAttachOptions};
use aya::programs::{LinkOrder, SchedClassifier, TcAttachType, tc};
use aya::util::KernelVersion;
use aya::{Ebpf, Pod};
use log::debug;

pub use flows::{Flows, Uncounted};
use memory::SharedArray;
pub use shared::{Flow, InboundFlow, InboundVerdict, OutboundVerdict, State};
use shared::{octets, version};

use crate::addr::Family;
use crate::driver::netlink::NextHop;
use crate::router::flow_verdicts;
use crate::router::io::{Encapsulation, LISP_DEVICE, Outer};
use crate::wire::data_header::encapsulation_len;

/// The compiled `program.c`. The script `src/driver/fast_path/build` compiles it.
static PROGRAM: &[u8] = aya::include_bytes_aligned!("program.o");

/// The time for which the programs still forward packets after the router has extended
/// [`State::until`] the last time. A running router extends it in each turn of the event loop, at
/// least once a second.
const ALIVE_FOR: Duration = Duration::from_secs(3);
/// The name of an environment variable for tests. If the variable is set, the programs are attached
/// in the same way as on a kernel before Linux 6.6.
const BY_NETLINK: &str = "EIDWAY_TC_NETLINK";
/// The first version of Linux that can attach a program with TCX. The kernel detaches such a
/// program when the process ends.
const TCX: KernelVersion = KernelVersion::new(6, 6, 0);

/// The index of the first hit counter in the array `counters`. The counters before this index count
/// the misses, one counter for each [`Miss`].
const HITS: usize = Miss::ALL.len();

/// The reason why a packet goes up to the router, in the order of `enum miss` in `program.c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Miss {
    /// The kernel has no verdict on the flow.
    NoFlow,
    /// The verdict belongs to an earlier epoch.
    OldEpoch,
    /// The flow is not handed over to the kernel, for example because an earlier packet of the flow
    /// is still on its way through the router.
    NotYet,
    /// The router has not extended the time [`State::until`], and this time is over.
    NotAlive,
    /// The packet has options or extension headers, is a fragment, or is an ICMP message other than
    /// an echo.
    OddHeader,
    /// The packet is too big for the port or the path.
    TooBig,
    /// The TTL of the packet is too small to forward the packet.
    Ttl,
    /// The combination of the outer and the inner ECN field is invalid: the packet must be dropped
    /// (RFC 6040).
    Ecn,
    /// The outer UDP header has a checksum, which only the router verifies, or an IPv4 header
    /// checksum or a length is wrong.
    Checksum,
    /// The packet is a super-packet of UDP.
    Datagrams,
    /// The kernel cannot change the packet.
    Refused,
}

impl Miss {
    /// All reasons.
    pub const ALL: [Miss; 11] = [
        Miss::NoFlow,
        Miss::OldEpoch,
        Miss::NotYet,
        Miss::NotAlive,
        Miss::OddHeader,
        Miss::TooBig,
        Miss::Ttl,
        Miss::Ecn,
        Miss::Checksum,
        Miss::Datagrams,
        Miss::Refused,
    ];
}

/// The programs in the kernel, and the maps of these programs.
#[derive(Debug)]
pub struct FastPath {
    programs: Ebpf,
    state: SharedArray<State, 1>,
    counters: SharedArray<u64, { HITS + 2 }>,
    /// The flows from the site.
    pub outbound: Flows<Flow, OutboundVerdict, flow_verdicts::OutboundFlow>,
    /// The flows from the core.
    pub inbound: Flows<InboundFlow, InboundVerdict, flow_verdicts::InboundFlow>,
    /// The devices on which packets from the core can arrive.
    ports: HashSet<String>,
    epoch: u64,
}

impl FastPath {
    /// Loads both programs, and attaches `encapsulate` to the device `lisp0`. The parameter `lisp0`
    /// is the index of this device.
    ///
    /// # Errors
    /// The kernel does not support the programs, or the process has too few privileges.
    pub fn open(lisp0: u32) -> io::Result<Self> {
        let mut programs = Ebpf::load(PROGRAM).map_err(io::Error::other)?;
        for name in ["encapsulate", "decapsulate"] {
            classifier(&mut programs, name)?.load().map_err(io::Error::other)?;
        }
        let state = shared_array(&mut programs, "state")?;
        let counters = shared_array(&mut programs, "counters")?;
        let outbound = Flows::new(
            verdicts(&mut programs, "outbound")?,
            shared_array(&mut programs, "outbound_words")?,
            shared_array(&mut programs, "outbound_uses")?,
        );
        let inbound = Flows::new(
            verdicts(&mut programs, "inbound")?,
            shared_array(&mut programs, "inbound_words")?,
            shared_array(&mut programs, "inbound_uses")?,
        );
        let ports = HashSet::new();
        let mut fast_path =
            FastPath { programs, state, counters, outbound, inbound, ports, epoch: 0 };
        fast_path.state.write(0, 2, lisp0.into());
        fast_path.attach(LISP_DEVICE, "encapsulate", TcAttachType::Egress)?;
        Ok(fast_path)
    }

    /// Attaches the program `decapsulate` to a device. From now on the program decapsulates packets
    /// that arrive on the device.
    ///
    /// # Errors
    /// The kernel does not attach the program to this device.
    pub fn watch_port(&mut self, device: &str) -> io::Result<()> {
        if !self.ports.contains(device) {
            self.attach(device, "decapsulate", TcAttachType::Ingress)?;
            self.ports.insert(device.to_owned());
        }
        Ok(())
    }

    /// Removes a device from the list of ports, after the device was removed from the machine.
    pub fn forget_port(&mut self, device: &str) {
        self.ports.remove(device);
    }

    /// The present epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Begins a new epoch. From now on the kernel forwards no packet by a verdict of an earlier
    /// epoch.
    pub fn advance_epoch(&mut self) {
        self.epoch += 1;
        self.state.write(0, 0, self.epoch);
    }

    /// Extends the time until which the programs forward packets. `now` is the present time on the
    /// monotonic clock, in nanoseconds.
    pub fn keep_alive(&self, now: u64) {
        self.state.write(0, 1, now + ALIVE_FOR.as_nanos() as u64);
    }

    /// Returns the number of packets that the kernel has encapsulated, and the number of packets
    /// that the kernel has decapsulated. A super-packet counts as one packet.
    pub fn hits(&self) -> [u64; 2] {
        [HITS, HITS + 1].map(|number| self.counters.read(number, 0))
    }

    /// Returns each reason with the number of packets that went up to the router for this reason.
    pub fn misses(&self) -> impl Iterator<Item = (Miss, u64)> {
        Miss::ALL.into_iter().zip((0..HITS).map(|number| self.counters.read(number, 0)))
    }

    fn attach(&mut self, device: &str, name: &str, at: TcAttachType) -> io::Result<()> {
        let is_old = KernelVersion::current().is_ok_and(|version| version < TCX);
        let options = if is_old || std::env::var_os(BY_NETLINK).is_some() {
            // The results are ignored. The first call fails if the qdisc exists already, and the
            // second call fails if no killed router has left a program.
            let _ = tc::qdisc_add_clsact(device);
            let _ = tc::qdisc_detach_program(device, at, name);
            TcAttachOptions::Netlink(NlOptions::default())
        } else {
            TcAttachOptions::TcxOrder(LinkOrder::default())
        };
        let program = classifier(&mut self.programs, name)?;
        program.attach_with_options(device, at, options).map_err(io::Error::other)?;
        debug!("fast path: {name} on {device}");
        Ok(())
    }
}

fn classifier<'a>(programs: &'a mut Ebpf, name: &str) -> io::Result<&'a mut SchedClassifier> {
    let program = programs.program_mut(name).ok_or(io::ErrorKind::NotFound)?;
    program.try_into().map_err(io::Error::other)
}

fn take_map(programs: &mut Ebpf, name: &str) -> io::Result<Map> {
    programs.take_map(name).ok_or(io::ErrorKind::NotFound.into())
}

fn verdicts<K: Pod, V: Pod>(
    programs: &mut Ebpf,
    name: &str,
) -> io::Result<KernelMap<MapData, K, V>> {
    KernelMap::try_from(take_map(programs, name)?).map_err(io::Error::other)
}

fn shared_array<T, const LEN: usize>(
    programs: &mut Ebpf,
    name: &str,
) -> io::Result<SharedArray<T, LEN>> {
    match take_map(programs, name)? {
        Map::Array(array) => SharedArray::map(array.fd().as_fd()),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Returns the verdict on a flow from the site, as the kernel stores it. `number` is the index of
/// the flow's counters.
pub fn outbound_verdict(
    epoch: u64,
    flow: &flow_verdicts::OutboundFlow,
    next_hop: &NextHop,
    number: u32,
) -> OutboundVerdict {
    let Encapsulation { source, destination, header, .. } = flow.encapsulation;
    let family = destination.family();
    let of_port = next_hop.mtu.saturating_sub(encapsulation_len(family));
    OutboundVerdict {
        epoch,
        outer_source: octets(source.0),
        outer_destination: octets(destination.0),
        lisp_header: header,
        largest: flow.largest.unwrap_or(u32::MAX).min(of_port),
        port: next_hop.port,
        next_hop: octets(next_hop.address),
        number,
        source_port: flow.encapsulation.source_port().to_be_bytes(),
        outer_version: version(family),
        next_hop_version: version(Family::of(next_hop.address)),
    }
}

/// Returns the key of a flow from the core in the kernel's map.
pub fn inbound_key(flow: Flow, outer: &Outer, lisp_header: [u8; 8]) -> InboundFlow {
    InboundFlow {
        flow,
        outer_source: octets(outer.source),
        outer_destination: octets(outer.destination),
        lisp_header,
        outer_version: version(Family::of(outer.source)).into(),
        reserved: 0,
    }
}

/// Returns flows for tests. Their maps are new, and no program in the kernel uses these maps.
#[cfg(test)]
fn test_flows<D: Copy>() -> io::Result<Flows<InboundFlow, InboundVerdict, D>> {
    let mut programs = Ebpf::load(PROGRAM).map_err(io::Error::other)?;
    Ok(Flows::new(
        verdicts(&mut programs, "inbound")?,
        shared_array(&mut programs, "inbound_words")?,
        shared_array(&mut programs, "inbound_uses")?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reasons_have_the_numbers_that_they_have_in_the_program() {
        let program = include_str!("program.c");
        let (_, names) = program.split_once("enum miss {").unwrap();
        let (names, _) = names.split_once("MISSES,").unwrap();
        let names = names.split(',').map(|name| name.trim().replace('_', "").to_lowercase());
        let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
        let ours = Miss::ALL.map(|miss| format!("{miss:?}").to_lowercase());
        assert_eq!(names, ours);
    }
}
