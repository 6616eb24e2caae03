//! One run: the lab is built and registers, the plan is carried out, the faults end, and the result
//! is compared with the reference model.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use eidway::addr::{EidPrefix, Family, Rloc};
use eidway::host::PingId;
use eidway::host::ping::{Count, Outcome, Pace, PingRequest};
use eidway::lab::impairment::Impairment;
use eidway::rng::Seed;
use eidway::router::away::Producer;
use eidway::router::io::Input;
use eidway::router::map_cache::{Mapping, Source};
use eidway::sim::trace::Trace;
use eidway::sim::{Replug, Sim};
use eidway::time::Time;

use crate::plan::{Event, How, Plan};
use crate::topology::{End, Lan, Router, eid, prefix};
use crate::watch::{Violation, Watch};
use crate::world::World;
use crate::{LEARNT, SETTLED};

/// The interval at which the routers' counters are checked.
const STEP: Duration = Duration::from_secs(1);

pub struct Run {
    sim: Sim,
    world: World,
    watch: Rc<RefCell<Watch>>,
    /// The routers whose process ended during the run. Packets in the process are lost then.
    interrupted: BTreeSet<Router>,
}

type Checked = Result<(), Violation>;

/// Runs a plan. If `lines` is given, the last crossings of links are written there.
pub fn run(plan: &Plan, lines: Option<&mut Vec<String>>) -> Checked {
    let mut run = Run::build(plan, lines.is_some());
    let outcome = run.course(plan);
    if let Some(lines) = lines {
        let mut watch = run.watch.borrow_mut();
        lines.extend(watch.lines.take().into_iter().flatten());
    }
    outcome
}

impl Run {
    fn build(plan: &Plan, keep_lines: bool) -> Run {
        let world = World::new(plan);
        let topology = &plan.topology;
        let configs: BTreeMap<_, _> = topology
            .routers()
            .into_iter()
            .map(|router| (router.name(), topology.config(router, &world.settings)))
            .collect();
        let lab = topology.lab(&plan.roamers_at);
        let seed = Seed::from_number(plan.seed);
        let mut sim = Sim::build(&lab, &configs, seed).unwrap_or_else(|error| panic!("{error}"));
        let watch = Watch::new(topology, &plan.roamers_at, &sim, keep_lines);
        let watch = Rc::new(RefCell::new(watch));
        let sink = watch.clone();
        sim.trace = Trace::Sink(Box::new(move |crossing| sink.borrow_mut().see(crossing)));
        Run { sim, world, watch, interrupted: BTreeSet::new() }
    }

    fn course(&mut self, plan: &Plan) -> Checked {
        if self.sim.run_until_registered().is_err() {
            return self.violated("a lab registers within a minute", String::new());
        }
        let begin = self.sim.now();
        for &(at, event) in &plan.events {
            self.run_until(begin + Duration::from_millis(at))?;
            self.apply(event);
        }
        for event in self.world.healing() {
            self.apply(event);
        }
        for cable in std::mem::take(&mut self.world.impaired) {
            self.impair(&self.world.topology.cable_name(cable), plan.topology.impairment());
        }
        self.run_for(SETTLED)?;
        // First round: because of the traffic, every router notices its wrong entries.
        let patient = PingRequest {
            count: Count::Of(13),
            pace: Pace::Every(Duration::from_secs(3)),
            ..echoes()
        };
        self.ping_all(patient)?;
        self.run_for(LEARNT)?;
        self.look_at_registrations()?;
        self.look_at_away_tables()?;
        // Second round: a ping between hosts with a path must succeed. Hosts without a path also
        // try.
        let brisk = PingRequest {
            count: Count::Of(4),
            pace: Pace::Every(Duration::from_secs(3)),
            ..echoes()
        };
        let mut lost = self.ping_all(brisk)?;
        lost.retain(|(from, to, ..)| self.world.has_path(*from, *to));
        if let Some((from, to, marks)) = lost.first() {
            let detail = format!("{from:?} to {to:?}: {marks}; {} pairs in all", lost.len());
            return self.violated("hosts that have a path ping", detail);
        }
        self.look_at_map_caches()?;
        self.look_at_passages()
    }

    fn violated(&self, claim: &'static str, detail: String) -> Checked {
        Err(Violation { claim, at: self.sim.now(), detail })
    }

