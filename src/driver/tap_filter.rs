//! The filter of a tap. The filter is a program that the kernel runs for each frame, before the
//! kernel copies the frame.
//!
//! The kernel does not copy a frame that the filter rejects. So the sample of a fast flow is
//! selected by the filter, and not by the process that reads the tap. The decision depends only on
//! octets of the packet of EIDs. Encapsulated or not, the packet has the same octets on all links
//! of its path. So either the taps of all these links accept a packet, or none of these taps
//! accepts the packet (N. Duffield and M. Grossglauser: "Trajectory Sampling for Direct Traffic
//! Observation", 2001).

use socket2::SockFilter;

use super::bpf::{Is, Program, Size};
use crate::wire::data_header::DATA_HEADER_LEN;
use crate::wire::{CONTROL_PORT, DATA_PORT};

/// The maximum number of octets of a frame that are copied: the length of the longest IP packet.
pub const COPIED: u32 = 65_535;

/// The offset of the Ethernet type in a frame, and the offset of the IP header.
const ETHERTYPE: u32 = 12;
const IP: u32 = 14;
/// The offsets of three fields in an IPv4 header.
const IDENTIFICATION: u32 = 4;
const FRAGMENT: u32 = 6;
const PROTOCOL: u32 = 9;
/// The offset of the next header field in an IPv6 header, and the length of an IPv6 header.
const NEXT_HEADER: u32 = 6;
const IPV6_LEN: u32 = 40;
/// The offsets of the ports of UDP and TCP.
const PORTS: [u32; 2] = [0, 2];
/// The number of octets between the outer IP header and the packet of EIDs: the UDP header and the
/// LISP header.
const ENCAPSULATION: u32 = 8 + DATA_HEADER_LEN as u32;

const IPV4: u32 = 0x0800;
const IPV6: u32 = 0x86dd;
const TCP: u32 = 6;
const UDP: u32 = 17;
const ICMPV6: u32 = 58;
/// The bits of the fragment offset in the field at [`FRAGMENT`]. In the first fragment, these bits
/// are zero.
const FRAGMENT_OFFSET: u32 = 0x1fff;
/// The smallest and the largest ICMPv6 message type of neighbour discovery.
const ROUTER_SOLICITATION: u32 = 133;
const REDIRECT: u32 = 137;

/// Two odd factors from MurmurHash3. A multiplication by such a factor spreads the bits of a number
/// over a word.
const FACTOR: u32 = 0x85eb_ca6b;
const LAST_FACTOR: u32 = 0xc2b2_ae35;

/// The indices of words in the memory of the program. The first word is the highest hash that the
/// filter accepts. The other words are fields of the packet of EIDs: the identification, the
/// protocol, and the second and the third word after the IP header.
const LIMIT: u32 = 0;
const IDENTITY: u32 = 1;
const TRANSPORT: u32 = 2;
const SECOND: u32 = 3;
const THIRD: u32 = 4;

/// The sample of the frames that a tap accepts, for each class of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sampling {
    /// N, if the filter accepts about one packet in N of the packets from and to hosts. These
    /// packets may be encapsulated or not.
    pub hosts: u32,
    /// N, if the filter accepts about one frame in N of all other frames, which are LISP messages,
    /// ARP and neighbour discovery.
    pub control: u32,
    /// The salt of the hash. A filter with a different salt accepts different packets.
    pub salt: u32,
}

impl Sampling {
    /// The filter accepts all frames.
    pub const ALL: Sampling = Sampling { hosts: 1, control: 1, salt: 0 };

    /// Returns the filter: a program that accepts this sample of the frames.
    pub fn filter(&self) -> Vec<SockFilter> {
        let limit = |one_of: u32| u32::MAX / one_of.max(1);
        let mut program = Program::new();
        classify(&mut program, limit(self.hosts), limit(self.control));
        identify(&mut program);
        hash(&mut program, self.salt);
        program.label(Label::Compare);
        program.recall_index(LIMIT);
        program.jump_if(Is::AboveIndex, Label::Reject);
        program.end(COPIED);
        program.label(Label::Reject);
        program.end(0);
        program.assemble()
    }
}

/// The labels of the program. Each jump in the program goes to a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Ipv6,
    Ports,
    Udp,
    Native,
    Hosts,
    Control,
    Packet,
    InnerIpv6,
    Words,
    NotUdp,
    Random,
    Compare,
    Reject,
}

