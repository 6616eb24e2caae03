//! Decodes netlink messages about links and routes into the types of the core.

use std::ffi::CStr;
use std::net::IpAddr;

use ipnet::IpNet;
use netlink_bindings::rt_route::{IterableRouteAttrs, OpNewrouteDo, RouteAttrs, Rtmsg};
use netlink_bindings::{rt_link, rt_rule};

use super::socket::Message;
use crate::addr::{Family, is_link_local};
use crate::router::io::{KernelRoute, Mac};

/// A link as the kernel describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// The name of the Linux device.
    pub device: String,
    /// Whether the link is administratively up.
    pub up: bool,
    /// Whether the link has a carrier: its other end is up.
    pub carrier: bool,
    /// The MTU in octets.
    pub mtu: u32,
}

/// Decodes `RTM_NEWLINK` or `RTM_DELLINK` into the index and the state of a device.
///
/// Returns `None` if the message is not about a link itself. A bridge reports its ports with
/// messages of the same type, and these messages are ignored.
pub fn decode_link(message: &Message<'_>) -> Option<(u32, LinkState)> {
    let (header, attributes) = rt_link::OpNewlinkDo::decode_request(message.payload);
    if i32::from(header.ifi_family) != libc::AF_UNSPEC {
        return None;
    }
    let flag = |bit: i32| header.ifi_flags & bit as u32 != 0;
    let state = LinkState {
        device: text(attributes.get_ifname().ok()?),
        up: flag(libc::IFF_UP),
        carrier: flag(libc::IFF_LOWER_UP),
        mtu: attributes.get_mtu().unwrap_or(0),
    };
    Some((u32::try_from(header.ifi_index).ok()?, state))
}

/// The settings of a link that the router can change, as the kernel describes them.
#[derive(Clone, Debug)]
pub struct LinkDetail {
    /// The name of the Linux device.
    pub device: String,
    /// Whether the link is administratively up.
    pub up: bool,
    /// The MTU in octets.
    pub mtu: u32,
    /// The hardware address. `lisp0` has no hardware address.
    pub mac: Option<Mac>,
    /// The device group.
    pub group: u32,
    /// The maximum number of packets that can wait in the send queue.
    pub queue_len: u32,
    /// The link's settings for IPv4 and IPv6, in the kernel's format.
    pub settings: Vec<u8>,
}

/// Decodes `RTM_NEWLINK` or `RTM_DELLINK` into the index and the settings of a link.
pub fn decode_detail(message: &Message<'_>) -> Option<(u32, LinkDetail)> {
    let (index, LinkState { device, up, mtu, .. }) = decode_link(message)?;
    let (_, attributes) = rt_link::OpNewlinkDo::decode_request(message.payload);
    let mac = attributes.get_address().ok().and_then(|mac| mac.try_into().ok()).map(Mac);
    let group = attributes.get_group().unwrap_or(0);
    let queue_len = attributes.get_txqlen().unwrap_or(0);
    let families = attributes.get_af_spec();
    let conf = |octets: Result<&[u8], _>| octets.unwrap_or_default().to_vec();
    let settings = families.map_or_else(
        |_| Vec::new(),
        |families| {
            let ipv4 = families.get_inet().and_then(|ipv4| ipv4.get_conf());
            let ipv6 = families.get_inet6().and_then(|ipv6| ipv6.get_conf());
            [conf(ipv4), conf(ipv6)].concat()
        },
    );
    Some((index, LinkDetail { device, up, mtu, mac, group, queue_len, settings }))
}

/// A route as the kernel describes it.
#[derive(Debug)]
pub struct RouteState<'a> {
    header: Rtmsg,
    attributes: IterableRouteAttrs<'a>,
}

impl<'a> RouteState<'a> {
    /// Decodes `RTM_NEWROUTE` or `RTM_DELROUTE`.
    pub fn decode(message: &Message<'a>) -> Self {
        let (header, attributes) = OpNewrouteDo::decode_request(message.payload);
        RouteState { header, attributes }
    }

    /// The table that contains the route.
    pub fn table(&self) -> u32 {
        let short = u32::from(self.header.rtm_table);
        self.attributes.get_table().unwrap_or(short)
    }

    /// The protocol of the route, which is the origin of the route (`RTPROT_*`).
    pub fn protocol(&self) -> u8 {
        self.header.rtm_protocol
    }

    /// The type of the route, which is the action of the route (`RTN_*`).
    pub fn kind(&self) -> u8 {
        self.header.rtm_type
    }

    /// The index of the outgoing device.
    pub fn device(&self) -> Option<u32> {
        self.attributes.get_oif().ok()
    }

