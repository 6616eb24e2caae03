//! The namespace's kernel: what the router wants of it, and what it tells the router.
//!
//! ```text
//! KernelRequest -> request -> RequestSocket -> kernel -> EventSocket -> event -> KernelEvent
//! ```
//!
//! Requests are synchronous: when [`Netlink::apply`] returns, the thing is there or the error is
//! known, so what depends on it can follow at once. Events are a hint, never the whole truth: an
//! IPv4 route that falls with its link is not announced and a burst may overflow the socket. So
//! after each change of a link, and after an overflow, the tables are read anew.

mod event;
mod link;
#[cfg(test)]
mod mobility_tests;
mod neighbour;
mod request;
mod socket;
mod sysctl;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use log::debug;
use netlink_bindings::traits::NetlinkRequest;
use netlink_bindings::{rt_link, rt_neigh, rt_route, rt_rule};

use crate::addr::Family;
use crate::router::io::{
    KernelEvent, KernelRequest, KernelRoute, LISP_DEVICE, NeighbourState, Table,
};
use event::{LinkState, RouteState};
use neighbour::Neighbours;
use socket::{EventSocket, Message, RequestSocket};

/// The priorities of the rules that a router makes (`KernelObject::Rule`).
const RULE_PRIORITIES: std::ops::RangeInclusive<u32> = 100..=103;

/// The kernel of the namespace of the thread that opened it.
#[derive(Debug)]
pub struct Netlink {
    requests: RequestSocket,
    events: EventSocket,
    /// By index, as last told to the core.
    links: BTreeMap<u32, LinkState>,
    neighbours: Neighbours,
}

impl Netlink {
    /// Opens both sockets, and hears of all that happens from here on.
    pub fn open() -> io::Result<Self> {
        Ok(Netlink {
            requests: RequestSocket::open()?,
            events: EventSocket::open()?,
            links: BTreeMap::new(),
            neighbours: Neighbours::default(),
        })
    }

    /// Makes the namespace a router's: settings, and nothing left of a predecessor that was killed.
    pub fn prepare(&mut self) -> io::Result<()> {
        sysctl::prepare_namespace()?;
        self.remove_leftovers()
    }

    /// Carries out what the router wants; adding twice and removing twice are no errors.
    pub fn apply(&mut self, wish: &KernelRequest) -> io::Result<()> {
        debug!("kernel: {wish}");
        request::apply(&mut self.requests, wish)
    }

    /// Reads everything anew: a [`KernelEvent::Link`] for each link that is not as it was last
    /// told, the same of neighbours, then all routes.
    pub fn read_all(&mut self) -> io::Result<Vec<KernelEvent>> {
        // What is queued is older than what is about to be read.
        self.events.discard();
        let mut events = self.read_links()?;
        events.extend(self.read_neighbours()?);
        events.push(KernelEvent::Routes(self.read_routes()?));
        Ok(events)
    }

    /// Reads what the kernel has told, up to `budget` datagrams.
    ///
    /// Returns what the core needs to know, and whether there may be more to read.
    pub fn read_events(&mut self, budget: usize) -> io::Result<(Vec<KernelEvent>, bool)> {
        let mut seen = Seen::default();
        let mut more = true;
        for _ in 0..budget {
            let (links, neighbours) = (&mut self.links, &mut self.neighbours);
            let own_port = self.requests.port();
            match self.events.receive(|message| match message.kind {
                libc::RTM_NEWNEIGH | libc::RTM_DELNEIGH => {
                    let news = neighbours.take(message, own_port);
                    seen.events.extend(news.and_then(|news| neighbour(links, news)));
                }
                libc::RTM_DELLINK => {
                    seen.take(message, links);
                    neighbours.retain_devices(links);
                }
                _ => seen.take(message, links),
            }) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    more = false;
                    break;
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    debug!("kernel: events were lost, reading links and routes anew");
                    return Ok((self.read_all()?, true));
                }
                Err(error) => return Err(error),
            }
        }
        let mut events = seen.events;
        if seen.routes_are_stale {
            events.retain(|event| !is_route(event));
            events.push(KernelEvent::Routes(self.read_routes()?));
        }
        Ok((events, more))
    }

    fn read_links(&mut self) -> io::Result<Vec<KernelEvent>> {
        let request = rt_link::Request::new().op_getlink_dump(&Default::default());
        let rows = self.requests.dump(&request, |message, rows| {
            rows.extend(event::decode_link(message));
        })?;
        let found: BTreeMap<u32, LinkState> = rows.into_iter().collect();
        let gone = self.links.iter().filter(|(index, _)| !found.contains_key(index));
        let changed = found.iter().filter(|(index, state)| self.links.get(index) != Some(state));
        let events = gone
            .map(|(_, state)| link_gone(state))
            .chain(changed.map(|(_, state)| link(state)))
            .collect();
        self.links = found;
        Ok(events)
    }

    fn read_neighbours(&mut self) -> io::Result<Vec<KernelEvent>> {
        let request = rt_neigh::Request::new().op_getneigh_dump(&Default::default());
        let rows = self.requests.dump(&request, |message, rows| {
            rows.extend(neighbour::decode_row(message));
        })?;
        let news = self.neighbours.replace(rows.into_iter().collect());
        Ok(news.into_iter().filter_map(|news| neighbour(&self.links, news)).collect())
    }

    fn read_routes(&mut self) -> io::Result<Vec<KernelRoute>> {
        let mut routes = Vec::new();
        for family in Family::BOTH {
            let links = &self.links;
            routes.extend(self.requests.dump(&route_dump(family), |message, rows| {
                let route = RouteState::decode(message);
                if route.concerns_the_core() {
                    route.rows(|index| name(links, index), rows);
                }
            })?);
        }
        Ok(routes)
    }

    /// Rules and the routes of our table stay behind when a router is killed; its `lisp0` and what
    /// leads into it go by themselves.
    fn remove_leftovers(&mut self) -> io::Result<()> {
        for family in Family::BOTH {
            let header = rt_rule::FibRuleHdr {
                family: request::address_family(family),
                ..Default::default()
            };
            let rules = rt_rule::Request::new().op_getrule_dump(&header);
            let ours = self.requests.dump(&rules, |message, rows| {
                if RULE_PRIORITIES.contains(&event::rule_priority(message)) {
                    rows.push(message.payload.to_vec());
                }
            })?;
            self.delete_all(libc::RTM_DELRULE, ours)?;
            let ours = self.requests.dump(&route_dump(family), |message, rows| {
                let route = RouteState::decode(message);
                if route.table() == request::table_number(Table::Native)
                    || route.protocol() == request::ROUTE_PROTOCOL
                {
                    rows.push(message.payload.to_vec());
                }
            })?;
            self.delete_all(libc::RTM_DELROUTE, ours)?;
        }
        Ok(())
    }

    /// Deletes what a dump has shown: the kernel takes its own description back.
    fn delete_all(&mut self, kind: u16, descriptions: Vec<Vec<u8>>) -> io::Result<()> {
        for payload in descriptions {
            self.requests.change(&Deletion { kind, payload })?;
        }
        Ok(())
    }
}