/// Adds instructions that find the class of the frame, and store the highest hash that the filter
/// accepts for this class. After these instructions, the index register plus [`IP`] is the offset
/// of the packet of EIDs.
fn classify(program: &mut Program<Label>, hosts: u32, control: u32) {
    program.set(control);
    program.store(LIMIT);
    program.load(Size::Half, ETHERTYPE);
    program.jump_if(Is::Equal(IPV6), Label::Ipv6);
    program.jump_unless(Is::Equal(IPV4), Label::Random);
    program.load(Size::Half, IP + FRAGMENT);
    program.jump_if(Is::AnyBit(FRAGMENT_OFFSET), Label::Native);
    program.load_header_length(IP);
    program.load(Size::Octet, IP + PROTOCOL);
    program.jump(Label::Ports);

    program.label(Label::Ipv6);
    program.set_index(IPV6_LEN);
    program.load(Size::Octet, IP + NEXT_HEADER);
    program.jump_unless(Is::Equal(ICMPV6), Label::Ports);
    program.load_indexed(Size::Octet, IP);
    program.jump_if(Is::Above(REDIRECT), Label::Native);
    program.jump_if(Is::AtLeast(ROUTER_SOLICITATION), Label::Control);
    program.jump(Label::Native);

    program.label(Label::Ports);
    program.jump_if(Is::Equal(UDP), Label::Udp);
    program.jump_unless(Is::Equal(TCP), Label::Native);
    for port in PORTS {
        program.load_indexed(Size::Half, IP + port);
        program.jump_if(Is::Equal(CONTROL_PORT.into()), Label::Control);
    }
    program.jump(Label::Native);

    program.label(Label::Udp);
    for port in PORTS {
        program.load_indexed(Size::Half, IP + port);
        program.jump_if(Is::Equal(CONTROL_PORT.into()), Label::Control);
    }
    program.jump_unless(Is::Equal(DATA_PORT.into()), Label::Native);
    program.copy_from_index();
    program.compute(libc::BPF_ADD, ENCAPSULATION);
    program.copy_to_index();
    program.jump(Label::Hosts);

    program.label(Label::Native);
    program.set_index(0);
    program.label(Label::Hosts);
    program.set(hosts);
    program.store(LIMIT);
    program.jump(Label::Packet);

    program.label(Label::Control);
    program.set_index(0);
}

/// Adds instructions that store octets of the packet of EIDs. These octets differ between packets,
/// and no router changes them. The last four of these octets are in the accumulator. If the packet
/// is too short, the filter decides at random.
fn identify(program: &mut Program<Label>) {
    program.label(Label::Packet);
    program.load_indexed(Size::Octet, IP);
    program.compute(libc::BPF_AND, 0xf0);
    program.jump_if(Is::Equal(0x60), Label::InnerIpv6);
    program.jump_unless(Is::Equal(0x40), Label::Random);
    program.load_indexed(Size::Octet, IP + PROTOCOL);
    program.store(TRANSPORT);
    program.load_indexed(Size::Half, IP + IDENTIFICATION);
    program.store(IDENTITY);
    program.load_indexed(Size::Octet, IP);
    program.compute(libc::BPF_AND, 0x0f);
    program.compute(libc::BPF_LSH, 2);
    program.compute_with_index(libc::BPF_ADD);
    program.copy_to_index();
    program.jump(Label::Words);

    program.label(Label::InnerIpv6);
    program.load_indexed(Size::Octet, IP + NEXT_HEADER);
    program.store(TRANSPORT);
    program.set(0);
    program.store(IDENTITY);
    program.copy_from_index();
    program.compute(libc::BPF_ADD, IPV6_LEN);
    program.copy_to_index();

    // The second word after the IP header contains the sequence number of TCP or of an ICMP echo
    // message. In UDP, the third and the fourth word are the start of the data. Many programs write
    // a sequence number there.
    program.label(Label::Words);
    program.load_length();
    program.compute_with_index(libc::BPF_SUB);
    program.jump_unless(Is::AtLeast(IP + 16), Label::Random);
    program.load_indexed(Size::Word, IP + 8);
    program.store(THIRD);
    program.load_indexed(Size::Word, IP + 4);
    program.store(SECOND);
    program.recall(TRANSPORT);
    program.jump_unless(Is::Equal(UDP), Label::NotUdp);
    // The UDP checksum is not used, because a kernel may compute it after the tap has copied the
    // frame.
    program.recall(SECOND);
    program.compute(libc::BPF_AND, 0xffff_0000);
    program.store(SECOND);
    program.label(Label::NotUdp);
    program.load_indexed(Size::Word, IP + 12);
}

