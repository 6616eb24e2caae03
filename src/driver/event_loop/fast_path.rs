//! The event loop's part of the [fast path](crate::driver::fast_path). It writes the router's
//! verdicts on flows to the kernel. It reports to the router the packets that the kernel has
//! forwarded.

use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

use log::{debug, info};

use super::{EventLoop, Source};
use crate::addr::Rloc;
use crate::driver::fast_path::{
    self, FastPath, Flow, InboundFlow, InboundVerdict, outbound_verdict,
};
use crate::driver::netlink::NextHop;
use crate::driver::offload::UDP;
use crate::driver::shown_fast_path::in_full;
use crate::driver::tun::Tun;
use crate::driver::udp::RlocSockets;
use crate::driver::{DataPathChoice, Error};
use crate::packet::{self, UnverifiedFlow};
use crate::router::io::{Device, Encapsulation, KernelEvent, LISP_DEVICE, Outer};
use crate::time::Time;
use crate::wire::data_header::DATA_HEADER_LEN;

/// The maximum time between two reports to the router while packets arrive. A report contains the
/// packets that the kernel has forwarded. The router also gets a report before each event that is
/// not a packet.
const REPORT_INTERVAL: Duration = Duration::from_millis(100);

/// The maximum number of flows that are handed over to the kernel at once.
const OFFERS: usize = 256;

/// The fast path of a router, and the event loop's data about it. The field `fast_path` is `None`
/// if the router forwards all packets itself.
#[derive(Debug, Default)]
pub struct FastPathState {
    pub(super) fast_path: Option<FastPath>,
    /// The router's forwarding generation, and whether the router permits the fast path. Both
    /// values are from the last call of [`EventLoop::follow_decisions`].
    followed: (u64, bool),
    /// The flows from the site that the kernel may forward from now on. The router has just
    /// forwarded a packet of each flow.
    outbound: Vec<Offer<Flow>>,
    inbound: Vec<Offer<InboundFlow>>,
    /// The next hops that were looked up since the routes changed last. The key is the local RLOC,
    /// the remote RLOC and the outer source port. The value is `None` if no next hop was found.
    next_hops: HashMap<(Rloc, Rloc, u16), Option<NextHop>>,
    reported_at: Time,
    /// The reason why the kernel has refused to load or attach the programs.
    pub(super) refused: Option<String>,
}

/// The flow of a packet that went up to the router. The kernel may forward the next packets of the
/// flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer<K> {
    key: K,
    flow: UnverifiedFlow,
}

impl<K> Offer<K> {
    fn is_udp(&self) -> bool {
        self.flow.protocol == UDP
    }
}

impl FastPathState {
    /// Counts a packet that came from `lisp0`, before the router decides on the packet. Returns an
    /// offer of the packet's flow if the kernel may forward the flow.
    pub(super) fn came_from_site(&mut self, packet: &[u8]) -> Option<Offer<Flow>> {
        let fast_path = self.fast_path.as_mut()?;
        let flow = packet::unverified_flow(packet)?;
        let key = Flow::of(&flow);
        fast_path.outbound.came_up(&key).then_some(Offer { key, flow })
    }

    /// Stores an offer after the router has encapsulated its packet.
    /// [`EventLoop::hand_over_outbound`] uses the stored offers.
    pub(super) fn offer_outbound(&mut self, offer: Offer<Flow>) {
        if self.outbound.len() < OFFERS
            && self.outbound.last().is_none_or(|last| last.key != offer.key)
        {
            self.outbound.push(offer);
        }
    }

    /// Counts a datagram that came from the core, before the router decides on the datagram.
    /// Returns an offer of the inner packet's flow if the kernel may deliver the flow.
    pub(super) fn came_from_core(
        &mut self,
        outer: &Outer,
        datagram: &[u8],
    ) -> Option<Offer<InboundFlow>> {
        let fast_path = self.fast_path.as_mut()?;
        let (lisp, inner) = datagram.split_first_chunk::<DATA_HEADER_LEN>()?;
        let flow = packet::unverified_flow(inner)?;
        let key = fast_path::inbound_key(Flow::of(&flow), outer, *lisp);
        fast_path.inbound.came_up(&key).then_some(Offer { key, flow })
    }
}

