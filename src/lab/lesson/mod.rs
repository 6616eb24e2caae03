//! Lessons. A lesson is prose with tasks. A student does a task in a running lab, and the lab shows
//! whether the task is done.
//!
//! A lesson is a Markdown file `lessons/NAME.lesson` in the directory of a lab. The first heading
//! is its title, and each heading `##` begins a task. Five kinds of fenced blocks have a meaning.
//! All other text is for the student.
//!
//! ~~~text
//! # A local EID loses its route
//!
//! Prose in Markdown.
//!
//! ```lab
//! overlay xTR2 { ... }       # as in scenarios: overlay, include, only simulated
//! ping B A expect 5          # statements that are carried out before the first task
//! ```
//!
//! ## Shut the interface
//!
//! The text of the task, in Markdown. A block without a word, or with the word `text`, is an
//! example.
//!
//! ```begin
//! capture wire = xTR1:Ethernet0/0   # statements that are carried out when the task begins
//! ```
//!
//! ```hint
//! A hint, in Markdown. A task may have several hints.
//! ```
//!
//! ```answer
//! at xTR1: configure terminal / interface Ethernet1/0 / shutdown / end
//! ```
//!
//! ```check
//! # The database of xTR1 says that 172.16.0.0/24 has no route.
//! show xTR1 "show ip lisp database" contains "NO ROUTE TO EID PREFIX"
//! ```
//! ~~~
//!
//! The statements are those of [scenarios](super::scenario). A task needs a `check` and an
//! `answer`. The check has only `show` and `packets` statements, and `ping` with an `expect`. A
//! comment above a statement of the check tells the student in words which result is missing. The
//! answer is the model answer: the tests of the project play it, and then the check must succeed.
//! Without the answer, the check must not succeed.
//!
//! [`Lesson::check`] works on any [stage](super::scenario::stage::Stage). A [`learner`] types
//! commands and does one task after the other. [`hand_in`] is the file with these commands, and
//! [`grade`] carries these commands out again.

pub mod check;
pub mod grade;
pub mod hand_in;
pub mod learner;
mod library;
mod markdown;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::scenario::{Scenario, Step};

pub use check::{Unmet, Verdict};
pub use library::{Listed, find, lessons, names, read};
pub use parse::{ENDING, parse};

/// A lesson after it was checked against its lab.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The name of the lesson: the name of its file without `.lesson`.
    pub name: String,
    /// The path of the file, for messages.
    pub path: String,
    /// The title.
    pub title: String,
    /// The prose before the first task, in Markdown.
    pub prose: String,
    /// The block `lab`: the overlays, and the statements before the first task.
    pub setup: Scenario,
    /// The tasks, in order. There is at least one.
    pub tasks: Vec<Task>,
    /// The text of the lesson and of each file that it includes, by name. These texts identify the
    /// version of the lesson.
    pub sources: BTreeMap<String, String>,
}

/// A task of a lesson.
#[derive(Clone, Debug, Default)]
pub struct Task {
    /// The line of the task's heading in the file, counted from 1.
    pub line: usize,
    /// The heading.
    pub title: String,
    /// The text, in Markdown.
    pub text: String,
    /// The hints, in Markdown.
    pub hints: Vec<String>,
    /// The statements that are carried out when the task begins.
    pub begin: Vec<Step>,
    /// The commands of the model answer. Each is one statement, which may have several lines.
    pub answer: Vec<String>,
    /// The expected results. The task is done if all of them are present.
    pub checks: Vec<Check>,
}

/// An expected result of a task.
#[derive(Clone, Debug)]
pub struct Check {
    /// The statement with the expectation.
    pub step: Step,
    /// The expectation in words, for the student.
    pub words: String,
}

/// A lesson in a form for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LessonView {
    /// The name of the lesson.
    pub name: String,
    /// The title.
    pub title: String,
    /// The prose before the first task, in Markdown.
    pub prose: String,
    /// The tasks, in order.
    pub tasks: Vec<TaskView>,
}

/// A lesson and its state, for a program that shows the lesson.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LessonAnswer {
    /// The lesson.
    #[serde(flatten)]
    pub lesson: LessonView,
    /// Whether the lesson has begun.
    pub begun: bool,
    /// For each task, whether it is done.
    pub met: Vec<bool>,
    /// Whether all expected results of the current task are present, so that a check ends the task.
    pub ready: bool,
    /// The missing result of the current task, if the task was checked.
    pub unmet: Option<Unmet>,
}

impl LessonAnswer {
    /// Returns the state of a lesson that has not begun.
    pub fn unbegun(lesson: &Lesson) -> Self {
        let lesson = lesson.view(false);
        let met = vec![false; lesson.tasks.len()];
        LessonAnswer { lesson, begun: false, met, ready: false, unmet: None }
    }
}

/// A task in a form for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct TaskView {
    /// The heading.
    pub title: String,
    /// The text, in Markdown.
    pub text: String,
    /// The hints, in Markdown.
    pub hints: Vec<String>,
    /// The commands of the model answer. It is absent unless the program has asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Vec<String>>,
}

impl Lesson {
    /// Returns the lesson in a form for programs. The model answers are included only if
    /// `with_answers` is true.
    pub fn view(&self, with_answers: bool) -> LessonView {
        let task = |task: &Task| TaskView {
            title: task.title.clone(),
            text: task.text.clone(),
            hints: task.hints.clone(),
            answer: with_answers.then(|| task.answer.clone()),
        };
        LessonView {
            name: self.name.clone(),
            title: self.title.clone(),
            prose: self.prose.clone(),
            tasks: self.tasks.iter().map(task).collect(),
        }
    }
}
