//! Asks the kernel for the next hop of the packets that the router itself sends to a locator.

use std::io;
use std::net::IpAddr;

use netlink_bindings::rt_route::{self, OpNewrouteDo, Rtmsg};

use super::Netlink;
use super::request::address_family;
use crate::addr::{Family, Rloc};
use crate::wire::DATA_PORT;

/// The next hop of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextHop {
    /// The index of the port that sends the packet.
    pub port: u32,
    /// The address of the next router, or the destination address if the destination is on the
    /// link.
    pub address: IpAddr,
    /// The MTU of the port in octets.
    pub mtu: u32,
}

impl Netlink {
    /// Asks the kernel for the next hop of an encapsulated packet. Returns `None` if the kernel has
    /// no route, or if the destination is this machine.
    ///
    /// # Errors
    /// The kernel does not answer.
    pub fn next_hop(
        &mut self,
        source: Rloc,
        destination: Rloc,
        source_port: u16,
    ) -> io::Result<Option<NextHop>> {
        let family = destination.family();
        let bits = match family {
            Family::Ipv4 => 32,
            Family::Ipv6 => 128,
        };
        let header = Rtmsg {
            rtm_family: address_family(family),
            rtm_dst_len: bits,
            rtm_src_len: bits,
            ..Default::default()
        };
        let mut request = rt_route::Request::new().op_getroute_do(&header);
        request
            .encode()
            .push_dst(destination.0)
            .push_src(source.0)
            .push_ip_proto(libc::IPPROTO_UDP as u8)
            .push_sport(source_port.to_be())
            .push_dport(DATA_PORT.to_be());
        let answer = self.requests.ask(&request, |message, found: &mut Vec<_>| {
            let (header, attributes) = OpNewrouteDo::decode_request(message.payload);
            let is_unicast = header.rtm_type == libc::RTN_UNICAST;
            let next = attributes.get_gateway().or_else(|_| attributes.get_via());
            let port = attributes.get_oif().ok().filter(|_| is_unicast);
            found.extend(port.map(|port| (port, next.unwrap_or(destination.0))));
        });
        let (port, address) = match answer {
            Ok(found) => match found.first() {
                Some(found) => *found,
                None => return Ok(None),
            },
            Err(error) if is_no_route(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mtu = self.links.get(&port).map(|link| link.mtu);
        Ok(mtu.map(|mtu| NextHop { port, address, mtu }))
    }
}

fn is_no_route(error: &io::Error) -> bool {
    let numbers = [libc::ENETUNREACH, libc::EHOSTUNREACH, libc::EINVAL, libc::EACCES];
    error.raw_os_error().is_some_and(|number| numbers.contains(&number))
}
