//! Texts that people write: console lines, config files, lab files, scenarios.

use eidway::console::flash::{CAPACITY, LARGEST_FILE, MOST_FILES, MemoryFiles, Storage};
use eidway::console::hosts::{HostState, Hosts, NoHosts};
use eidway::console::json_lines;
use eidway::console::machine::{self, FastPath, HostNames, LogLine, Startup, Usage, User};
use eidway::console::probes::{Ends, ProbeSocket, Probes};
use eidway::console::protocol::{HostAnswer, HostRequest, Request, Response};
use eidway::console::session::MOST_PENDING;
use eidway::console::{Reading, Session, parse_config, read_config, running_config};
use eidway::lab::failure::Failure;
use eidway::lab::file::{LabError, LabFile, Node};
use eidway::lab::lesson::hand_in;
use eidway::lab::{lesson, scenario};
use eidway::rng::Seed;
use eidway::router::{Router, Start};
use eidway::time::Time;
use std::collections::BTreeMap;

use super::site;

const GSMR: &str = include_str!("../../../lab/gsmr/lab.toml");

/// A number of pieces that no answer about such a small router can have.
const MOST_RESPONSES: usize = 10_000;

/// Types lines at the console of a router. For each line, also asks for help and completion. Every
/// request must get a complete answer. The resulting configuration is printed and read again. The
/// exception is a contradictory configuration: the console only warns about it, but a file with it
/// is refused.
/// The files that the lines write keep their bounds.
pub fn console(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (mut router, now) = (site::router(site::XTR, Time::ZERO), Time::ZERO);
    let (mut session, mut hosts) = (Session::new(), Machine::default());
    for typed in text.split('\n').take(MOST_PENDING) {
        let typed = typed.to_owned();
        let mut ask = |request| ask(&mut session, &mut router, &mut hosts, request, now);
        ask(Request::Help(typed.clone()));
        ask(Request::Complete(typed.clone()));
        ask(Request::Line(typed.clone()));
        match json_lines::request(&typed) {
            Ok(request) => {
                assert_eq!(json_lines::request(&json_lines::line(&request)).as_ref(), Ok(&request));
                ask(request);
            }
            Err(message) => {
                session.refuse(message, &router);
                finish(&mut session, &router, &mut hosts, now);
            }
        }
    }
    while router.poll_output().is_some() {}
    let files = hosts.flash.list().expect("the memory has no errors");
    assert!(files.len() <= MOST_FILES && files.iter().all(|file| file.size <= LARGEST_FILE));
    assert!(files.iter().map(|file| file.size).sum::<usize>() <= CAPACITY);
    let printed = running_config(router.config());
    let read = parse_config("running-config", &printed);
    let read = read.unwrap_or_else(|error| panic!("{}\n{printed}", error.render(false)));
    assert_eq!(&read, router.config(), "{printed}");
}

/// A machine without hosts, with a startup configuration and files in memory.
#[derive(Default)]
struct Machine {
    startup: String,
    flash: MemoryFiles,
    names: HostNames,
}

impl Hosts for Machine {
    fn states(&self) -> BTreeMap<String, HostState> {
        NoHosts.states()
    }

    fn handle(&mut self, request: &HostRequest, now: Time) -> Result<HostAnswer, String> {
        NoHosts.handle(request, now)
    }

    fn machine(&self) -> Option<&dyn machine::Machine> {
        Some(self)
    }

    fn machine_mut(&mut self) -> Option<&mut dyn machine::Machine> {
        Some(self)
    }
}

impl Probes for Machine {
    fn open(&mut self, ends: Ends) -> Result<Box<dyn ProbeSocket>, String> {
        NoHosts.open(ends)
    }
}

impl machine::Machine for Machine {
    fn startup(&self) -> Result<Startup, String> {
        let path = ("memory".to_owned(), "startup-config".to_owned());
        Ok(Startup { path, text: self.startup.clone(), modified: None })
    }

    fn save(&mut self, text: &str) -> Result<String, String> {
        text.clone_into(&mut self.startup);
        Ok("The configuration is in memory.".to_owned())
    }

    fn storage(&self) -> Option<&dyn Storage> {
        Some(&self.flash)
    }

    fn storage_mut(&mut self) -> Option<&mut dyn Storage> {
        Some(&mut self.flash)
    }

    fn restart(&mut self) {}

    fn log(&self) -> Vec<LogLine> {
        Vec::new()
    }

    fn clear_log(&mut self) {}

    fn users(&self) -> Vec<User> {
        Vec::new()
    }

    fn lab_hosts(&self) -> &HostNames {
        &self.names
    }

    fn usage(&self) -> Option<Usage> {
        None
    }

    fn fast_path(&self) -> FastPath {
        FastPath::default()
    }
}

