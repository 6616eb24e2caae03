//! `eidway config check`: its output and its exit codes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::process::{Command, Output};

fn check(args: &[&str]) -> Output {
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/configs");
    let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
    command.args(["config", "check"]).args(args).current_dir(configs).output().unwrap()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

#[test]
fn the_exit_code_says_whether_a_line_is_refused_or_a_file_cannot_be_read() {
    for (files, code) in [
        (&["02-old-msmr.conf"][..], 0),
        (&["01-old-xtr.conf"], 0),
        (&["01-old-xtr.conf", "20-wrong.conf"], 1),
        (&["20-wrong.conf", "no-such.conf"], 2),
    ] {
        let output = check(files);
        assert_eq!(output.status.code(), Some(code), "{files:?}: {output:?}");
    }
}

#[test]
fn a_refused_line_is_shown_with_file_caret_mode_and_skipped_lines() {
    let said = text(&check(&["20-wrong.conf"]).stdout);
    for part in [
        "error: invalid input\n  --> 20-wrong.conf:21:11\n",
        "21 |  ipv4 etr map-sorver 192.0.2.1 key k\n   |           ^^^^^^^^^^ expected one of",
        "= note: the line stands in the mode `config-router-lisp`\n",
        "the line in the block of this line is skipped",
        "warning: Ethernet0/0 has `lisp mobility NOWHERE`",
    ] {
        assert!(said.contains(part), "{part:?} is not in\n{said}");
    }
    assert_eq!(text(&check(&["02-old-msmr.conf"]).stdout), "ok    02-old-msmr.conf\n");
    let ignored = text(&check(&["01-old-xtr.conf"]).stdout);
    let expected = "warning: these 4 lines have no meaning in a LISP lab and are ignored\n";
    assert!(ignored.starts_with(expected), "{ignored}");
}

#[test]
fn a_program_reads_the_same_as_json() {
    let output = check(&["--json", "02-old-msmr.conf", "20-wrong.conf", "no-such.conf"]);
    assert_eq!(output.status.code(), Some(2));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json[0]["problems"], serde_json::json!([]));
    let problems = json[1]["problems"].as_array().unwrap();
    let refused: Vec<_> = problems.iter().filter(|it| it["kind"] == "refused").collect();
    assert_eq!(refused.len(), 5, "{problems:?}");
    let typo = refused.iter().find(|it| it["line"] == 21).unwrap();
    assert_eq!((&typo["column"], &typo["mode"]), (&11.into(), &"config-router-lisp".into()));
    assert!(json[2]["error"].as_str().unwrap().contains("No such file"));
}
