//! If a view of the console is written as JSON and read again, the result equals the view, and the
//! JSON fits the schema of the view. The example of a `show` command in CONTRIBUTING.md is equal to the sources.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shared/schema.rs"]
mod schema;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use eidway::console::grammar::{Mode, Pattern, Word, commands};
use eidway::console::view::{
    Failure, Listing, TableHead, View, absent, away, census, database, drops, dynamic_eid,
    emulated_hosts, fast_path, history, host_names, interfaces, lisp, machine, map_cache,
    neighbours, packet, refusals, router_lisp, routes, sessions, site, site_summary, statistics,
    system,
};
use eidway::lab::running::RunningLab;
use eidway::lab::scenario::library;
use eidway::lab::scenario::play::play;
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};
use eidway::watch::schema::DOCUMENTS;

/// A JSON text that was read and written again, and the name of the schema that it fits.
type Same = (String, &'static str);

/// Reads JSON as a view, checks it against the schema of the view, and writes the view as JSON.
/// Line ends in the JSON are only between the rows of a table, because a string in JSON has no line
/// ends.
fn again<V: View>(json: &str) -> Result<Same, serde_json::Error> {
    let view: V = serde_json::from_str(json)?;
    let copy: V = serde_json::from_str(&serde_json::to_string(&view)?)?;
    assert_eq!(copy, view);
    let schema = schema::titled(&V::schema_name());
    let errors = schema.errors(json);
    assert!(errors.is_empty(), "{}: {errors:#?}\n{json}", schema.name);
    Ok((serde_json::to_string(&view)?, schema.name))
}

/// Reads the JSON of a command with several views: the first view that fits counts.
fn again_one_of<A: View, B: View, C: View>(json: &str) -> Result<Same, serde_json::Error> {
    again::<A>(json).or_else(|_| again::<B>(json)).or_else(|_| again::<C>(json))
}

type RouteTable = Listing<routes::Head, routes::RouteRow>;
type CefTable = Listing<routes::Head, routes::CefRow>;
type NeighbourTable = Listing<neighbours::Head, neighbours::NeighbourRow>;

type Again = fn(&str) -> Result<Same, serde_json::Error>;

type SiteListing = Listing<site::Head, site::Row>;

/// The view of each command, by keywords of the command. If a command has the keywords of several
/// rows, the first row of this table counts.
const VIEWS: &[(&str, Again)] = &[
    ("running-config", again::<system::RunningView>),
    ("route", again_one_of::<RouteTable, routes::RouteView, routes::Summary>),
    ("cef", again_one_of::<CefTable, routes::CefView, routes::CefView>),
    ("fast-path", again::<fast_path::FastPathView>),
    ("forwarding", again::<Listing<TableHead, map_cache::Row>>),
    ("locator-hash", again::<Listing<TableHead, map_cache::Row>>),
    ("packet", again::<packet::PacketView>),
    ("map-request", again::<packet::RequestView>),
    ("map-cache", again::<Listing<TableHead, map_cache::Row>>),
    ("database", again::<Listing<database::Head, database::Row>>),
    ("away", again::<Listing<TableHead, away::AwayRow>>),
    ("smr", again::<Listing<TableHead, away::SmrRow>>),
    ("dynamic-eid", again::<dynamic_eid::DynamicEidView>),
    ("memory", again::<machine::ProcessView>),
    ("instance-id statistics", again::<census::InstanceStatisticsView>),
    ("eid-table statistics", again::<census::InstanceStatisticsView>),
    ("service statistics", again::<census::InstanceStatisticsView>),
    ("statistics", again::<statistics::StatisticsView>),
    ("registration-history", again::<history::HistoryView>),
    ("server summary", again::<site_summary::SummaryView>),
    ("site summary", again::<site_summary::SummaryView>),
    ("summary", again::<census::ServiceSummaryView>),
    ("server", again::<SiteListing>),
    ("site", again::<SiteListing>),
    ("session", again::<sessions::SessionsView>),
    ("refusals", again::<refusals::RefusalsView>),
    ("locator-set", again::<router_lisp::LocatorSetsView>),
    ("remote-locator-set", again::<absent::AbsentView>),
    ("ddt", again::<absent::AbsentView>),
    ("extranet", again::<absent::AbsentView>),
    ("filter", again::<absent::AbsentView>),
    ("lisp platform", again::<absent::AbsentView>),
    ("ip lisp", again::<lisp::LispView>),
    ("ipv6 lisp", again::<lisp::LispView>),
    ("ipv4 lisp", again::<lisp::LispView>),
    ("lisp", again::<router_lisp::RouterLispView>),
    ("drops", again::<drops::DropsView>),
    ("arp", again::<NeighbourTable>),
    ("neighbors", again::<NeighbourTable>),
    ("protocols", again_one_of::<interfaces::InterfacesView, machine::VrfView, machine::VrfView>),
    ("vrf", again::<machine::VrfView>),
    ("traffic", again::<machine::TrafficView>),
    ("tcp", again::<sessions::SessionsView>),
    ("logging", again::<machine::LoggingView>),
    ("users", again::<machine::UsersView>),
    ("history", again::<machine::HistoryView>),
    ("terminal", again::<machine::TerminalView>),
    ("privilege", again::<machine::PrivilegeView>),
    ("aliases", again::<machine::AliasView>),
    ("inventory", again::<machine::InventoryView>),
    ("controllers", again::<machine::InventoryView>),
    ("platform", again::<machine::InventoryView>),
    ("processes", again::<machine::ProcessView>),
    ("startup-config", again::<machine::StartupView>),
    ("file", again::<machine::FilesView>),
    ("flash:", again::<machine::FilesView>),
    ("bootflash:", again::<machine::FilesView>),
    ("interfaces", again::<interfaces::InterfacesView>),
    ("interface", again::<interfaces::InterfacesView>),
    ("hosts", again::<host_names::HostNamesView>),
    ("emulated-hosts", again::<emulated_hosts::EmulatedHostsView>),
    ("clock", again::<system::ClockView>),
    ("version", again::<system::VersionView>),
    ("debugging", again::<system::DebuggingView>),
];

/// Example values for an argument of the grammar, by its name. Some of these objects exist in the
/// lab gsmr, others do not.
fn values(argument: &str) -> &'static [&'static str] {
    match argument {
        "instance" => &["0", "7"],
        "router" => &["0"],
        "vrf" => &["RED"],
        "prefix" => &["172.16.0.0/24", "2001:db8:a::/64", "10.99.0.0/16"],
        "address" => &["172.16.0.12", "203.0.113.11", "2001:db8:a::12", "10.99.0.1"],
        "regexp" | "rest" => &["lisp"],
        "eid" => &["172.16.0.12", "192.168.0.22", "2001:db8:a::12", "10.99.0.1"],
        "name" => &["SITE_1", "NOWHERE"],
        "set" => &["set1", "nothing"],
        "table" => &["0", "7"],
        "interface" => &["Ethernet0/0", "Ethernet9/9"],
        "peer" => &["209.165.201.31", "203.0.113.11"],
        "size" => &["1400"],
        "mask" => &["255.255.255.0"],
        other => panic!("{other}: a value is missing here"),
    }
}

