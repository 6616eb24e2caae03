//! The data of `show ip route` and `show ip cef`.

use std::net::IpAddr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::addr::Family;

/// The head of the routing table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RouteHead")]
pub struct Head {
    /// The family of the addresses.
    pub family: Family,
    /// The next hop of the default route, or the unspecified address if the default route has no
    /// next hop. Absent if there is no default route.
    pub last_resort: Option<IpAddr>,
    /// The number of routes in the kernel's table main. Local routes are not counted.
    pub total: usize,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteRow {
    /// The source of the route.
    pub source: RouteSource,
    /// The destination of the route.
    #[schemars(with = "String")]
    pub prefix: IpNet,
    /// The next hops. The router uses the first next hop.
    pub paths: Vec<Path>,
    /// Seconds since LISP found a host. Absent if this is not a route that LISP made to a host.
    pub uptime: Option<u64>,
    /// The network of class A, B or C that contains the destination of the route. Present only at
    /// the first route of this network, because IOS prints a line about the network above this
    /// route.
    pub network: Option<Network>,
}

/// A next hop of a route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RoutePath")]
pub struct Path {
    /// The next router. Absent if the destination is on the link.
    pub next_hop: Option<IpAddr>,
    /// The name of the interface. If the configuration does not have the interface, the name of the
    /// Linux device.
    pub interface: String,
    /// The metric of the route. The route with the smaller metric is preferred.
    pub metric: u32,
}

/// A network of class A, B or C, and its subnets in the routing table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ClassNetwork")]
pub struct Network {
    /// The network.
    #[schemars(with = "String")]
    pub prefix: IpNet,
    /// The number of subnets with a route.
    pub subnets: usize,
    /// The number of different masks among these subnets.
    pub masks: usize,
    /// The mask length of these subnets, if all of them have the same mask length.
    pub mask_len: Option<u8>,
}

/// The source of a route.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum RouteSource {
    /// An address of this router.
    Local,
    /// The network of an address of this router.
    Connected,
    /// A configured route.
    Static,
    /// A route that this router made for LISP: a route to a roaming host on a LAN of this router,
    /// or a route into the overlay.
    Lisp,
    /// A route that another program made.
    Application,
}

/// The route for one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RouteView {
    /// The address.
    pub address: IpAddr,
    /// The most specific route to the address. Absent if there is no route.
    pub route: Option<RouteRow>,
}

/// The numbers of routes of one family, by source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "RouteSummary")]
pub struct Summary {
    /// The family of the routes.
    pub family: Family,
    /// The number of routes from each source.
    pub sources: Vec<(RouteSource, usize)>,
}

/// An entry of the forwarding table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CefRow {
    /// The destination.
    #[schemars(with = "String")]
    pub prefix: IpNet,
    /// The next hop of the packets.
    pub hop: Hop,
    /// The locators of the map-cache entry, if LISP carries the packets.
    pub locators: Vec<IpAddr>,
    /// The number of packets that used the map-cache entry, and the sum of their octets.
    pub packets: Option<(u64, u64)>,
}

/// The forwarding entry for one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CefView {
    /// The address.
    pub address: IpAddr,
    /// Whether the user has asked for details.
    pub detail: bool,
    /// The entry. Absent if no route leads to the address.
    pub entry: Option<CefRow>,
}

/// The next hop of the packets for a prefix.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "CefHop")]
pub enum Hop {
    /// The router itself receives the packets.
    Receive(String),
    /// The destination is on the link of this interface.
    Attached(String),
    /// The packets go to this router, through this interface.
    Via(IpAddr, String),
    /// LISP carries the packets to a locator of the map-cache entry.
    Lisp,
    /// The packets enter the overlay. The map-cache entry has no locator, or its action is to send
    /// a Map-Request.
    NoLocator,
    /// The packets are dropped.
    Drop,
}
