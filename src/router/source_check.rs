//! Packets from the core whose inner source is at this site, so that they cannot come from the core.
//!
//! A source that the configuration places here, or an address of the router itself, is forged, and its
//! packet is dropped. A host that was found here may just have moved, and its new xTR may not have said so
//! yet: it is asked at once whether it is still here, and its packet is delivered. An EID that is away,
//! or in a dynamic range without having been found, may be anywhere. Every xTR has the same roaming
//! gateway.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use super::away::AwayTable;
use super::config::Config;
use super::context::Context;
use super::database::Database;
use super::decision::{Because, Rule, SourceWant, Table};
use super::eid_location::EidLocation;
use super::io::{Device, KernelRequest};
use super::mobility::Mobility;
use crate::addr::Eid;
use crate::time::Time;

/// Sources that are remembered to be elsewhere; a power of two.
const SOURCES: usize = 1024;
/// The least time between two questions to a host that was found here.
const QUESTION_INTERVAL: Duration = Duration::from_secs(1);

/// The facts that the check of sources needs.
#[derive(Debug)]
pub(super) struct SourceCheck {
    /// The router's addresses without those of roaming gateways.
    own: BTreeSet<IpAddr>,
    /// The forwarding generation: in another one, a source may be elsewhere than it was.
    generation: u64,
    /// Sources that are elsewhere, with the generation in which that was found out; those that fall on one
    /// place take turns there.
    elsewhere: Box<[Option<(u64, Eid)>]>,
}

impl SourceCheck {
    /// The check of a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let fixed = config.interfaces.values().flat_map(|interface| {
            let addresses = interface.addresses.iter();
            addresses.filter(|address| !config.is_roaming(interface, **address))
        });
        let own = fixed.map(|address| address.addr()).collect();
        SourceCheck { own, generation: 0, elsewhere: vec![None; SOURCES].into_boxed_slice() }
    }

    /// Follows the forwarding generation: sources of another one are looked up again.
    pub(super) fn follow(&mut self, generation: u64) {
        self.generation = generation;
    }

    fn is_elsewhere(&self, source: Eid) -> bool {
        self.elsewhere[place_of(source)] == Some((self.generation, source))
    }

    /// Remembers that a source is elsewhere, until the forwarding generation ends.
    pub(super) fn note_elsewhere(&mut self, source: Eid) {
        self.elsewhere[place_of(source)] = Some((self.generation, source));
    }
}

fn place_of(source: Eid) -> usize {
    let low = match source.address {
        IpAddr::V4(address) => address.to_bits(),
        IpAddr::V6(address) => address.to_bits() as u32,
    };
    (low ^ low >> 10) as usize % SOURCES
}

impl SourceCheck {
    /// Whether a packet from the core may have this inner source, and the consequence.
    ///
    /// # Errors
    /// The rule by which it is forged.
    pub(super) fn check(
        &self,
        config: &Config,
        (database, away): (&Database, &AwayTable),
        mobility: &Mobility,
        source: Eid,
    ) -> Result<SourceWant, Because> {
        if self.is_elsewhere(source) {
            return Ok(SourceWant::Nothing);
        }
        let service = config.service(source.family());
        if service.is_some_and(|service| service.etr_no_source_check) {
            return Ok(SourceWant::Nothing);
        }
        if self.own.contains(&source.address) {
            return Err(Because::rule(Rule::SourceIsRouter));
        }
        match EidLocation::of(source, database, away) {
            EidLocation::Here(prefix) if mobility.host(prefix).is_none() => {
                Err(Because::line(Rule::SourceIsHere, Table::Database, prefix))
            }
            EidLocation::Here(_) => Ok(SourceWant::AskHost),
            EidLocation::Away(..) | EidLocation::Elsewhere => Ok(SourceWant::Note),
        }
    }
}

/// Asks a host that was found whether it is still at its port. Without an answer it goes, as one does
/// that falls silent.
pub(super) fn ask_whether_here(
    context: &mut Context,
    mobility: &mut Mobility,
    eid: Eid,
    now: Time,
) {
    let Some(port) = mobility.ask_from_time_to_time(eid, QUESTION_INTERVAL, now) else { return };
    let (device, address) = (Device::Interface(port), eid.address);
    context.request(vec![KernelRequest::Probe { device, address }]);
}