/// All lines that a pattern allows, with each example value of each argument.
fn lines(pattern: &Pattern) -> Vec<String> {
    let mut found = Vec::new();
    let mut ways: Vec<(Option<usize>, String)> = vec![(None, String::new())];
    while let Some((at, line)) = ways.pop() {
        if at.is_some_and(|at| pattern.ends_at(at)) {
            found.push(line.clone());
        }
        for &next in pattern.next(at) {
            // A value that is the rest of a line may have any number of words.
            if Some(next) == at {
                continue;
            }
            let position = &pattern.positions()[next];
            let words: &[&str] = match &position.word {
                // This keyword is the first word of a value of two words. The value is tried as one
                // word instead.
                Word::Keyword(_) if position.argument => continue,
                Word::Keyword(keyword) => &[*keyword],
                Word::Argument(_) => values(position.name),
            };
            ways.extend(words.iter().map(|word| (Some(next), format!("{line}{word} "))));
        }
    }
    found
}

/// Every `show ... json` command of the grammar, with the keyword of its view.
fn shows() -> Vec<(String, &'static str, Again)> {
    let patterns = commands(Mode::Exec).map(|command| &command.pattern);
    let is_show = |pattern: &&Pattern| {
        pattern.next(None).iter().any(|&at| pattern.positions()[at].name == "show")
    };
    let lines = patterns.filter(is_show).flat_map(lines).map(|line| line.trim_end().to_owned());
    let shows = lines.filter(|line| line.ends_with(" json"));
    let view = |line: String| {
        let has = |keywords: &str| {
            keywords.split(' ').all(|keyword| line.split(' ').any(|word| word == keyword))
        };
        let Some(&(keyword, again)) = VIEWS.iter().find(|(keywords, _)| has(keywords)) else {
            panic!("{line}: its view is missing here");
        };
        (line, keyword, again)
    };
    shows.map(view).collect()
}

