//! Plays every lesson of every lab on virtual time, by its model answers. The tests need no root and
//! no other program.

#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

#[path = "shared/schema.rs"]
mod schema;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use eidway::console::protocol::{Request, Response};
use eidway::lab::Lab;
use eidway::lab::lesson::grade::grade;
use eidway::lab::lesson::hand_in::{self, Head, Place, Writer};
use eidway::lab::lesson::learner::{Learner, TaskState};
use eidway::lab::lesson::{self, Lesson};
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};

const SEED: u64 = 1;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn gsmr() -> Lab {
    open(root().join("lab/gsmr").to_str().unwrap(), None).unwrap()
}

/// All lessons of the labs of the project, with their labs.
fn all() -> Vec<(Lab, Lesson)> {
    let mut all = Vec::new();
    let entries = fs::read_dir(root().join("lab")).unwrap().map(|entry| entry.unwrap().path());
    for folder in entries.filter(|path| path.is_dir()) {
        let lab = open(folder.to_str().unwrap(), None).unwrap();
        for name in lesson::names(&lab) {
            let lesson = lesson::read(&lab, name);
            all.push((lab.clone(), lesson.unwrap_or_else(|error| panic!("{error}"))));
        }
    }
    assert!(!all.is_empty());
    all
}

/// Brings the lab of a lesson up, ready for its first task.
fn up(lab: &Lab, lesson: &Lesson) -> Simulated {
    let lab = lab.with_overlay(&lesson.path, &lesson.setup.overlays).unwrap();
    let mut stage = Simulated::up(lab, Options::new(Seed::from_number(SEED))).unwrap();
    lesson.prepare(&mut stage).unwrap_or_else(|stopped| panic!("{}: {stopped}", lesson.path));
    stage
}

/// A student in a lab, and the text on the screen of the student.
struct Student {
    learner: Learner,
    stage: Simulated,
    screen: String,
}

impl Student {
    fn at(lab: &Lab, lesson: &Lesson) -> Self {
        let (stage, learner) = (up(lab, lesson), Learner::new(lesson.clone()));
        let mut student = Student { learner, stage, screen: String::new() };
        student.types("");
        student
    }

    /// Types a line. Returns whether it was carried out without an error.
    fn types(&mut self, line: &str) -> bool {
        let request = Request::Line(line.to_owned());
        let done = self.learner.answer(&mut self.stage, request, &mut |response| {
            match response {
                Response::Text(text) => self.screen += &text,
                Response::Debug(line) => self.screen += &format!("{line}\n"),
                Response::Error(message) => self.screen += &format!("% {message}\n"),
                _ => {}
            }
            false
        });
        self.screen += &done.prompt;
        done.ok
    }

    /// Types the model answer of a task.
    fn answers(&mut self, task: usize) {
        for command in self.learner.lesson().tasks[task].answer.clone() {
            for line in command.lines() {
                assert!(self.types(line), "{line}:\n{}", self.screen);
            }
        }
    }

    fn state(&self, task: usize) -> TaskState {
        self.learner.states()[task]
    }
}

fn named(lesson: &Lesson, task: usize) -> String {
    format!("{}:{} {}", lesson.path, lesson.tasks[task].line, lesson.tasks[task].title)
}

#[test]
fn the_model_answers_of_a_lesson_do_all_its_tasks() {
    for (lab, lesson) in all() {
        let mut student = Student::at(&lab, &lesson);
        for task in 0..lesson.tasks.len() {
            student.answers(task);
            if student.state(task) == TaskState::Open {
                student.types("check");
            }
            student.types("next");
            let (name, screen) = (named(&lesson, task), &student.screen);
            assert!(matches!(student.state(task), TaskState::Met(_)), "{screen}\n{name}");
        }
        assert!(student.learner.is_done());
    }
}

#[test]
fn a_task_without_its_answer_is_not_done() {
    for (lab, lesson) in all() {
        for left_out in 0..lesson.tasks.len() {
            let mut student = Student::at(&lab, &lesson);
            for task in 0..left_out {
                student.answers(task);
                student.types("check");
                student.types("next");
            }
            let name = named(&lesson, left_out);
            student.types("check");
            assert_eq!(student.state(left_out), TaskState::Open, "{name}");
            let screen = &student.screen;
            assert!(screen.contains("Not yet. A result is missing:"), "{screen}\n{name}");
        }
    }
}