    fn run_for(&mut self, span: Duration) -> Checked {
        self.run_until(self.sim.now() + span)
    }

    fn run_until(&mut self, until: Time) -> Checked {
        while self.sim.now() < until {
            self.sim.run_until(until.min(self.sim.now() + STEP));
            if let Some(violation) = self.watch.borrow().violation.clone() {
                return Err(violation);
            }
            self.look_at_books()?;
        }
        Ok(())
    }

    /// Returns the result of an action that cannot fail in this lab.
    fn must<T, E: std::fmt::Display>(&self, done: Result<T, E>) -> T {
        done.unwrap_or_else(|error| panic!("at {}: {error}", self.sim.now()))
    }

    fn apply(&mut self, event: Event) {
        let now = self.sim.now();
        let roamers_at = self.world.roamers_at.clone();
        if !self.world.apply(event) {
            return;
        }
        self.watch.borrow_mut().say(format!("---- {now} {event:?}"));
        match event {
            Event::Move(n, site, how) => {
                self.watch.borrow_mut().moved(n, roamers_at[n], site, now);
                let how = match how {
                    How::Atomic => Replug::Atomic,
                    How::Gap(ms) => Replug::Gap(Duration::from_millis(ms)),
                    How::Both(ms) => Replug::MakeBeforeBreak(Duration::from_millis(ms)),
                };
                let lan = Lan(site, 0).name();
                let done = self.sim.move_host(&End::Roamer(n).name(), &lan, how);
                self.must(done);
            }
            Event::LanDown(lan) => self.set_link(&lan.name(), false),
            Event::LanUp(lan) => self.set_link(&lan.name(), true),
            Event::CableDown(cable) => self.set_link(&self.world.topology.cable_name(cable), false),
            Event::CableUp(cable) => self.set_link(&self.world.topology.cable_name(cable), true),
            Event::Impair(cable, [loss, duplicate, reorder], jitter) => {
                let impairment = Impairment {
                    jitter: Duration::from_millis(jitter),
                    loss: loss.into(),
                    duplicate: duplicate.into(),
                    reorder: reorder.into(),
                    ..self.world.topology.impairment()
                };
                self.impair(&self.world.topology.cable_name(cable), impairment);
            }
            Event::Kill(router) | Event::Stop(router) => self.end(router, event),
            Event::Start(router) => {
                let config = self.world.topology.config(router, &self.world.settings);
                let done = self.sim.start_router(&router.name(), config);
                self.must(done);
                self.watch.borrow_mut().runs(router, Some(now));
            }
            Event::WrongKey(site, _) | Event::RightKey(site, _) => self.configure(site),
            Event::Unmap(lan) | Event::Map(lan) => self.configure(lan.0),
            Event::Ping(from, to, v6, count) => {
                let family = if v6 { Family::Ipv6 } else { Family::Ipv4 };
                let pace = Pace::Every(Duration::from_secs(1));
                self.start_ping(
                    (from, to, family),
                    PingRequest { count: Count::Of(count), pace, ..echoes() },
                );
            }
        }
    }

    fn end(&mut self, router: Router, event: Event) {
        self.watch.borrow_mut().runs(router, None);
        self.interrupted.insert(router);
        let done = match event {
            Event::Kill(_) => self.sim.power_off_router(&router.name()),
            _ => self.sim.stop_router(&router.name()),
        };
        self.must(done);
    }

    fn set_link(&mut self, name: &str, up: bool) {
        let done = self.sim.set_link(name, up);
        self.must(done);
    }

    fn impair(&mut self, name: &str, impairment: Impairment) {
        let done = self.sim.impair(name, impairment);
        self.must(done);
    }

    /// Gives an xTR its present configuration.
    fn configure(&mut self, site: usize) {
        let router = Router::Xtr(site);
        if self.world.dead.contains(&router) {
            return;
        }
        let config = self.world.topology.config(router, &self.world.settings);
        let done = self.sim.input(&router.name(), Input::Configure(Box::new(config)));
        self.must(done);
    }

    fn start_ping(
        &mut self,
        (from, to, family): (End, End, Family),
        echoes: PingRequest,
    ) -> PingId {
        let destination = self.world.topology.address(to, family);
        let request = PingRequest { destination, ..echoes };
        let started = self.sim.with_host(&from.name(), |host| host.start_ping(request));
        self.must(started)
    }

