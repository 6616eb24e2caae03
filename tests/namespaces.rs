//! Labs in real namespaces with real hosts and real `ping`: the built program, as a person uses it.
//!
//! They need root. Without it they fail and say so; `EIDWAY_ALLOW_SKIP=1` lets them pass. Each
//! test has labs of its own, so that all run side by side, and takes them down whatever happens.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Any wait for something that must happen.
const LONG: Duration = Duration::from_secs(10);

/// A lab that is up, and comes down with the value.
struct Live {
    name: String,
}

impl Live {
    /// Brings `lab` up under a name made of `test`, which is a few letters.
    fn up(lab: &str, test: &str) -> Self {
        let live = Live::named(test);
        expect_success(&eidway(&["lab", "up", lab, "--name", &live.name]));
        live
    }

    /// A lab of which nothing is there yet.
    fn named(test: &str) -> Self {
        Live { name: format!("t-{test}-{}", std::process::id()) }
    }

    /// `eidway lab VERB LAB ARGS`.
    fn lab(&self, verb: &str, args: &[&str]) -> Output {
        eidway(&[&["lab", verb, &self.name], args].concat())
    }

    /// A verb of `netns-scripts`, as a student would call it.
    fn verb(&self, verb: &str, args: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("netns-scripts").join(verb);
        expect_success(&run(Command::new(script).arg(&self.name).args(args)));
    }

    /// The marks of a ping: `!!!!!`.
    fn ping(&self, from: &str, to: &str, options: &[&str]) -> String {
        let output = self.lab("ping", &[&[from, to], options].concat());
        let text = text(&output);
        let marks = |line: &&str| !line.is_empty() && line.chars().all(|c| "!.UM".contains(c));
        let found = text.lines().find(marks);
        found.unwrap_or_else(|| panic!("no marks: {text}{}", errors(&output))).to_owned()
    }

    /// Every echo is answered, the first too, IPv4 and IPv6.
    fn expect_pings(&self, pairs: &[(&str, &str)]) {
        for (from, to) in pairs {
            for options in [&[][..], &["--ipv6"]] {
                let marks = self.ping(from, to, options);
                assert_eq!(marks, "!!!!!", "{from} to {to} {options:?}");
            }
        }
    }

    /// What a session on a router's console prints.
    fn console(&self, node: &str, commands: &[&str]) -> String {
        let mut args = vec!["console".to_owned(), format!("{}/{node}", self.name)];
        for command in commands {
            args.extend(["-c".to_owned(), (*command).to_owned()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = eidway(&args);
        expect_success(&output);
        text(&output)
    }

    /// What is still there of the lab: namespaces, files, processes.
    fn remains(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
            let namespace = entry.file_name().to_string_lossy().into_owned();
            if namespace.starts_with(&format!("eidway-{}-", self.name)) {
                found.push(namespace);
            }
        }
        let run = format!("/run/eidway/{}", self.name);
        if Path::new(&run).exists() {
            found.push(run.clone());
        }
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let argv = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let argv = String::from_utf8_lossy(&argv).replace('\0', " ");
            if argv.contains(&format!("{run}/")) {
                found.push(argv);
            }
        }
        found
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let output = self.lab("down", &[]);
        let remains = self.remains();
        if !std::thread::panicking() {
            expect_success(&output);
            assert!(remains.is_empty(), "left behind: {remains:?}");
        }
    }
}

fn eidway(args: &[&str]) -> Output {
    // From elsewhere than the source tree, so that the labs and verbs in the program are used.
    run(Command::new(env!("CARGO_BIN_EXE_eidway")).args(args).current_dir("/"))
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn expect_success(output: &Output) {
    assert!(output.status.success(), "{}{}", text(output), errors(output));
}

/// Polls until `is_so`, and fails when `limit` has passed.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "real labs run on the real clock")]
fn until(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Whether the tests can run here; fails where that is not allowed to be.
fn can_run() -> bool {
    let output = run(Command::new("id").arg("-u"));
    if text(&output).trim() == "0" {
        return true;
    }
    let allowed = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some_and(|value| value == "1");
    assert!(allowed, "namespace tests need root (EIDWAY_ALLOW_SKIP=1 skips them)");
    eprintln!("SKIPPED: namespace tests need root");
    false
}

const SHUTDOWN: [&str; 4] = ["configure terminal", "interface Ethernet1/0", "shutdown", "end"];
const NO_SHUTDOWN: [&str; 4] =
    ["configure terminal", "interface Ethernet1/0", "no shutdown", "end"];

#[test]
fn two_sites_ping_each_other_and_nothing_is_left() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "pair");
    live.expect_pings(&[("A", "B"), ("B", "A")]);
    let output = live.lab("ping", &["A", "B", "--json"]);
    let tally: serde_json::Value = serde_json::from_str(&text(&output)).expect("JSON");
    assert_eq!((&tally["sent"], &tally["received"]), (&5.into(), &5.into()));
    expect_success(&live.lab("down", &[]));
    assert!(live.remains().is_empty(), "{:?}", live.remains());
}

#[test]
fn the_pings_of_the_document_lose_nothing_not_even_the_first() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "doc");
    live.expect_pings(&[("B", "A"), ("A", "B"), ("N", "A"), ("A", "N"), ("B", "C"), ("N", "C")]);
    assert_eq!(live.ping("B", "10.10.10.10", &[]), "!!!!!");
    expect_success(&live.lab("status", &[]));
}