/// The views that have no rows in the states of the test.
const WITHOUT_ROWS: &[&str] = &[
    "aliases",
    "bootflash:",
    "clock",
    "controllers",
    "ddt",
    "debugging",
    "extranet",
    "fast-path",
    "file",
    "filter",
    "flash:",
    "history",
    "inventory",
    "lisp",
    "lisp platform",
    "memory",
    "packet",
    "platform",
    "privilege",
    "processes",
    "remote-locator-set",
    "running-config",
    "startup-config",
    "summary",
    "terminal",
    "traffic",
    "version",
    "vrf",
];

/// The command of each schema has printed JSON that fits this schema.
fn expect_commands(schemas: &BTreeSet<(&str, &str)>) {
    for document in DOCUMENTS.iter().filter(|document| document.command.starts_with("show ")) {
        let values = [
            ("ADDRESS", "172.16.0.12"),
            ("PREFIX", "10.99.0.0/16"),
            ("INSTANCE", "7"),
            ("EID", "172.16.0.12"),
        ];
        let line = values
            .iter()
            .fold(document.command.to_owned(), |line, (word, value)| line.replace(word, value));
        assert!(schemas.contains(&(line.as_str(), document.name)), "{line} has another schema");
    }
}

#[test]
fn every_show_of_the_grammar_prints_a_view_that_is_the_same_when_it_is_read() {
    let shows = shows();
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/gsmr");
    let lab = open(lab.to_str().unwrap(), None).unwrap();
    let mut with_rows = BTreeSet::new();
    let mut schemas = BTreeSet::new();
    for scenario in ["g3-move", "x16-names", "x7-bad-key", "g2-no-route"] {
        let scenario = library::find(&lab, scenario).unwrap();
        let lab = lab.with_overlay(&scenario.path, &scenario.overlays).unwrap();
        let options = Options::new(Seed::from_number(1));
        let mut stage = Simulated::up(lab.clone(), options).unwrap();
        let played = play(&scenario, &mut stage, &mut Vec::new());
        assert!(played.is_ok(), "{}", scenario.title);
        for (router, _) in lab.file.routers() {
            for (line, keyword, again) in &shows {
                let answer = stage.console(router, line).unwrap();
                let json = answer.text.replace('\n', "");
                if !answer.done.ok {
                    let (same, schema) = self::again::<Failure>(&json).unwrap();
                    assert_eq!(same, json, "{router}: {line}");
                    schemas.insert((line.as_str(), schema));
                    continue;
                }
                let (same, schema) =
                    again(&json).unwrap_or_else(|error| panic!("{line}: {error}: {json}"));
                assert_eq!(same, json, "{router}: {line}");
                schemas.insert((line.as_str(), schema));
                if json.contains("[{") {
                    with_rows.insert(*keyword);
                }
            }
        }
    }
    expect_commands(&schemas);
    let all: BTreeSet<&str> = VIEWS.iter().map(|(keyword, _)| *keyword).collect();
    let without_rows: BTreeSet<&str> = all.difference(&with_rows).copied().collect();
    let have_none = WITHOUT_ROWS.iter().copied().collect();
    assert_eq!(without_rows, have_none, "the other views have rows in some of these states");
}

#[test]
fn the_example_of_contributing_stands_in_the_sources() {
    let read =
        |path: &str| fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let sources = ["view/system.rs", "show/system.rs", "grammar/exec.rs"];
    let text = read("CONTRIBUTING.md");
    let blocks: Vec<&str> = text.split("```rust\n").skip(1).collect();
    assert_eq!(blocks.len(), sources.len());
    for (block, source) in blocks.into_iter().zip(sources) {
        let code = read(&format!("src/console/{source}"));
        let (block, after) = block.split_once("```").unwrap();
        assert!(
            text.contains(&format!("`src/console/{source}`")),
            "{source} is named above{after}"
        );
        for line in block.lines() {
            assert!(code.lines().any(|other| other == line), "{source} has no line {line:?}");
        }
    }
}
