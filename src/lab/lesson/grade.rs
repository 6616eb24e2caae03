//! Grades a hand-in: carries out its commands again on a stage, and reports the tasks that are
//! done.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::Lesson;
use super::hand_in::{HandIn, Place};
use super::learner::{Learner, TaskState};
use crate::lab::failure::Failure;
use crate::lab::scenario::stage::Stage;

/// The maximum number of responses to one command. After this number, the command is interrupted.
const MOST_RESPONSES: u64 = 100_000;

/// The results of several hand-ins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "GradeReport")]
pub struct Report {
    /// Whether the files are signed. This is always false. A file shows the commands and their
    /// results. It does not prove which student has typed the commands.
    pub signed: bool,
    /// The files, in the order of the command line.
    pub files: Vec<GradedFile>,
}

/// The result of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GradedFile {
    /// The path of the file.
    pub file: String,
    /// The result. It is absent if the file was refused.
    pub graded: Option<Graded>,
    /// The reason why the file was refused.
    pub refused: Option<String>,
}

/// The result of a hand-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Graded {
    /// The name of the lab.
    pub lab: String,
    /// The name of the lesson.
    pub lesson: String,
    /// The version of the program with which the lesson was done.
    pub eidway: String,
    /// The seed of the simulator.
    pub seed: u64,
    /// The place where the lesson was done.
    pub place: Place,
    /// The number of commands.
    pub commands: usize,
    /// The number of tasks that are done.
    pub met: usize,
    /// The tasks, in order.
    pub tasks: Vec<GradedTask>,
}

/// The result of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GradedTask {
    /// The heading.
    pub title: String,
    /// The state of the task.
    pub state: State,
    /// The time of the lab at which the task was done, in microseconds.
    pub at_us: Option<u64>,
    /// The number of hints that the student has seen.
    pub hints: usize,
    /// The result that was missing at the latest check, in words. It is absent if the task is done.
    pub missing: Option<String>,
    /// The commands of the student in this task.
    pub commands: Vec<GradedCommand>,
}

/// The state of a task in a hand-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "GradedState")]
pub enum State {
    /// The task is done.
    Met,
    /// The student has left the task out.
    Skipped,
    /// The task is not done.
    NotMet,
}

/// A command of the student.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GradedCommand {
    /// The time of the lab, in microseconds.
    pub at_us: u64,
    /// The router whose console received the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// The line.
    pub line: String,
}

/// Carries out the commands of a hand-in again. The stage has the lab of the lesson, with the
/// overlays of the lesson, and the lesson is [prepared](Lesson::prepare).
///
/// # Errors
/// The stage fails.
pub fn grade(hand_in: &HandIn, lesson: Lesson, stage: &mut dyn Stage) -> Result<Graded, Failure> {
    let mut learner = Learner::new(lesson);
    for command in &hand_in.commands {
        let mut responses = 0;
        learner.repeat(stage, command, &mut |_| {
            responses += 1;
            responses > MOST_RESPONSES
        })?;
    }
    let done = learner.take_commands();
    let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
    let current = learner.states().iter().position(|state| *state == TaskState::Open);
    let task = |index: usize| {
        let (state, at_us) = match learner.states()[index] {
            TaskState::Met(at) => (State::Met, Some(micros(at))),
            TaskState::Skipped => (State::Skipped, None),
            TaskState::Open => (State::NotMet, None),
        };
        let of_task = done.iter().filter(|command| command.task == index);
        let unmet = learner.unmet().filter(|_| current == Some(index));
        GradedTask {
            title: learner.lesson().tasks[index].title.clone(),
            state,
            at_us,
            hints: learner.hints_shown()[index],
            missing: unmet.map(|unmet| unmet.words.clone()),
            commands: of_task
                .map(|command| GradedCommand {
                    at_us: micros(command.at),
                    console: command.console.clone(),
                    line: command.line.clone(),
                })
                .collect(),
        }
    };
    let tasks: Vec<GradedTask> = (0..learner.states().len()).map(task).collect();
    let head = &hand_in.head;
    Ok(Graded {
        lab: head.lab.clone(),
        lesson: head.lesson.clone(),
        eidway: head.eidway.clone(),
        seed: head.seed,
        place: head.place,
        commands: hand_in.commands.len(),
        met: tasks.iter().filter(|task| task.state == State::Met).count(),
        tasks,
    })
}

impl Graded {
    /// Whether all tasks are done.
    pub fn is_complete(&self) -> bool {
        self.met == self.tasks.len()
    }
}

impl fmt::Display for Graded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Graded { lab, lesson, eidway, seed, commands, met, tasks, .. } = self;
        let place = match self.place {
            Place::Simulator => format!("on the simulator with seed {seed}"),
            Place::Namespaces => "in namespaces".to_owned(),
        };
        writeln!(f, "lesson {lesson} of lab {lab}, {commands} commands {place}, Eidway {eidway}")?;
        for (index, task) in tasks.iter().enumerate() {
            let state = match (task.state, task.at_us) {
                (State::Met, Some(at)) => format!("done at {}", clock(at)),
                (State::Met, None) => "done".to_owned(),
                (State::Skipped, _) => "left out".to_owned(),
                (State::NotMet, _) => "not done".to_owned(),
            };
            let hints = match task.hints {
                0 => String::new(),
                hints => format!(", with {hints} hints"),
            };
            writeln!(f, "{}. {}: {state}{hints}", index + 1, task.title)?;
            if let Some(missing) = &task.missing {
                writeln!(f, "     missing: {missing}")?;
            }
            for GradedCommand { at_us, console, line } in &task.commands {
                let prompt = console.as_ref().map_or(String::new(), |node| format!("{node}#"));
                let line = line.replace('\n', "\n                ");
                writeln!(f, "   {:>12} {prompt}{line}", clock(*at_us))?;
            }
        }
        writeln!(f, "{met} of {} tasks are done", tasks.len())
    }
}

/// Returns a time of the lab in the form `1:02:03.4`.
fn clock(at_us: u64) -> String {
    let tenths = at_us / 100_000;
    let (seconds, tenths) = (tenths / 10, tenths % 10);
    format!("{}:{:02}:{:02}.{tenths}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
