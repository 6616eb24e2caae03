//! Checks a lab after a map-server with reliable registration was killed in the middle of a
//! scenario and started again (`lab run LAB SCENARIO --kill ROUTER`).
//!
//! The script stops at its statement `middle`, because the later statements assume that no router
//! was killed. Then the following conditions are checked. They must be true after the beginning of
//! any script:
//!
//! 1. Each ETR that had a session with the killed router detects that the session is down.
//! 2. After the restart, each ETR that had a session registers first by UDP and then by TCP.
//! 3. The killed router has exactly those prefixes that its sites accept and that have a route in
//!    the database of an ETR. Each prefix is registered by the ETR that owns it, and by TCP. Every
//!    other map-server has at least the prefixes that its own sites accept.
//! 4. Every entry in an away table (an EID that is not at the router's site any more) has a cause.
//! 5. Every host with a registered EID answers every other host that is not cut off.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

use super::play::{PAUSE, Player, Stopped, Why, unmet};
use super::stage::Stage;
use super::{Action, Answers, Bound, Ends, Ping, Place, Scenario};
use crate::addr::Family;
use crate::console::view::away::AwayRow;
use crate::console::view::sessions::SessionsView;
use crate::console::view::{Listing, TableHead, View, database, site};
use crate::lab::failure::Failure;
use crate::lab::file::{Host, LabFile};
use crate::lab::ping::Echos;
use crate::router::away::Producer;

/// The longest time to detect that a peer was killed: the time of TCP's keepalive.
const FALL: Duration = Duration::from_secs(30);
/// The longest time until a session is up again. An ETR registers by UDP once a minute, and then
/// its session comes up.
const RETURN: Duration = Duration::from_secs(90);
/// The longest time until the registrations, the caches and the tables of away EIDs are correct. A
/// cache keeps a negative answer for a minute.
const SETTLED: Duration = Duration::from_secs(70);
/// The name of the capture at the killed router.
const CAPTURE: &str = "returning";

/// The ETRs that had a session with the killed router before it was killed.
struct Etrs {
    /// The RLOC of each ETR, by the name of the ETR.
    rlocs: BTreeMap<String, IpAddr>,
    /// The addresses of the killed router in its sessions with these ETRs.
    server: BTreeSet<IpAddr>,
}

/// The registrations at a map-server.
#[derive(Default)]
struct Registered {
    sites: Vec<site::Row>,
    all: Owned,
    /// The registrations that were made by TCP.
    reliable: Owned,
}

impl Registered {
    /// Returns the part of `owned` that this map-server must have, because its sites accept these
    /// prefixes.
    fn due(&self, owned: &Owned) -> Owned {
        let taken = |prefix: &IpNet| self.sites.iter().any(|site| site.takes(prefix));
        owned.iter().filter(|(prefix, _)| taken(prefix)).copied().collect()
    }
}

/// Prefixes, each with the RLOC of the router that has registered it.
type Owned = BTreeSet<(IpNet, IpAddr)>;

/// Plays `scenario` to its middle, kills `victim`, starts it again and checks the conditions of
/// this module.
///
/// # Errors
/// A step or a condition of the recovery has an unexpected result. There is also an error if the
/// scenario has no `middle`, or if `victim` has no sessions.
pub fn play(
    scenario: &Scenario,
    lab: &LabFile,
    victim: &str,
    stage: &mut dyn Stage,
    out: &mut dyn Write,
) -> Result<(), Stopped> {
    let middle = scenario.steps.iter().position(|step| step.action == Action::Middle);
    let Some(middle) = middle else {
        let why = Why::Failed(Failure::new(
            "the scenario has no statement `middle`, at which a router could be killed",
        ));
        return Err(why.at(scenario, "middle"));
    };
    let mut player = Player::new(stage, out);
    let steps = &scenario.steps[..middle];
    player.steps(steps)?;
    let several = steps.iter().filter_map(|step| match &step.action {
        Action::Address { host, .. } => Some(host.as_str()),
        _ => None,
    });
    let mut recovery = Recovery { player, lab, victim, several: several.collect() };
    recovery.play().map_err(|(point, why)| why.at(scenario, point))
}