impl EventLoop {
    /// Loads the programs of the fast path into the kernel, unless the options exclude the fast
    /// path. The caller has created `lisp0`.
    ///
    /// # Errors
    /// The options require the fast path, and this machine does not permit it.
    pub(super) fn open_fast_path(&mut self) -> Result<(), Error> {
        let choice = self.options.data_path;
        let is_for_user = choice == DataPathChoice::User
            || choice == DataPathChoice::Auto && !self.options.offload
            || self.options.record.is_some();
        if is_for_user {
            return Ok(());
        }
        let opened = self.netlink.index_of(LISP_DEVICE).and_then(FastPath::open);
        let opened = opened.map_err(in_full);
        match opened {
            Ok(fast_path) => {
                self.fast_path.fast_path = Some(fast_path);
                self.fast_path.refused = None;
            }
            Err(error) if choice == DataPathChoice::Kernel => {
                return Err(Error::during("loading the fast path into the kernel")(error));
            }
            Err(error) => {
                info!("packets are forwarded in this process: {error}");
                self.fast_path.refused = Some(error.to_string());
            }
        }
        for device in self.netlink.devices() {
            self.watch_port(&device);
        }
        self.follow_decisions();
        Ok(())
    }

    /// Removes the programs of the fast path.
    pub(super) fn close_fast_path(&mut self) {
        self.report_uses(self.clock.now());
        self.fast_path.fast_path = None;
    }

    fn watch_port(&mut self, device: &str) {
        if let Some(fast_path) = &mut self.fast_path.fast_path
            && device != LISP_DEVICE
            && device != "lo"
            && let Err(error) = fast_path.watch_port(device)
        {
            debug!("the fast path does not watch {device}: {error}");
        }
    }

    /// Adapts the fast path to an event of the kernel. A new port gets the program for packets from
    /// the core, and a removed port is removed from the list. If a port or a route has changed, a
    /// new epoch begins.
    pub(super) fn follow_kernel(&mut self, event: &KernelEvent) {
        match event {
            KernelEvent::Link { device, .. } => self.watch_port(device),
            KernelEvent::LinkGone { device } => {
                if let Some(fast_path) = &mut self.fast_path.fast_path {
                    fast_path.forget_port(device);
                }
            }
            KernelEvent::Routes(_) | KernelEvent::RouteAdded(_) | KernelEvent::RouteRemoved(_) => {}
            _ => return,
        }
        self.forget_next_hops();
    }

    /// Begins a new epoch, because the routes to the locators may have changed.
    pub(super) fn forget_next_hops(&mut self) {
        self.fast_path.next_hops.clear();
        if let Some(fast_path) = &mut self.fast_path.fast_path {
            fast_path.advance_epoch();
        }
    }

    /// Begins a new epoch if the router's decisions may have changed.
    pub(super) fn follow_decisions(&mut self) {
        let FastPathState { fast_path: Some(fast_path), followed, .. } = &mut self.fast_path else {
            return;
        };
        let now = (self.router.forwarding_generation(), self.router.permits_second_path());
        if *followed != now {
            *followed = now;
            fast_path.advance_epoch();
        }
    }

    /// Extends the time until which the programs in the kernel forward packets. Then reports to the
    /// router the packets that the kernel has forwarded, in two cases: the last report is old, or
    /// the router is about to get an event that is not a packet. So the router has the right
    /// counters when it handles this event.
    pub(super) fn serve_fast_path(&mut self, now: Time) {
        let Some(fast_path) = &self.fast_path.fast_path else { return };
        fast_path.keep_alive(self.clock.monotonic(now));
        let is_packet = |source: &Source| matches!(source, Source::Tun | Source::Data(_));
        if !self.ready.iter().all(is_packet)
            || now.since(self.fast_path.reported_at) >= REPORT_INTERVAL
        {
            self.report_uses(now);
        }
    }

    /// Reports to the router the packets that the kernel has forwarded since the last report.
    pub(super) fn report_uses(&mut self, now: Time) {
        let FastPathState { fast_path: Some(fast_path), reported_at, .. } = &mut self.fast_path
        else {
            return;
        };
        *reported_at = now;
        if self.options.data_path == DataPathChoice::Auto {
            fast_path.outbound.measure(now);
            fast_path.inbound.measure(now);
        }
        let at = |last: u64| self.clock.time_of(last).min(now);
        for used in fast_path.outbound.take_uses() {
            self.router.count_outbound(&used.data, used.load, at(used.last));
        }
        for used in fast_path.inbound.take_uses() {
            self.router.count_inbound(&used.data, used.load, at(used.last));
        }
    }

