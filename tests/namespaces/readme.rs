//! Plays the READMEs of all labs: each command in its order, and the output that is printed below
//! it.
//!
//! In a block, a line that begins with `eidway` is a command. Text after two spaces is a note on
//! the command: `five dots` or `no answer` says that it fails. The lines below it, up to the next
//! command, are its output. The real output must have the same lines one after the other; a line
//! `...` stands for any lines. Numbers that differ from run to run are not compared ([`steady`]).

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};

use crate::live::*;

/// The time limit for the output of a `show` command. A table changes some time after its cause.
const SETTLED: Duration = Duration::from_secs(20);
/// The time between two tries of such a command.
const PAUSE: Duration = Duration::from_millis(200);

/// A command of a README, the note after it, and the lines of output below it.
struct Typed {
    command: String,
    note: String,
    output: Vec<String>,
}

/// Returns the commands in the blocks of a README, in order.
fn commands(readme: &str) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    for block in readme.split("```").skip(1).step_by(2) {
        let first = commands.len();
        for line in block.lines().map(str::trim).filter(|line| !line.is_empty()) {
            if line.starts_with("eidway ") {
                let (command, note) = line.split_once("  ").unwrap_or((line, ""));
                let (command, note) = (command.to_owned(), note.trim().to_owned());
                commands.push(Typed { command, note, output: Vec::new() });
            } else if let Some(typed) = commands[first..].last_mut() {
                typed.output.push(line.to_owned());
            }
        }
    }
    commands
}

/// Returns the command for a lab that runs as `name`. Scenarios are played on the simulator,
/// because other tests play them in namespaces.
fn ours(command: &str, lab: &str, name: &str) -> String {
    let words: Vec<&str> = command.splitn(5, ' ').collect();
    match words[..] {
        _ if command.contains(" --sim") => command.to_owned(),
        ["eidway", "lab", "run" | "losses", ..] if command.contains(&format!("{lab} ")) => {
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

/// Returns a line without the values that differ from run to run: uptimes, nonces, ports, and the
/// number of spaces between words. Of the time in `expires`, the hours and minutes stay.
fn steady(line: &str) -> String {
    static VARYING: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
        let time = r"\d\d:\d\d:\d\d(\.\d+)?";
        let number = r"\b0x[0-9A-Fa-f]{8,16}(-0x[0-9A-Fa-f]{8})?\b";
        let forms = [
            (r"expires: (\d\d:\d\d):\d\d".to_owned(), "expires: $1 h"),
            (format!(r"\b{time}\b|{number}|\b[\d./]+ ms\b"), "~"),
            (r"\b(\d+\.\d+\.\d+\.\d+):\d{5}\b".to_owned(), "$1:~"),
            (r"\b([0-9a-f]+:[0-9a-f:]+)\.\d{5}\b".to_owned(), "$1.~"),
        ];
        forms.map(|(form, with)| (Regex::new(&form).unwrap(), with))
    });
    let words: Vec<&str> = line.split_whitespace().collect();
    let mut line = words.join(" ");
    for (form, with) in &*VARYING {
        line = form.replace_all(&line, *with).into_owned();
    }
    line
}

/// Returns the first line of `expected` that `printed` does not have in the place where it must be.
fn missing<'a>(expected: &'a [String], printed: &str) -> Option<&'a str> {
    let printed: Vec<String> =
        printed.lines().map(steady).filter(|line| !line.is_empty()).collect();
    let mut rest = &printed[..];
    for part in expected.split(|line| line.trim() == "...").filter(|part| !part.is_empty()) {
        let lines: Vec<String> = part.iter().map(|line| steady(line)).collect();
        let found = rest.windows(lines.len()).position(|window| window == lines);
        let Some(at) = found else {
            // The longest beginning that is there tells which line is wrong.
            let common = |window: &[String]| {
                window.iter().zip(&lines).take_while(|(one, other)| one == other).count()
            };
            let longest = (0..rest.len()).map(|at| common(&rest[at..])).max().unwrap_or_default();
            return Some(&part[longest.min(part.len() - 1)]);
        };
        rest = &rest[at + lines.len()..];
    }
    None
}

