//! Where packets went, kept beside the router's own counters: each is delivered, held, or counted
//! under one reason.

use eidway::router::counters::Counters;
use eidway::router::io::{Inbound, Outbound, Output};

/// More packets than a router's hold queues take: those of unresolved EIDs and of searched hosts.
const MOST_HELD: u64 = 2048 + 1024 * 8;

/// What the verdicts and outputs have said.
#[derive(Default)]
pub struct Ledger {
    encapsulated: u64,
    native: u64,
    delivered: u64,
    forwarded: u64,
    held: u64,
    /// Of the held: sent on.
    released: u64,
    dropped: u64,
}

impl Ledger {
    pub fn outbound(&mut self, outbound: Outbound) {
        match outbound {
            Outbound::Encapsulate(_) => self.encapsulated += 1,
            Outbound::Native => self.native += 1,
            Outbound::Held => self.held += 1,
            Outbound::Dropped(_) => self.dropped += 1,
        }
    }

    pub fn inbound(&mut self, inbound: Inbound) {
        match inbound {
            Inbound::Deliver { .. } => self.delivered += 1,
            Inbound::Forward { .. } => self.forwarded += 1,
            Inbound::Held => self.held += 1,
            Inbound::Dropped(_) => self.dropped += 1,
        }
    }

    pub fn output(&mut self, output: &Output) {
        self.released += u64::from(matches!(output, Output::Encapsulate(..) | Output::Native(..)));
    }

    /// Held packets that are neither sent on nor counted as dropped, by the router's counters.
    pub fn waiting(&self, counters: &Counters) -> u64 {
        let dropped: u64 = counters.drops.values().sum();
        let late = dropped.checked_sub(self.dropped).expect("each drop is counted");
        let waiting = self.held.checked_sub(self.released + late);
        waiting.expect("nothing is released or dropped that was not held")
    }

    pub fn check(&self, counters: &Counters) {
        assert!(self.waiting(counters) <= MOST_HELD);
        assert_eq!(counters.held, self.held);
        assert_eq!(counters.forwarded_away, self.forwarded);
        let sent = counters.encapsulations + counters.native + counters.decapsulations;
        let told = self.encapsulated + self.native + self.delivered + self.released;
        assert_eq!(sent, told, "each packet that went on is counted once");
    }
}
