//! The structures that the router shares with the programs in the kernel. `program.c` has the same
//! structures in C.

#![allow(unsafe_code, reason = "the marker for plain data that aya requires is an unsafe trait")]

use std::net::IpAddr;

use crate::addr::Family;
use crate::packet::UnverifiedFlow;

/// The maximum number of flows in each direction.
pub const FLOWS: usize = 4096;
/// The number of words in each direction. Each flow has one word, and several flows can have the
/// same word. A word is 64 bits: [`INSTALLED`], 31 bits of the flow's hash, and [`COUNT`].
pub const PLACES: usize = 16384;

/// The bit of a word that is set while the kernel forwards the flow.
pub const INSTALLED: u64 = 1 << 63;
/// The bits of a word that contain the number of packets that went up to the router.
pub const COUNT: u64 = 0xffff_ffff;

/// An address in network order. An IPv4 address is in the first four octets, and the other octets
/// are zero.
pub type Octets = [u8; 16];

/// Returns the octets of an address.
pub fn octets(address: IpAddr) -> Octets {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            [a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        }
        IpAddr::V6(address) => address.octets(),
    }
}

/// Returns the version of the Internet Protocol: 4 or 6.
pub fn version(family: Family) -> u8 {
    match family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 6,
    }
}

/// A flow of packets between two EIDs.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    source: Octets,
    destination: Octets,
    hash: u32,
    family: u32,
}

impl Flow {
    /// Returns the key of the flow to which a packet belongs.
    pub fn of(flow: &UnverifiedFlow) -> Self {
        Flow {
            source: octets(flow.source),
            destination: octets(flow.destination),
            hash: flow.flow_hash,
            family: version(Family::of(flow.source)).into(),
        }
    }

    /// Returns the index of the word that counts the packets of the flow. Several flows can have
    /// the same word.
    pub fn place(&self) -> usize {
        (self.hash >> 4) as usize % PLACES
    }

    /// Returns the value of the flow's word while the kernel forwards the flow. The bits of `COUNT`
    /// are zero in this value.
    pub fn installed(&self) -> u64 {
        INSTALLED | u64::from(self.hash & 0x7fff_ffff) << 32
    }
}

impl AsRef<Flow> for Flow {
    fn as_ref(&self) -> &Flow {
        self
    }
}

impl AsRef<Flow> for InboundFlow {
    fn as_ref(&self) -> &Flow {
        &self.flow
    }
}

/// The verdict on a flow from the site: the data with which the kernel encapsulates its packets.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutboundVerdict {
    /// The epoch in which the verdict is valid.
    pub epoch: u64,
    /// The local RLOC.
    pub outer_source: Octets,
    /// The remote RLOC.
    pub outer_destination: Octets,
    /// The LISP header.
    pub lisp_header: [u8; 8],
    /// The maximum size of a packet in octets, without the outer headers.
    pub largest: u32,
    /// The index of the device through which the packets leave to the core.
    pub port: u32,
    /// The address of the next router, or the remote RLOC if this RLOC is on the link.
    pub next_hop: Octets,
    /// The index of the flow's [`Use`].
    pub number: u32,
    /// The outer source port in network order.
    pub source_port: [u8; 2],
    /// The IP version of the outer header: 4 or 6.
    pub outer_version: u8,
    /// The IP version of the address `next_hop`: 4 or 6.
    pub next_hop_version: u8,
}

/// The key of a flow from the core: the flow, its outer addresses and its LISP header.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InboundFlow {
    /// The flow.
    pub flow: Flow,
    /// The RLOC of the encapsulator.
    pub outer_source: Octets,
    /// The local RLOC.
    pub outer_destination: Octets,
    /// The LISP header.
    pub lisp_header: [u8; 8],
    /// The IP version of the outer header: 4 or 6.
    pub outer_version: u32,
    /// Zero.
    pub reserved: u32,
}

/// The verdict on a flow from the core: the kernel may decapsulate its packets.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InboundVerdict {
    /// The epoch in which the verdict is valid.
    pub epoch: u64,
    /// The index of the flow's [`Use`].
    pub number: u32,
    /// Zero.
    pub reserved: u32,
}

/// The number of packets and octets that the kernel has forwarded in a flow. These numbers never
/// decrease.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// The number of packets on the wire. A super-packet counts as the number of its segments.
    pub packets: u64,
    /// The number of octets in these packets, including the inner IP headers.
    pub octets: u64,
    /// The time of the last packet on the monotonic clock, in nanoseconds.
    pub last: u64,
}

/// The state of the router that the programs in the kernel read.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The present epoch. A verdict of another epoch is not valid.
    pub epoch: u64,
    /// The time until which the verdicts are valid, on the monotonic clock in nanoseconds.
    pub until: u64,
    /// The index of the device `lisp0`.
    pub lisp0: u32,
    /// Zero.
    pub reserved: u32,
}

// SAFETY: these types have no padding and no pointers, and each pattern of bits is a valid value.
unsafe impl aya::Pod for Flow {}
// SAFETY: as above.
unsafe impl aya::Pod for OutboundVerdict {}
// SAFETY: as above.
unsafe impl aya::Pod for InboundFlow {}
// SAFETY: as above.
unsafe impl aya::Pod for InboundVerdict {}

const _: () = {
    assert!(size_of::<Flow>() == 40);
    assert!(size_of::<OutboundVerdict>() == 8 + 32 + 8 + 8 + 16 + 8);
    assert!(size_of::<InboundFlow>() == 40 + 32 + 8 + 8);
    assert!(size_of::<InboundVerdict>() == 16);
    assert!(size_of::<Use>() == 24);
    assert!(size_of::<State>() == 24);
};