    /// Pings between all pairs at the same time, in both families. Returns the pairs that lost an
    /// echo request.
    fn ping_all(&mut self, echoes: PingRequest) -> Result<Vec<(End, End, String)>, Violation> {
        let mut pings = Vec::new();
        let ends = self.world.topology.ends();
        for family in Family::BOTH {
            for &from in &ends {
                for &to in ends.iter().filter(|&&to| to != from) {
                    pings.push((from, to, family, self.start_ping((from, to, family), echoes)));
                }
            }
        }
        let interval = match echoes.pace {
            Pace::Every(interval) => interval,
            Pace::Answered => echoes.timeout,
        };
        let Count::Of(count) = echoes.count else { panic!("a ping without an end") };
        self.run_for(interval * u32::from(count) + echoes.timeout + STEP)?;
        let mut lost = Vec::new();
        for (from, to, family, id) in pings {
            let report = self.sim.with_host(&from.name(), |host| host.stop_ping(id));
            let Some(report) = self.must(report) else { continue };
            let answered = |outcome| matches!(outcome, Outcome::Reply(_));
            let complete = report.probes.len() == usize::from(count)
                && report.probes.iter().all(|probe| answered(probe.outcome));
            if !complete {
                lost.push((from, to, format!("{family} {}", report.marks())));
            }
        }
        Ok(lost)
    }

    /// Checks that each packet that a router received waits, or is in exactly one counter.
    fn look_at_books(&self) -> Checked {
        for (name, router) in self.sim.routers() {
            let counters = router.counters();
            let left = counters.encapsulations
                + counters.native
                + counters.decapsulations
                + counters.forwarded_away;
            let stopped: u64 = counters.drops.values().sum();
            let known = left + stopped + router.waiting_packets();
            let offered = self.must(self.sim.offered(name));
            if offered != known {
                let waiting = router.waiting_packets();
                let detail = format!(
                    "{name}: {offered} given; {left} left, {stopped} stopped, {waiting} wait: {counters:?}"
                );
                return self.violated("every packet is counted once", detail);
            }
        }
        Ok(())
    }

    /// Checks that no node sends more packets than it received, and that each node has counted the
    /// packets that ended there.
    fn look_at_passages(&self) -> Checked {
        let watch = self.watch.borrow();
        let routers = self.world.topology.routers();
        let routers = routers.iter().filter(|router| !self.interrupted.contains(router));
        let cores = (0..self.world.topology.cores).map(|core| format!("Core{core}"));
        for name in routers.map(|router| router.name()).chain(cores) {
            let Some(passage) = watch.passages.get(&name) else { continue };
            let by_kernel: u64 = self.must(self.sim.kernel(&name)).drops().values().sum();
            let by_router: u64 = match self.sim.router(&name) {
                Ok(router) => router.counters().drops.values().sum(),
                Err(_) => 0,
            };
            let counted = by_kernel + by_router;
            if passage.left > passage.entered || passage.entered - passage.left > counted {
                let detail = format!("{name}: {passage:?}, {by_kernel} + {by_router} stopped");
                return self.violated("no packet is made or lost on the way", detail);
            }
        }
        Ok(())
    }

    fn look_at_registrations(&self) -> Checked {
        let expected = self.world.registrations();
        let ids: BTreeMap<u128, usize> = (0..self.world.topology.sites())
            .map(|site| (self.must(self.sim.router(&Router::Xtr(site).name())).xtr_id(), site))
            .collect();
        for n in 0..self.world.topology.servers.len() {
            let name = Router::Server(n).name();
            let entries = self.must(self.sim.router(&name)).map_server().entries();
            let held = entries.iter().filter(|(_, entry)| entry.is_registered());
            let held: BTreeMap<EidPrefix, BTreeSet<usize>> = held
                .map(|(prefix, entry)| {
                    let xtrs = entry.registrations.iter().map(|each| each.xtr_id);
                    (prefix, xtrs.map(|id| ids.get(&id).copied().unwrap_or(usize::MAX)).collect())
                })
                .collect();
            if held != expected {
                let detail = format!("{name}: {}", differences(&held, &expected));
                return self.violated("a map-server holds the registrations of the model", detail);
            }
        }
        Ok(())
    }

