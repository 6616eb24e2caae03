//! Handles errors about packets to locators. Depending on the error, the router uses other locators
//! of the mapping, stores a path MTU, or informs a host (RFC 9300 sections 6.3 and 7.2).
//!
//! An ICMP error has no effect if it is not about a packet of this router (`quote.rs`). A Time
//! Exceeded does not show that a locator is unreachable. The router relays this error to the host
//! that sent the packet, so that a traceroute on the host shows the routers of the core (RFC 6830
//! section 9).

use std::net::IpAddr;

use super::Router;
use super::eid_location::EidLocation;
use super::event::{Event, LocatorChange, Unreachable};
use super::icmp::{self, AboutPacket};
use super::io::Output;
use super::paths::{IcmpError, PathEvent};
use super::quote::QuotedFlow;
use super::reachability::Source;
use crate::addr::{Eid, Family, Rloc};
use crate::packet::OwnedPacket;
use crate::time::Time;
use crate::wire::IcmpErrorKind;

impl Router {
    /// Processes an error from the kernel or from the core network.
    pub(super) fn handle_path(&mut self, event: PathEvent, now: Time) {
        let error = match event {
            PathEvent::NoRoute(rloc) => {
                return self.leave_locator(rloc, Unreachable::NoRoute, now);
            }
            PathEvent::Icmp(error) => error,
        };
        let flow = match self.quoted_flow(&error) {
            Ok(flow) => flow,
            Err(why) => return self.disbelieve(&error, why),
        };
        let IcmpError { rloc, reporter, kind, .. } = error;
        match kind {
            IcmpErrorKind::TooBig { mtu } => {
                self.context.counters.path_mtus += 1;
                let changes = self.paths.learn_mtu(rloc, mtu, reporter, now);
                if changes.is_some_and(u64::is_power_of_two) {
                    let change = LocatorChange::PathMtu { mtu, reporter };
                    self.context.tell(Event::Locator { rloc, change });
                }
            }
            IcmpErrorKind::TimeExceeded => self.relay_time_exceeded(reporter, flow, now),
            IcmpErrorKind::Other => self.context.counters.icmp_ignored += 1,
            IcmpErrorKind::NetUnreachable
            | IcmpErrorKind::HostUnreachable
            | IcmpErrorKind::PortUnreachable
            | IcmpErrorKind::Prohibited => {
                self.leave_locator(rloc, Unreachable::Icmp { reporter, kind }, now);
            }
        }
    }

    /// Whether the router sends packets to a locator. The locator can be in the map-cache, can
    /// belong to a proxy ETR, or can have received packets for a host that moved.
    pub(super) fn is_in_use(&self, rloc: Rloc) -> bool {
        self.map_cache.is_used(rloc)
            || self.paths.has_sent_on(rloc)
            || self.proxy_etrs.iter().flatten().any(|locator| locator.rloc == rloc)
    }

    /// Records that a locator cannot be reached. For some time, the router prefers other locators
    /// of the mapping to this locator. Each kind of `why` is a separate [`Source`].
    pub(super) fn leave_locator(&mut self, rloc: Rloc, why: Unreachable, now: Time) {
        let (source, reporter) = match why {
            Unreachable::Icmp { reporter, .. } => (Source::Icmp, Some(reporter)),
            Unreachable::NoRoute => (Source::Route, None),
            Unreachable::NoEcho => (Source::EchoNonce, None),
        };
        self.context.counters.unreachable_rlocs += 1;
        if self.reachability.unreachable(rloc).is_none() {
            let change = LocatorChange::Unreachable(why);
            self.context.tell(Event::Locator { rloc, change });
        }
        self.reachability.leave(rloc, source, reporter, now);
    }

    /// Informs a host that the TTL of its packet expired in the core.
    fn relay_time_exceeded(&mut self, by: IpAddr, flow: Option<QuotedFlow<'_>>, now: Time) {
        let answer = flow.and_then(|flow| self.time_exceeded_for_host(by, &flow, now));
        match answer {
            Some(_) => self.context.counters.time_exceeded_relayed += 1,
            None => self.context.counters.icmp_ignored += 1,
        }
        self.context.outputs.extend(answer);
    }

    /// Returns the Time Exceeded for the host that sent the packet of a flow, if the host is at
    /// this site. `by` is the router of the core that reported the error.
    fn time_exceeded_for_host(
        &mut self,
        by: IpAddr,
        flow: &QuotedFlow<'_>,
        now: Time,
    ) -> Option<Output> {
        let &QuotedFlow { instance_id, header, inner } = flow;
        let source = Eid::new(instance_id, header.source);
        let is_of_ours = self.context.config.roles(header.family()).proxy_itr
            || matches!(EidLocation::of(source, &self.database, &self.away), EidLocation::Here(_));
        if !is_of_ours
            || !icmp::deserves_error(inner, &header)
            || !self.host_errors.admit(header.source, now)
        {
            return None;
        }
        let reporter =
            Some(by).filter(|by| Family::of(*by) == header.family() && icmp::is_of_a_router(*by));
        let from = reporter.or_else(|| self.own_address_for(header.source))?;
        let quoted = &inner[..inner.len().min(header.total_len)];
        let bytes = icmp::error(AboutPacket::TimeExceeded, from, header.source, quoted)?;
        Some(Output::Native(instance_id, OwnedPacket::single(bytes)))
    }

    /// Returns an address of this router that `host` can know: the address of this router in the
    /// network of the host. If the router has no address in this network, returns any other address
    /// of the same family.
    pub(super) fn own_address_for(&self, host: IpAddr) -> Option<IpAddr> {
        let mut networks = self.context.config.addresses();
        let on_link = networks.find(|(_, net)| net.contains(&host)).map(|(_, net)| net.addr());
        let of_family = |address: &IpAddr| {
            Family::of(*address) == Family::of(host) && icmp::is_of_a_router(*address)
        };
        on_link.or_else(|| self.context.own_addresses.iter().copied().find(of_family))
    }
}