#[test]
fn every_host_of_the_lab_reaches_every_other() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "all");
    let output = live.lab("pingall", &["-c", "2"]);
    assert!(output.status.success(), "{}{}", text(&output), errors(&output));
}

#[test]
fn a_shut_interface_leaves_no_route_within_a_second_and_comes_back() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "shut");
    live.expect_pings(&[("B", "A")]);
    live.console("xTR1", &SHUTDOWN);
    for family in ["ip", "ipv6"] {
        let command = format!("show {family} lisp database");
        until(Duration::from_secs(1), "no route to the EID prefix", || {
            let text = live.console("xTR1", &[&command]);
            text.contains("no-route 1") && text.contains("*** NO ROUTE TO EID PREFIX ***")
        });
    }
    assert_eq!(live.ping("B", "A", &["-c", "2"]), "..", "and no ICMP error");

    live.console("xTR1", &NO_SHUTDOWN);
    for family in ["ip", "ipv6"] {
        let command = format!("show {family} lisp database");
        until(Duration::from_secs(1), "the route is back", || {
            !live.console("xTR1", &[&command]).contains("NO ROUTE")
        });
    }
    // xTR2 forgets a negative entry after a minute, if nobody tells it earlier.
    until(Duration::from_secs(65), "pings are back", || live.ping("B", "A", &["-c", "1"]) == "!");
    live.expect_pings(&[("A", "B")]);
}

#[test]
#[ignore = "the core does not send data-driven SMRs yet, nor does the console show the away table"]
fn a_sender_is_told_by_an_smr_that_an_eid_has_no_route() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "smr");
    live.expect_pings(&[("B", "A")]);
    live.console("xTR1", &SHUTDOWN);
    assert_eq!(live.ping("B", "A", &[]), ".....", "and no ICMP error");
    let away = live.console("xTR1", &["show ip lisp away"]);
    assert!(away.contains("172.16.0.0/24") && away.contains("local EID"), "{away}");
    let cache = live.console("xTR2", &["show ip lisp map-cache"]);
    assert!(cache.contains("172.16.0.0/24") && cache.contains("forward-native"), "{cache}");
}

#[test]
fn a_lab_comes_down_and_up_from_any_half_made_state() {
    if !can_run() {
        return;
    }
    let live = Live::named("half");
    expect_success(&live.lab("down", &[]));

    live.verb("node-add", &["xTR1", "router"]);
    live.verb("node-add", &["Core", "node"]);
    live.verb("link-add", &["xTR1", "et0-0", "Core", "eth0"]);
    expect_success(&live.lab("down", &[]));
    assert!(live.remains().is_empty(), "{:?}", live.remains());

    // What an interrupted "ip netns add" leaves is a file and no namespace.
    let stale = format!("/run/netns/eidway-{}-MSMR", live.name);
    fs::write(&stale, "").expect("a file");
    live.verb("node-add", &["switch", "switch"]);
    live.verb("lan-add", &["site1"]);
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &live.name]));
    live.expect_pings(&[("A", "B")]);

    fs::remove_dir_all(format!("/run/eidway/{}", live.name)).expect("the lab's directory");
    expect_success(&live.lab("down", &[]));
    assert!(live.remains().is_empty(), "{:?}", live.remains());
}

#[test]
fn a_second_up_is_refused_but_remains_are_replaced() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "twice");
    let again = eidway(&["lab", "up", "two-sites", "--name", &live.name]);
    assert!(!again.status.success() && errors(&again).contains("is up"), "{}", errors(&again));
    for router in ["xTR1", "xTR2", "MSMR"] {
        expect_success(&live.lab("kill", &[router]));
    }
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &live.name]));
    live.expect_pings(&[("A", "B")]);
}

