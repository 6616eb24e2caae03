//! The data path: packets between `lisp0` and the data sockets.
//!
//! In both directions, the loop reads a limited number of packets into one buffer, the arena. The
//! router decides on each packet in the arena, and the packet is sent from the arena. Each socket
//! has a queue for its encapsulated packets. A packet to `lisp0` may be joined with other packets
//! of the same flow. The loop overwrites the arena only after it has sent all packets in the arena.

use std::io::{self, IoSlice};
use std::ops::Range;

use log::trace;

use super::EventLoop;
use crate::addr::InstanceId;
use crate::driver::faults::Faults;
use crate::driver::offload::coalesce::{Coalescer, Joined};
use crate::driver::offload::segment::Segments;
use crate::driver::offload::unfinished;
use crate::driver::offload::vnet_header::VnetHeader;
use crate::driver::tun::{READ_LEN, Tun};
use crate::driver::udp::DataHeader;
use crate::packet::{OwnedPacket, Packet};
use crate::router::Router;
use crate::router::io::{Device, Encapsulation, Inbound, Input, Outbound};
use crate::time::Time;
use crate::wire::data_header::DATA_HEADER_LEN;

/// The maximum number of reads of one source in one turn of the loop.
const READS_A_TURN: usize = 64;
/// The length in octets of the arena, the buffer for packets. The arena has space for four packets
/// of the maximum size. A larger arena would not fit into the processor's cache.
const ARENA_LEN: usize = 4 * READ_LEN;
/// The name for a write to `lisp0` in the counters of faults.
const WRITING: &str = "writing lisp0";

/// The buffers of the data path.
#[derive(Debug)]
pub struct DataPath {
    arena: Box<[u8]>,
    /// The offset of the first free octet of the arena.
    free: usize,
    coalescer: Coalescer,
}

impl DataPath {
    /// Creates the buffers. `joins_udp` is true if `lisp0` also accepts super-packets of UDP. A
    /// super-packet is joined from several packets.
    pub fn new(joins_udp: bool) -> Self {
        DataPath {
            arena: vec![0; ARENA_LEN].into_boxed_slice(),
            free: 0,
            coalescer: Coalescer::new(joins_udp),
        }
    }

    /// Returns the octets of the datagram or packet at the positions `range` of the arena.
    pub fn datagram(&mut self, range: Range<usize>) -> &mut [u8] {
        &mut self.arena[range]
    }

    fn is_full(&self) -> bool {
        self.arena.len() - self.free < READ_LEN
    }
}

impl Default for DataPath {
    fn default() -> Self {
        DataPath::new(false)
    }
}

impl EventLoop {
    pub(super) fn serve_tun(&mut self) -> bool {
        let more = self.read_tun();
        self.flush_to_core();
        if !more {
            self.hand_over_outbound();
        }
        match self.tun {
            Some(_) => more,
            None => {
                self.lose_tunnel();
                false
            }
        }
    }

    fn read_tun(&mut self) -> bool {
        let now = self.clock.now();
        let carried = self.router.config().instance_behind(Device::Lisp);
        let Some(instance_id) = carried else { return false };
        for _ in 0..READS_A_TURN {
            if self.data_path.is_full() {
                self.flush_to_core();
            }
            let Some(tun) = &self.tun else { return false };
            let DataPath { arena, free, .. } = &mut self.data_path;
            let mut packet = match tun.receive(&mut arena[*free..]) {
                Ok(packet) => packet,
                Err(error) if error.raw_os_error() == Some(libc::EBADFD) => {
                    self.tun = None;
                    return false;
                }
                Err(error) => return self.faults.end_of_reading("reading lisp0", &error),
            };
            self.spin.packet_came(now);
            let start = *free + tun.headroom();
            let range = start..start + packet.bytes.len();
            let offer = self.fast_path.came_from_site(packet.bytes);
            let verdict = self.router.encapsulate(instance_id, &mut packet, now);
            trace!("lisp0: {} octets: {verdict}", range.len());
            let segment_size = packet.segment_size;
            match verdict {
                Outbound::Encapsulate(wrap) => {
                    *free = range.end;
                    match self.udp.of_mut(wrap.source.0) {
                        Some(sockets) => {
                            sockets.queue(&wrap, arena, range, segment_size, &mut self.faults);
                            if sockets.permits_fast_path()
                                && let Some(offer) = offer
                            {
                                self.fast_path.offer_outbound(offer);
                            }
                        }
                        None => no_sockets(&mut self.faults),
                    }
                }
                Outbound::Native => {
                    let sent = tun.send(&packet);
                    self.faults.count_if(WRITING, sent);
                }
                Outbound::Held | Outbound::Dropped(_) => {}
            }
            self.carry_out_outputs();
        }
        true
    }

