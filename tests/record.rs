//! Records of routers. A replay reproduces each octet of the output, and damage to a record is
//! detected.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shared/buffer.rs"]
mod buffer;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

use buffer::Buffer;
use eidway::console::protocol::{Request, Response};
use eidway::lab::scenario::library;
use eidway::lab::scenario::run::{How, run};
use eidway::netns::open::open;
use eidway::record::{MAGIC, Progress, ReadError, Reader, Replay, ReplayConsole, Until, show};
use eidway::rng::Seed;
use eidway::sim::Records;
use eidway::sim::stage::{Options, Simulated};
use eidway::time::Time;
use proptest::prelude::*;

/// Plays a scenario of gsmr and returns the record of each router. The key of a record is `ROUTER
/// at TIME`, with the time at which the router started.
fn recorded(scenario: &str) -> BTreeMap<String, Vec<u8>> {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/gsmr");
    let lab = open(lab.to_str().unwrap(), None).unwrap();
    let scenario = library::find(&lab, scenario).unwrap();
    let files: Rc<RefCell<BTreeMap<String, Buffer>>> = Rc::default();
    let opened = Rc::clone(&files);
    let records: Records = Box::new(move |router, at| {
        let file = Buffer::default();
        opened.borrow_mut().insert(format!("{router} at {at}"), file.clone());
        Some(Box::new(file))
    });
    let options = Options { records: Some(records), ..Options::new(Seed::from_number(1)) };
    let mut out = Vec::new();
    let up = |lab| Simulated::up(lab, options);
    let played = run(&lab, &scenario, How::default(), up, &mut out);
    assert!(played.unwrap(), "{}", String::from_utf8(out).unwrap());
    let files = files.borrow();
    files.iter().map(|(name, file)| (name.clone(), file.octets())).collect()
}

fn of_xtr1(scenario: &str) -> Vec<u8> {
    recorded(scenario).remove("xTR1 at 0.000000").unwrap()
}

/// The octet at which each frame of the record begins. The index of a frame is the number of its
/// step.
fn frames(record: &[u8]) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut at = MAGIC.len();
    while at < record.len() {
        starts.push(at);
        let len: [u8; 4] = record[at..at + 4].try_into().unwrap();
        at += 6 + u32::from_le_bytes(len) as usize;
    }
    starts
}

/// Corrects the checksum of the frame that begins at `start`.
fn seal(record: &mut [u8], start: usize) {
    let len: [u8; 4] = record[start..start + 4].try_into().unwrap();
    let body = &record[start + 6..start + 6 + u32::from_le_bytes(len) as usize];
    let sum = eidway::checksum::finish(eidway::checksum::sum(body));
    record[start + 4..start + 6].copy_from_slice(&sum.to_le_bytes());
}

#[test]
fn every_router_of_a_scenario_is_reproduced_to_the_octet() {
    for scenario in ["g1-deconfigured", "g2-no-route", "g3-move", "x8-kill", "x15-replays"] {
        let records = recorded(scenario);
        assert!(records.len() >= 5, "{:?}", records.keys());
        for (router, record) in records {
            let mut replay = Replay::open(record.as_slice()).unwrap();
            let progress = replay.run(Until::End).unwrap();
            assert_eq!(progress, Progress::Stopped, "{scenario}: {router}");
            assert_eq!(replay.step() as usize + 1, frames(&record).len());
            assert!(replay.step() > 10, "{scenario}: {router} did {} steps", replay.step());
        }
    }
}

#[test]
fn what_a_router_keeps_over_a_restart_is_in_its_records() {
    let records = recorded("x15-replays");
    let steps = |name: &str| {
        let mut reader = Reader::open(records[name].as_slice()).unwrap();
        let mut text = String::new();
        while let Some((step, outcome)) = reader.next_step().unwrap() {
            text.push_str(&show::step(0, &step, &outcome));
        }
        text
    };
    let starts: Vec<&String> = records.keys().filter(|name| name.starts_with("NewMSMR")).collect();
    let [first, again] = starts[..] else { panic!("{starts:?}") };
    let before = steps(first);
    assert!(before.contains(" 0 nonces from before the start"), "{before}");
    // The three nonces are of both xTRs and of the router that the scenario itself plays.
    assert!(steps(again).contains(" 3 nonces from before the start"), "{before}");
    assert!(before.contains("keep nonce 0x00000000-0x000003E9 of xTR-ID 0x00000000-"), "{before}");
}

