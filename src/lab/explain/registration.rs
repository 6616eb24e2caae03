//! The reason why a map-server has no registration of an EID.

use std::net::IpAddr;

use super::cause::{Cause, Loss};
use super::explorer::Explorer;
use super::journey::{Verdict, What};
use crate::addr::Family;
use crate::console::view::Listing;
use crate::console::view::database::{Head, Row};
use crate::console::view::lisp::LispView;
use crate::console::view::packet::RequestView;
use crate::console::view::refusals::{RefusalRow, RefusalsView};
use crate::lab::asked::view;
use crate::lab::failure::Failure;
use crate::router::counters::ControlDrop;

impl Explorer<'_> {
    /// Finds the reason why the map-server `server` has no registration of `eid`. First finds the
    /// routers of the site: these routers have the EID in their databases. If no router has it,
    /// they are the routers on the LAN of the host with this EID.
    pub(super) fn unregistered(&mut self, server: &str, eid: IpAddr) -> Result<Loss, Failure> {
        let routers: Vec<String> =
            self.lab.file.routers().map(|(name, _)| name.to_owned()).collect();
        let mut of_site = Vec::new();
        for router in &routers {
            if self.runs(router) && self.database_row(router, eid)?.is_some() {
                of_site.push(router.clone());
            }
        }
        if of_site.is_empty() {
            of_site = self.routers_beside(eid)?;
        }
        let site = self.site_of(server, eid)?;
        let mut found = None;
        for etr in of_site {
            if etr == server {
                continue;
            }
            found = self.not_registered_by(&etr, server, eid)?;
            if found.is_some() {
                break;
            }
        }
        let loss = found.unwrap_or_else(|| match site {
            None => {
                let because = format!("the map-server {server} has no site with {eid}");
                Loss::new(server, Cause::NoSite, because)
            }
            Some(site) => {
                let because = format!("no ETR has registered {eid} of site {site} at {server}");
                Loss::new(server, Cause::NotRegistered, because)
            }
        });
        let (node, because) = (loss.node.clone(), loss.because.clone());
        let section = loss.section.clone();
        self.note_rule(&node, What::Registration, Verdict::Lost, because, section.as_deref());
        Ok(loss)
    }

    /// Returns the reason why an ETR has not registered an EID. Returns `None` if the ETR sends
    /// registrations and the map-server has not refused them.
    fn not_registered_by(
        &mut self,
        etr: &str,
        server: &str,
        eid: IpAddr,
    ) -> Result<Option<Loss>, Failure> {
        let loss = |cause, because: String| Ok(Some(Loss::new(etr, cause, because)));
        if !self.runs(etr) {
            return loss(Cause::RouterStopped, format!("{etr}, the router of {eid}, does not run"));
        }
        let lisp = self.lisp_view(etr, Family::of(eid))?;
        if !lisp.roles.etr {
            let because = format!("{etr} is not an ETR, so it does not register {eid}");
            let rule = crate::router::decision::Rule::NoEtr;
            let to_do = format!("at {etr}: configure `ipv4 etr` or `ipv6 etr`");
            let loss = Loss::new(etr, Cause::Rule(rule), because);
            return Ok(Some(loss.with_remedy(Some(to_do))));
        }
        let Some(row) = self.database_row(etr, eid)? else {
            return loss(
                Cause::NoDatabaseMapping,
                format!("{eid} is not in the database of {etr}"),
            );
        };
        if !row.has_route {
            let because = format!("{etr} has no route to its EID prefix {}", row.eid_prefix);
            let found = Loss::new(etr, Cause::EidWithoutRoute, because);
            let root = self.dead_port(etr, eid)?;
            return Ok(Some(found.with_root(root)));
        }
        if lisp.map_servers.is_empty() {
            return loss(Cause::NoMapServer, format!("{etr} has no `etr map-server` for {eid}"));
        }
        if let Some(refused) = self.refusal(etr, &lisp, server)? {
            return Ok(Some(refused));
        }
        self.registers_arrive(etr, &lisp, server)
    }

    /// If the Map-Registers of an ETR do not arrive at the map-server, returns their loss.
    fn registers_arrive(
        &mut self,
        etr: &str,
        lisp: &LispView,
        server: &str,
    ) -> Result<Option<Loss>, Failure> {
        let own_addresses: Vec<IpAddr> = self
            .links(server)?
            .iter()
            .flat_map(|link| &link.addresses)
            .map(|net| net.addr())
            .collect();
        let configured = lisp.map_servers.iter().map(|row| row.address);
        let Some(address) = configured.clone().find(|it| own_addresses.contains(it)) else {
            let all: Vec<String> = configured.map(|it| it.to_string()).collect();
            let because = format!("{etr} registers at {}, and not at {server}", all.join(", "));
            return Ok(Some(Loss::new(etr, Cause::NoMapServer, because)));
        };
        let local = crate::router::locators::LocalRlocs::of(&self.config(etr)?);
        let Some(own) = local.preferred(Family::of(address)) else {
            let because = format!("{etr} has no locator of the family of {address}");
            return Ok(Some(Loss::new(etr, Cause::NoMapServer, because)));
        };
        let steps = self.steps.len();
        let arrived = self.control(etr, own.0, address)?;
        if arrived.is_ok() {
            self.steps.truncate(steps);
        }
        Ok(arrived.err())
    }

    /// Returns the latest Map-Register of an ETR that the map-server `server` has refused, as a
    /// loss. Returns `None` if the map-server has sent a Map-Notify after the refusal.
    fn refusal(
        &mut self,
        etr: &str,
        lisp: &LispView,
        server: &str,
    ) -> Result<Option<Loss>, Failure> {
        let notified = lisp.map_servers.iter().filter_map(|row| row.last_notify).min();
        let links = self.links(etr)?.iter();
        let of_etr: Vec<IpAddr> =
            links.flat_map(|link| &link.addresses).map(|net| net.addr()).collect();
        let running = &mut *self.running;
        let ask = &mut |line: &str| running.console(server, line);
        let refusals: RefusalsView = view(server, "show lisp refusals", ask)?;
        let is_register = |row: &&RefusalRow| {
            let is_new = notified.is_none_or(|notified| row.last <= notified);
            is_new && of_etr.contains(&row.source) && row.what.starts_with("Map-Register")
        };
        let last = refusals.refusals.iter().filter(is_register).min_by_key(|row| row.last);
        Ok(last.map(|row| {
            let cause = match row.reason {
                ControlDrop::Authentication => Cause::WrongKey,
                _ => Cause::RegistrationRefused,
            };
            let because = format!("{server} refuses the {} of {etr}: {}", row.what, row.why);
            Loss::new(etr, cause, because).with_remedy(Some(row.advice.clone()))
        }))
    }

    /// Returns the entry that covers an EID in the database of a router.
    fn database_row(&mut self, node: &str, eid: IpAddr) -> Result<Option<Row>, Failure> {
        let command = match Family::of(eid) {
            Family::Ipv4 => format!("show ip lisp database {eid} json"),
            Family::Ipv6 => format!("show ipv6 lisp database {eid} json"),
        };
        let answer = self.running.console(node, &command)?;
        if !answer.done.ok {
            return Ok(None);
        }
        let listing: Result<Listing<Head, Row>, _> = answer.view();
        let listing = listing.map_err(|error| {
            Failure::Other(format!("{node}: the answer to `{command}` cannot be read: {error}"))
        })?;
        Ok(listing.entries.into_iter().next())
    }

    /// Returns the routers on the LAN of the host that has this EID.
    fn routers_beside(&mut self, eid: IpAddr) -> Result<Vec<String>, Failure> {
        let mut hosts = self.lab.file.hosts();
        let found = hosts.find(|(_, host)| host.addresses.iter().any(|net| net.addr() == eid));
        let found = found.map(|(name, host)| (name.to_owned(), host.device.clone()));
        drop(hosts);
        let Some((host, device)) = found else {
            return Ok(Vec::new());
        };
        let peers = self.peers(&host, &device)?;
        let routers = peers.into_iter().map(|(node, _)| node);
        Ok(routers.filter(|node| self.is_router(node)).collect())
    }

    /// Returns the name of the site that contains an EID. The site is configured at the map-server
    /// `server`.
    fn site_of(&mut self, server: &str, eid: IpAddr) -> Result<Option<String>, Failure> {
        let command = format!("show lisp map-request {eid}");
        let running = &mut *self.running;
        let answer: RequestView =
            view(server, &command, &mut |line| running.console(server, line))?;
        Ok(answer.site)
    }
}
