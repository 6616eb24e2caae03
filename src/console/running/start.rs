//! Starts the commands that run for some time.

use super::lig::Asked;
use super::{Lig, Ping, Running, Traceroute, ends};
use crate::addr::{Eid, Family};
use crate::console::exec::{LigRequest, LigTarget, ProbeCommand, ProbeRequest};
use crate::console::probes::Probes;
use crate::router::Router;
use crate::router::io::{Command, Input, LigQuestion};
use crate::time::Time;

/// Starts a ping or a traceroute.
///
/// # Errors
/// The error is a message for the user.
pub fn start_probe(
    request: ProbeRequest,
    router: &Router,
    probes: &mut dyn Probes,
) -> Result<Box<dyn Running>, String> {
    let ends = ends(router, request.target, request.source)?;
    let socket = probes.open(ends)?;
    Ok(match request.command {
        ProbeCommand::Ping(options) => Box::new(Ping::new(ends, options, socket)),
        ProbeCommand::Traceroute(options) => {
            Box::new(Traceroute::new(ends, request.name, options, socket))
        }
    })
}

/// Starts a query for a mapping.
///
/// # Errors
/// The error is a message for the user.
pub fn start_lig(
    request: LigRequest,
    router: &mut Router,
    now: Time,
) -> Result<Box<dyn Running>, String> {
    let LigRequest { target, resolver, requests } = request;
    let (eid, asked) = match target {
        LigTarget::Eid(eid, name) => (eid, name.map_or(Asked::Address, Asked::Name)),
        LigTarget::Own(family) => {
            let none = || format!("This router has no {family} EID prefix");
            (own_eid(router, family).ok_or_else(none)?, Asked::Own)
        }
    };
    if resolver.is_none() && router.config().itr_map_resolvers(eid.family()).is_empty() {
        return Err(
            "No map-resolver is configured: add `to MAP-RESOLVER` at the end of the command"
                .to_owned(),
        );
    }
    let number = router.lig().next_number();
    let question = LigQuestion { eid, resolver, requests };
    router.handle(Input::Command(Command::Lig(question)), now);
    Ok(Box::new(Lig::new(number, asked)))
}

/// The first EID of the first local EID prefix.
fn own_eid(router: &Router, family: Family) -> Option<Eid> {
    let mut prefixes = router.database().entries().iter().map(|(prefix, _)| prefix);
    prefixes.find(|prefix| prefix.family() == family).map(|prefix| prefix.network())
}
