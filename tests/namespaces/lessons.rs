//! A lesson in namespaces: the student types the model answers.

use std::io::Write;
use std::process::{Command, Stdio};

use eidway::lab::{built_in, lesson};

use crate::live::*;

#[test]
fn a_lesson_is_done_in_namespaces_and_its_hand_in_is_graded() {
    if !can_run() {
        return;
    }
    let live = Live::named("lesson");
    let lab = built_in::find("gsmr").unwrap().unwrap();
    let lesson = lesson::find(&lab, "g2").unwrap();
    // The negative entry is valid for a minute. The test does not wait until it expires.
    let last = lesson.tasks.len() - 1;
    let answers: Vec<String> =
        lesson.tasks[..last].iter().map(|task| task.answer.join("\n")).collect();
    let typed = answers.join("\ncheck\nnext\n") + "\ncheck\nquit\n";
    let record = tempfile::NamedTempFile::new().unwrap();
    let path = record.path().to_str().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
    command.args(["lab", "learn", "gsmr", "g2", "--name", &live.name, "--record", path]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = format!("{}{}", text(&output), errors(&output));
    for task in 1..=last {
        assert!(said.contains(&format!("== Task {task} of 6 is done.")), "{said}");
    }
    assert_eq!(live.remains(), Vec::<String>::new(), "the lesson has taken its lab down");
    let mut grade = Command::new(env!("CARGO_BIN_EXE_eidway"));
    let output = run(grade.args(["lab", "grade", path]));
    let graded = format!("{}{}", text(&output), errors(&output));
    assert!(
        graded.contains("commands in namespaces") && graded.contains("5 of 6 tasks"),
        "{graded}"
    );
}