#[test]
fn a_flipped_bit_is_found_and_its_step_named() {
    let record = of_xtr1("g2-no-route");
    let starts = frames(&record);
    for (number, &start) in starts.iter().enumerate().skip(1).step_by(7) {
        let mut damaged = record.clone();
        damaged[start + 6] ^= 1;
        let error = Replay::open(damaged.as_slice()).unwrap().run(Until::End).unwrap_err();
        assert!(
            matches!(error, ReadError::Damaged { step, .. } if step == number as u64),
            "{error}"
        );
    }
}

#[test]
fn an_input_that_was_another_leads_to_another_output_which_is_named() {
    let record = of_xtr1("g2-no-route");
    // The seed of the router follows its version in the record. The router makes its nonces from
    // the seed.
    let (mut other, start) = (record.clone(), MAGIC.len());
    let version = env!("CARGO_PKG_VERSION");
    let at = other.windows(version.len()).position(|words| words == version.as_bytes()).unwrap();
    other[at + version.len()] ^= 1;
    seal(&mut other, start);
    let mut replay = Replay::open(other.as_slice()).unwrap();
    let Progress::Differs(difference) = replay.run(Until::End).unwrap() else {
        panic!("another seed gives other nonces");
    };
    assert_eq!(difference.step, replay.step());
    assert_ne!(difference.expected, difference.seen);
    let text = difference.to_string();
    assert!(text.contains("output 1") && text.contains("nonce"), "{text}");
}

#[test]
fn a_record_that_is_cut_replays_to_its_cut_and_says_so() {
    let record = of_xtr1("g2-no-route");
    let starts = frames(&record);
    let middle = starts.len() / 2;
    for octets in 1..30 {
        let mut replay = Replay::open(&record[..starts[middle] + octets]).unwrap();
        match replay.run(Until::End) {
            Err(ReadError::Cut { step, octets: cut }) => {
                assert_eq!((step, cut), (middle as u64, octets));
            }
            // If the frame is short, it is complete, and the next frame is cut.
            other => assert!(starts[middle] + octets >= starts[middle + 1], "{other:?}"),
        }
        assert!(replay.step() + 1 >= middle as u64);
    }
    let mut replay = Replay::open(&record[..starts[middle]]).unwrap();
    assert_eq!(replay.run(Until::End).unwrap(), Progress::Stopped, "cut between two frames");
}

#[test]
fn a_replay_stops_where_it_is_told_and_shows_the_state_there() {
    let record = of_xtr1("g2-no-route");
    let at = |until: &str, command: &str| {
        let mut replay = Replay::open(record.as_slice()).unwrap();
        assert_eq!(replay.run(until.parse().unwrap()).unwrap(), Progress::Stopped);
        let mut console = ReplayConsole::new(replay);
        let mut out = Vec::new();
        let done = console.line(command, &mut out).unwrap();
        (done.ok, String::from_utf8(out).unwrap(), console.prompt())
    };
    let (ok, early, prompt) = at("0", "show ip lisp map-cache");
    assert!(ok && prompt.starts_with("xTR1 0 0.000000"), "{prompt}");
    assert!(!early.contains("192.168.0.0/24"), "{early}");
    let (ok, late, _) = at("1000000", "sh ip lisp map-cache");
    assert!(ok && late.contains("192.168.0.0/24"), "{late}");
    let (ok, refused, _) = at("10", "configure terminal");
    assert!(!ok && refused.contains("cannot be changed"), "{refused}");
    let (ok, steps, prompt) = at("10", "step 3");
    assert!(ok && prompt.starts_with("xTR1 13 "), "{prompt}");
    assert!(steps.trim_start().starts_with("11 "), "{steps}");
    let (ok, _, prompt) = at("10", "run 1.5s");
    assert!(ok && prompt.contains(" 1."), "{prompt}");
}

