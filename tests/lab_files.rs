//! The verbs on the files of labs: the labs that they write run on virtual time.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Output};

use eidway::lab::Lab;
use eidway::lab::file::LabFile;
use eidway::lab::ping::Echos;
use eidway::lab::running::RunningLab;
use eidway::lab::verbs::{self, show::show};
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};

/// A core of eight plain nodes, a ring with a chord, and twelve routers around it.
const TWENTY: &str = r#"name = "twenty"
core = "auto"
links = [
  { endpoints = ["P1:e1", "P2:e0"] }, { endpoints = ["P2:e1", "P3:e0"] },
  { endpoints = ["P3:e1", "P4:e0"] }, { endpoints = ["P4:e1", "P5:e0"] },
  { endpoints = ["P5:e1", "P6:e0"] }, { endpoints = ["P6:e1", "P7:e0"] },
  { endpoints = ["P7:e1", "P8:e0"] }, { endpoints = ["P8:e1", "P1:e0"] },
  { endpoints = ["P1:e2", "P5:e2"] },
  { endpoints = ["R1:Ethernet0/0", "P1:r1"] }, { endpoints = ["R2:Ethernet0/0", "P2:r1"] },
  { endpoints = ["R3:Ethernet0/0", "P3:r1"] }, { endpoints = ["R4:Ethernet0/0", "P4:r1"] },
  { endpoints = ["R5:Ethernet0/0", "P5:r1"] }, { endpoints = ["R6:Ethernet0/0", "P6:r1"] },
  { endpoints = ["R7:Ethernet0/0", "P7:r1"] }, { endpoints = ["R8:Ethernet0/0", "P8:r1"] },
  { endpoints = ["R9:Ethernet0/0", "P1:r2"] }, { endpoints = ["R10:Ethernet0/0", "P3:r2"] },
  { endpoints = ["R11:Ethernet0/0", "P5:r2"] }, { endpoints = ["R11:Ethernet1/0", "P7:r2"] },
  { endpoints = ["R12:Ethernet0/0", "P8:r2"] },
]
[nodes]
P1 = { kind = "node" }
P2 = { kind = "node" }
P3 = { kind = "node" }
P4 = { kind = "node" }
P5 = { kind = "node" }
P6 = { kind = "node" }
P7 = { kind = "node" }
P8 = { kind = "node" }
R1 = { kind = "router", config = "R1.conf" }
R2 = { kind = "router", config = "R2.conf" }
R3 = { kind = "router", config = "R3.conf" }
R4 = { kind = "router", config = "R4.conf" }
R5 = { kind = "router", config = "R5.conf" }
R6 = { kind = "router", config = "R6.conf" }
R7 = { kind = "router", config = "R7.conf" }
R8 = { kind = "router", config = "R8.conf" }
R9 = { kind = "router", config = "R9.conf" }
R10 = { kind = "router", config = "R10.conf" }
R11 = { kind = "router", config = "R11.conf" }
R12 = { kind = "router", config = "R12.conf" }
"#;

