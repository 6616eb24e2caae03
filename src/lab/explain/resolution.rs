//! The Map-Request for a mapping that an ITR does not have: the path of the request to a
//! map-resolver, the answer, and the path of the answer.

use std::net::IpAddr;

use super::cause::{Cause, Loss};
use super::explorer::Explorer;
use super::journey::{Verdict, What};
use super::kernels::{Flight, Landing, Origin};
use crate::addr::{Family, Rloc};
use crate::console::show::drops::remedy;
use crate::console::view::LocatorAddress;
use crate::console::view::lisp::LispView;
use crate::console::view::packet::{RequestAnswer, RequestView};
use crate::lab::asked::{running_config, view};
use crate::lab::failure::Failure;
use crate::router::config::Config;
use crate::router::decision::Rule;
use crate::router::io::DropReason;
use crate::router::locators::{LocalRlocs, select};
use crate::router::map_cache::Locator;
use crate::router::reachability::{Reachability, Source};
use crate::time::Time;

/// The assumed length of a control message, in octets. It is smaller than every MTU.
const CONTROL_SIZE: u32 = 120;

/// The result of a Map-Request.
pub(super) enum Resolved {
    /// The mapping has this usable locator. `own` is the RLOC of the ITR.
    Locator { own: IpAddr, rloc: IpAddr },
    /// The mapping is negative. The loss is the reason for this, if it is known.
    Negative(Option<Loss>),
    /// The ITR gets no mapping. The root of the loss is the loss of the Map-Request or of its
    /// answer.
    Lost(Loss),
}

