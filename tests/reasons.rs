//! Every message, every drop and every change of a table has a reason that is not generic. The
//! tests play all scenarios of all labs on virtual time and look at everything that happens.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use eidway::addr::{EidPrefix, Family, Rloc};
use eidway::lab::scenario::library;
use eidway::lab::scenario::run::{How, run};
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::router::Router;
use eidway::router::event::{Event, MapServerChange, RegistrationChange};
use eidway::router::io::{Inbound, Outbound, Output, TcpRequest};
use eidway::router::map_cache::Mapping;
use eidway::router::packet_event::{Fate, PacketEvent};
use eidway::router::reason::Reason;
use eidway::router::witness::{Call, Witness};
use eidway::sim::Sim;
use eidway::sim::drops::Dropped;
use eidway::sim::stage::{Options, Simulated};
use eidway::time::Time;

/// The time between two looks at the tables of all routers.
const LOOK: Duration = Duration::from_millis(500);

/// A row of a table, and the values that show its state. Times and counters are left out.
type Rows = BTreeMap<Row, String>;

/// A row of a table of a router.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    MapCache(EidPrefix),
    Database(EidPrefix),
    Away(EidPrefix),
    Site(EidPrefix),
    Registrations(Family, std::net::IpAddr),
}

/// The events of a router since the last look at its tables.
#[derive(Debug, Default)]
struct Told {
    rows: BTreeSet<Row>,
    locators: BTreeSet<Rloc>,
    sessions: bool,
}

/// One run of a router process: from its start to its end.
#[derive(Debug, Default)]
struct Run {
    told: Told,
    rows: Rows,
}

/// All that was seen in a scenario.
#[derive(Debug, Default)]
struct Seen {
    runs: BTreeMap<String, Run>,
    looked_at: Time,
    messages: BTreeMap<String, usize>,
    drops: BTreeMap<String, usize>,
    changes: usize,
    faults: Vec<String>,
}

impl Seen {
    /// Checks a reason: a sentence that is not generic, and a section of a standard.
    fn check(&mut self, about: &str, sentence: &str, section: &str) {
        let words = sentence.split_whitespace().count();
        let generic = ["other", "unknown reason", "n/a", "todo", "some reason"];
        let is_generic = generic.contains(&sentence.to_lowercase().as_str());
        if words < 3 || is_generic || sentence.ends_with('.') {
            self.faults.push(format!("{about}: the reason is {sentence:?}"));
        }
        if section.split_whitespace().count() < 2 && !section.ends_with(')') {
            self.faults.push(format!("{about}: {sentence:?} has the section {section:?}"));
        }
    }

    fn hear(&mut self, router: &str, event: &Event) {
        let told = &mut self.runs.entry(router.to_owned()).or_default().told;
        match event {
            Event::Mapping { eid_prefix, .. } => {
                told.rows.insert(Row::MapCache(*eid_prefix));
            }
            Event::Database { eid_prefix, .. } => {
                told.rows.insert(Row::Database(*eid_prefix));
            }
            Event::Away { eid_prefix, .. } => {
                told.rows.insert(Row::Away(*eid_prefix));
            }
            Event::SiteRegistration { eid_prefix, .. } => {
                told.rows.insert(Row::Site(*eid_prefix));
            }
            Event::Registration { eid_prefix, map_server, .. } => {
                told.rows.insert(Row::Registrations(eid_prefix.family(), *map_server));
            }
            Event::Locator { rloc, .. } => {
                told.locators.insert(*rloc);
            }
            Event::EtrSession { .. } => told.sessions = true,
            Event::MapServer {
                change: MapServerChange::SessionUp(_) | MapServerChange::SessionDown(_),
                ..
            } => {}
            _ => return,
        }
        if let Some(reason) = event.reason() {
            self.changes += 1;
            self.check(&format!("{router}: {event}"), &reason.to_string(), reason.section());
        } else {
            self.faults.push(format!("{router}: {event} has no reason"));
        }
    }

