//! The static routes of a configuration.

use std::net::IpAddr;

use ipnet::IpNet;

use super::interface_name::InterfaceName;

/// `ip route PREFIX MASK [INTERFACE] TARGET [DISTANCE] [tag TAG] [name NAME]`. The sort order of
/// the routes is the order in which the router prefers them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StaticRoute {
    /// The destination prefix. The bits after its prefix length are zero.
    pub prefix: IpNet,
    /// The administrative distance, 1 to 255. Of several routes for a prefix, the route with the
    /// smallest distance is used while its link is up.
    pub distance: u8,
    /// The target of the route.
    pub target: StaticTarget,
    /// The interface before the next hop in the configuration line. The kernel finds the interface
    /// of the next hop itself, so this interface is only printed.
    pub interface: Option<InterfaceName>,
    /// `tag TAG`, a number for routing protocols. It is only printed.
    pub tag: Option<u32>,
    /// `name NAME`, a remark. It is only printed.
    pub name: Option<String>,
}

impl StaticRoute {
    /// The administrative distance of a route if the line has none.
    pub const DISTANCE: u8 = 1;

    /// A route without options.
    pub fn new(prefix: IpNet, target: StaticTarget) -> Self {
        let distance = Self::DISTANCE;
        StaticRoute { prefix, distance, target, interface: None, tag: None, name: None }
    }
}

/// The target of a static route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StaticTarget {
    /// A router on a connected network.
    NextHop(IpAddr),
    /// All addresses of the prefix are on the link of this interface.
    Interface(InterfaceName),
    /// `Null0`: the kernel drops the packets.
    Null,
}