/// Adds instructions that compute the hash of the stored octets.
fn hash(program: &mut Program<Label>, salt: u32) {
    program.compute(libc::BPF_XOR, salt);
    for place in [THIRD, SECOND, IDENTITY] {
        program.compute(libc::BPF_MUL, FACTOR);
        program.recall_index(place);
        program.compute_with_index(libc::BPF_XOR);
    }
    for factor in [FACTOR, LAST_FACTOR] {
        program.copy_to_index();
        program.compute(libc::BPF_RSH, 15);
        program.compute_with_index(libc::BPF_XOR);
        program.compute(libc::BPF_MUL, factor);
    }
    program.copy_to_index();
    program.compute(libc::BPF_RSH, 16);
    program.compute_with_index(libc::BPF_XOR);
    program.jump(Label::Compare);
    program.label(Label::Random);
    program.load_random();
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use etherparse::PacketBuilder;
    use socket2::SockRef;

    use super::*;

    /// Sends frames through the filter. Returns for each frame whether the filter accepts it. The
    /// kernel filters the datagrams of a Unix socket in the same way as frames.
    fn accepted(sampling: Sampling, frames: &[Vec<u8>]) -> Vec<bool> {
        let (sender, receiver) = UnixDatagram::pair().unwrap();
        SockRef::from(&receiver).attach_filter(&sampling.filter()).unwrap();
        receiver.set_nonblocking(true).unwrap();
        let mut buffer = vec![0; 2048];
        let mut arrives = |frame: &Vec<u8>| {
            // If the filter rejects a datagram, `send` returns an error.
            let _ = sender.send(frame);
            match receiver.recv(&mut buffer) {
                Ok(len) => {
                    assert_eq!(&buffer[..len], frame, "the frame is whole");
                    true
                }
                Err(_) => false,
            }
        };
        frames.iter().map(&mut arrives).collect()
    }

    fn frame(ethertype: u32, packet: &[u8]) -> Vec<u8> {
        let mut frame = vec![0; 12];
        frame.extend((ethertype as u16).to_be_bytes());
        frame.extend(packet);
        frame
    }

    type Step = etherparse::PacketBuilderStep<etherparse::IpHeaders>;

    fn ipv4(ttl: u8) -> Step {
        PacketBuilder::ipv4([172, 16, 0, 12], [192, 168, 0, 22], ttl)
    }

    fn ipv6(hop_limit: u8) -> Step {
        PacketBuilder::ipv6([0xfd; 16], [0xfe; 16], hop_limit)
    }

    fn udp(ip: Step, source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        ip.udp(source, destination).write(&mut packet, payload).unwrap();
        packet
    }

    fn framed(packet: &[u8]) -> Vec<u8> {
        frame(if packet[0] >> 4 == 4 { IPV4 } else { IPV6 }, packet)
    }

    fn encapsulated(outer: Step, inner: &[u8]) -> Vec<u8> {
        framed(&udp(outer, 0xc123, DATA_PORT, &[&[0; 8][..], inner].concat()))
    }

    const NO_HOSTS: Sampling = Sampling { hosts: u32::MAX, ..Sampling::ALL };
    const NO_CONTROL: Sampling = Sampling { control: u32::MAX, ..Sampling::ALL };

    #[test]
    fn each_class_has_its_own_share() {
        let payload = [7; 32];
        let mut icmp = Vec::new();
        ipv4(64).icmpv4_echo_request(1, 2).write(&mut icmp, &payload).unwrap();
        let mut tcp = Vec::new();
        ipv4(64).tcp(CONTROL_PORT, 4000, 1, 1).write(&mut tcp, &payload).unwrap();
        let mut solicitation = Vec::new();
        let icmpv6 = ipv6(255).icmpv6_raw(135, 0, [0; 4]);
        icmpv6.write(&mut solicitation, &payload).unwrap();
        let mut echo6 = Vec::new();
        ipv6(64).icmpv6_echo_request(1, 2).write(&mut echo6, &payload).unwrap();
        let hosts = [
            framed(&icmp),
            framed(&echo6),
            framed(&udp(ipv4(64), 1, 2, &payload)),
            framed(&udp(ipv6(64), 1, 2, &payload)),
            encapsulated(ipv4(64), &icmp),
            encapsulated(ipv6(64), &echo6),
        ];
        let control = [
            frame(0x0806, &[0; 28]),
            framed(&udp(ipv4(64), CONTROL_PORT, 2, &payload)),
            framed(&udp(ipv6(64), 2, CONTROL_PORT, &payload)),
            framed(&tcp),
            framed(&solicitation),
        ];
        for (frames, none) in [(&hosts[..], NO_HOSTS), (&control[..], NO_CONTROL)] {
            assert_eq!(accepted(Sampling::ALL, frames), vec![true; frames.len()]);
            assert_eq!(accepted(none, frames), vec![false; frames.len()]);
        }
        assert_eq!(accepted(NO_HOSTS, &control), vec![true; control.len()]);
        assert_eq!(accepted(NO_CONTROL, &hosts), vec![true; hosts.len()]);
    }

    #[test]
    fn a_packet_is_accepted_on_all_its_links_or_on_none() {
        let sampling = Sampling { hosts: 8, salt: 5, ..Sampling::ALL };
        let forms = |of: &dyn Fn(u8) -> Vec<u8>| {
            let mut late_checksum = of(62);
            let checksum_at = if late_checksum[0] >> 4 == 4 { 26 } else { 46 };
            late_checksum[checksum_at] ^= 0xff;
            [
                framed(&of(64)),
                framed(&late_checksum),
                encapsulated(ipv4(64), &of(63)),
                encapsulated(ipv6(17), &of(62)),
            ]
        };
        let mut some = [0, 0];
        for number in 0..400_u64 {
            let payload = [number.to_be_bytes(), [0; 8]].concat();
            for (family, ip) in [ipv4 as fn(u8) -> Step, ipv6].into_iter().enumerate() {
                let of = |ttl| udp(ip(ttl), 1, 2, &payload);
                let all = accepted(sampling, &forms(&of));
                assert!(all.iter().all(|one| *one == all[0]), "{number}: {all:?}");
                some[family] += usize::from(all[0]);
            }
        }
        // In each family, about 50 of the 400 packets are accepted.
        assert!(some.iter().all(|count| (20..=90).contains(count)), "{some:?}");
    }

    #[test]
    fn the_share_holds_for_sequence_numbers_of_all_forms() {
        let share = |frames: &[Vec<u8>], hosts: u32| {
            let sampling = Sampling { hosts, ..Sampling::ALL };
            accepted(sampling, frames).into_iter().filter(|one| *one).count()
        };
        let numbered = |payload: &dyn Fn(u64) -> Vec<u8>| {
            let frames = (0..4096).map(|number| framed(&udp(ipv4(64), 1, 2, &payload(number))));
            frames.collect::<Vec<_>>()
        };
        let echos: Vec<Vec<u8>> = (0..4096)
            .map(|seq| {
                let mut packet = Vec::new();
                ipv6(64).icmpv6_echo_request(1, seq).write(&mut packet, &[0; 56]).unwrap();
                framed(&packet)
            })
            .collect();
        for frames in [
            numbered(&|number| number.to_be_bytes().to_vec()),
            numbered(&|number| number.to_le_bytes().to_vec()),
            // A payload of 4 octets is too short, so the filter decides at random.
            numbered(&|_| vec![0; 4]),
            echos,
        ] {
            assert_eq!(share(&frames, 1), frames.len());
            for (one_of, expected) in [(4, 700..=1400), (64, 32..=110)] {
                let count = share(&frames, one_of);
                assert!(expected.contains(&count), "1 of {one_of}: {count}");
            }
        }
    }

    #[test]
    fn another_salt_selects_other_packets_and_a_short_frame_is_no_harm() {
        let packet = |number: u64| framed(&udp(ipv4(64), 1, 2, &number.to_be_bytes()));
        let frames: Vec<Vec<u8>> = (0..256).map(packet).collect();
        let chosen = |salt| accepted(Sampling { hosts: 4, salt, ..Sampling::ALL }, &frames);
        assert_eq!(chosen(1), chosen(1));
        assert_ne!(chosen(1), chosen(2));
        let whole = encapsulated(ipv6(64), &udp(ipv4(64), 1, 2, &[1; 16]));
        for len in 14..whole.len() {
            accepted(Sampling::ALL, &[whole[..len].to_vec()]);
        }
    }
}