    /// Compares the tables of all routers with the tables at the last look. Each changed row must
    /// have been told by an event.
    fn look(&mut self, sim: &Sim) {
        if sim.now().since(self.looked_at) < LOOK {
            return;
        }
        self.looked_at = sim.now();
        for (name, router) in sim.routers() {
            let Some(run) = self.runs.get_mut(name) else { continue };
            let rows = rows(router, sim.now());
            let told = std::mem::take(&mut run.told);
            let changed = run.rows.keys().chain(rows.keys()).collect::<BTreeSet<&Row>>();
            let changed = changed.into_iter().filter(|row| run.rows.get(*row) != rows.get(*row));
            for row in changed {
                let of_locator = |rloc: &Rloc| {
                    let shows = |rows: &Rows| {
                        rows.get(row).is_some_and(|text| text.contains(&format!("{rloc} ")))
                    };
                    matches!(row, Row::MapCache(_)) && (shows(&rows) || shows(&run.rows))
                };
                let of_session = matches!(row, Row::Site(_)) && told.sessions;
                if told.rows.contains(row) || of_session || told.locators.iter().any(of_locator) {
                    continue;
                }
                let (before, after) = (run.rows.get(row), rows.get(row));
                let at = sim.now();
                self.faults.push(format!(
                    "{at} {name}: {row:?} changed without an event:\n  {before:?}\n  {after:?}"
                ));
            }
            run.rows = rows;
        }
    }
}

/// The rows of the tables of a router that the page shows.
fn rows(router: &Router, now: Time) -> Rows {
    let mut rows = Rows::new();
    for (prefix, entry) in router.map_cache().entries().iter() {
        let mapping = match &entry.mapping {
            Mapping::Locators(locators) => locators
                .iter()
                .map(|each| {
                    let reach = router.reachability().of(each);
                    format!("{} {}/{} {reach:?}", each.rloc, each.priority, each.weight)
                })
                .collect::<Vec<_>>()
                .join(", "),
            other => format!("{other:?}"),
        };
        let text = format!("{:?} {:?} {mapping}", entry.source, entry.map_source);
        rows.insert(Row::MapCache(prefix), text);
    }
    for (prefix, entry) in router.database().entries().iter() {
        let (set, name, route) = (&entry.locator_set, &entry.dynamic, entry.has_route);
        rows.insert(
            Row::Database(prefix),
            format!("{set:?} {name:?} {route} {:?}", entry.locators),
        );
    }
    for (prefix, entry) in router.away().entries().iter() {
        let locators: Vec<String> =
            entry.locators.iter().map(|each| format!("{} {}", each.rloc, each.up)).collect();
        rows.insert(Row::Away(prefix), format!("{:?} {locators:?}", entry.producer));
    }
    for (prefix, entry) in router.map_server().entries().iter() {
        let registrations: Vec<String> = entry
            .registrations
            .iter()
            .map(|each| {
                let ends = (each.source, each.source_port, each.session, each.identity);
                format!("{ends:?} {} {} {:?}", each.proxy_reply, each.map_notify, each.record)
            })
            .collect();
        let options = (entry.accept_more_specifics, entry.origin);
        rows.insert(Row::Site(prefix), format!("{} {options:?} {registrations:?}", entry.site));
    }
    for status in router.registrations(now) {
        // The number of all local prefixes is told by the events of the database. An
        // acknowledgement that becomes too old is told with the next Map-Register, so only the
        // number of registered prefixes is compared here.
        let row = Row::Registrations(status.family, status.map_server);
        if status.registered > 0 {
            rows.insert(row, status.registered.to_string());
        }
    }
    rows
}

/// A witness of one router.
#[derive(Debug)]
struct Watcher {
    router: String,
    seen: Rc<RefCell<Seen>>,
}

impl Watcher {
    fn dropped(&mut self, reason: &str) {
        let mut seen = self.seen.borrow_mut();
        *seen.drops.entry(reason.to_owned()).or_default() += 1;
        if reason.split_whitespace().count() < 2 {
            seen.faults.push(format!("{}: a packet is dropped: {reason:?}", self.router));
        }
    }
}

