//! Checks packets from the core that have an inner source at this site. These packets cannot really
//! come from the core.
//!
//! A source is forged if it is at this site by configuration, or if it is an address of the router
//! itself. The router drops a packet with a forged source. A host that was found on a port of this
//! router may just have moved, and its new xTR may not have registered it yet. So the router
//! delivers the packet, and immediately asks the host whether it is still on its port. Two kinds of
//! sources may be anywhere: an EID that is away, and an EID in a dynamic range that has not been
//! found. The addresses of roaming gateways are not checked, because every xTR has the same roaming
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

/// The number of sources that can be recorded as not at this site. The number is a power of two.
const SOURCES: usize = 1024;
/// The minimum time between two questions to a host that was found on a port of this router.
const QUESTION_INTERVAL: Duration = Duration::from_secs(1);

/// The data for the check of sources.
#[derive(Debug)]
pub(super) struct SourceCheck {
    /// The router's addresses, without the addresses of roaming gateways.
    own: BTreeSet<IpAddr>,
    /// The forwarding generation. In a new generation, the location of a source may be different.
    generation: u64,
    /// Sources that are not at this site, each with the generation in which the router found this
    /// out. A source replaces another source with the same index.
    elsewhere: Box<[Option<(u64, Eid)>]>,
}

impl SourceCheck {
    /// The source check for a configuration.
    pub(super) fn of(config: &Config) -> Self {
        let fixed = config.interfaces.values().flat_map(|interface| {
            let addresses = interface.addresses.iter();
            addresses.filter(|address| !config.is_roaming(interface, **address))
        });
        let own = fixed.map(|address| address.addr()).collect();
        SourceCheck { own, generation: 0, elsewhere: vec![None; SOURCES].into_boxed_slice() }
    }

    /// Stores the forwarding generation. Sources that were recorded in another generation are
    /// looked up again.
    pub(super) fn follow(&mut self, generation: u64) {
        self.generation = generation;
    }

    fn is_elsewhere(&self, source: Eid) -> bool {
        self.elsewhere[place_of(source)] == Some((self.generation, source))
    }

    /// Records that a source is not at this site. This information is valid until the forwarding
    /// generation ends.
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
    /// Checks the inner source of a packet from the core. Returns the action that this source
    /// requires.
    ///
    /// # Errors
    /// If the source is forged, the error is the rule that shows this.
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

/// Asks a found host whether it is still at its port. If there is no answer, the host is removed,
/// like a host that becomes silent.
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