    fn look_at_away_tables(&self) -> Checked {
        let held = self.world.registrations();
        for site in 0..self.world.topology.sites() {
            let name = Router::Xtr(site).name();
            let router = self.must(self.sim.router(&name));
            for (at, entry) in router.away().entries().iter() {
                let in_database = router.database().get(&at);
                let unmapped = self.world.settings.unmapped.iter().filter(|lan| lan.0 == site);
                let unmapped =
                    || unmapped.clone().flat_map(|&lan| self.world.topology.prefixes(lan));
                let has_cause = match entry.producer {
                    Producer::NoRoute => in_database.is_some_and(|entry| !entry.has_route),
                    Producer::Deconfigured => unmapped().any(|net| prefix(net) == at),
                    Producer::DynamicEid => in_database.is_none(),
                    Producer::SiteRegistration => {
                        held.get(&at).is_some_and(|sites| !sites.contains(&site))
                    }
                };
                if !has_cause {
                    let detail = format!("{name}: {at} {entry:?}");
                    return self.violated("no away entry is without its cause", detail);
                }
            }
        }
        Ok(())
    }

    /// Checks that no cache differs from the model for the EIDs of the traffic.
    fn look_at_map_caches(&self) -> Checked {
        let topology = &self.world.topology;
        for router in topology.routers() {
            let site = match router {
                Router::Server(_) => continue,
                Router::Xtr(site) => Some(site),
                Router::Proxy => None,
            };
            let senders = topology.ends().into_iter().filter(|&end| match site {
                Some(_) => self.world.site_of(end) == site && self.world.is_mapped(end),
                None => end == End::Outside,
            });
            if senders.count() == 0 {
                continue;
            }
            let ends = topology.ends().into_iter();
            let forgotten = self.world.forgotten.iter().map(|&lan| End::At(lan));
            let forgotten: BTreeSet<End> = forgotten.collect();
            let ends = ends.filter(|end| !forgotten.contains(end));
            let is_hidden =
                |&end: &End| site.is_some_and(|site| self.world.is_hidden_from(site, end));
            let ends = ends.filter(|end| !is_hidden(end));
            for end in ends.filter(|&end| end != End::Outside && self.world.site_of(end) != site) {
                self.look_at_mapping(router, end)?;
            }
        }
        Ok(())
    }

    fn look_at_mapping(&self, router: Router, end: End) -> Checked {
        let name = router.name();
        let map_cache = self.must(self.sim.router(&name)).map_cache();
        for family in Family::BOTH {
            let eid = eid(self.world.topology.address(end, family));
            let leads_to = self.world.leads_to(eid);
            // For a prefix that leads to the router itself, the router does not use its cache.
            if leads_to.is_some_and(|site| Router::Xtr(site) == router) {
                continue;
            }
            let wanted = leads_to.map(|site| Rloc(Router::Xtr(site).rloc()));
            let cached = map_cache.lookup(eid).filter(|(_, entry)| entry.source != Source::Static);
            let agrees = match cached.map(|(_, entry)| &entry.mapping) {
                None => true,
                Some(Mapping::Locators(locators)) => {
                    locators.iter().all(|locator| Some(locator.rloc) == wanted)
                }
                Some(_) => wanted.is_none(),
            };
            if !agrees {
                let detail = format!("{name}: {eid} is at {wanted:?}, cached {cached:?}");
                return self.violated("no cache disagrees with the map-server", detail);
            }
        }
        Ok(())
    }
}

/// The parts of a ping request except its destination.
fn echoes() -> PingRequest {
    PingRequest {
        pace: Pace::Every(Duration::from_secs(1)),
        ..PingRequest::new(std::net::Ipv4Addr::UNSPECIFIED.into())
    }
}

fn differences(
    held: &BTreeMap<EidPrefix, BTreeSet<usize>>,
    expected: &BTreeMap<EidPrefix, BTreeSet<usize>>,
) -> String {
    let prefixes: BTreeSet<&EidPrefix> = held.keys().chain(expected.keys()).collect();
    let differ = prefixes.into_iter().filter(|prefix| held.get(prefix) != expected.get(prefix));
    let lines = differ.map(|prefix| {
        format!("{prefix} of sites {:?} instead of {:?}", held.get(prefix), expected.get(prefix))
    });
    lines.collect::<Vec<_>>().join("; ")
}