    /// Sends the router the events about the paths to locators. The driver noticed these events
    /// when it sent packets.
    pub(super) fn tell_of_paths(&mut self, now: Time) {
        for event in self.faults.take_paths() {
            self.router.handle(Input::Path(event), now);
            self.carry_out_outputs();
        }
    }

    fn flush_to_core(&mut self) {
        self.udp.flush(&self.data_path.arena, &mut self.faults);
        self.data_path.free = 0;
    }

    pub(super) fn serve_data(&mut self, slot: usize) -> bool {
        let more = self.read_data(slot);
        self.flush_to_kernel();
        if !more {
            self.hand_over_inbound(slot);
        }
        more
    }

    fn read_data(&mut self, slot: usize) -> bool {
        for _ in 0..READS_A_TURN {
            if self.data_path.is_full() {
                self.flush_to_kernel();
            }
            let Some(sockets) = self.udp.slot(slot) else {
                return false;
            };
            let start = self.data_path.free;
            let header = match sockets.receive_data(&mut self.data_path.arena[start..]) {
                Ok(header) => header,
                Err(error) => return self.faults.end_of_reading("reading port 4341", &error),
            };
            self.data_path.free += header.len;
            self.take_datagrams(start, &header);
        }
        true
    }

    /// Lets the router decide on one or more datagrams that one read has returned. The first
    /// datagram begins at `start` in the arena.
    fn take_datagrams(&mut self, start: usize, header: &DataHeader) {
        let now = self.clock.now();
        self.spin.packet_came(now);
        let end = start + header.len;
        let mut at = start;
        loop {
            let range = at..end.min(at + header.segment_size);
            at = range.end;
            let mut datagram = Packet::single(&mut self.data_path.arena[range.clone()]);
            let offer = self.fast_path.came_from_core(&header.outer, datagram.bytes);
            let verdict = self.router.decapsulate(&header.outer, &mut datagram, now);
            trace!("{}: {} octets: {verdict}", header.outer.source, range.len());
            let inner = |len: usize| {
                let start = range.start + DATA_HEADER_LEN;
                start..start + len
            };
            match verdict {
                Inbound::Deliver { instance_id, len } => {
                    if let Some(offer) = offer {
                        self.offer_inbound(offer, &header.outer, range.clone(), now);
                    }
                    self.deliver(instance_id, inner(len));
                }
                Inbound::Forward { encapsulation, len } => self.forward(&encapsulation, inner(len)),
                Inbound::Held | Inbound::Dropped(_) => {}
            }
            self.carry_out_outputs();
            // The loop ends here and not at its top, so that the router also counts an empty
            // datagram.
            if at >= end {
                break;
            }
        }
    }

    /// Writes a packet from the arena to `lisp0`, if `lisp0` carries the instance `instance_id`. If
    /// `lisp0` has offload, the coalescer may first join the packet with other packets.
    fn deliver(&mut self, instance_id: InstanceId, range: Range<usize>) {
        let Some(tun) = tun_of(&self.tun, &self.router, instance_id) else {
            return self.faults.count(WRITING, &io::ErrorKind::NotConnected.into());
        };
        let (DataPath { arena, coalescer, .. }, faults) = (&mut self.data_path, &mut self.faults);
        let segment_size = unfinished::finish(&mut arena[range.clone()]);
        if segment_size.is_some() {
            // The earlier packets are written before this super-packet.
            coalescer.flush(arena, |arena, joined| write(tun, arena, &joined, faults));
            let packet = Packet { bytes: &mut arena[range], segment_size };
            return faults.count_if(WRITING, send_super_packet(tun, &packet));
        }
        if tun.has_offload() {
            coalescer.push(arena, range, |arena, joined| write(tun, arena, &joined, faults));
        } else {
            faults.count_if(WRITING, tun.send(&Packet::single(&mut arena[range])));
        }
    }

