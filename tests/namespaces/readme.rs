//! Plays the commands in the READMEs of the labs, one after the other.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::live::*;

/// A command of a README, and the text after it.
struct Typed {
    command: String,
    note: String,
}

/// Returns the commands of a README, in order: the lines of its blocks, and the commands in the
/// text.
fn commands(readme: &str) -> Vec<Typed> {
    let mut commands = Vec::new();
    for (number, part) in readme.split("```").enumerate() {
        if number % 2 == 1 {
            for line in part.lines().filter(|line| line.starts_with("eidway ")) {
                let (command, note) = line.split_once("  ").unwrap_or((line, ""));
                commands.push(Typed { command: command.to_owned(), note: note.trim().to_owned() });
            }
            continue;
        }
        for command in part.split('`').skip(1).step_by(2).filter(|text| text.starts_with("eidway "))
        {
            let words: Vec<&str> = command.split_whitespace().collect();
            commands.push(Typed { command: words.join(" "), note: String::new() });
        }
    }
    commands
}

/// Returns the command for a lab that runs as `name`. Scenarios are played on the simulator,
/// because other tests play them in namespaces.
fn ours(command: &str, lab: &str, name: &str) -> String {
    let words: Vec<&str> = command.splitn(5, ' ').collect();
    match words[..] {
        ["eidway", "lab", "run", ..] if command.contains(&format!("{lab} ")) => {
            format!("{command} --sim")
        }
        ["eidway", "lab", "run" | "learn", ..] => command.to_owned(),
        ["eidway", "lab", "up", ..] => format!("{command} --name {name}"),
        ["eidway", "lab", verb, found, ..] if found == lab => {
            let rest = words.get(4).copied().unwrap_or_default();
            format!("eidway lab {verb} {name} {rest}")
        }
        _ => command.replace(&format!("eidway console {lab}/"), &format!("eidway console {name}/")),
    }
}

fn play(lab: &str, readme: &str, test: &str) {
    let live = Live::named(test);
    let mut capture: Option<Capture> = None;
    let commands = commands(readme);
    assert!(commands.len() > 5, "{lab} has only {}", commands.len());
    for Typed { command, note } in commands {
        assert!(command.contains(lab), "{command}: it can be typed as it stands");
        let script = ours(&command, lab, &live.name);
        let programs = Path::new(env!("CARGO_BIN_EXE_eidway")).parent().unwrap().display();
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
        let mut bash = Command::new("bash");
        bash.args(["-c", &format!("exec {script}")]).env("PATH", path).current_dir("/");
        if command.starts_with("eidway lab capture") {
            capture = Some(Capture::begin(bash));
            continue;
        }
        if command.starts_with("eidway lab learn") {
            let output = run(bash.stdin(Stdio::null()));
            let said = format!("{script}\n{}{}", text(&output), errors(&output));
            assert!(said.contains("== Task 1 of ") || said.contains("g2-no-route "), "{said}");
            continue;
        }
        if !command.starts_with("eidway lab ping")
            && let Some(capture) = capture.take()
        {
            capture.end();
        }
        let output = run(&mut bash);
        let said = format!("{script}\n{}{}", text(&output), errors(&output));
        println!("{said}");
        let fails = note.contains("five ");
        if !note.contains("may be lost") {
            assert_eq!(output.status.success(), !fails, "{note}\n{said}");
        }
    }
}

/// A capture in another terminal, for the pings that come after it.
struct Capture(Child);

impl Capture {
    fn begin(mut bash: Command) -> Self {
        bash.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = bash.spawn().unwrap();
        let said = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(said.into_iter().any(|line| line.contains(": capturing at ")), "it captures");
        Capture(child)
    }

    /// Checks that the capture has seen a packet, and ends it with Control-C.
    fn end(mut self) {
        let mut lines = BufReader::new(self.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("Map-Request")), "it sees LISP");
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.0), Signal::INT);
        let _ = self.0.wait();
    }
}

#[test]
fn every_command_of_the_readme_of_gsmr_does_what_it_says() {
    if can_run() {
        play("gsmr", include_str!("../../lab/gsmr/README.md"), "readme");
    }
}

#[test]
fn every_command_of_the_readme_of_two_sites_does_what_it_says() {
    if can_run() {
        play("two-sites", include_str!("../../lab/two-sites/README.md"), "readme2");
    }
}
