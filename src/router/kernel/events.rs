//! Handles the kernel's messages to the router.

use crate::router::database::locators_depend_on;
use crate::router::event::Event;
use crate::router::io::{KernelEvent, KernelRequest, LISP_DEVICE};
use crate::router::reachability::Source;
use crate::router::{Link, Router};
use crate::time::Time;

impl Router {
    /// Handles an event of the kernel.
    pub(in crate::router) fn handle_kernel(&mut self, event: KernelEvent, now: Time) {
        if matches!(event, KernelEvent::Routes(_) | KernelEvent::RouteAdded(_)) {
            self.reachability.forget(Source::Route);
        }
        match event {
            KernelEvent::Link { device, up, carrier, mtu } => {
                self.handle_link(&device, Link { up, carrier, mtu }, now);
            }
            KernelEvent::LinkGone { device } => {
                self.rib.remove_link(&device);
                self.process.mark_stale();
                if device == LISP_DEVICE {
                    self.process.retry_tunnel(&mut self.context);
                }
                self.kernel.forget_hand(&device);
                self.stale.all = true;
                self.port_fell(&device, now);
            }
            KernelEvent::Routes(routes) => {
                self.rib.replace_routes(routes);
                self.stale.all = true;
            }
            KernelEvent::RouteAdded(route) => {
                self.stale.all |= locators_depend_on(&self.context.config, route.prefix);
                self.stale.prefixes.extend(self.database.related_to(route.prefix));
                self.rib.add_route(route);
            }
            KernelEvent::RouteRemoved(route) => {
                self.stale.all |= locators_depend_on(&self.context.config, route.prefix);
                self.stale.prefixes.extend(self.database.related_to(route.prefix));
                self.rib.remove_route(&route);
            }
            KernelEvent::Neighbour { device, address, state } => {
                self.handle_neighbour(&device, address, state, now);
            }
            KernelEvent::NeighbourTable { family, entries, limit } => {
                self.handle_neighbour_table(family, entries, limit);
            }
            KernelEvent::Lost(objects) => {
                let outputs = self.kernel.lost(objects, (&self.context.config, &self.rib), now);
                self.context.outputs.extend(outputs);
            }
            KernelEvent::Refused { request: KernelRequest::Add(object), ref error } => {
                let said =
                    self.kernel.refused(object, error, (&self.context.config, &self.rib), now);
                self.context.outputs.extend(said);
            }
            KernelEvent::Refused { .. } => {
                self.context.tell(Event::KernelRefused(event.to_string()));
            }
        }
    }

    /// Handles the state of a link; the state may be the same as before.
    fn handle_link(&mut self, device: &str, link: Link, now: Time) {
        let before = self.rib.set_link(device.to_owned(), link);
        self.stale.all |= before != Some(link);
        if before.map(|before| before.mtu) != Some(link.mtu) {
            self.process.mark_stale();
        }
        let ran = before.is_some_and(|before| before.up && before.carrier);
        match link.up && link.carrier {
            true if !ran => self.port_is_back(device, now),
            false if ran => self.port_fell(device, now),
            _ => {}
        }
        let was_up = before.is_some_and(|before| before.up);
        self.follow_hand(device, (was_up, link.up), now);
        if before.is_none() {
            let requests = self.kernel.introduce(device, now);
            self.context.request(requests);
        }
        if link.up && !was_up {
            let requests = self.kernel.reassert(device, now);
            self.context.request(requests);
        }
    }

    /// Handles a port that came up or went down, possibly because of another program.
    fn follow_hand(&mut self, device: &str, (was_up, is_up): (bool, bool), now: Time) {
        let interfaces = self.context.config.interfaces.keys();
        let port = interfaces.copied().find(|name| name.device() == device);
        match (was_up, is_up) {
            (true, false) => {
                if let Some(port) = port
                    && self.kernel.went_down(port, &self.context.config)
                {
                    let (port, device) = (port.to_string(), device.to_owned());
                    self.context.tell(Event::PortSetByHand { port, device, is_up: false });
                }
            }
            (false, true) if self.kernel.forget_hand(device) => {
                let port = port.map(|port| port.to_string()).unwrap_or_default();
                let (is_up, device_name) = (true, device.to_owned());
                self.context.tell(Event::PortSetByHand { port, device: device_name, is_up });
                let requests = self.kernel.introduce(device, now);
                self.context.request(requests);
            }
            _ => {}
        }
    }
}