impl Witness for Watcher {
    fn call(&mut self, _: Call<'_>, _: Time) {}

    fn outbound(&mut self, verdict: Outbound, _: &[u8]) {
        if let Outbound::Dropped(reason) = verdict {
            self.dropped(reason.describe());
        }
    }

    fn inbound(&mut self, verdict: Inbound, _: &[u8]) {
        if let Inbound::Dropped(reason) = verdict {
            self.dropped(reason.describe());
        }
    }

    fn decided(&mut self, decision: &PacketEvent, packet: &[u8], _: Time) {
        let rule = decision.because.rule;
        let mut seen = self.seen.borrow_mut();
        let about = format!("{}: {decision}", self.router);
        seen.check(&about, rule.describe(), rule.section());
        if packet.is_empty() {
            seen.faults.push(format!("{about}: the packet is empty"));
        }
        if let Fate::Dropped(_) = decision.fate {
            *seen.drops.entry(rule.describe().to_owned()).or_default() += 1;
        }
    }

    fn output(&mut self, output: Option<&Output>) {
        let mut seen = self.seen.borrow_mut();
        let reason = match output {
            Some(Output::Control { reason, .. }) => reason,
            Some(Output::Tcp(TcpRequest::Send(_, _, reason))) => reason,
            Some(Output::Event(event)) => return seen.hear(&self.router, event),
            _ => return,
        };
        let sentence = reason.to_string();
        seen.check(&format!("{}: message", self.router), &sentence, reason.section());
        *seen
            .messages
            .entry(format!("{reason:?}").split([' ', '(']).next().unwrap().to_owned())
            .or_default() += 1;
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all scenarios, as pairs of lab and scenario.
fn all() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for lab in fs::read_dir(root().join("lab")).unwrap() {
        let lab = lab.unwrap();
        let name = lab.file_name().into_string().unwrap();
        for file in fs::read_dir(lab.path().join("scenarios")).into_iter().flatten() {
            let file = file.unwrap().file_name().into_string().unwrap();
            let scenario = file.strip_suffix(".scenario");
            found.extend(scenario.map(|scenario| (name.clone(), scenario.to_owned())));
        }
    }
    found.sort();
    found
}

/// Plays a scenario and returns all that was seen.
fn play(lab: &str, scenario: &str) -> Seen {
    let seen = Rc::new(RefCell::new(Seen::default()));
    let lab = open(root().join("lab").join(lab).to_str().unwrap(), None).unwrap();
    let scenario = library::read(&lab, scenario).unwrap();
    let options = Options { prepare: observe(&seen), ..Options::new(Seed::from_number(1)) };
    let mut out = Vec::new();
    let played = run(&lab, &scenario, How::default(), |lab| Simulated::up(lab, options), &mut out);
    assert!(played.is_ok_and(|as_expected| as_expected), "{}", String::from_utf8_lossy(&out));
    Rc::try_unwrap(seen).unwrap().into_inner()
}

/// Sets the observers of a simulation.
fn observe(seen: &Rc<RefCell<Seen>>) -> Box<dyn FnOnce(&mut Sim)> {
    let (of_routers, of_drops, of_steps) = (Rc::clone(seen), Rc::clone(seen), Rc::clone(seen));
    Box::new(move |sim| {
        sim.witness(Box::new(move |name, _| {
            of_routers.borrow_mut().runs.insert(name.to_owned(), Run::default());
            Box::new(Watcher { router: name.to_owned(), seen: Rc::clone(&of_routers) })
        }));
        sim.observe_drops(Box::new(move |drop: &Dropped<'_>| {
            let mut seen = of_drops.borrow_mut();
            let Dropped { node, reason, .. } = drop;
            seen.check(&format!("{node}: {reason:?}"), reason.describe(), reason.section());
            *seen.drops.entry(reason.describe().to_owned()).or_default() += 1;
        }));
        sim.observe_steps(Box::new(move |sim| of_steps.borrow_mut().look(sim)));
    })
}

#[test]
fn every_message_drop_and_change_in_all_scenarios_has_a_reason() {
    let (mut messages, mut drops) = (BTreeMap::new(), BTreeMap::new());
    let (mut changes, mut faults) = (0, Vec::new());
    for (lab, scenario) in all() {
        let seen = play(&lab, &scenario);
        changes += seen.changes;
        for (kind, count) in seen.messages {
            *messages.entry(kind).or_insert(0) += count;
        }
        for (reason, count) in seen.drops {
            *drops.entry(reason).or_insert(0) += count;
        }
        faults.extend(seen.faults.into_iter().map(|fault| format!("{lab}/{scenario}: {fault}")));
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    for kind in ["MapRequest", "ForwardedRequest", "MapReply", "Smr", "MapRegister", "MapNotify"] {
        assert!(messages.contains_key(kind), "no {kind} in {messages:?}");
    }
    assert!(drops.len() > 8 && changes > 1000, "{drops:?}, {changes} changes");
}

#[test]
fn a_lapsed_registration_is_told_with_its_reason() {
    let lapsed = Event::Registration {
        eid_prefix: EidPrefix::new(
            eidway::addr::InstanceId::DEFAULT,
            "172.16.0.0/24".parse().unwrap(),
        ),
        map_server: [203, 0, 113, 1].into(),
        change: RegistrationChange::Lapsed,
    };
    let reason = lapsed.reason().unwrap();
    assert!(reason.to_string().contains("three minutes"));
    assert_eq!(reason.section(), "RFC 9301 section 8.2");
}