fn play(lab: &str, readme: &str) {
    let live = Live::named(&format!("{lab:.9}"));
    let mut capture: Option<Capture> = None;
    let commands = commands(readme);
    assert!(commands.len() > 5, "{lab} has only {}", commands.len());
    for typed in commands {
        let Typed { command, note, output } = &typed;
        assert!(command.contains(lab), "{command}: it can be typed as it stands");
        let script = ours(command, lab, &live.name);
        let programs = Path::new(env!("CARGO_BIN_EXE_eidway")).parent().unwrap().display();
        let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
        let bash = || {
            let mut bash = Command::new("bash");
            bash.args(["-c", &format!("exec {script}")]).env("PATH", &path).current_dir("/");
            bash.stdin(Stdio::null());
            bash
        };
        if command.starts_with("eidway lab capture") && !command.contains(" --sim") {
            capture = Some(Capture::begin(bash()));
            continue;
        }
        if command.starts_with("eidway lab learn") {
            let output = run(&mut bash());
            let said = format!("{script}\n{}{}", text(&output), errors(&output));
            assert!(said.contains("== Task 1 of ") || said.contains("g2-no-route "), "{said}");
            continue;
        }
        if !command.starts_with("eidway lab ping")
            && let Some(capture) = capture.take()
        {
            capture.end();
        }
        let mut said = String::new();
        let mut try_it = || {
            let result = run(&mut bash());
            let printed = text(&result).replace(&live.name, lab);
            said = format!("{script}\n{printed}{}", errors(&result));
            // The README has the output of a command that fails, or says so in its note. To explain
            // a loss is no failure.
            let fails = note.contains("five ") || note.contains("no answer");
            let may_fail = !output.is_empty()
                || note.contains("may be lost")
                || command.starts_with("eidway lab explain");
            let is_right = may_fail || result.status.success() != fails;
            (is_right, missing(output, &printed).map(str::to_owned))
        };
        let mut tried = try_it();
        for _ in 0..SETTLED.as_millis() / PAUSE.as_millis() {
            if tried.1.is_none() || !command.contains("'show ") {
                break;
            }
            std::thread::sleep(PAUSE);
            tried = try_it();
        }
        println!("{said}");
        assert!(tried.0, "{lab}: {note}\n{said}");
        if let Some(line) = tried.1 {
            panic!(
                "{lab}: the README has this line, and the command does not print it:\n{line}\n{said}"
            );
        }
    }
}

/// A capture in another terminal, for the pings that come after it.
struct Capture(Child);

impl Capture {
    fn begin(mut bash: Command) -> Self {
        bash.stdout(Stdio::piped()).stderr(Stdio::piped());
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

/// The folders of all labs.
fn labs() -> Vec<PathBuf> {
    let labs = Path::new(env!("CARGO_MANIFEST_DIR")).join("lab");
    let folders = fs::read_dir(labs).unwrap().map(|entry| entry.unwrap().path());
    let mut labs: Vec<PathBuf> =
        folders.filter(|folder| folder.join("lab.toml").is_file()).collect();
    labs.sort();
    labs
}

/// The READMEs are played side by side, because their commands wait most of the time.
#[test]
fn every_command_of_the_readme_of_each_lab_does_what_it_says() {
    if !can_run() {
        return;
    }
    let players: Vec<_> = labs()
        .into_iter()
        .map(|folder| {
            let lab = folder.file_name().unwrap().to_str().unwrap().to_owned();
            let readme = fs::read_to_string(folder.join("README.md")).unwrap();
            (lab.clone(), std::thread::spawn(move || play(&lab, &readme)))
        })
        .collect();
    let played = players.into_iter().map(|(lab, player)| (lab, player.join()));
    let failed: Vec<String> = played.filter_map(|(lab, end)| end.err().map(|_| lab)).collect();
    assert!(failed.is_empty(), "the READMEs of {failed:?}: see above");
}

#[test]
fn the_output_of_a_readme_is_compared_line_by_line() {
    let printed = "Sending 5, 100-byte\n!!!!!\nSuccess rate is 100 percent (5/5), round-trip \
                   min/avg/max = 0/1/20 ms\n  172.16.0.0/24, uptime: 00:00:05\n";
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let rate = "Success rate is 100 percent (5/5), round-trip min/avg/max = 4/4/4 ms";
    for right in [
        rate.to_owned(),
        format!("!!!!!\n{rate}"),
        "!!!!!\n...\n172.16.0.0/24,   uptime: 01:02:03".to_owned(),
    ] {
        assert_eq!(missing(&lines(&right), printed), None, "{right}");
    }
    for (wrong, line) in [
        ("!!!!.", "!!!!."),
        ("!!!!!\n172.16.0.0/24, uptime: 00:00:05", "172.16.0.0/24, uptime: 00:00:05"),
        ("172.16.0.0/24, uptime: 00:00:05\n...\n!!!!!", "!!!!!"),
    ] {
        assert_eq!(missing(&lines(wrong), printed), Some(line));
    }
}
