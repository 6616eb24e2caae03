use super::expect::Packet;
use super::stream::End;
use super::*;
use crate::lab::built_in;
use crate::lab::failure::Failure;
use crate::lab::ping::{Outcome, Tally};
use crate::lab::plugging::Plugging;
use crate::wire::{
    FrameReader, MapRequest, RefreshScope, RegistrationRefresh, ReliableFrame, ReliableMessage,
    ReliableType, StreamError,
};

fn read(text: &str) -> Result<Scenario, String> {
    let lab = built_in::find("gsmr").unwrap().unwrap();
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
    let lab = built_in::find("gsmr").unwrap().unwrap();
    let names = library::names(&lab);
    assert!(!names.is_empty());
    for name in names {
        let scenario = library::read(&lab, name).unwrap_or_else(|error| panic!("{error}"));
        assert!(!scenario.title.is_empty() && !scenario.steps.is_empty(), "{name}");
        let number = name.split('-').next().unwrap();
        assert_eq!(library::find(&lab, number).unwrap().path, scenario.path);
    }
}

#[test]
fn each_lab_in_the_program_has_every_scenario_of_its_folder() {
    let labs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("lab");
    let names_in = |directory: &std::path::Path| {
        let files = std::fs::read_dir(directory).into_iter().flatten();
        let mut names: Vec<String> =
            files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let mut folders = names_in(&labs);
    folders.retain(|name| labs.join(name).join("lab.toml").exists());
    assert_eq!(built_in::names().collect::<Vec<_>>(), folders);
    for name in folders {
        let lab = built_in::find(&name).unwrap().unwrap();
        assert_eq!(lab.files_in("scenarios"), names_in(&labs.join(&name).join("scenarios")));
    }
}

#[test]
fn statements_are_what_they_say() {
    let commands = ["configure terminal", "interface Ethernet1/0", "end"].map(text).into();
    let line = "at xTR1: configure terminal / interface Ethernet1/0 / end";
    assert_eq!(only(line), Action::At { node: text("xTR1"), commands });
    for (words, how) in [
        ("", Plugging::Atomic),
        (" make-before-break", Plugging::MakeBeforeBreak),
        (" break-before-make", Plugging::BreakBeforeMake),
    ] {
        let (host, to) = (text("A"), text("xTR2"));
        assert_eq!(only(&format!("move A to xTR2{words}")), Action::Move { host, to, how });
    }
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
            ping: Ping { ends, count: 2, size: 100, df: false },
            expected: vec![Answers::Marks(text(".!"))],
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
    assert!(found.contains("this is not a router of the lab; the lab has NewMSMR"), "{found}");
    for (text, message) in [
        ("kill", "a router is expected"),
        ("kill A", "not a router of the lab"),
        ("dance", "dance is not a statement"),
        ("wait 3", "a time such as"),
        ("wait 3s 4s", "the statement must end here"),
        ("ping B A expect \"..", "the closing quote is missing"),
        ("show xTR1 \"x\" matches {\n", "a line with `}` is missing"),
        ("within 1s kill xTR1", "only `show`, `ping` and `receive`"),
        ("capture c = xTR1:Ethernet9/0", "xTR1 has no link on Ethernet9/0"),
        ("capture c = xTR1:Ethernet0/0 flawed", "a number is expected"),
        ("packets c exactly two \"lisp\"", "a number is expected"),
        ("packets c \"lisp\" spaced 1s", "a range of times"),
    ] {
        let found = error(text);
        assert!(found.contains(message), "{text}: {found}");
    }
}

#[test]
fn an_included_file_stands_where_it_is_included() {
    let scenario = read("include \"wait.include\"\nwait 2s\n").unwrap();
    let places: Vec<(&str, usize)> =
        scenario.steps.iter().map(|step| (step.path.as_str(), step.line)).collect();
    assert_eq!(places, [("d/wait.include", 1), ("d/x.scenario", 2)]);
    let error = |name: &str| read(&format!("wait 1s\ninclude \"{name}\"\n")).unwrap_err();
    for (name, place, message) in [
        ("dance.include", "d/dance.include:2:1", "dance is not a statement"),
        ("self.include", "d/self.include:1:9", "self.include includes itself"),
        ("x.scenario", "d/x.scenario:2:9", "x.scenario includes itself"),
        ("missing", "d/x.scenario:2:9", "no such file"),
        ("../x", "d/x.scenario:2:9", "in the directory of the scenario"),
    ] {
        let found = error(name);
        assert!(found.contains(place) && found.contains(message), "{name}: {found}");
    }
}

#[test]
fn messages_are_made_of_their_fields() {
    let message = "send map-request at Core1 from 203.0.113.11 to 198.51.100.21:4342 {\n \
                   smr probe\n source-eid each 172.16.0.0/30 itr-rloc 203.0.113.11\n \
                   eid 192.168.0.22/32\n} times 2 every 4ms\n";
    let Action::Send { node, datagrams } = only(message) else { panic!("{message}") };
    assert_eq!((node.as_str(), datagrams.times), ("Core1", 2));
    assert_eq!(datagrams.source.to_string(), "203.0.113.11:4342");
    let solicited = datagrams.payloads.iter().map(|payload| {
        let request = MapRequest::parse(payload).unwrap();
        assert!(request.smr && request.probe && !request.do_not_reply);
        assert_eq!(request.nonce.0, 1, "the number of the line");
        request.source_eid.unwrap().address.to_string()
    });
    let solicited: Vec<String> = solicited.collect();
    assert_eq!(solicited, ["172.16.0.0", "172.16.0.1", "172.16.0.2", "172.16.0.3"]);
    for (fields, message) in [
        ("smr dance", "dance is not a field of this message; the fields are smr, probe"),
        ("eid 172.16.0.0", "a prefix is expected"),
        ("source-eid each 172.16.0.0/8", "a prefix of at most 4096 addresses"),
        ("key x", "key is not a field of this message"),
    ] {
        let text = format!("send map-request at A from 192.0.2.1 to 192.0.2.2 {{\n {fields}\n}}");
        let found = read(&text).unwrap_err();
        assert!(found.contains(message), "{fields}: {found}");
    }
}

#[test]
fn a_registration_may_be_as_wrong_as_the_scenario_wants_it() {
    let octets = |fields: &str| {
        let text = format!("send registration on c {{\n key k\n {fields}\n}}\n");
        let Action::Transmit { octets, .. } = only(&text) else { panic!("{text}") };
        octets
    };
    let frames = |fields: &str| {
        let mut reader = FrameReader::new();
        reader.push(&octets(fields));
        reader.next().unwrap()
    };
    let record = "record 172.16.0.0/24 ttl 1440 locator 192.0.2.1";
    let right = frames(record).unwrap();
    assert_eq!(right.message.message_type(), ReliableType::Registration);
    assert!(matches!(frames(&format!("{record} {record}")), Err(StreamError::Skipped(_))));
    assert!(matches!(frames(&format!("type 99 {record}")), Err(StreamError::Skipped(_))));
    assert!(matches!(frames(&format!("{record} corrupt-end-marker")), Err(StreamError::Fatal(_))));
}

#[test]
fn what_a_connection_must_say_next_is_a_message_or_its_end() {
    let expected = |text: &str| match only(text) {
        Action::Receive { expected, .. } => expected,
        other => panic!("{other:?}"),
    };
    let closed = expected("receive c closed");
    assert!(closed.is_end(End::Closed) && closed.is_end(End::Reset));
    assert!(!closed.is_end(End::Refused), "it never stood");
    assert!(!expected("receive c reset").is_end(End::Closed));
    let scope = RefreshScope::All;
    let refresh = RegistrationRefresh { scope, rejected_only: false };
    let message = ReliableMessage::RegistrationRefresh(refresh);
    let frame = ReliableFrame { message_id: 1, message };
    assert!(expected("receive c registration-refresh").is_message(&frame));
    assert!(
        expected("within 1s receive c registration-refresh contains \"all\"").is_message(&frame)
    );
    assert!(!expected("receive c registration-refresh contains \"rejected\"").is_message(&frame));
    assert!(!expected("receive c registration-ack").is_message(&frame));
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
    let spaced = |second| Captured::Spaced { gaps: vec![seconds(1.0, 1.1), second], more: false };
    assert!(spaced(seconds(2.0, 2.2)).holds(&packets, &[]));
    assert!(!spaced(seconds(2.1, 2.2)).holds(&packets, &[]));
    let reads = |letters: &[&str]| Captured::Reads {
        field: text("f"),
        letters: letters.iter().copied().map(text).collect(),
        more: letters.len() == 1,
    };
    let first = Captured::Spaced { gaps: vec![seconds(1.0, 1.1)], more: true };
    assert!(first.holds(&packets, &[]) && first.holds(&packets[..2], &[]));
    assert!(!first.holds(&packets[..1], &[]));
    assert!(reads(&["a"]).holds(&packets, &[]));
    assert!(reads(&["a", "a", "b"]).holds(&packets, &[]));
    assert!(!reads(&["a", "b", "b"]).holds(&packets, &[]));
    assert!(!reads(&["a", "a", "a"]).holds(&packets, &[]));
    assert!(!reads(&["a", "a"]).holds(&packets, &[]));
    let after = Captured::After { filter: text("f"), within: Duration::from_millis(50) };
    assert!(after.holds(&packets[1..], &[packet(1000, "")]));
    assert!(!after.holds(&packets[1..], &[packet(900, "")]));
    assert!(!after.holds(&packets, &[]));
}

#[test]
fn ranges_are_expected_of_counts_and_of_round_trips() {
    let Action::Ping { expected, .. } = only("ping B A expect 3..5 rtt 40ms..90ms") else {
        panic!("not a ping");
    };
    let trips = |micros: &[u64]| Tally {
        sent: 5,
        received: micros.len() as u32,
        round_trips_us: micros.to_vec(),
        ..Tally::default()
    };
    let holds = |micros: &[u64]| expected.iter().all(|expected| expected.holds(&trips(micros)));
    assert!(holds(&[40_000, 60_000, 90_000]));
    assert!(!holds(&[40_000, 60_000]), "too few");
    assert!(!holds(&[39_000, 60_000, 90_000]) && !holds(&[40_000, 60_000, 91_000]));
    assert_eq!(expected[1].to_string(), "each round trip in 40ms..90ms");
    let only_times = [Answers::RoundTrips(Duration::ZERO..=Duration::from_secs(1))];
    assert_eq!(
        only("ping B A expect rtt 0ms..1s"),
        match only("ping B A") {
            Action::Ping { ping, within, .. } =>
                Action::Ping { ping, within, expected: only_times.to_vec() },
            other => other,
        }
    );
    assert!(!only_times[0].holds(&trips(&[])), "no answer has no round trip");
    let lost = Some(Bound::Between(10, 20));
    assert_eq!(only("end f lost 10..20"), Action::End { name: text("f"), lost });
    for wrong in ["end f lost 20..10", "end f lost 1..", "ping B A expect rtt 90ms..40ms"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn links_are_impaired_and_flap() {
    let Action::Impair { target, impairment } = only("impair Core1:Core2 delay 20ms loss 1%")
    else {
        panic!("not an impairment");
    };
    assert_eq!((target.link, target.sender), (2, None));
    assert_eq!(impairment.to_string(), "delay 20ms loss 1%");
    let Action::Impair { target, .. } = only("impair Core1:eth1 direction Core2-to-Core1 loss 5%")
    else {
        panic!("not an impairment");
    };
    assert_eq!(target.sender, Some(1));
    let port = Place { node: text("Core1"), interface: text("eth1") };
    let flap = Flap { count: 2, ..Flap::default() };
    assert_eq!(only("link Core1:eth1 flap count 2"), Action::Flap { port, flap });
    assert!(read("also impaired\nping B A\n").unwrap().also_impaired);
    for (wrong, reason) in [
        ("impair Core1:Core2 loss 101%", "a percentage from 0% to 100%"),
        ("impair Core1:Core2", "an impairment or `none` is expected"),
        ("impair A:eth0 loss 1%", "is a port of the LAN siteA"),
        ("impair Core1:Core2 direction A-to-B loss 1%", "it has Core1-to-Core2 and"),
        ("impair Core1:Core2 direction Core1-to-Core2 mtu 1400", "leave the direction out"),
        ("impair Core1:Core2 reorder 5%", "reorder is possible only with a delay"),
        ("link Core1:eth1 flap often", "`count`, `down` or `up` is expected"),
    ] {
        let error = read(wrong).unwrap_err();
        assert!(error.contains(reason) && error.contains("x.scenario:1:"), "{wrong}: {error}");
    }
}