    /// The address of the next-hop router.
    pub fn gateway(&self) -> Option<IpAddr> {
        self.attributes.get_gateway().ok()
    }

    /// The metric of the route. The kernel prefers the route with the smallest metric.
    pub fn metric(&self) -> u32 {
        self.attributes.get_priority().unwrap_or(0)
    }

    /// The source address for packets that the node itself sends on this route.
    pub fn source(&self) -> Option<IpAddr> {
        self.attributes.get_prefsrc().ok()
    }

    /// Whether this is a connected route. The kernel makes a connected route when a device gets an
    /// address in the network.
    pub fn is_connected(&self) -> bool {
        self.table() == u32::from(libc::RT_TABLE_MAIN)
            && self.protocol() == libc::RTPROT_KERNEL
            && self.kind() == libc::RTN_UNICAST
            && self.header.rtm_flags & libc::RTM_F_CLONED == 0
    }

    /// Whether the route uses several links at the same time.
    pub fn is_multipath(&self) -> bool {
        self.attributes.get_multipath().is_ok()
    }

    /// Whether the core needs the route. The core needs the unicast routes of table main. It does
    /// not need the routes to link-local and multicast destinations, because LISP never forwards
    /// packets to these destinations.
    pub fn concerns_the_core(&self) -> bool {
        self.table() == u32::from(libc::RT_TABLE_MAIN)
            && self.header.rtm_type == libc::RTN_UNICAST
            && self.header.rtm_flags & libc::RTM_F_CLONED == 0
            && self.prefix().is_some_and(|prefix| !is_link_scoped(prefix))
    }

    /// The destination of the route. `None` if the family is not IPv4 or IPv6.
    pub fn prefix(&self) -> Option<IpNet> {
        let family = match i32::from(self.header.rtm_family) {
            libc::AF_INET => Family::Ipv4,
            libc::AF_INET6 => Family::Ipv6,
            _ => return None,
        };
        let destination = self.attributes.get_dst().ok();
        let destination = destination.unwrap_or(family.unspecified());
        IpNet::new(destination, self.header.rtm_dst_len).ok()
    }

    /// Converts the route to the type of the core, and appends the result to `rows`: one row for
    /// each link of the route. `name` converts the index of a device to its name.
    pub fn rows(&self, name: impl Fn(u32) -> Option<String>, rows: &mut Vec<KernelRoute>) {
        let Some(prefix) = self.prefix() else { return };
        let metric = self.attributes.get_priority().unwrap_or(0);
        let mut add = |index: u32, attributes: &IterableRouteAttrs<'_>| {
            if let Some(device) = name(index) {
                rows.push(KernelRoute {
                    prefix,
                    device,
                    gateway: attributes.get_gateway().ok(),
                    metric,
                });
            }
        };
        if let Ok(index) = self.attributes.get_oif() {
            add(index, &self.attributes);
        }
        for (index, attributes) in hops(self.attributes.get_multipath().unwrap_or_default()) {
            add(index, &attributes);
        }
    }
}

/// Decodes the next hops in an attribute `RTA_MULTIPATH`. Each next hop is a `struct rtnexthop` and
/// the attributes that follow this structure.
fn hops(mut bytes: &[u8]) -> impl Iterator<Item = (u32, IterableRouteAttrs<'_>)> {
    std::iter::from_fn(move || {
        let &[a, b, _flags, _weight, i0, i1, i2, i3] = bytes.first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let attributes = RouteAttrs::new(bytes.get(8..len)?);
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((u32::from_ne_bytes([i0, i1, i2, i3]), attributes))
    })
}

/// Returns the priority of the rule in a message `RTM_NEWRULE`, or 0 if the message has no
/// priority.
pub fn rule_priority(message: &Message<'_>) -> u32 {
    let (_, attributes) = rt_rule::OpNewruleDo::decode_request(message.payload);
    attributes.get_priority().unwrap_or(0)
}

fn is_link_scoped(prefix: IpNet) -> bool {
    let address = prefix.addr();
    is_link_local(address) || address.is_multicast()
}

fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn next_hops_that_lie_about_their_length_end_the_list() {
        let hop = |len: u16| {
            let mut bytes = len.to_ne_bytes().to_vec();
            bytes.extend([0, 0]);
            bytes.extend(7u32.to_ne_bytes());
            bytes
        };
        assert_eq!(hops(&hop(8)).map(|(index, _)| index).collect::<Vec<_>>(), [7]);
        for len in [0, 7, 9, u16::MAX] {
            assert_eq!(hops(&hop(len)).count(), 0, "{len}");
        }
    }
}
