//! The nonces of this router's own Map-Registers beside its clock: the part that is kept over a restart,
//! and the message to the operator where the clock was set back.

use std::net::IpAddr;

use super::nonces::{FIRST_RAISE, UNANSWERED};
use crate::router::Router;
use crate::router::event::{Event, MapServerChange};
use crate::router::io::Output;
use crate::router::kept::NonceRequest;
use crate::time::Time;

impl Router {
    /// An earlier run has kept its last nonce.
    pub(in crate::router) fn restore_sent_nonce(&mut self, sent: u64) {
        if let Some(behind) = self.registrar.nonces.restore(sent) {
            self.context.tell(Event::ClockBehind { by: behind / 1_000_000 });
        }
    }

    /// Asks the driver to keep the last nonce, if it is another than before.
    pub(in crate::router) fn keep_sent_nonce(&mut self) {
        let sent = self.registrar.nonces.take_unkept();
        self.context.outputs.extend(sent.map(NonceRequest::Sent).map(Output::Nonce));
    }

    /// So many registers in a row had no answer of a map-server.
    pub(super) fn registers_unanswered(&mut self, server: IpAddr, registers: u32, now: Time) {
        let clock = self.wall_clock(now);
        if self.registrar.nonces.unanswered(server, registers, clock) {
            let (raised_by, again_after) = (FIRST_RAISE / 60_000_000, UNANSWERED);
            self.told_of(server, MapServerChange::Unanswered { registers, raised_by, again_after });
        }
    }
}
