use super::expect::Packet;
use super::*;
use crate::lab::failure::Failure;
use crate::lab::open::Lab;
use crate::lab::ping::{Outcome, Tally};

fn read(text: &str) -> Result<Scenario, String> {
    let lab = Lab::open("gsmr", None).unwrap();
    let beside = |name: &str| match name {
        "wait.include" => Ok("wait 1s\n".to_owned()),
        "dance.include" => Ok("wait 1s\ndance\n".to_owned()),
        "self.include" => Ok("include \"self.include\"\n".to_owned()),
        _ => Err(Failure::new("no such file")),
    };
    parse("d/x.scenario", text, &lab.file, &beside).map_err(|error| error.to_string())
}

fn only(text: &str) -> Action {
    let mut scenario = read(text).unwrap();
    assert_eq!(scenario.steps.len(), 1);
    scenario.steps.remove(0).action
}

fn text(words: &str) -> String {
    words.to_owned()
}

#[test]
fn every_scenario_of_the_project_fits_its_lab() {
    let lab = Lab::open("gsmr", None).unwrap();
    let names = library::names(&lab);
    assert!(!names.is_empty());
    for name in names {
        let scenario = library::read(&lab, &name).unwrap_or_else(|error| panic!("{error}"));
        assert!(!scenario.title.is_empty() && !scenario.steps.is_empty(), "{name}");
        let number = name.split('-').next().unwrap();
        assert_eq!(library::find(&lab, number).unwrap().path, scenario.path);
    }
}

#[test]
fn the_lab_in_the_program_has_every_scenario() {
    let here = Lab::open("gsmr", None).unwrap().files_in("scenarios");
    let built_in: Vec<String> = crate::lab::open::built_in_files("gsmr")
        .filter_map(|file| file.strip_prefix("scenarios/"))
        .map(str::to_owned)
        .collect();
    assert_eq!(built_in, here);
}

#[test]
fn statements_are_what_they_say() {
    let commands = ["configure terminal", "interface Ethernet1/0", "end"].map(text).into();
    let line = "at xTR1: configure terminal / interface Ethernet1/0 / end";
    assert_eq!(only(line), Action::At { node: text("xTR1"), commands });
    let expected = vec![
        Printed::Contains(text("a # b")),
        Printed::Matches(vec![text("  one *"), text("  two")]),
    ];
    assert_eq!(
        only(
            "within 1s show xTR1 \"show clock\" contains \"a # b\" matches { # why\n  one *\n  two\n}"
        ),
        Action::Show {
            node: text("xTR1"),
            command: text("show clock"),
            expected,
            within: Duration::from_secs(1)
        }
    );
    let ends = Ends { from: text("B"), to: text("A"), ipv6: true };
    assert_eq!(
        only("ping B A ipv6 count 2 expect \".!\""),
        Action::Ping {
            ping: Ping { ends, count: 2, size: 100 },
            expected: Some(Answers::Marks(text(".!"))),
            within: None
        }
    );
    assert_eq!(only("wait 250ms"), Action::Wait(Duration::from_millis(250)));
    let scenario = read("title \"x\"\noverlay xTR1 {\n router lisp\n}\nwait 1s\n").unwrap();
    assert_eq!(scenario.overlays["xTR1"], " router lisp\n");
    assert_eq!((scenario.title.as_str(), scenario.steps[0].line), ("x", 5));
}

#[test]
fn an_error_has_file_line_and_caret() {
    let error = |text: &str| read(text).unwrap_err();
    let found = error("wait 1s\nkill xTR9\n");
    assert!(found.contains("x.scenario:2:6") && found.contains("^^^^"), "{found}");
    assert!(found.contains("no router of the lab: NewMSMR"), "{found}");
    for (text, message) in [
        ("kill", "a router is expected"),
        ("kill A", "no router of the lab"),
        ("dance", "dance is no statement"),
        ("wait 3", "a time such as"),
        ("wait 3s 4s", "nothing more"),
        ("ping B A expect \"..", "no second quote"),
        ("show xTR1 \"x\" matches {\n", "no line with }"),
        ("within 1s kill xTR1", "only a show or a ping"),
        ("capture c = xTR1:Ethernet9/0", "xTR1 has no link on Ethernet9/0"),
        ("packets c exactly two \"lisp\"", "a number is expected"),
        ("packets c \"lisp\" spaced 1s", "a range of times"),
    ] {
        let found = error(text);
        assert!(found.contains(message), "{text}: {found}");
    }
}

#[test]
fn a_block_matches_lines_in_a_row_whatever_the_space() {
    let block = |lines: &[&str]| Printed::Matches(lines.iter().copied().map(text).collect());
    let shown = "head\n  172.16.0.0/24, uptime: 00:01:02, via map-reply\n    Negative   entry\n";
    assert!(block(&["172.16.0.0/24, uptime: *, via map-reply", "Negative entry"]).holds(shown));
    assert!(block(&["*/24, uptime: 00:*:02, via *"]).holds(shown));
    assert!(!block(&["head", "Negative entry"]).holds(shown));
    assert!(!block(&["172.16.0.0/24, uptime: *, via"]).holds(shown));
    assert!(!block(&["a", "b", "c", "d"]).holds(shown));
    assert!(Printed::Contains(text("Negative entry")).holds(shown));
    assert!(Printed::Lacks(text("head 172")).holds(shown));
}

#[test]
fn answers_are_counted_or_read() {
    let mut tally = Tally::default();
    tally.add(Outcome::Lost);
    tally.add(Outcome::Answered(Duration::from_millis(1)));
    assert!(Answers::Marks(text(".!")).holds(&tally));
    assert!(Answers::Count(Bound::Exactly(1)).holds(&tally));
    assert!(!Answers::Count(Bound::AtLeast(2)).holds(&tally));
}

#[test]
fn captured_packets_have_times_and_values() {
    let packet = |millis: u64, value: &str| Packet {
        at: Duration::from_millis(millis),
        value: text(value),
        summary: String::new(),
    };
    let packets = [packet(0, "x"), packet(1040, "x"), packet(3130, "y")];
    let seconds = |min: f64, max: f64| Duration::from_secs_f64(min)..=Duration::from_secs_f64(max);
    let spaced = |second| Captured::Spaced(vec![seconds(1.0, 1.1), second]);
    assert!(spaced(seconds(2.0, 2.2)).holds(&packets, &[]));
    assert!(!spaced(seconds(2.1, 2.2)).holds(&packets, &[]));
    let reads = |letters: &[&str]| Captured::Reads {
        field: text("f"),
        letters: letters.iter().copied().map(text).collect(),
    };
    assert!(reads(&["a", "a", "b"]).holds(&packets, &[]));
    assert!(!reads(&["a", "b", "b"]).holds(&packets, &[]));
    assert!(!reads(&["a", "a", "a"]).holds(&packets, &[]));
    assert!(!reads(&["a", "a"]).holds(&packets, &[]));
    let after = Captured::After { filter: text("f"), within: Duration::from_millis(50) };
    assert!(after.holds(&packets[1..], &[packet(1000, "")]));
    assert!(!after.holds(&packets[1..], &[packet(900, "")]));
    assert!(!after.holds(&packets, &[]));
}