#[test]
fn an_up_that_fails_says_why_and_leaves_nothing() {
    if !can_run() {
        return;
    }
    let live = Live::named("fail");
    let directory = tempfile::tempdir().expect("a directory");
    let write = |file: &str, text: &str| {
        fs::write(directory.path().join(file), text).expect("a file");
    };
    write("lab.toml", "name = \"x\"\nnodes.r.kind = \"router\"\nnodes.r.config = \"r.conf\"\n");
    write("r.conf", "hostname r\nno such command\n");
    let path = directory.path().display().to_string();
    let output = eidway(&["lab", "up", &path, "--name", &live.name]);
    let errors = errors(&output);
    assert!(!output.status.success(), "{errors}");
    assert!(errors.contains("r: the router has ended") && errors.contains("r.conf"), "{errors}");
    assert!(live.remains().is_empty(), "{:?}", live.remains());
}

#[test]
fn two_labs_run_side_by_side() {
    if !can_run() {
        return;
    }
    // The name of one continues that of the other, so that taking one down could hit both.
    let one = Live::up("two-sites", "side");
    let other = Live { name: format!("{}-b", one.name) };
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &other.name]));
    one.expect_pings(&[("A", "B")]);
    other.expect_pings(&[("B", "A")]);
    expect_success(&one.lab("down", &[]));
    other.expect_pings(&[("A", "B")]);
}

#[test]
fn a_killed_router_starts_again() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "kill");
    live.expect_pings(&[("A", "B")]);
    expect_success(&live.lab("kill", &["xTR1"]));
    assert_eq!(live.ping("B", "A", &["-c", "1"]), ".");
    expect_success(&live.lab("start", &["xTR1"]));
    live.expect_pings(&[("A", "B"), ("B", "A")]);
}

#[test]
fn without_the_first_resolver_the_second_answers() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "over");
    expect_success(&live.lab("stop", &["OldMSMR"]));
    // Two tries with the dead one, of one and two seconds, lose what waits longer than ping does.
    let marks = live.ping("B", "C", &["-c", "10"]);
    assert!(marks.ends_with("!!!!!"), "{marks}");
}

#[test]
fn without_any_resolver_the_router_stops_asking() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "mute");
    for router in ["OldMSMR", "NewMSMR"] {
        expect_success(&live.lab("stop", &[router]));
    }
    let namespace = format!("eidway-{}-xTR2", live.name);
    let mut capture = Command::new("ip");
    capture.args(["netns", "exec", &namespace, "tshark", "-n", "-i", "et0-0", "-a", "duration:30"]);
    capture.args(["-f", "udp dst port 4342", "-Y", "lisp.type == 8"]);
    capture.args(["-T", "fields", "-e", "frame.time_relative"]);
    let capture = std::thread::spawn(move || run(&mut capture));
    live.lab("ping", &["B", "C", "-c", "14"]);
    let output = capture.join().expect("the capture");
    let text = text(&output);
    let times: Vec<f64> = text.lines().filter_map(|line| line.parse().ok()).collect();
    assert!(!times.is_empty() && times.len() <= 10, "{times:?} {}", errors(&output));
    assert!(times.iter().all(|&time| time < 20.0), "{times:?}");
}

#[test]
fn a_packet_too_big_for_the_tunnel_is_told_so() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "size");
    // An IPv4 locator costs 36 octets of the core's 1500.
    for options in [&[][..], &["--ipv6"]] {
        let fits = [&["-s", "1464", "--df"], options].concat();
        assert_eq!(live.ping("A", "B", &fits), "!!!!!", "{options:?}");
        let too_big = [&["-s", "1465", "--df"], options].concat();
        assert_eq!(live.ping("A", "B", &too_big), "MMMMM", "{options:?}");
    }
}

#[test]
fn a_link_that_was_down_works_again_with_its_routes() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "link");
    live.expect_pings(&[("B", "A")]);
    expect_success(&live.lab("link", &["Core1:eth1", "down"]));
    assert_eq!(live.ping("B", "A", &["-c", "1"]), ".");
    expect_success(&live.lab("link", &["Core1:eth1", "up"]));
    until(LONG, "pings are back", || live.ping("B", "A", &["-c", "1"]) == "!");
    live.expect_pings(&[("B", "A")]);
}
