//! Tests of the command line without privileges: the output of the program and its exit code.

mod simulated;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use eidway::watch::stream::Told;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use simulated::{Simulated, eidway, text};

#[test]
fn a_simulated_ping_prints_the_block_of_ios() {
    let output = eidway(&["lab", "ping", "two-sites", "A", "B", "--sim"]);
    let block = "Type escape sequence to abort.\n\
         Sending 5, 100-byte ICMP Echos to 192.168.0.22, timeout is 2 seconds:\n\
         !!!!!\n\
         Success rate is 100 percent (5/5), round-trip min/avg/max = ";
    assert!(text(&output.stdout).starts_with(block), "{}", text(&output.stdout));
    assert!(output.status.success());
}

#[test]
fn a_simulated_ping_that_is_not_answered_fails() {
    let output = eidway(&["lab", "ping", "two-sites", "A", "192.168.0.99", "--sim", "-c", "2"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
}

#[test]
fn a_program_reads_json_and_nothing_else() {
    let output = eidway(&["lab", "pingall", "two-sites", "--sim", "--json", "-c", "1"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let pairs = json["pairs"].as_array().expect("pairs");
    assert_eq!(pairs.len(), 4, "A and B, both ways, both families");
    assert!(pairs.iter().all(|pair| pair["sent"] == pair["received"]), "{json}");
}

#[test]
fn the_telnet_ports_of_a_simulated_lab_that_is_up_are_in_its_status() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
    let first = free.expect("a free port").port();
    let lab = Simulated::up_as("telnet", "two-sites", "1", &["--telnet", &first.to_string()]);
    let status = || {
        let output = eidway(&["lab", "status", "two-sites", "--name", &lab.1, "--sim"]);
        text(&output.stdout)
    };
    for _ in 0..600 {
        if status().contains(&format!("telnet 127.0.0.1 {first}")) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("{}", status());
}

#[test]
fn what_is_not_there_is_named() {
    for (args, words) in [
        (&["console", "no-lab/xTR1"][..], "router no-lab/xTR1 does not run"),
        (&["lab", "up", "no-lab"], "no lab \"no-lab\""),
        (&["lab", "ping", "two-sites", "X", "B", "--sim"], "X"),
        (&["lab", "ping", "two-sites", "A", "X", "--sim"], "not an address or a host"),
    ] {
        let output = eidway(args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(text(&output.stderr).contains(words), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn every_verb_says_of_a_lab_that_is_not_up_how_it_comes_up() {
    for verb in [
        &["capture", "Core:eth0"][..],
        &["exec", "A", "--", "true"],
        &["link", "A:eth0", "down"],
        &["ping", "A", "B"],
        &["pingall"],
        &["start", "xTR1"],
        &["stop", "xTR1"],
        &["restart", "xTR1"],
        &["kill", "xTR1"],
        &["move", "A", "--to", "xTR2"],
    ] {
        let args = [&["lab", verb[0], "two-sites", "--name", "not-up"], &verb[1..]].concat();
        let output = eidway(&args);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        let expected =
            "lab not-up is not up: start it with `eidway lab up two-sites --name not-up`";
        assert!(said.contains(expected), "{args:?}: {said}");
    }
    let output = eidway(&["lab", "ping", "gsmr", "--name", "not-up", "C", "A"]);
    assert!(text(&output.stderr).contains("lab not-up is not up"), "an emulated host: {output:?}");
    let output = eidway(&["console", "not-up/xTR1"]);
    assert!(text(&output.stderr).contains("eidway lab up not-up"), "{output:?}");
}

#[test]
fn namespace_verbs_do_not_work_in_a_simulated_lab_and_say_so() {
    let lab = Simulated::up("no-ns");
    lab.expect("xTR1", "show clock", |text| text.starts_with('*'));
    let output = eidway(&["lab", "ping", "two-sites", "--name", &lab.1, "A", "B"]);
    assert!(text(&output.stderr).contains("is up on the simulator"), "{output:?}");
}

#[test]
fn the_verbs_work_on_a_lab_that_is_simulated_for_the_one_command() {
    for (args, words) in [
        (&["status", "two-sites"][..], "xTR1         router  running          209.165.201.31: 2/2"),
        (&["stop", "two-sites", "xTR2"], "xTR2         router  stopped\n"),
        (
            &["restart", "two-sites", "MSMR"],
            "xTR1         router  running          209.165.201.31: 2/2",
        ),
        (&["link", "two-sites", "Core:eth0", "down"], "lab two-sites: 6 of 6 nodes up"),
        (&["capture", "two-sites", "MSMR", "-Y", "lisp.type == 3", "-c", "1"], "Map-Register"),
        (&["move", "gsmr", "A", "--to", "xTR2", "--with", "roaming"], " packets lost, "),
        (&["check", "gsmr"], "ok    xTR1.conf\n"),
    ] {
        let output = eidway(&[&["lab"], args, &["--sim"]].concat());
        let said = text(&output.stdout);
        assert!(output.status.success(), "{args:?}: {said}{}", text(&output.stderr));
        assert!(said.contains(words), "{args:?}: {said}");
    }
    for (args, words) in [
        (&["exec", "two-sites", "A", "--sim", "--", "true"][..], "cannot run programs"),
        (&["down", "two-sites", "--sim"], "ends when its"),
        (&["move", "gsmr", "A", "--to", "xTR2", "--sim"], "A was not moved"),
        (
            &["capture", "two-sites", "A", "udp", "port", "1", "--sim"],
            "for example `udp.port == 4342`",
        ),
        (
            &["capture", "two-sites", "xTR1:lisp0", "--sim"],
            "lisp0 can be captured only in namespaces",
        ),
    ] {
        let output = eidway(&[&["lab"], args].concat());
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(text(&output.stderr).contains(words), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_console_talks_to_a_simulated_router_whose_time_flies() {
    let mut lab = Simulated::up("sim-console");
    lab.expect("MSMR", "show lisp site", |text| text.contains("yes#"));
    // The test has only a few seconds of real time, but the lab runs at a fast pace.
    lab.expect("xTR1", "show ip lisp database json", |text| text.contains("172.16.0.0/24"));
    lab.expect("MSMR", "show lisp session json", |text| {
        let json: serde_json::Value = serde_json::from_str(text).expect("JSON");
        json["sessions"][0]["up"].as_u64().is_some_and(|seconds| seconds > 3600)
    });
    let sockets = eidway::netns::paths::simulated_run(&lab.1);
    assert!(sockets.join("xTR1.sock").exists());
    kill_process(Pid::from_child(&lab.0), Signal::INT).expect("it lives");
    assert!(lab.0.wait().expect("an end").success());
    assert!(!sockets.exists(), "it leaves nothing behind");
}

#[test]
fn completions_and_the_manual_know_all_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let output = eidway(&["completions", shell]);
        assert!(output.status.success() && text(&output.stdout).contains("testbed"), "{shell}");
    }
    let manual = text(&eidway(&["man"]).stdout);
    for part in [".TH eidway 1", "eidway\\-lab\\-testbed", "\\-\\-no\\-offload"] {
        assert!(manual.contains(part), "{part} is not in the manual");
    }
}

#[test]
fn a_pace_that_is_none_is_refused() {
    for pace in ["0", "-1", "inf", "slow"] {
        let output = eidway(&["lab", "up", "two-sites", "--sim", "--pace", pace]);
        assert!(!output.status.success(), "{pace}");
    }
}

/// A copy of the lab two-sites, with a scenario in `scenarios`. Each file begins with the text
/// `before`.
fn copy_of_two_sites(before: &str) -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/two-sites");
    let copy = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| {
        fs::write(copy.path().join(name), format!("{before}{text}")).expect("a file");
    };
    for name in ["lab.toml", "xTR1.conf", "xTR2.conf", "MSMR.conf"] {
        write(name, &fs::read_to_string(from.join(name)).expect("a file of the lab"));
    }
    fs::create_dir(copy.path().join("scenarios")).expect("a directory");
    write("scenarios/one.scenario", "title \"one\"\ninclude \"two.include\"\nping A B expect 5\n");
    write("scenarios/two.include", "ping B A expect 5\n");
    copy
}

#[test]
fn a_byte_order_mark_says_nothing_in_any_file_of_a_lab() {
    let copy = copy_of_two_sites("\u{feff}");
    let output = eidway(&["lab", "run", &copy.path().display().to_string(), "one", "--sim"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_scenario_is_named_by_the_path_of_its_file_too() {
    let copy = copy_of_two_sites("");
    let path = copy.path().join("scenarios/one.scenario").display().to_string();
    let output = eidway(&["lab", "run", "two-sites", &path, "--sim"]);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    assert!(text(&output.stdout).contains("as expected"), "{}", text(&output.stdout));
    let output = eidway(&["lab", "run", "two-sites", "/no/such.scenario", "--sim"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("/no/such.scenario: No such file"), "{output:?}");
}

#[test]
fn an_address_that_is_twice_on_a_link_is_found_before_anything_is_built() {
    let copy = copy_of_two_sites("");
    let conf = copy.path().join("xTR1.conf");
    let right = fs::read_to_string(&conf).expect("a file");
    fs::write(&conf, right.replace("172.16.0.1 ", "172.16.0.12 ")).expect("a file");
    let path = copy.path().display().to_string();
    for (args, stream) in [
        (&["lab", "check", &path][..], "stdout"),
        (&["lab", "up", &path, "--dry-run"], "stderr"),
        (&["lab", "up", &path, "--sim"], "stderr"),
        (&["lab", "ping", &path, "A", "B", "--sim"], "stderr"),
        (&["lab", "run", &path, "one", "--sim"], "stderr"),
    ] {
        let output = eidway(args);
        let said = text(if stream == "stdout" { &output.stdout } else { &output.stderr });
        assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
        for part in [
            "two nodes on site1 have the address 172.16.0.12",
            "xTR1.conf:",
            "^^^^^^^^^^^ A has this address at ",
            "lab.toml:",
        ] {
            assert!(said.contains(part), "{args:?}: {part:?} is not in\n{said}");
        }
    }
}

#[test]
fn a_lab_comes_up_with_what_is_laid_over_it() {
    let shown =
        eidway(&["lab", "up", "gsmr", "--with", "roaming", "--with", "nothing", "--dry-run"]);
    let said = text(&shown.stderr);
    assert!(said.contains("no scenario \"nothing\""), "{said}");
    assert!(said.contains("the lab has the overlays roaming-c, roaming"), "{said}");
    let lab =
        Simulated::up_as("with", "gsmr", "fast", &["--with", "roaming", "--with", "roaming-c"]);
    lab.expect("xTR2", "show running-config", |text| {
        ["address 172.16.0.1 255.255.255.0 secondary", "address 10.10.10.1 255.255.255.0 secondary"]
            .iter()
            .all(|line| text.contains(line))
    });
}

/// A new terminal. The first file is the side of the person, the second file is the side of the
/// program.
fn terminal() -> (File, File) {
    let person = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
    grantpt(&person).and_then(|()| unlockpt(&person)).expect("a terminal");
    let name = ptsname(&person, Vec::new()).expect("a terminal's name");
    let path = name.to_str().expect("a path").to_owned();
    let program = File::options().read(true).write(true).open(path).expect("its other end");
    (File::from(person), program)
}

#[test]
fn a_terminal_gets_no_escape_sequences() {
    let lab = Simulated::up("dumb");
    lab.expect("xTR1", "show clock", |text| text.starts_with('*'));
    let (mut person, program) = terminal();
    let end = || Stdio::from(OwnedFd::from(program.try_clone().expect("a copy")));
    let mut child = Command::new(env!("CARGO_BIN_EXE_eidway"))
        .args(["console", &format!("{}/xTR1", lab.1)])
        .env("TERM", "dumb")
        .stdin(end())
        .stdout(end())
        .stderr(end())
        .spawn()
        .expect("the program runs");
    drop(program);
    person.write_all(b"show version\nshow clo?\nshow zoo\nexit\n").expect("a terminal");
    let mut seen = Vec::new();
    // If no program has the terminal open, the read ends with an error.
    let _ = person.read_to_end(&mut seen);
    let seen = text(&seen).replace("\r\n", "\n");
    assert!(child.wait().expect("an end").success(), "{seen}");
    for part in [
        "xTR1#show version\nEidway LISP virtual router",
        "xTR1#show clo?\nclock\n\nxTR1#show clo\n*",
        "          ^\n% Invalid input",
    ] {
        assert!(seen.contains(part), "{part} is not in {seen}");
    }
    assert!(!seen.contains('\u{1b}'), "{seen:?}");
}

#[test]
fn a_watcher_of_a_simulated_router_gets_its_items_and_the_packets_on_the_links() {
    let lab = Simulated::up_as("watch", "two-sites", "1", &[]);
    lab.expect("xTR1", "show clock", |text| !text.is_empty());
    let socket = eidway::private::runtime().join(&lab.1).join("xTR1.sock");
    let mut stream = UnixStream::connect(socket).expect("the console answers");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
    stream.write_all(b"{\"watch\":null}\n{\"line\":\"ping 172.16.0.12\"}\n").expect("a socket");
    let mut seen = Vec::new();
    for line in BufReader::new(stream).lines() {
        let told = serde_json::from_str(&line.expect("a line"));
        match told {
            Ok(Told::Began(_)) => seen.push("began"),
            Ok(Told::State(_)) => seen.push("state"),
            Ok(Told::Item(item)) if item.node().is_none() => seen.push("hop"),
            Ok(Told::Item(item)) => assert_eq!(item.node(), Some("xTR1"), "{item:?}"),
            _ => {}
        }
        if seen.ends_with(&["hop"]) {
            break;
        }
    }
    assert_eq!(seen[..2], ["began", "state"], "{seen:?}");
    assert!(seen.contains(&"hop"), "{seen:?}");
}
