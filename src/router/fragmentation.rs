//! Which encapsulated packets may be fragmented (RFC 9300 section 7).
//!
//! Two values keep packets small enough: with the MTU of `lisp0`, packets fit the router's own
//! links; with the path MTU of a locator, they fit the links behind. Neither value asks a host for
//! packets of less than 1280 octets. If a link cannot carry such a packet after encapsulation, the
//! outer packet is fragmented.

use serde::{Deserialize, Serialize};

use super::config::{Config, InterfaceKind, InterfaceName};
use super::paths::Paths;
use super::rib::Rib;
use crate::addr::Rloc;
use crate::packet::IPV6_MINIMUM_MTU;
use crate::wire::data_header::encapsulation_len;

/// The router does not ask a host for smaller packets (RFC 8200 section 5).
pub(super) const SMALLEST_MTU: u32 = IPV6_MINIMUM_MTU as u32;

/// Which encapsulated packets from an RLOC may be fragmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fragmentation {
    /// None: they carry "don't fragment".
    Never,
    /// The packets that are larger than the path MTU that the sender's kernel knows: this kernel
    /// fragments them. The others carry "don't fragment".
    ByPath,
    /// All: none carries "don't fragment".
    Always,
}

impl Fragmentation {
    /// The value for packets from a local RLOC, with the present links and paths.
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

/// The smallest MTU of the links through which packets from a local RLOC can leave. This is the
/// link of the RLOC; for an RLOC on a loopback it can be any link.
fn smallest_link(rloc: Rloc, config: &Config, rib: &Rib) -> Option<u32> {
    let mtu = |name: &InterfaceName| rib.link(&name.device()).map(|link| link.mtu);
    let is_ethernet = |name: &InterfaceName| name.kind == InterfaceKind::Ethernet;
    match config.interface_of(rloc.0).filter(is_ethernet) {
        Some(own) => mtu(&own),
        None => config.interfaces.keys().filter(|name| is_ethernet(name)).filter_map(mtu).min(),
    }
}