#[test]
fn a_terminal_at_a_replay_gets_help_completions_and_the_end_of_each_answer() {
    let record = of_xtr1("g2-no-route");
    let mut console = ReplayConsole::new(Replay::open(record.as_slice()).unwrap());
    let mut answer = |request| console.answer(request).unwrap();
    let text = |responses: &[Response]| match responses {
        [Response::Text(text), Response::Done(_)] => text.clone(),
        other => panic!("{other:?}"),
    };
    assert!(text(&answer(Request::Help(String::new()))).contains("step [N]"));
    assert!(text(&answer(Request::Help("show ip ".to_owned()))).contains("lisp"));
    let completions = answer(Request::Complete("sh ver".to_owned()));
    assert_eq!(completions[0], Response::Completions(vec!["version".to_owned()]));
    assert!(text(&answer(Request::Line("step".to_owned()))).contains("start of Eidway"));
    let [Response::Done(done)] = &answer(Request::Line("end".to_owned()))[..] else { panic!() };
    assert!(done.ok && !done.closed, "Control-C goes on");
    let [Response::Done(done)] = &answer(Request::Line("exit".to_owned()))[..] else { panic!() };
    assert!(done.closed);
    assert_eq!(answer(Request::Interrupt), []);
}

#[test]
fn each_step_is_printed_with_what_came_of_it() {
    let record = of_xtr1("g2-no-route");
    let mut reader = Reader::open(record.as_slice()).unwrap();
    let mut text = String::new();
    loop {
        let number = reader.number();
        let Some((step, outcome)) = reader.next_step().unwrap() else { break };
        text.push_str(&show::step(number, &step, &outcome));
    }
    for words in
        ["start of Eidway", "kernel: et0-0 is up", "Map-Reply nonce", "lisp0 172.16.0.", "timeout"]
    {
        assert!(text.contains(words), "{words} is not in\n{text}");
    }
    // Rust prints its own data with braces and options. The output for users must not contain them.
    let is_rust =
        |line: &&str| ["{ ", "Some(", "None", "Dropped(", "::{"].iter().any(|it| line.contains(it));
    assert_eq!(text.lines().find(is_rust), None);
    let until: Until = "12.5s".parse().unwrap();
    assert_eq!(until, Until::Time(Time(12_500_000)));
    assert!("soon".parse::<Until>().is_err() && "-1s".parse::<Until>().is_err());
}

#[test]
fn what_is_no_record_of_this_version_is_refused() {
    let refused = |octets: &[u8]| Reader::open(octets).err().unwrap().to_string();
    assert!(refused(b"").contains("not a record"));
    assert!(refused(b"hostname xTR1\nrouter lisp\n").contains("not a record"));
    let own = std::str::from_utf8(MAGIC).unwrap().trim_end().rsplit(' ').next().unwrap();
    assert_eq!(
        refused(b"eidway record 1\n"),
        format!("the record has version \"1\", but this Eidway reads only version {own}")
    );
}

/// A file system that is full after this number of octets.
struct Full(usize);

impl Write for Full {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(octets.len()).ok_or(io::ErrorKind::StorageFull)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_ends_the_record_and_not_the_router() {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/gsmr");
    let lab = open(lab.to_str().unwrap(), None).unwrap();
    let scenario = library::find(&lab, "g2-no-route").unwrap();
    let records: Records = Box::new(|_, _| Some(Box::new(Full(3000))));
    let options = Options { records: Some(records), ..Options::new(Seed::from_number(1)) };
    let up = |lab| Simulated::up(lab, options);
    let played = run(&lab, &scenario, How::default(), up, &mut io::sink()).unwrap();
    assert!(played, "as expected, also without a record");
}

proptest! {
    #[test]
    fn garbage_is_refused_and_never_panics(garbage in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut octets = MAGIC.to_vec();
        let len = garbage.len() as u32;
        octets.extend(len.to_le_bytes());
        octets.extend([0, 0]);
        octets.extend(garbage);
        seal(&mut octets, MAGIC.len());
        let mut reader = Reader::open(octets.as_slice()).unwrap();
        while let Ok(Some(_)) = reader.next_step() {}
        let _ = reader.next_at();
    }

    #[test]
    fn octets_behind_the_magic_never_panic(garbage in proptest::collection::vec(any::<u8>(), 0..300)) {
        let octets = [MAGIC.as_slice(), &garbage].concat();
        if let Ok(mut replay) = Replay::open(octets.as_slice()) {
            let _ = replay.run(Until::End);
        }
    }
}