/// Starts a lab on virtual time and waits for its registrations.
fn up(lab: Lab) -> Simulated {
    Simulated::up(lab, Options::new(Seed::from_number(1))).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn all_rlocs_of_twenty_routers_with_an_automatic_core_reach_each_other() {
    let file = LabFile::parse("lab.toml", TWENTY).unwrap();
    let text = |node: &str| match node {
        // One router has an address of its own, and one has its RLOC on a loopback interface.
        "R3" => "hostname R3\ninterface Ethernet0/0\n ip address 203.0.113.3 255.255.255.0\n",
        "R4" => "hostname R4\ninterface Loopback0\n ip address 192.0.2.4 255.255.255.255\n",
        _ => "",
    };
    let texts = file.routers().map(|(node, path)| (path.to_owned(), Ok(text(node).to_owned())));
    let lab = Lab::new(file.clone(), texts.collect());
    let shown = show(&lab);
    let of_routers = shown.addresses.iter().filter(|row| row.node.starts_with('R'));
    let rlocs: Vec<(String, IpAddr)> = of_routers
        .map(|row| (row.node.clone(), row.address.split_once('/').unwrap().0.parse().unwrap()))
        .collect();
    assert_eq!(rlocs.len(), 14, "12 routers, one of them with two links, and a loopback");
    assert!(rlocs.iter().any(|(_, rloc)| rloc.to_string() == "192.0.2.4"));
    let mut lab = up(lab);
    let echos = Echos { count: 1, ..Echos::default() };
    for node in (1..=12).map(|number| format!("R{number}")) {
        for (owner, rloc) in rlocs.iter().filter(|(owner, _)| *owner != node) {
            let tally = lab.ping(&node, *rloc, echos, &mut |_| ()).unwrap();
            assert!(tally.is_complete(), "{node} does not reach {owner} at {rloc}: {tally:?}");
        }
    }
}

/// Runs `eidway lab new` in a directory of its own with these options, and returns the directory.
fn new_lab(name: &str, options: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let made = eidway_in(directory.path(), &[&["lab", "new", name], options].concat());
    assert!(made.status.success(), "{made:?}");
    directory
}

fn eidway_in(directory: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
    command.args(args).current_dir(directory).output().unwrap()
}

#[test]
fn a_new_lab_is_right_and_its_hosts_reach_each_other_with_each_option() {
    let cases: [(&[&str], usize); 7] = [
        (&[], 2),
        (&["--sites", "1", "--proxy"], 2),
        (&["--sites", "4", "--resolvers", "2"], 12),
        (&["--proxy"], 6),
        (&["--hosts", "3"], 30),
        (&["--ipv6"], 4),
        (&["--sites", "3", "--resolvers", "3", "--proxy", "--ipv6"], 24),
    ];
    for (options, pairs) in cases {
        let directory = new_lab("mine", options);
        let check = eidway_in(directory.path(), &["lab", "check", "mine", "--sim"]);
        assert!(check.status.success(), "{options:?}: {check:?}");
        let run = eidway_in(directory.path(), &["lab", "run", "mine", "reach", "--sim"]);
        assert!(run.status.success(), "{options:?}: {run:?}");
        let lab = open(directory.path().join("lab/mine").to_str().unwrap(), None).unwrap();
        let mut running = up(lab.clone());
        let matrix = verbs::ping::all(&lab, &mut running, Echos::default()).unwrap();
        assert!(matrix.is_complete(), "{options:?}:\n{matrix}");
        assert_eq!(matrix.pairs.len(), pairs, "{options:?}");
    }
}

#[test]
fn a_new_lab_does_not_replace_a_folder_and_has_a_right_name() {
    let directory = new_lab("mine", &[]);
    for (name, words) in [("mine", "lab/mine"), ("../mine", "is not a valid name")] {
        let refused = eidway_in(directory.path(), &["lab", "new", name]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(words), "{said}");
    }
}

#[test]
fn a_copy_has_the_new_name_everywhere_and_runs() {
    let directory = new_lab("mine", &["--sites", "2"]);
    let copied = eidway_in(directory.path(), &["lab", "copy", "mine", "other"]);
    assert!(copied.status.success() && copied.stderr.is_empty(), "{copied:?}");
    let folder = directory.path().join("lab/other");
    let lab = open(folder.to_str().unwrap(), None).unwrap();
    assert_eq!((lab.name.as_str(), lab.file.name.as_str()), ("other", "other"));
    let original = open(directory.path().join("lab/mine").to_str().unwrap(), None).unwrap();
    assert_eq!(lab.texts().count(), original.texts().count());
    for path in ["lab.toml", "xTR1.conf", "scenarios/reach.scenario"] {
        let text = fs::read_to_string(folder.join(path)).unwrap();
        assert!(!text.contains("mine"), "{path}: {text}");
    }
    let run = eidway_in(directory.path(), &["lab", "run", "other", "reach", "--sim"]);
    assert!(run.status.success(), "{run:?}");
    let gsmr = eidway_in(directory.path(), &["lab", "copy", "gsmr", "smr"]);
    assert!(gsmr.status.success(), "{gsmr:?}");
    let check = eidway_in(directory.path(), &["lab", "check", "smr", "--sim"]);
    assert!(check.status.success(), "{check:?}");
}

#[test]
fn lab_test_plays_all_scenarios_below_a_directory_and_names_those_that_fail() {
    let directory = new_lab("good", &[]);
    let made = eidway_in(directory.path(), &["lab", "new", "bad", "--sites", "1"]);
    assert!(made.status.success(), "{made:?}");
    let args = ["lab", "test", ".", "--sim", "--junit", "results.xml", "--jobs", "2"];
    let right = eidway_in(directory.path(), &args);
    let said = String::from_utf8_lossy(&right.stdout).into_owned();
    assert!(right.status.success() && said.starts_with("TAP version 14\n1..2\n"), "{right:?}");
    assert!(said.contains("ok 1 - ./lab/bad: reach (") && said.contains("ok 2 - "), "{said}");

    let bad = directory.path().join("lab/bad");
    fs::write(bad.join("scenarios/lost.scenario"), "title \"x\"\nping H1 172.16.9.9 expect 5\n")
        .unwrap();
    fs::write(bad.join("scenarios/no.scenario"), "title \"x\"\nping H9 H1\n").unwrap();
    let wrong = eidway_in(directory.path(), &args);
    let said = String::from_utf8_lossy(&wrong.stdout).into_owned();
    assert_eq!(wrong.status.code(), Some(1), "{said}");
    assert!(
        said.contains("not ok 1 - ./lab/bad: lost (") && said.contains("# == NOT AS"),
        "{said}"
    );
    assert!(said.contains("not ok 2 - ./lab/bad: no (") && said.contains("H9"), "{said}");
    assert!(said.contains("\nok 3 - ./lab/bad: reach (") && said.contains("\nok 4 - "), "{said}");
    let xml = fs::read_to_string(directory.path().join("results.xml")).unwrap();
    assert!(xml.contains("name=\"./lab/bad\" tests=\"3\" failures=\"2\""), "{xml}");
    // The files about the failure are kept for the user.
    let (_, kept) = said.split_once("tables are kept in ").unwrap();
    fs::remove_dir_all(kept.lines().next().unwrap()).unwrap();
    let none = eidway_in(&bad, &["lab", "test", "scenarios", "--sim"]);
    assert_eq!(none.status.code(), Some(1), "{none:?}");
}

#[test]
fn a_scenario_is_repeated_with_other_seeds() {
    let directory = new_lab("mine", &[]);
    let args = ["lab", "run", "mine", "reach", "--sim", "--repeat", "3", "--seed", "7"];
    let output = eidway_in(directory.path(), &args);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let expected = "run 1 of 3 with --seed 7: as expected\nrun 2 of 3 with --seed 8: as expected\n\
                    run 3 of 3 with --seed 9: as expected\n3 of 3 runs as expected\n";
    assert!(output.status.success() && said == expected, "{output:?}");
}
