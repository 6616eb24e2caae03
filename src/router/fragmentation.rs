//! Which encapsulated packets may be fragmented (RFC 9300 section 7).
//!
//! The MTU of `lisp0` keeps packets so small that the router's own links take them whole, and the path
//! MTU of a locator keeps them so small that the links behind do. Neither asks a host for packets of
//! less than 1280 octets: where a link takes less than these encapsulated, the outer packet is
//! fragmented.

use serde::{Deserialize, Serialize};

use super::config::{Config, InterfaceKind, InterfaceName};
use super::paths::Paths;
use super::rib::Rib;
use crate::addr::Rloc;
use crate::packet::IPV6_MINIMUM_MTU;
use crate::wire::data_header::encapsulation_len;

/// No host is asked for smaller packets (RFC 8200 section 5).
pub(super) const SMALLEST_MTU: u32 = IPV6_MINIMUM_MTU as u32;

/// Which encapsulated packets of an RLOC may be fragmented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Fragmentation {
    /// None: they carry "don't fragment".
    Never,
    /// The sender's kernel fragments those that are larger than the MTU that it knows of their path;
    /// the others carry "don't fragment".
    ByPath,
    /// All: none carries "don't fragment".
    Always,
}

impl Fragmentation {
    /// That of packets from a local RLOC, as links and paths are.
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

/// The MTU of the smallest link that packets of a local RLOC can leave by: that of the RLOC, or any for
/// an RLOC on a loopback.
fn smallest_link(rloc: Rloc, config: &Config, rib: &Rib) -> Option<u32> {
    let mtu = |name: &InterfaceName| rib.link(&name.device()).map(|link| link.mtu);
    let is_ethernet = |name: &InterfaceName| name.kind == InterfaceKind::Ethernet;
    match config.interface_of(rloc.0).filter(is_ethernet) {
        Some(own) => mtu(&own),
        None => config.interfaces.keys().filter(|name| is_ethernet(name)).filter_map(mtu).min(),
    }
}
