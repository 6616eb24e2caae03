//! The kernel of the namespace: the router's requests to the kernel, and the kernel's events for
//! the router.
//!
//! ```text
//! KernelRequest -> request -> RequestSocket -> kernel -> EventSocket -> event -> KernelEvent
//! ```
//!
//! Requests are synchronous. When [`Netlink::apply`] returns, either the object exists or the error
//! is known. So the caller can immediately make another object that depends on this object. Events
//! are only hints, because they are not complete. The kernel does not report the loss of an IPv4
//! route if the link of the route goes down, and the socket overflows if there are too many events.
//! So this module reads the tables again after each change of a link and after an overflow. If an
//! object of the router is lost, [`audit`] detects this, and the core gets a [`KernelEvent::Lost`].

mod audit;
mod event;
mod link;
#[cfg(test)]
mod mobility_tests;
pub mod monitor;
mod neighbour;
mod next_hop;
mod request;
mod socket;
mod sysctl;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, AsRawFd, RawFd};

use log::debug;
use netlink_bindings::traits::NetlinkRequest;
use netlink_bindings::{rt_link, rt_neigh, rt_route, rt_rule};

use crate::addr::Family;
use crate::router::io::{
    KernelEvent, KernelObject, KernelRequest, KernelRoute, LISP_DEVICE, NeighbourState, Table,
};
use audit::{FoundRoutes, Settled, Stale};
use event::{LinkState, RouteState};
use neighbour::Neighbours;
use socket::{EventSocket, Message, RequestSocket};

use crate::router::made::Made;
pub use next_hop::NextHop;

/// The priorities of the policy rules that a router makes (`KernelObject::Rule`).
const RULE_PRIORITIES: std::ops::RangeInclusive<u32> = 100..=103;

/// The kernel of one namespace: the namespace of the thread that has called [`Netlink::open`].
#[derive(Debug)]
pub struct Netlink {
    requests: RequestSocket,
    events: EventSocket,
    /// The state of each link that was last reported to the core. The key is the index of the link.
    links: BTreeMap<u32, LinkState>,
    neighbours: Neighbours,
    tables: neighbour::Tables,
    /// The objects that the kernel has made at the router's request.
    made: Made,
    settled: Settled,
}

impl Netlink {
    /// Opens the socket for requests and the socket for events. The second socket receives all
    /// events after this call.
    pub fn open() -> io::Result<Self> {
        Ok(Netlink {
            requests: RequestSocket::open()?,
            events: EventSocket::open()?,
            links: BTreeMap::new(),
            neighbours: Neighbours::default(),
            tables: neighbour::Tables::default(),
            made: Made::default(),
            settled: Settled::default(),
        })
    }

    /// The index of a device.
    ///
    /// # Errors
    /// ENODEV if there is no device with this name.
    pub fn index_of(&self, device: &str) -> io::Result<u32> {
        Ok(rustix::net::netdevice::name_to_index(self.requests.fd(), device)?)
    }

    /// Returns the names of all devices of the namespace, according to the events that have been
    /// read.
    pub fn devices(&self) -> Vec<String> {
        self.links.values().map(|link| link.device.clone()).collect()
    }

    /// Prepares the namespace for a router. Changes settings, and removes the objects of a killed
    /// router.
    pub fn prepare(&mut self) -> io::Result<()> {
        sysctl::prepare_namespace()?;
        self.remove_leftovers()
    }

    /// Carries out a request of the router. It is not an error to add an object that exists, or to
    /// remove an object that does not exist.
    pub fn apply(&mut self, wish: &KernelRequest) -> io::Result<()> {
        debug!("kernel: {wish}");
        if let KernelRequest::Add(KernelObject::Link { .. } | KernelObject::Address { .. }) = wish {
            self.settled.forget();
        }
        let outcome = request::apply(&mut self.requests, wish);
        match outcome {
            Ok(()) => self.made.done(wish),
            Err(_) => self.made.refused(wish),
        }
        outcome
    }

    /// Checks for changes that the kernel does not report. The caller must call this function once
    /// a second.
    pub fn look(&mut self) -> io::Result<Vec<KernelEvent>> {
        let lost = self.take_lost(Stale { untold: true, ..Stale::default() }, None, |_| true)?;
        Ok(lost.into_iter().collect())
    }

    /// Checks the number of entries in the machine's neighbour tables. If the router detects hosts,
    /// the caller must call this function once a second.
    pub fn look_at_neighbour_tables(&mut self) -> io::Result<Vec<KernelEvent>> {
        self.tables.look(&mut self.requests)
    }

    /// Reads all tables again. Returns an event for each link and each neighbour that has changed
    /// since the last report, and then all routes.
    pub fn read_all(&mut self) -> io::Result<Vec<KernelEvent>> {
        // The waiting events are discarded, because the tables are read next, and the tables are
        // newer than these events.
        self.events.discard();
        let mut events = self.read_links()?;
        events.extend(self.read_neighbours()?);
        let (routes, found) = self.read_routes()?;
        events.push(KernelEvent::Routes(routes));
        events.extend(self.take_lost(Stale::ALL, Some(&found), |_| true)?);
        Ok(events)
    }

