//! The nonces of this router's own Map-Registers, and the clock. These functions store the last
//! nonce for the next start, and tell the operator if the clock was set back.

use std::net::IpAddr;

use super::Registrar;
use super::nonces::{FIRST_RAISE, UNANSWERED};
use crate::router::context::Context;
use crate::router::event::{Event, MapServerChange};
use crate::router::io::Output;
use crate::router::kept::NonceRequest;
use crate::time::Time;

impl Registrar {
    /// Continues the nonces after `sent`, the last nonce that an earlier run has stored. Tells the
    /// operator if the clock is behind this nonce.
    pub(in crate::router) fn restore_nonce(&mut self, context: &mut Context, sent: u64) {
        if let Some(behind) = self.nonces.restore(sent) {
            context.tell(Event::ClockBehind { by: behind / 1_000_000 });
        }
    }

    /// Asks the driver to store the last nonce, if it has changed.
    pub(in crate::router) fn keep_nonce(&mut self, context: &mut Context) {
        let sent = self.nonces.take_unkept();
        context.outputs.extend(sent.map(NonceRequest::Sent).map(Output::Nonce));
    }

    /// Handles `registers` successive Map-Registers that a map-server has not answered. Raises the
    /// nonces if this is due, and tells the operator about the first increase.
    pub(super) fn registers_unanswered(
        &mut self,
        context: &mut Context,
        server: IpAddr,
        registers: u32,
        now: Time,
    ) {
        let clock = context.clock.at(now);
        if self.nonces.unanswered(server, registers, clock) {
            let (raised_by, again_after) = (FIRST_RAISE / 60_000_000, UNANSWERED);
            context.tell(Event::MapServer {
                map_server: server,
                change: MapServerChange::Unanswered { registers, raised_by, again_after },
            });
        }
    }
}