    /// Lets the kernel forward the next packets of the flows in the stored offers. The caller has
    /// sent the packets of these offers, and has read all packets from `lisp0`.
    pub(super) fn hand_over_outbound(&mut self) {
        if self.fast_path.outbound.is_empty() {
            return;
        }
        let offers = std::mem::take(&mut self.fast_path.outbound);
        let now = self.clock.monotonic(self.clock.now());
        for offer in &offers {
            if self.teach_outbound(offer, now)
                && let Some(fast_path) = &mut self.fast_path.fast_path
            {
                fast_path.outbound.hand_over(&offer.key, now);
            }
        }
        self.fast_path.outbound = offers;
        self.fast_path.outbound.clear();
    }

    /// Writes the verdict on a flow to the kernel, if the kernel does not have this verdict yet.
    /// Returns true if the flow can be handed over: the kernel has the verdict, and no packet of
    /// the flow is still on its way up to the router.
    fn teach_outbound(&mut self, offer: &Offer<Flow>, now: u64) -> bool {
        let FastPathState { fast_path, next_hops, followed, .. } = &mut self.fast_path;
        let Some(fast_path) = fast_path.as_mut().filter(|_| followed.1) else { return false };
        let (key, epoch) = (offer.key, fast_path.epoch());
        let tun = self.tun.as_ref();
        let is_drained = || tun.is_some_and(Tun::is_drained);
        if !fast_path.outbound.is_settled(&key, now, is_drained) {
            return false;
        }
        if fast_path.outbound.has(&key, epoch) {
            return true;
        }
        let instance_id = self.router.config().instance_behind(Device::Lisp);
        let flow = instance_id.and_then(|id| self.router.outbound_flow(id, &offer.flow));
        let Some(flow) = flow else { return false };
        let Encapsulation { source, destination, .. } = flow.encapsulation;
        let port = flow.encapsulation.source_port();
        let next_hop = next_hops.entry((source, destination, port)).or_insert_with(|| {
            self.netlink.next_hop(source, destination, port).unwrap_or_else(|error| {
                debug!("fast path: no next hop to {destination}: {error}");
                None
            })
        });
        let Some(next_hop) = *next_hop else { return false };
        let verdict = |number| outbound_verdict(epoch, &flow, &next_hop, number);
        let taught = fast_path.outbound.teach(key, epoch, (flow, offer.is_udp()), verdict);
        taught.inspect_err(|error| debug!("fast path: {error}")).is_ok()
    }

    /// Stores an offer after the router has decided to deliver its datagram, and writes the verdict
    /// on the flow to the kernel. `datagram` is the range of the datagram in the arena of the data
    /// path.
    pub(super) fn offer_inbound(
        &mut self,
        offer: Offer<InboundFlow>,
        outer: &Outer,
        datagram: Range<usize>,
        now: Time,
    ) {
        let FastPathState { fast_path, inbound, followed, .. } = &mut self.fast_path;
        let Some(fast_path) = fast_path.as_mut().filter(|_| followed.1) else { return };
        if inbound.len() == OFFERS || inbound.last().is_some_and(|last| last.key == offer.key) {
            return;
        }
        let epoch = fast_path.epoch();
        if !fast_path.inbound.has(&offer.key, epoch) {
            let datagram = self.data_path.datagram(datagram);
            let Some(flow) = self.router.inbound_flow(outer, datagram, now) else { return };
            let verdict = |number| InboundVerdict { epoch, number, reserved: 0 };
            let taught = fast_path.inbound.teach(offer.key, epoch, (flow, offer.is_udp()), verdict);
            if let Err(error) = taught {
                return debug!("fast path: {error}");
            }
        }
        inbound.push(offer);
    }

    /// Lets the kernel deliver the next packets of the flows in the stored offers. The caller has
    /// delivered the packets of these offers, and has read all datagrams from the data socket in
    /// the slot `slot`.
    pub(super) fn hand_over_inbound(&mut self, slot: usize) {
        if self.fast_path.inbound.is_empty() {
            return;
        }
        let sockets = self.udp.slot(slot);
        let is_drained = || sockets.is_some_and(RlocSockets::is_drained);
        let now = self.clock.monotonic(self.clock.now());
        let FastPathState { fast_path, inbound, .. } = &mut self.fast_path;
        for offer in inbound.drain(..) {
            if let Some(fast_path) = fast_path.as_mut()
                && fast_path.inbound.is_settled(&offer.key, now, is_drained)
            {
                fast_path.inbound.hand_over(&offer.key, now);
            }
        }
    }
}