#[test]
fn a_hand_in_is_graded_as_it_was_done() {
    let lab = gsmr();
    let lesson = lesson::find(&lab, "g2").unwrap();
    let head = Head::new(&lab, &lesson, SEED, Place::Simulator);
    let mut student = Student::at(&lab, &lesson);
    student.answers(0);
    student.types("next");
    assert!(student.types("hint"));
    for line in ["xTR1", "configure terminal", "interface ethernet 1/0", "shutdown"] {
        assert!(student.types(line), "{}", student.screen);
    }
    assert!(student.screen.ends_with("xTR1(config-if)#"), "{}", student.screen);
    for line in ["end", "exit", "next", "skip", "show xTR1", "check"] {
        student.types(line);
    }
    let states = student.learner.states().to_vec();
    assert!(matches!(states[..3], [TaskState::Met(_), TaskState::Met(_), TaskState::Skipped]));
    let (mut writer, mut text) = Writer::new(&head);
    for command in student.learner.take_commands() {
        text += &writer.command(&command);
    }
    text += &writer.end();
    let hand_in = hand_in::read(&text).unwrap();
    hand_in.head.expect(&lab, &lesson).unwrap();
    let graded = grade(&hand_in, lesson.clone(), &mut up(&lab, &lesson)).unwrap();
    for (graded, state) in graded.tasks.iter().zip(states) {
        let at = match state {
            TaskState::Met(at) => Some(at.as_micros() as u64),
            _ => None,
        };
        assert_eq!(graded.at_us, at, "{graded:?}");
    }
    let task = &graded.tasks[1];
    let lines: Vec<&str> = task.commands.iter().map(|command| command.line.as_str()).collect();
    assert_eq!(lines[..3], ["hint", "xTR1", "configure terminal"]);
    assert_eq!((task.hints, task.commands[2].console.as_deref()), (1, Some("xTR1")));
    let missing = graded.tasks[3].missing.as_deref();
    assert_eq!(
        missing,
        Some("Two echos of B must leave xTR2 as they are, without LISP around them.")
    );
    let text = graded.to_string();
    assert!(text.contains("2. Shut the interface to A: done at 0:00:"), "{text}");
    assert!(text.contains("3. Ping A, and see no answer: left out\n"), "{text}");
    assert!(text.ends_with("2 of 6 tasks are done\n"), "{text}");
}

#[test]
fn a_command_that_a_teacher_could_not_repeat_is_refused() {
    let lab = gsmr();
    let lesson = lesson::find(&lab, "g2").unwrap();
    let mut student = Student::at(&lab, &lesson);
    for (line, why) in [
        ("wait 4000s", "a command may take at most an hour"),
        ("ping B A count 20000", "a command may send at most 10000 packets"),
        ("flow f = B A every 0s", "must be more than zero"),
        ("middle", "this statement is not possible in a lesson"),
        ("include \"roaming.include\"", "a command cannot include a file"),
        ("overlay xTR1 { }", "% "),
        ("dance", "dance is not a statement"),
        ("packets nothing", "there is no capture nothing"),
    ] {
        student.screen.clear();
        let ok = student.types(line);
        student.types("}");
        assert!(!ok || line.ends_with("{ }"), "{line}");
        assert!(student.screen.contains(why), "{line}: {}", student.screen);
    }
}

/// Runs `eidway ARGS` as an ordinary user with this standard input. No other program can be found.
fn eidway(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
    command.args(arguments).current_dir(root()).env("PATH", "");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_lesson_is_done_at_the_command_line_recorded_and_graded() {
    let lab = gsmr();
    let lesson = lesson::find(&lab, "g2").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("student.jsonl");
    let file = file.to_str().unwrap();
    let answers = lesson.tasks.iter().map(|task| task.answer.join("\n"));
    let answers: Vec<String> = answers.collect();
    let learn = ["lab", "learn", "gsmr", "g2", "--sim", "--record", file];
    let output = eidway(&learn, &(answers.join("\nnext\n") + "\nquit\n"));
    let screen = text(&output);
    assert!(output.status.success() && screen.contains("== All 6 tasks are done."), "{screen}");
    assert!(screen.contains("task 2>at xTR1: configure terminal / interface"), "{screen}");
    let output = eidway(&["lab", "grade", file], "");
    let graded = text(&output);
    assert!(output.status.success() && graded.contains("6 of 6 tasks are done"), "{graded}");
    assert!(graded.contains("These files are not signed"), "{graded}");
    let json = eidway(&["lab", "grade", "--json", file], "");
    let errors = schema::named("lab-grade").errors(&String::from_utf8_lossy(&json.stdout));
    assert!(errors.is_empty(), "{errors:#?}");
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!((&json["files"][0]["graded"]["met"], &json["signed"]), (&6.into(), &false.into()));

    let damaged = fs::read_to_string(file).unwrap().replacen("ping B A", "ping N A", 1);
    fs::write(file, damaged).unwrap();
    let output = eidway(&["lab", "grade", file], "");
    let refused = text(&output);
    assert_eq!(output.status.code(), Some(1), "{refused}");
    assert!(refused.contains("REFUSED\nline 2: this line, or the line before it"), "{refused}");

    let output = eidway(&["lab", "learn", "gsmr"], "");
    assert!(text(&output).contains("g2-no-route"), "{}", text(&output));
    let unfinished = eidway(&["lab", "learn", "gsmr", "g2", "--sim"], "ping B A\n");
    assert_eq!(unfinished.status.code(), Some(1), "{}", text(&unfinished));
}