impl Explorer<'_> {
    /// Follows the Map-Request of an ITR for the destination of a packet.
    pub(super) fn resolve(&mut self, itr: &str, flight: &Flight) -> Result<Resolved, Failure> {
        let eid = flight.destination;
        let lisp = self.lisp_view(itr, Family::of(eid))?;
        let config = self.config(itr)?;
        let local = LocalRlocs::of(&config);
        let mut first = None;
        for &resolver in &lisp.map_resolvers {
            let Some(own) = local.preferred(Family::of(resolver)) else { continue };
            let ends = (own.0, resolver);
            match self.ask_resolver(itr, ends, eid)? {
                Ok((answer, at)) => return self.answered(itr, (answer, at), (&local, eid), flight),
                Err(loss) => first = first.or(Some(loss)),
            }
        }
        if lisp.map_resolvers.is_empty() {
            let because =
                format!("{itr} has no map-resolver, so it cannot request a mapping for {eid}");
            let loss = Loss::new(itr, Cause::Rule(Rule::NoMapResolver), because);
            return Ok(Resolved::Lost(self.lose(What::MapRequest, loss)));
        }
        let because = format!("no Map-Reply for {eid} comes to {itr}");
        let loss = Loss::new(itr, Cause::Rule(Rule::Resting), because).with_root(first);
        Ok(Resolved::Lost(self.lose(What::MapRequest, loss)))
    }

    /// Follows a Map-Request to a map-resolver and on to an ETR, and follows the Map-Reply back.
    /// Returns the answer, and the router that makes the answer.
    fn ask_resolver(
        &mut self,
        itr: &str,
        (own, resolver): (IpAddr, IpAddr),
        eid: IpAddr,
    ) -> Result<Result<(RequestView, String), Loss>, Failure> {
        let because = format!("{itr} sends a Map-Request for {eid} to the map-resolver {resolver}");
        let section = Some("RFC 9301 section 5.3");
        self.note_rule(itr, What::MapRequest, Verdict::Waits, because, section);
        let server = match self.control(itr, own, resolver)? {
            Ok(server) => server,
            Err(loss) => return Ok(Err(loss)),
        };
        if !self.is_router(&server) {
            let because = format!("{server} is not a LISP router, so no answer comes");
            let loss = Loss::new(&server, Cause::NotAMapResolver, because);
            return Ok(Err(self.lose(What::MapServer, loss)));
        }
        if !self.runs(&server) {
            let because = format!("the map-resolver {server} does not run, so no answer comes");
            let loss = Loss::new(&server, Cause::RouterStopped, because);
            return Ok(Err(self.lose(What::MapServer, loss)));
        }
        let answer = self.request_view(&server, eid)?;
        self.note_answer(&server, What::MapServer, &answer);
        let (answer, at, from) = match answer.answer {
            RequestAnswer::NotOurRole | RequestAnswer::NotOurEid => {
                let because = format!("{server} is not a map-resolver, so no answer comes");
                return Ok(Err(Loss::new(&server, Cause::NotAMapResolver, because)));
            }
            RequestAnswer::Forward => {
                let Some(etr) = answer.etr else {
                    return Ok(Ok((answer, server)));
                };
                match self.ask_etr(&server, etr, eid)? {
                    Err(loss) => return Ok(Err(loss)),
                    Ok((answer, at)) => (answer, at, etr),
                }
            }
            _ => (answer, server, resolver),
        };
        // The reply goes to the ITR-RLOC of the same family as the RLOC at which the request
        // arrived.
        let lost = self.reply(&at, from, own, itr)?;
        Ok(lost.map_or(Ok((answer, at)), Err))
    }

    fn ask_etr(
        &mut self,
        server: &str,
        etr: IpAddr,
        eid: IpAddr,
    ) -> Result<Result<(RequestView, String), Loss>, Failure> {
        let config = self.config(server)?;
        let Some(own) = LocalRlocs::of(&config).preferred(Family::of(etr)) else {
            let because = format!("{server} has no address of the family of {etr}");
            let loss = Loss::new(server, Cause::NoRoute, because);
            return Ok(Err(self.lose(What::MapServer, loss)));
        };
        let node = match self.control(server, own.0, etr)? {
            Ok(node) => node,
            Err(loss) => return Ok(Err(loss)),
        };
        if !self.is_router(&node) || !self.runs(&node) {
            let because = format!("the ETR {node} does not run, so no answer comes");
            let loss = Loss::new(&node, Cause::RouterStopped, because);
            return Ok(Err(self.lose(What::Etr, loss)));
        }
        let answer = self.request_view(&node, eid)?;
        self.note_answer(&node, What::Etr, &answer);
        Ok(match answer.answer {
            RequestAnswer::NotOurRole | RequestAnswer::NotOurEid => {
                let because = format!("{node} does not answer the Map-Request: {}", answer.because);
                Err(Loss::new(&node, Cause::EtrSilent, because))
            }
            _ => Ok((answer, node)),
        })
    }

    /// Follows a Map-Reply from the router `at` to the ITR. If the Map-Reply is lost, returns its
    /// loss.
    fn reply(
        &mut self,
        at: &str,
        from: IpAddr,
        own: IpAddr,
        itr: &str,
    ) -> Result<Option<Loss>, Failure> {
        let local = LocalRlocs::of(&self.config(at)?);
        let to = match Family::of(from) == Family::of(own) {
            true => own,
            false => {
                let other = LocalRlocs::of(&self.config(itr)?).preferred(Family::of(from));
                other.map_or(own, |rloc| rloc.0)
            }
        };
        let source = match Family::of(from) == Family::of(to) {
            true => Some(from),
            false => local.preferred(Family::of(to)).map(|rloc| rloc.0),
        };
        let Some(source) = source else {
            let because = format!("{at} has no address of the family of the ITR-RLOC {to}");
            let loss = Loss::new(at, Cause::NoRoute, because);
            return Ok(Some(self.lose(What::MapServer, loss)));
        };
        let steps = self.steps.len();
        let arrived = self.control(at, source, to)?;
        if arrived.is_ok() {
            // If the reply arrives, only one line shows its path.
            self.steps.truncate(steps);
            let because = format!("{at} sends a Map-Reply to {to}");
            self.note_rule(
                at,
                What::MapServer,
                Verdict::Passes,
                because,
                Some("RFC 9301 section 5.4"),
            );
        }
        Ok(arrived.err())
    }

    /// Follows a control message to its destination. Returns the node that receives it, or its
    /// loss.
    pub(super) fn control(
        &mut self,
        node: &str,
        source: IpAddr,
        destination: IpAddr,
    ) -> Result<Result<String, Loss>, Failure> {
        let flight = Flight { source, destination, size: CONTROL_SIZE, df: false };
        Ok(match self.inside(|it| it.carry(node, Origin::Bound, &flight))? {
            Landing::Arrived(node) => Ok(node),
            Landing::Lost(loss) => Err(loss),
            Landing::Tunnel(router) => {
                let because = format!("the route to {destination} leads into the LISP tunnel");
                let loss = Loss::new(&router, Cause::RoutingLoop, because);
                Err(self.lose(What::Route, loss))
            }
        })
    }

    /// Returns the result of a Map-Request: the locator that the ITR will use, or the reason why
    /// the ITR has no usable locator.
    fn answered(
        &mut self,
        itr: &str,
        (answer, at): (RequestView, String),
        (local, eid): (&LocalRlocs, IpAddr),
        flight: &Flight,
    ) -> Result<Resolved, Failure> {
        if answer.answer == RequestAnswer::Negative {
            let why = self.inside(|it| it.unregistered(&at, eid))?;
            return Ok(Resolved::Negative(Some(why)));
        }
        let locators = answer.locators.iter().filter_map(|it| {
            let LocatorAddress::Ip(rloc) = it.rloc else { return None };
            Some(Locator {
                rloc: Rloc(rloc),
                priority: it.priority,
                weight: it.weight,
                ordinal: 0,
                up: it.reachable,
                source: Source::RBit,
                since: Time::ZERO,
            })
        });
        let locators: Vec<Locator> = locators.collect();
        match select(&locators, local, &Reachability::default(), 0) {
            Some((own, rloc)) => {
                let because = format!("{itr} encapsulates to {rloc}, a locator of the Map-Reply");
                let section = Some(Rule::Mapping.section());
                self.note_rule(itr, What::Itr, Verdict::Passes, because, section);
                Ok(Resolved::Locator { own: own.0, rloc: rloc.0 })
            }
            None => {
                let rule = Rule::NoUsableLocator;
                let because =
                    format!("no locator of the Map-Reply for {} can be used", flight.destination);
                let loss = Loss::new(itr, Cause::Rule(rule), because);
                let to_do = remedy(DropReason::NoUsableLocator);
                let loss = loss.with_remedy(Some(format!("at {itr}: {to_do}")));
                Ok(Resolved::Lost(self.lose(What::Itr, loss)))
            }
        }
    }

    fn note_answer(&mut self, node: &str, what: What, answer: &RequestView) {
        let RequestView { because, section, site, .. } = answer;
        let site = site.as_ref().map_or(String::new(), |site| format!(" (site {site})"));
        let (verdict, text) = match (answer.answer, answer.etr, answer.eid_prefix) {
            (RequestAnswer::Forward, Some(etr), _) => (
                Verdict::Passes,
                format!("{node} forwards the request to the ETR {etr}: {because}{site}"),
            ),
            (RequestAnswer::Negative, _, Some(prefix)) => (
                Verdict::Passes,
                format!("{node} sends a negative Map-Reply for {prefix}: {because}{site}"),
            ),
            (_, _, Some(prefix)) => {
                (Verdict::Passes, format!("{node} answers with a mapping for {prefix}: {because}"))
            }
            _ => (Verdict::Lost, because.clone()),
        };
        self.note_rule(node, what, verdict, text, Some(section));
    }

    pub(super) fn lisp_view(&mut self, node: &str, family: Family) -> Result<LispView, Failure> {
        let command = match family {
            Family::Ipv4 => "show ip lisp",
            Family::Ipv6 => "show ipv6 lisp",
        };
        let running = &mut *self.running;
        view(node, command, &mut |line| running.console(node, line))
    }

    fn request_view(&mut self, node: &str, eid: IpAddr) -> Result<RequestView, Failure> {
        let command = format!("show lisp map-request {eid}");
        let running = &mut *self.running;
        view(node, &command, &mut |line| running.console(node, line))
    }

    /// Returns the running configuration of a router.
    pub(super) fn config(&mut self, node: &str) -> Result<Config, Failure> {
        let running = &mut *self.running;
        running_config(node, &mut |line| running.console(node, line))
    }
}