    /// Reads the kernel's events from at most `budget` datagrams.
    ///
    /// Returns the events for the core, and true if there may be more events to read.
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
                    seen.take(message, links, own_port);
                    neighbours.retain_devices(links);
                }
                _ => seen.take(message, links, own_port),
            }) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    more = false;
                    break;
                }
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => {
                    debug!(
                        "kernel: events were lost, so this router reads all links and routes again"
                    );
                    return Ok((self.read_all()?, true));
                }
                Err(error) => return Err(error),
            }
        }
        let Seen { mut events, stale, changed } = seen;
        let mut found = None;
        if stale.routes {
            events.retain(|event| !is_route(event));
            let (routes, of_ours) = self.read_routes()?;
            events.push(KernelEvent::Routes(routes));
            found = Some(of_ours);
        }
        // If a link has just changed, the kernel has not yet restored the objects on this link. So
        // the link-local address and the connected routes of this link are not compared.
        let lost = self.take_lost(stale, found.as_ref(), |index| !changed.contains(&index))?;
        events.extend(lost);
        Ok((events, more))
    }

    /// Returns one event with all objects that the router has made and that are lost now, or `None`
    /// if no object is lost. If a link is down, or `settled` returns false for the link, a missing
    /// connected route or link-local address of this link is not a loss.
    fn take_lost(
        &mut self,
        stale: Stale,
        routes: Option<&FoundRoutes>,
        settled: impl Fn(u32) -> bool,
    ) -> io::Result<Option<KernelEvent>> {
        if !stale.any() {
            return Ok(None);
        }
        let links = &self.links;
        let is_running =
            |index| settled(index) && links.get(&index).is_some_and(|link| link.up && link.carrier);
        let made = (&mut self.made, &mut self.settled);
        let lost = audit::take_lost(&mut self.requests, made, stale, routes, is_running)?;
        Ok((!lost.is_empty()).then_some(KernelEvent::Lost(lost)))
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

    /// Returns two lists of routes: the routes that the core needs, and the routes that are
    /// compared with the objects that the router has made.
    fn read_routes(&mut self) -> io::Result<(Vec<KernelRoute>, FoundRoutes)> {
        let (mut routes, mut found) = (Vec::new(), FoundRoutes::default());
        for family in Family::BOTH {
            let links = &self.links;
            routes.extend(self.requests.dump(&route_dump(family), |message, rows| {
                let route = RouteState::decode(message);
                found.take(&route);
                if route.concerns_the_core() {
                    route.rows(|index| name(links, index), rows);
                }
            })?);
        }
        Ok((routes, found))
    }

    /// Removes the policy rules and the routes that a killed router has left. These routes are the
    /// routes in table native, and the routes of the protocol [`request::ROUTE_PROTOCOL`]. The
    /// kernel itself has deleted the `lisp0` of the killed router and the routes into this device.
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

    /// Deletes objects that were found in a dump. Each request contains the kernel's own
    /// description of an object.
    fn delete_all(&mut self, kind: u16, descriptions: Vec<Vec<u8>>) -> io::Result<()> {
        for payload in descriptions {
            self.requests.change(&Deletion { kind, payload })?;
        }
        Ok(())
    }
}

impl AsRawFd for Netlink {
    /// The file descriptor of the socket for events. It becomes readable when the kernel reports an
    /// event.
    fn as_raw_fd(&self) -> RawFd {
        self.events.as_fd().as_raw_fd()
    }
}

/// The changes in the datagrams of one turn of the event loop.
#[derive(Default)]
struct Seen {
    events: Vec<KernelEvent>,
    stale: Stale,
    /// The indices of links that have changed.
    changed: BTreeSet<u32>,
}

impl Seen {
    fn take(&mut self, message: &Message<'_>, links: &mut BTreeMap<u32, LinkState>, own_port: u32) {
        match message.kind {
            libc::RTM_NEWLINK => {
                self.stale.links = true;
                if let Some((index, state)) = event::decode_link(message) {
                    self.take_link(index, state, links);
                }
            }
            libc::RTM_DELLINK => {
                let decoded = event::decode_link(message);
                if let Some(state) = decoded.and_then(|(index, _)| links.remove(&index)) {
                    self.events.push(link_gone(&state));
                    self.stale = Stale::ALL;
                }
            }
            libc::RTM_NEWROUTE | libc::RTM_DELROUTE => self.take_route(message, links, own_port),
            libc::RTM_NEWADDR => self.stale.addresses = true,
            // When the kernel deletes an address, it also deletes the routes that depend on this
            // address. It does not report that an IPv6 route has lost its source address. So the
            // addresses and the routes are read again.
            libc::RTM_DELADDR => (self.stale.addresses, self.stale.routes) = (true, true),
            libc::RTM_DELRULE => self.stale.rules |= message.port != own_port,
            _ => {}
        }
    }

    fn take_link(&mut self, index: u32, state: LinkState, links: &mut BTreeMap<u32, LinkState>) {
        let before = links.insert(index, state.clone());
        if before.as_ref() == Some(&state) {
            return; // The core does not use the changed detail.
        }
        if let Some(before) = before.filter(|before| before.device != state.device) {
            self.events.push(link_gone(&before));
        }
        self.events.push(link(&state));
        self.changed.insert(index);
        self.stale.routes = true;
    }

    fn take_route(
        &mut self,
        message: &Message<'_>,
        links: &BTreeMap<u32, LinkState>,
        own_port: u32,
    ) {
        let route = RouteState::decode(message);
        let replaces = i32::from(message.flags) & libc::NLM_F_REPLACE != 0;
        let takes_away = message.kind == libc::RTM_DELROUTE || replaces;
        if message.port != own_port && takes_away && audit::may_be_ours(&route) {
            self.stale.routes = true;
        }
        if !route.concerns_the_core() {
            return;
        }
        // If a route was replaced, the event does not name the old route. If a route has several
        // links, the event may be about only one of them. So all routes are read again.
        if replaces || route.is_multipath() {
            self.stale.routes = true;
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

/// A request that deletes an object. The payload is the kernel's description of the object, from a
/// dump.
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

/// Converts the state of a neighbour to an event of the core. Returns `None` if the device is not
/// known or cannot have neighbours (`lisp0` and `lo`).
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