fn ask(
    session: &mut Session,
    router: &mut Router,
    hosts: &mut Machine,
    request: Request,
    now: Time,
) {
    session.handle(request, router, hosts, now);
    finish(session, router, hosts, now);
}

fn finish(session: &mut Session, router: &Router, hosts: &mut Machine, now: Time) {
    let mut done = 0;
    for _ in 0..MOST_RESPONSES {
        let Some(response) = session.poll(router, hosts, now) else {
            assert!(session.is_idle() && done == 1, "one request has one end, not {done}");
            return;
        };
        let line = json_lines::line(&response);
        let read = json_lines::read_response(&mut line.as_bytes()).expect("a response is JSON");
        assert_eq!(read, response, "{line}");
        done += usize::from(matches!(response, Response::Done(_)));
    }
    panic!("an answer has no end");
}

/// Reads a config file. Its problems are printed as text. The configuration of its right lines is
/// printed and read again, with the same result. A router starts with it.
pub fn config(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Reading { config, report } = read_config("fuzz.conf", &text);
    assert_eq!(report.render(false).is_empty(), report.is_empty());
    let printed = running_config(&config);
    let read = parse_config("running-config", &printed);
    let read = read.unwrap_or_else(|error| panic!("{}\n{printed}", error.render(false)));
    assert_eq!(read, config, "{printed}");
    assert_eq!(running_config(&read), printed);
    let start = Start { config, seed: Seed::from_number(1), wall_clock: 1000, now: Time::ZERO };
    let mut router = Router::new(start);
    while router.poll_output().is_some() {}
}

/// Reads a lab file. An error is printed as text. A valid file names only nodes and devices that
/// exist.
pub fn lab(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let lab = match LabFile::parse("lab.toml", &text) {
        Ok(lab) => lab,
        Err(error) => return rendered(&error),
    };
    let mut devices = BTreeMap::new();
    for port in lab.ports() {
        assert!(lab.nodes.contains_key(&port.node), "{port:?}");
        let first = devices.insert((&port.node, &port.device), ());
        assert!(first.is_none(), "{port:?} is used twice");
    }
    for node in lab.nodes.values() {
        if let Node::Host(host) = node {
            for family in eidway::addr::Family::BOTH {
                let (address, gateway) = (host.address(family), host.gateway(family));
                assert!(gateway.is_none() || address.is_some(), "{host:?}");
            }
        }
    }
}

fn rendered(error: &LabError) {
    assert!(!error.to_string().is_empty());
}

/// The other files beside a scenario or a lesson.
fn beside(name: &str) -> Result<String, Failure> {
    match name {
        "other.scenario" => Ok("wait 1s\n".to_owned()),
        _ => Err(Failure::new("there is no such file")),
    }
}

fn gsmr() -> LabFile {
    LabFile::parse("lab.toml", GSMR).expect("the lab that comes with the program")
}

/// Reads a scenario of the lab `gsmr`. An error is printed as text.
pub fn scenario(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match scenario::parse("fuzz.scenario", &text, &gsmr(), &beside) {
        Ok(scenario) => assert!(scenario.steps.len() <= text.lines().count()),
        Err(error) => rendered(&error),
    }
}

/// Reads a lesson of the lab `gsmr`. An error is printed as text. A lesson has a title and tasks, each
/// at a later line than the last. Each task has an answer and checks, each check has words, and the
/// view for the student has no answer.
pub fn lesson(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let lesson = match lesson::parse("fuzz.lesson", &text, &gsmr(), &beside) {
        Ok(lesson) => lesson,
        Err(error) => return rendered(&error),
    };
    assert_eq!(lesson.name, "fuzz");
    assert!(!lesson.title.is_empty() && !lesson.tasks.is_empty(), "{lesson:?}");
    let lines = text.lines().count();
    let mut last = 0;
    for task in &lesson.tasks {
        assert!(last < task.line && task.line <= lines, "{task:?}");
        last = task.line;
        assert!(!task.answer.is_empty() && !task.checks.is_empty(), "{task:?}");
        assert!(task.checks.iter().all(|check| !check.words.is_empty()), "{task:?}");
    }
    let view = lesson.view(false);
    assert!(view.tasks.iter().all(|task| task.answer.is_none()));
}

/// Reads a hand-in. An error names a line. The parts of a hand-in, written and read again, are the
/// same.
pub fn hand_in(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let read = match hand_in::read(&text) {
        Ok(read) => read,
        Err(failure) => return assert!(failure.to_string().starts_with("line "), "{failure}"),
    };
    let (mut writer, mut written) = hand_in::Writer::new(&read.head);
    for command in &read.commands {
        written += &writer.command(command);
    }
    written += &writer.end();
    assert_eq!(hand_in::read(&written).ok(), Some(read));
}
