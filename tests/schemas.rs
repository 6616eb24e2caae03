//! The outputs of the command line for programs fit the schemas that `eidway schema` prints.
//! `tests/console_views.rs` does the same for `show ... json`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "shared/schema.rs"]
mod schema;
mod simulated;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use eidway::lab::testbed::{Device, Format, testbed};
use eidway::watch::schema::DOCUMENTS;
use serde_json::Value;

use schema::named;
use simulated::{eidway, text};

const WRONG: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/20-wrong.conf");
const RIGHT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/configs/01-old-xtr.conf");

/// The commands, with the name of the schema of each output.
const COMMANDS: [(&str, &[&str]); 16] = [
    ("lab-list", &["lab", "list", "--json"]),
    ("lab-check", &["lab", "check", "gsmr", "--json"]),
    ("lab-check", &["lab", "check", "gsmr", "--sim", "--json"]),
    ("lab-grade", &["lab", "grade", "no-such.jsonl", "--json"]),
    ("lab-impair", &["lab", "impair", "two-sites", "--sim", "--json"]),
    ("lab-losses", &["lab", "losses", "mobility", "--sim", "--json"]),
    ("lab-show", &["lab", "show", "gsmr", "--json"]),
    ("lab-status", &["lab", "status", "gsmr", "--json"]),
    ("lab-status", &["lab", "status", "gsmr", "--sim", "--json"]),
    ("lab-ping", &["lab", "ping", "gsmr", "B", "A", "--sim", "--json"]),
    ("lab-ping", &["lab", "ping", "gsmr", "B", "192.168.0.99", "--sim", "--json"]),
    ("lab-pingall", &["lab", "pingall", "two-sites", "--sim", "--json", "-c", "1"]),
    ("lab-explain", &["lab", "explain", "gsmr", "B", "A", "--sim", "--json"]),
    ("lab-explain", &["lab", "explain", "gsmr", "B", "9.9.9.9", "--sim", "--json"]),
    ("config-check", &["config", "check", "--json", WRONG, "no-such.conf"]),
    ("config-check", &["config", "check", "--json", RIGHT]),
];

#[test]
fn each_json_output_of_the_command_line_fits_its_schema() {
    let mut checked = BTreeSet::new();
    let mut check = |name: &'static str, json: &str| {
        let errors = named(name).errors(json);
        assert!(errors.is_empty(), "{name}: {errors:#?}\n{json}");
        checked.insert(name);
    };
    for (name, args) in COMMANDS {
        check(name, &text(&eidway(args).stdout));
    }
    // Each line is an object of its own.
    let events =
        text(&eidway(&["lab", "events", "two-sites", "--sim", "--json", "--packets"]).stdout);
    for kind in ["began", "message", "hop", "change", "log"] {
        assert!(events.contains(&format!("{{\"kind\":\"{kind}\"")), "no {kind}");
    }
    events.lines().for_each(|line| check("lab-events", line));
    let device = Device {
        node: "xtr1".to_owned(),
        hostname: "xTR1".to_owned(),
        port: 2001,
        password: String::new(),
    };
    check("lab-testbed", &testbed("gsmr", &[device], Format::Netmiko));
    let commands = DOCUMENTS.iter().filter(|document| document.command.starts_with("eidway "));
    assert_eq!(checked, commands.map(|document| document.name).collect());
}

#[test]
fn the_schemas_are_listed_and_printed_alone_and_together() {
    let list = eidway(&["schema"]);
    let names: Vec<_> =
        text(&list.stdout).lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(names, DOCUMENTS.iter().map(|document| document.name).collect::<Vec<_>>());
    assert!(names.is_sorted(), "{names:?}");
    let alone: Value = serde_json::from_slice(&eidway(&["schema", "map-cache"]).stdout).unwrap();
    let row = &alone["$defs"]["MapCacheRow"];
    assert_eq!(alone["properties"]["entries"]["items"]["$ref"], "#/$defs/MapCacheRow");
    assert_eq!(row["properties"]["eid_prefix"]["description"], "The EID prefix of the entry.");
    assert_eq!(row["properties"]["expires"]["type"], serde_json::json!(["integer", "null"]));
    let all: Value = serde_json::from_slice(&eidway(&["schema", "--all"]).stdout).unwrap();
    assert!(names.iter().all(|name| all["properties"].get(name).is_some()));
    assert_eq!(&all["$defs"]["MapCacheRow"], row);
    let twice = all["$defs"].as_object().unwrap().keys().find(|name| name.ends_with('2'));
    assert_eq!(twice, None, "two types have one name: rename one for its schema");
    let unknown = eidway(&["schema", "nothing"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("`eidway schema` lists the outputs"), "{unknown:?}");
}

/// The schema of lab files in the project. Editors read it: each lab.toml names it in its first line.
const LAB_SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/lab/lab.schema.json");

/// The files with the name lab.toml in the project.
fn lab_files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut open) = (Vec::new(), vec![root.join("lab"), root.join("tests")]);
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            match entry.file_type().unwrap().is_dir() {
                true if entry.file_name() != "target" => open.push(entry.path()),
                false if entry.file_name() == "lab.toml" => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

#[test]
fn each_lab_file_names_the_schema_that_the_program_prints_and_fits_it() {
    let printed = text(&eidway(&["schema", "lab"]).stdout);
    let is_right = fs::read_to_string(LAB_SCHEMA).is_ok_and(|file| file == printed);
    assert!(is_right, "write it again: cargo run -- schema lab > lab/lab.schema.json");
    let files = lab_files();
    assert!(files.len() >= 5, "{files:?}");
    let schema: Value = serde_json::from_str(&printed).unwrap();
    for path in files {
        let file = fs::read_to_string(&path).unwrap();
        let named = file.lines().next().unwrap().strip_prefix("#:schema ").unwrap();
        let target = path.parent().unwrap().join(named).canonicalize().unwrap();
        assert_eq!(target, Path::new(LAB_SCHEMA), "{}", path.display());
        let table: toml::Table = toml::from_str(&file).unwrap();
        let errors = schema::errors(&schema, &serde_json::to_value(table).unwrap());
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
    let wrong =
        serde_json::json!({ "name": "x", "nodes": { "a": { "kind": "hots" } }, "link": [] });
    assert_eq!(schema::errors(&schema, &wrong).len(), 2, "{:#?}", schema::errors(&schema, &wrong));
}

#[test]
fn json_that_does_not_fit_is_found() {
    let right = r#"{"hostname":"xTR1","version":"0.1.0","uptime":7}"#;
    assert_eq!(named("version").errors(right), Vec::<String>::new());
    for wrong in [
        r#"{"hostname":"xTR1","version":"0.1.0"}"#,
        r#"{"hostname":"xTR1","version":"0.1.0","uptime":-7}"#,
        r#"{"hostname":"xTR1","version":"0.1.0","uptime":"7"}"#,
        r#"{"hostname":"xTR1","version":"0.1.0","uptime":7,"more":1}"#,
        "[]",
    ] {
        assert_eq!(named("version").errors(wrong).len(), 1, "{wrong}");
    }
    let wrong = r#"{"sources":[["nowhere",1]],"family":"ipv4"}"#;
    assert_eq!(named("route-summary").errors(wrong).len(), 1, "{wrong}");
}