impl AsRawFd for Netlink {
    /// The socket that becomes readable when the kernel tells something.
    fn as_raw_fd(&self) -> RawFd {
        self.events.as_fd().as_raw_fd()
    }
}

/// What was learned from the datagrams of one turn.
#[derive(Default)]
struct Seen {
    events: Vec<KernelEvent>,
    routes_are_stale: bool,
}

impl Seen {
    fn take(&mut self, message: &Message<'_>, links: &mut BTreeMap<u32, LinkState>) {
        match message.kind {
            libc::RTM_NEWLINK => {
                if let Some((index, state)) = event::decode_link(message) {
                    self.take_link(index, state, links);
                }
            }
            libc::RTM_DELLINK => {
                let decoded = event::decode_link(message);
                if let Some(state) = decoded.and_then(|(index, _)| links.remove(&index)) {
                    self.events.push(link_gone(&state));
                    self.routes_are_stale = true;
                }
            }
            libc::RTM_NEWROUTE | libc::RTM_DELROUTE => self.take_route(message, links),
            _ => {}
        }
    }

    fn take_link(&mut self, index: u32, state: LinkState, links: &mut BTreeMap<u32, LinkState>) {
        let before = links.insert(index, state.clone());
        if before.as_ref() == Some(&state) {
            return; // a detail that the core does not know
        }
        if let Some(before) = before.filter(|before| before.device != state.device) {
            self.events.push(link_gone(&before));
        }
        self.events.push(link(&state));
        self.routes_are_stale = true;
    }

    fn take_route(&mut self, message: &Message<'_>, links: &BTreeMap<u32, LinkState>) {
        let route = RouteState::decode(message);
        if !route.concerns_the_core() {
            return;
        }
        // A replacement does not say what it replaced, and one link of several may come or go.
        if i32::from(message.flags) & libc::NLM_F_REPLACE != 0 || route.is_multipath() {
            self.routes_are_stale = true;
        }
        let mut rows = Vec::new();
        route.rows(|index| name(links, index), &mut rows);
        let event = if message.kind == libc::RTM_NEWROUTE {
            KernelEvent::RouteAdded
        } else {
            KernelEvent::RouteRemoved
        };
        self.events.extend(rows.into_iter().map(event));
    }
}

/// A description from a dump, sent back to delete what it describes.
struct Deletion {
    kind: u16,
    payload: Vec<u8>,
}

impl NetlinkRequest for Deletion {
    fn protocol(&self) -> netlink_bindings::traits::Protocol {
        netlink_bindings::traits::Protocol::Raw {
            protonum: libc::NETLINK_ROUTE as u16,
            request_type: self.kind,
        }
    }

    fn flags(&self) -> u16 {
        0
    }

    fn payload(&self) -> &[u8] {
        &self.payload
    }

    type ReplyType<'buf> = ();

    fn decode_reply(_: &[u8]) -> Self::ReplyType<'_> {}
}

fn route_dump(family: Family) -> rt_route::OpGetrouteDump<'static> {
    rt_route::Request::new().op_getroute_dump(&rt_route::Rtmsg {
        rtm_family: request::address_family(family),
        ..Default::default()
    })
}

fn name(links: &BTreeMap<u32, LinkState>, index: u32) -> Option<String> {
    links.get(&index).map(|state| state.device.clone())
}

/// The core's word for a neighbour; `None` on devices where nobody is asked for a hardware address.
fn neighbour(
    links: &BTreeMap<u32, LinkState>,
    ((index, address), state): (neighbour::Key, NeighbourState),
) -> Option<KernelEvent> {
    let device = name(links, index)?;
    let has_neighbours = device != LISP_DEVICE && device != "lo";
    has_neighbours.then_some(KernelEvent::Neighbour { device, address, state })
}

fn link(state: &LinkState) -> KernelEvent {
    KernelEvent::Link {
        device: state.device.clone(),
        up: state.up,
        carrier: state.carrier,
        mtu: state.mtu,
    }
}

fn link_gone(state: &LinkState) -> KernelEvent {
    KernelEvent::LinkGone { device: state.device.clone() }
}

fn is_route(event: &KernelEvent) -> bool {
    matches!(
        event,
        KernelEvent::RouteAdded(_) | KernelEvent::RouteRemoved(_) | KernelEvent::Routes(_)
    )
}
