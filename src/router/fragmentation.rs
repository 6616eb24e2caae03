//! The rule that says which encapsulated packets may be fragmented (RFC 9300 section 7).
//!
//! Two values limit the size of packets. The MTU of `lisp0` is small enough for the links of this
//! router. The path MTU of a locator is small enough for the other links on the path to this
//! locator. Neither value requires a host to send packets of less than 1280 octets. If a link
//! cannot carry a packet of 1280 octets after encapsulation, the outer packet is fragmented.

use serde::{Deserialize, Serialize};

use super::config::{Config, InterfaceName};
use super::paths::Paths;
use super::rib::Rib;
use crate::addr::Rloc;
use crate::packet::IPV6_MINIMUM_MTU;
use crate::wire::data_header::encapsulation_len;

/// The smallest MTU in octets that the router reports to a host (RFC 8200 section 5).
pub(super) const SMALLEST_MTU: u32 = IPV6_MINIMUM_MTU as u32;

/// The rule that says which encapsulated packets from one RLOC may be fragmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fragmentation {
    /// No packet may be fragmented. All packets carry "don't fragment".
    Never,
    /// A packet may be fragmented if it is larger than the path MTU in the kernel of this router.
    /// The kernel fragments this packet. All other packets carry "don't fragment".
    ByPath,
    /// All packets may be fragmented. No packet carries "don't fragment".
    Always,
}

impl Fragmentation {
    /// The rule for packets from a local RLOC. The rule depends on the current links and path MTUs.
    pub(super) fn of(rloc: Rloc, config: &Config, rib: &Rib, paths: &Paths) -> Self {
        let smallest_packet = SMALLEST_MTU + encapsulation_len(rloc.family());
        if smallest_link(rloc, config, rib).is_some_and(|mtu| mtu < smallest_packet) {
            Fragmentation::Always
        } else if paths.has_mtu(rloc.family()) {
            Fragmentation::ByPath
        } else {
            Fragmentation::Never
        }
    }
}

/// The smallest MTU among the links that packets from a local RLOC can use. An RLOC on a loopback
/// can use any link. An RLOC on another interface uses the link of this interface.
fn smallest_link(rloc: Rloc, config: &Config, rib: &Rib) -> Option<u32> {
    let mtu = |name: &InterfaceName| rib.link(&name.device()).map(|link| link.mtu);
    let has_link = |name: &InterfaceName| !name.is_loopback();
    match config.interface_of(rloc.0).filter(has_link) {
        Some(own) => mtu(&own),
        None => config.interfaces.keys().filter(|name| has_link(name)).filter_map(mtu).min(),
    }
}
