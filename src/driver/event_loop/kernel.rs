//! The event loop's part of [`Netlink`](crate::driver::netlink::Netlink). It sends the kernel's
//! events to the core and carries out the core's requests. The kernel sends no events about some
//! parts of its state. This module checks these parts at regular intervals.

use std::time::Duration;

use log::debug;

use super::EventLoop;
use crate::router::io::{Input, KernelEvent, KernelRequest, LISP_DEVICE};
use crate::time::Time;

/// The maximum number of datagrams with kernel events that are read in one turn of the loop.
const EVENTS_A_TURN: usize = 64;
/// The time between two checks of the state about which the kernel sends no events. If a user
/// changes a setting of the kernel, the router must restore the setting within a second.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(700);

impl EventLoop {
    pub(super) fn serve_kernel(&mut self) -> bool {
        match self.netlink.read_events(EVENTS_A_TURN) {
            Ok((events, more)) => {
                self.tell_router(events);
                more
            }
            Err(error) => {
                self.faults.count("reading kernel events", &error);
                false
            }
        }
    }

    /// Checks the state about which the kernel sends no events, and sends the changes to the core.
    pub(super) fn look(&mut self, now: Time) {
        self.look_at = now + LOOK_INTERVAL;
        let mut looks = vec![self.netlink.look()];
        let mut ports = self.router.config().interfaces.values();
        if ports.any(|port| !port.lisp_mobility.is_empty()) {
            looks.push(self.netlink.look_at_neighbour_tables());
        }
        for look in looks {
            match look {
                Ok(events) => self.tell_router(events),
                Err(error) => self.faults.count("checking the state of the kernel", &error),
            }
        }
    }

    pub(super) fn tell_router(&mut self, events: Vec<KernelEvent>) {
        let now = self.clock.now();
        for event in events {
            debug!("kernel: {event}");
            let lisp_may_be_gone =
                matches!(&event, KernelEvent::LinkGone { device } if device == LISP_DEVICE);
            self.follow_kernel(&event);
            self.router.handle(Input::Kernel(event), now);
            self.carry_out_outputs();
            if lisp_may_be_gone && self.tun.as_ref().is_some_and(|tun| !tun.is_lisp0()) {
                self.lose_tunnel();
            }
        }
    }

    pub(super) fn change_kernel(&mut self, request: KernelRequest) {
        if matches!(request, KernelRequest::Add(_) | KernelRequest::Remove(_)) {
            self.forget_next_hops();
        }
        if let Err(error) = self.netlink.apply(&request) {
            let error = error.to_string();
            let event = KernelEvent::Refused { request, error };
            self.router.handle(Input::Kernel(event), self.clock.now());
        }
    }
}
