//! The nonces of this router's own Map-Registers beside its clock: what is kept of them over a restart, and
//! what the operator is told where the clock was set back.

use std::net::IpAddr;

use super::nonces::{FIRST_RAISE, UNANSWERED};
use crate::router::Router;
use crate::router::io::Output;
use crate::router::kept::NonceRequest;
use crate::time::Time;

impl Router {
    /// An earlier run has kept its last nonce.
    pub(in crate::router) fn restore_sent_nonce(&mut self, sent: u64) {
        if let Some(behind) = self.registrar.nonces.restore(sent) {
            let behind = behind / 1_000_000;
            self.context.notice(format!(
                "the clock is {behind} s behind the last nonce that this router has sent in a Map-Register: \
                 nonces go on from there; correct the clock"
            ));
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
            self.context.warn(format!(
                "map-server {server} has answered none of {registers} Map-Registers: if it can be reached \
                 and its key is right, it may remember greater nonces of this router, from before the clock \
                 here was set back; nonces are raised by {} minutes, twice as much after each {UNANSWERED} \
                 more, until it answers; `eidway router --nonces FILE` remembers them over a restart",
                FIRST_RAISE / 60_000_000,
            ));
        }
    }
}