    fn flush_to_kernel(&mut self) {
        let (DataPath { arena, coalescer, free }, faults) = (&mut self.data_path, &mut self.faults);
        if let Some(tun) = &self.tun {
            coalescer.flush(arena, |arena, joined| write(tun, arena, &joined, faults));
        }
        *free = 0;
    }

    /// Encapsulates a packet from the arena and sends it to the RLOC to which the packet's
    /// destination EID has moved.
    fn forward(&mut self, wrap: &Encapsulation, range: Range<usize>) {
        let packet = Packet::single(&mut self.data_path.arena[range]);
        match self.udp.of_mut(wrap.source.0) {
            Some(sockets) => sockets.send_data(wrap, &packet, &mut self.faults),
            None => no_sockets(&mut self.faults),
        }
    }

    /// Sends a packet that the router held until the router had a mapping. Before this packet,
    /// sends all queued packets.
    pub(super) fn send_held(&mut self, wrap: &Encapsulation, packet: &mut OwnedPacket) {
        self.udp.flush(&self.data_path.arena, &mut self.faults);
        match self.udp.of_mut(wrap.source.0) {
            Some(sockets) => sockets.send_data(wrap, &packet.borrow(), &mut self.faults),
            None => no_sockets(&mut self.faults),
        }
    }

    /// Writes a packet that the router has held until now to `lisp0`, if `lisp0` carries the
    /// instance `instance_id`.
    pub(super) fn write_held(&mut self, instance_id: InstanceId, packet: &mut OwnedPacket) {
        let sent = match tun_of(&self.tun, &self.router, instance_id) {
            Some(tun) => tun.send(&packet.borrow()),
            None => Err(io::ErrorKind::NotConnected.into()),
        };
        self.faults.count_if(WRITING, sent);
    }
}

fn no_sockets(faults: &mut Faults) {
    faults.count("sending an encapsulated packet", &io::ErrorKind::AddrNotAvailable.into());
}

/// Sends a super-packet, in segments if `lisp0` has no offload.
fn send_super_packet(tun: &Tun, packet: &Packet<'_>) -> io::Result<()> {
    let segments = packet.segment_size.and_then(|size| Segments::of(packet.bytes, size));
    let Some(segments) = segments.filter(|_| !tun.has_offload()) else { return tun.send(packet) };
    for index in 0..segments.count() {
        let mut segment = Vec::new();
        segments.write_header(index, &mut segment);
        segment.extend_from_slice(&packet.bytes[segments.payload(index)]);
        tun.send(&Packet::single(&mut segment))?;
    }
    Ok(())
}

fn tun_of<'a>(tun: &'a Option<Tun>, router: &Router, instance_id: InstanceId) -> Option<&'a Tun> {
    let carried = router.config().instance_behind(Device::Lisp);
    tun.as_ref().filter(|_| carried == Some(instance_id))
}

/// Writes a joined packet from the arena without copying it.
fn write(tun: &Tun, arena: &mut [u8], joined: &Joined<'_>, faults: &mut Faults) {
    let first = &arena[joined.first.clone()];
    let header = joined.segment_size.and_then(|size| VnetHeader::of_super_packet(first, size));
    let header = header.unwrap_or_default().emit();
    // One part is for the header, one part is for the first segment, and 64 parts are for the other
    // segments.
    let mut parts = [IoSlice::new(&[]); 66];
    parts[0] = IoSlice::new(&header);
    parts[1] = IoSlice::new(first);
    for (part, range) in parts[2..].iter_mut().zip(joined.rest) {
        *part = IoSlice::new(&arena[range.clone()]);
    }
    faults.count_if(WRITING, tun.send_parts(&mut parts[..2 + joined.rest.len()]));
}
