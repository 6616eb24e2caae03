//! Opens sockets in namespaces, and sends IP packets unchanged from a namespace.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::time_limit::TimeLimit;
use crate::lab::failure::Failure;
use crate::lab::scenario::replay::destination;

/// The protocol number IPPROTO_RAW: the program writes the whole IP packet.
const RAW: i32 = 255;

/// Sends IP packets from a namespace. The source addresses of the packets are not changed. All
/// packets have the same IP version. They are sent in order, and the whole sequence is sent `times`
/// times. The time between two packets is `every`.
pub fn send(
    namespace: &str,
    packets: &[Vec<u8>],
    times: u32,
    every: Duration,
) -> Result<(), Failure> {
    let destinations = packets.iter().map(|packet| destination(packet));
    let destinations = destinations.collect::<Result<Vec<IpAddr>, Failure>>()?;
    let ipv6 = destinations.first().is_some_and(IpAddr::is_ipv6);
    let socket = inside(namespace, || {
        // An IPv6 socket of this protocol always expects that the program writes the IP header.
        match ipv6 {
            true => Socket::new(Domain::IPV6, Type::RAW, Some(Protocol::from(RAW))),
            false => {
                let socket = Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::from(RAW)))?;
                socket.set_header_included_v4(true)?;
                Ok(socket)
            }
        }
    })?;
    let time_limit = TimeLimit::of(Duration::MAX);
    let mut due = Duration::ZERO;
    for (packet, to) in (0..times).flat_map(|_| packets.iter().zip(&destinations)) {
        thread::sleep(due.saturating_sub(time_limit.spent()));
        let destination = SockAddr::from(SocketAddr::new(*to, 0));
        socket.send_to(packet, &destination).map_err(Failure::io("raw socket"))?;
        due += every;
    }
    Ok(())
}

/// Opens sockets in a namespace. A new thread enters the namespace, calls `open` and ends.
///
/// # Errors
/// The namespace does not exist, this process may not enter the namespace, or `open` returns an
/// error.
pub fn inside<T: Send>(
    namespace: &str,
    open: impl FnOnce() -> io::Result<T> + Send,
) -> Result<T, Failure> {
    let path = format!("/run/netns/{namespace}");
    let inside = File::open(&path).map_err(Failure::io(&path))?;
    let open = || {
        move_into_link_name_space(inside.as_fd(), Some(LinkNameSpaceType::Network))?;
        open()
    };
    let socket = thread::scope(|scope| scope.spawn(open).join());
    let socket = socket.map_err(|_| Failure::new("a thread in a namespace has failed"))?;
    socket.map_err(Failure::io(format!("socket in {namespace}")))
}