struct Recovery<'a> {
    player: Player<'a>,
    lab: &'a LabFile,
    victim: &'a str,
    /// Hosts that have more addresses than in the lab file. Such a host may use any of its
    /// addresses as source. This check does not know which address the host uses, and whether this
    /// address is an EID of the host's site.
    several: BTreeSet<&'a str>,
}

impl Recovery<'_> {
    fn play(&mut self) -> Result<(), (&'static str, Why)> {
        let at = |point: &'static str| move |why| (point, why);
        self.player
            .say(&format!("== the middle of the scenario: router {} is killed", self.victim));
        let etrs = self.etrs().map_err(at("the sessions before"))?;
        self.kill().map_err(at("the kill"))?;
        self.poll(FALL, |all| all.sessions_are_down(&etrs))
            .map_err(at("the end of the sessions"))?;
        self.player.say("   the sessions of the killed router are down");
        self.player
            .stage
            .start(self.victim, &mut |_| ())
            .map_err(|why| ("the start", why.into()))?;
        self.poll(RETURN, |all| all.sessions_are_up(&etrs))
            .map_err(at("the new start of the sessions"))?;
        self.player.say("   the sessions of the killed router are up again");
        self.poll(SETTLED, |all| all.registrations(&etrs)).map_err(at("the registrations"))?;
        self.player.say("   each prefix is registered by its owner");
        self.poll(SETTLED, |all| all.away(&etrs)).map_err(at("the away tables"))?;
        self.player.say("   each away entry has a valid cause");
        self.pings(&etrs).map_err(at("the pings"))?;
        self.by_udp_first(&etrs).map_err(at("the order of registrations"))?;
        self.player.captures_are_clean().map_err(at("the end"))
    }

    /// Repeats a check until it succeeds, or until the time limit.
    fn poll(
        &mut self,
        within: Duration,
        mut look: impl FnMut(&mut Self) -> Result<(), Why>,
    ) -> Result<(), Why> {
        let deadline = self.player.stage.now() + within;
        loop {
            match look(self) {
                Err(Why::Unmet { .. }) if self.player.stage.now() < deadline => {
                    self.player.stage.pass(PAUSE * 4)?;
                }
                result => return result,
            }
        }
    }

    fn view<V: View>(&mut self, node: &str, command: &str) -> Result<V, Why> {
        let command = format!("{command} json");
        let answer = self.player.stage.console(node, &command)?;
        let view = answer.view();
        view.map_err(|error| Failure::Other(format!("{node}: {command}: {error}")).into())
    }

    fn sessions(&mut self, node: &str) -> Result<SessionsView, Why> {
        self.view(node, "show lisp session")
    }

    /// Returns the rows of an IPv4 table and of an IPv6 table. In `command`, `*` stands for the
    /// family.
    fn both<H: View, R: View>(&mut self, node: &str, command: &str) -> Result<Vec<R>, Why> {
        let mut rows = Vec::new();
        for family in ["ip", "ipv6"] {
            let listing: Listing<H, R> = self.view(node, &command.replace('*', family))?;
            rows.extend(listing.entries);
        }
        Ok(rows)
    }

    fn database(&mut self, node: &str) -> Result<Vec<database::Row>, Why> {
        self.both::<database::Head, _>(node, "show * lisp database")
    }

    fn away_rows(&mut self, node: &str) -> Result<Vec<AwayRow>, Why> {
        self.both::<TableHead, _>(node, "show * lisp away")
    }

    fn others(&self) -> Vec<String> {
        let routers = self.lab.routers().map(|(node, _)| node);
        routers.filter(|node| *node != self.victim).map(str::to_owned).collect()
    }

    fn etrs(&mut self) -> Result<Etrs, Why> {
        let own = self.sessions(self.victim)?;
        let server: BTreeSet<IpAddr> =
            own.sessions.iter().filter_map(|each| each.local).map(|local| local.ip()).collect();
        let mut rlocs = BTreeMap::new();
        for node in self.others() {
            let theirs = self.sessions(&node)?;
            let session = theirs.sessions.iter().find(|each| server.contains(&each.peer));
            if let Some(rloc) = session.and_then(|session| session.local) {
                rlocs.insert(node, rloc.ip());
            }
        }
        match rlocs.is_empty() {
            true => Err(unmet("a router that has a session with the killed router", "none")),
            false => Ok(Etrs { rlocs, server }),
        }
    }

    fn kill(&mut self) -> Result<(), Why> {
        self.player.stage.stop(self.victim, true, &mut |_| ())?;
        let port = self.lab.ports().find(|port| port.node == self.victim);
        let port = port.ok_or_else(|| Failure::new("the killed router has no port"))?;
        let place = Place { node: port.node.clone(), interface: port.interface.clone() };
        Ok(self.player.stage.capture(CAPTURE, &place)?)
    }

    fn sessions_are_down(&mut self, etrs: &Etrs) -> Result<(), Why> {
        for node in etrs.rlocs.keys() {
            let theirs = self.sessions(node)?;
            let mut stand = theirs.sessions.iter().filter(|each| each.up.is_some());
            if stand.any(|each| etrs.server.contains(&each.peer)) {
                return Err(unmet("no session with the killed router", format!("{node} has one")));
            }
        }
        Ok(())
    }

    fn sessions_are_up(&mut self, etrs: &Etrs) -> Result<(), Why> {
        let own = self.sessions(self.victim)?;
        let stand = own.sessions.iter().filter(|each| each.up.is_some());
        let stand: BTreeSet<IpAddr> = stand.map(|each| each.peer).collect();
        match etrs.rlocs.iter().find(|(_, rloc)| !stand.contains(rloc)) {
            None => Ok(()),
            Some((node, _)) => {
                let peers: Vec<String> = stand.iter().map(IpAddr::to_string).collect();
                let seen = format!(
                    "sessions with {}",
                    if peers.is_empty() { "nobody".to_owned() } else { peers.join(", ") }
                );
                Err(unmet(format!("a session with {node}"), seen))
            }
        }
    }

    /// Returns the prefixes that have a route in the database of an ETR, each with the RLOC of this
    /// ETR.
    fn owned(&mut self, etrs: &Etrs) -> Result<Owned, Why> {
        let mut owned = Owned::new();
        for (node, rloc) in &etrs.rlocs {
            let rows = self.database(node)?;
            let routed = rows.into_iter().filter(|row| row.has_route);
            owned.extend(routed.map(|row| (row.eid_prefix, *rloc)));
        }
        Ok(owned)
    }

    /// Returns the registrations at a map-server. There are none if the router is not a map-server.
    fn registered(&mut self, node: &str) -> Result<Registered, Why> {
        let listing: Listing<site::Head, site::Row> = self.view(node, "show lisp site")?;
        let mut registered = Registered::default();
        for row in &listing.entries {
            for registration in &row.registrations {
                let owned = (row.eid_prefix, registration.etr);
                registered.all.insert(owned);
                if registration.reliable {
                    registered.reliable.insert(owned);
                }
            }
        }
        registered.sites = listing.entries;
        Ok(registered)
    }

    fn registrations(&mut self, etrs: &Etrs) -> Result<(), Why> {
        let owned = self.owned(etrs)?;
        let words = |owned: &Owned| {
            let lines = owned.iter().map(|(prefix, rloc)| format!("{prefix} by {rloc}"));
            lines.collect::<Vec<_>>().join("\n")
        };
        let victim = self.victim;
        let registered = self.registered(victim)?;
        let due = registered.due(&owned);
        if due.is_empty() || registered.all != due || registered.reliable != due {
            let Registered { all, reliable, .. } = registered;
            let seen = format!("{}\nby TCP:\n{}", words(&all), words(&reliable));
            return Err(unmet(format!("at {victim}, by TCP:\n{}", words(&due)), seen));
        }
        for node in self.others() {
            let registered = self.registered(&node)?;
            let due = registered.due(&owned);
            if !registered.all.is_superset(&due) {
                let seen = words(&registered.all);
                return Err(unmet(format!("at {node}:\n{}", words(&due)), seen));
            }
        }
        Ok(())
    }

    /// Checks that each away entry has a valid cause. An away entry is a local EID that is not at
    /// its site any more. There are three possible causes: the prefix has no route; another router
    /// has registered the prefix; the prefix is not configured, and this router has not registered
    /// it.
    fn away(&mut self, etrs: &Etrs) -> Result<(), Why> {
        let registered = self.registered(self.victim)?.all;
        for (node, rloc) in &etrs.rlocs {
            let database = self.database(node)?;
            for AwayRow { eid_prefix, cause, .. } in self.away_rows(node)? {
                let configured = database.iter().find(|row| row.eid_prefix == eid_prefix);
                let mut owners = registered.iter().filter(|(prefix, _)| *prefix == eid_prefix);
                let holds = match cause {
                    Producer::NoRoute => configured.is_some_and(|row| !row.has_route),
                    Producer::SiteRegistration => owners.any(|(_, owner)| owner != rloc),
                    Producer::Deconfigured | Producer::DynamicEid => {
                        configured.is_none() && owners.all(|(_, owner)| owner != rloc)
                    }
                };
                if !holds {
                    let seen = format!("{node}: {eid_prefix} is away, {}", cause.describe());
                    return Err(unmet("a valid cause for each away entry", seen));
                }
            }
        }
        Ok(())
    }

    /// Checks that hosts with a registered EID answer the pings of all other hosts. A host does not
    /// ping if its own EID is away from its site and not registered, or if the host has several
    /// addresses.
    fn pings(&mut self, etrs: &Etrs) -> Result<(), Why> {
        let registered: Vec<IpNet> =
            self.owned(etrs)?.into_iter().map(|(prefix, _)| prefix).collect();
        let mut away = Vec::new();
        for node in etrs.rlocs.keys() {
            away.extend(self.away_rows(node)?.into_iter().map(|row| row.eid_prefix));
        }
        let lies_in = |prefixes: &[IpNet], address: IpAddr| {
            prefixes.iter().any(|prefix| prefix.contains(&address))
        };
        let hosts: Vec<(&str, &Host)> = self.lab.hosts().collect();
        let senders: Vec<_> =
            hosts.iter().filter(|(name, _)| !self.several.contains(name)).collect();
        for (from, sender) in senders {
            for (to, receiver) in hosts.iter().filter(|(to, _)| to != from) {
                for family in [Family::Ipv4, Family::Ipv6] {
                    let ends = (sender.address(family), receiver.address(family));
                    let (Some(source), Some(target)) = ends else { continue };
                    let sends = lies_in(&registered, source) || !lies_in(&away, source);
                    if sends && lies_in(&registered, target) {
                        let ipv6 = family == Family::Ipv6;
                        self.heals(Ends { from: (*from).into(), to: (*to).into(), ipv6 })?;
                    }
                }
            }
        }
        Ok(())
    }

    fn heals(&mut self, ends: Ends) -> Result<(), Why> {
        let ping = Ping { ends, count: 1, size: Echos::default().size, df: false };
        let answered = Answers::Count(Bound::Exactly(1));
        self.player.ping(&ping, &[answered], Some(SETTLED))
    }

    /// Checks that the first Map-Register of each ETR is sent by UDP, and that its first
    /// Registration by TCP is sent later.
    fn by_udp_first(&mut self, etrs: &Etrs) -> Result<(), Why> {
        for (node, rloc) in &etrs.rlocs {
            let mut first = |what: &str| {
                let filter = format!("{what} && ip.src == {rloc}");
                let packets = self.player.stage.packets(CAPTURE, &filter, "frame.number");
                packets.map(|packets| packets.first().map(|packet| packet.at))
            };
            let (udp, tcp) =
                (first("udp && lisp.type == 3")?, first("lisp-tcp.message.type == 17")?);
            if udp.is_none() || tcp.is_none() || udp > tcp {
                let at = |at: Option<Duration>| {
                    at.map_or_else(|| "never".to_owned(), |at| format!("after {at:?}"))
                };
                let seen = format!("{node}: by UDP {}, by TCP {}", at(udp), at(tcp));
                return Err(unmet("a Map-Register by UDP, then a Registration by TCP", seen));
            }
        }
        self.player.say("   each ETR has registered by UDP, then by TCP");
        Ok(())
    }
}
