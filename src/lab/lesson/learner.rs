//! A student at a lesson: the commands that the student types, and the tasks that are done.
//!
//! A learner takes the same requests and gives the same responses as the console of a router. So
//! the terminal of [`console`](crate::console) serves a lesson too. Besides its calls to the stage,
//! a learner does no I/O.

mod verbs;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use super::markdown::plain;
use super::{Lesson, Verdict};
use crate::console::protocol::{Done, Request, Response};
use crate::lab::scenario::Action;
use crate::lab::scenario::stage::Stage;

/// The maximum time that a learner waits for an expected result after a command.
const GLANCE: Duration = Duration::from_secs(1);
/// The width of the text of a lesson, in columns.
const WIDTH: usize = 78;
/// The maximum number of lines of an actual result that the student sees.
const SEEN: usize = 20;

/// A function that receives each response as soon as it exists. If the function returns true, the
/// running command is interrupted.
pub type Say<'a> = dyn FnMut(Response) -> bool + 'a;

/// A command of a student.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The time of the lab at which the command began.
    pub at: Duration,
    /// The number of the current task, counted from 0. After the last task, it is the number of
    /// tasks.
    pub task: usize,
    /// The router whose console received the line. `None` for a line at the prompt of the lesson.
    pub console: Option<String>,
    /// The line. A statement with a block has several lines.
    pub line: String,
}

/// The state of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskState {
    /// The task is not done.
    Open,
    /// The task was done at this time of the lab.
    Met(Duration),
    /// The student has left the task out.
    Skipped,
}

/// A student at a lesson.
#[derive(Debug)]
pub struct Learner {
    lesson: Lesson,
    states: Vec<TaskState>,
    /// The number of the current task, counted from 0. After the last task, it is the number of
    /// tasks.
    task: usize,
    /// The number of hints that the student has seen in the current task.
    hints: usize,
    /// The number of hints that the student has seen, for each task.
    hints_of: Vec<usize>,
    /// The reason why the latest check of the current task failed.
    unmet: Option<super::Unmet>,
    /// The router with the open console, and the prompt of the console.
    console: Option<(String, String)>,
    /// The lines of a statement that is not complete yet, because its block has no end.
    block: Option<String>,
    /// The routers at which the student has typed `terminal monitor`.
    monitors: BTreeSet<String>,
    commands: Vec<Command>,
    /// Whether the first task has begun.
    has_begun: bool,
    has_quit: bool,
}

impl Learner {
    /// Creates a student at the beginning of a lesson. The lab must be up, with the overlays of the
    /// lesson. The first request begins the first task.
    pub fn new(lesson: Lesson) -> Self {
        let tasks = lesson.tasks.len();
        Learner {
            lesson,
            states: vec![TaskState::Open; tasks],
            task: 0,
            hints: 0,
            hints_of: vec![0; tasks],
            unmet: None,
            console: None,
            block: None,
            monitors: BTreeSet::new(),
            commands: Vec::new(),
            has_begun: false,
            has_quit: false,
        }
    }

    /// Returns the lesson.
    pub fn lesson(&self) -> &Lesson {
        &self.lesson
    }

    /// Returns the state of each task.
    pub fn states(&self) -> &[TaskState] {
        &self.states
    }

    /// Returns the number of hints that the student has seen, for each task.
    pub fn hints_shown(&self) -> &[usize] {
        &self.hints_of
    }

    /// Returns the missing result that the latest check of the current task has found.
    pub fn unmet(&self) -> Option<&super::Unmet> {
        self.unmet.as_ref()
    }

    /// Whether all tasks are done.
    pub fn is_done(&self) -> bool {
        self.states.iter().all(|state| matches!(state, TaskState::Met(_)))
    }

    /// Whether the student has typed `quit`.
    pub fn has_quit(&self) -> bool {
        self.has_quit
    }

    /// Removes and returns the commands since the last call.
    pub fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Carries out a request. Passes each response to `say`, and returns the end of the answer.
    pub fn answer(&mut self, stage: &mut dyn Stage, request: Request, say: &mut Say<'_>) -> Done {
        if !self.has_begun {
            self.open(stage, say);
        }
        let ok = match request {
            Request::Line(line) => self.line(stage, &line, say),
            Request::Help(line) => self.help(stage, &line, say),
            Request::Complete(line) => self.complete(stage, &line, say),
            Request::Host(_) | Request::Vty(_) | Request::Watch | Request::Interrupt => true,
        };
        self.done(ok)
    }

    /// Repeats the command of another student. First waits until the lab reaches the time of the
    /// command.
    ///
    /// # Errors
    /// The user has interrupted the wait.
    pub fn repeat(
        &mut self,
        stage: &mut dyn Stage,
        command: &Command,
        say: &mut Say<'_>,
    ) -> Result<(), crate::lab::failure::Failure> {
        if !self.has_begun {
            self.open(stage, say);
        }
        stage.pass(command.at.saturating_sub(stage.now()))?;
        self.console = command.console.clone().map(|node| (node, String::new()));
        self.block = None;
        let mut first = Some(());
        // A statement with a block has several lines. Only its first line begins a statement. The
        // other lines belong to the block.
        for line in command.line.lines() {
            if first.take().is_some() || self.block.is_some() {
                self.line(stage, line, say);
            }
        }
        Ok(())
    }

    fn done(&self, ok: bool) -> Done {
        let prompt = match (&self.console, &self.block) {
            (Some((_, prompt)), _) => prompt.clone(),
            (None, Some(_)) => "...".to_owned(),
            (None, None) if self.task == self.states.len() => "lesson>".to_owned(),
            (None, None) if self.is_met() => format!("task {} done>", self.task + 1),
            (None, None) => format!("task {}>", self.task + 1),
        };
        Done { prompt, ok, closed: self.has_quit }
    }

    /// Begins the lesson, and prints its title and its prose.
    fn open(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        self.has_begun = true;
        let (title, prose) = (&self.lesson.title, plain(&self.lesson.prose, WIDTH));
        let tasks = self.lesson.tasks.len();
        let text = format!(
            "== {title}\n\n{prose}\nThe lesson has {tasks} tasks. `help` lists the commands.\n"
        );
        say(Response::Text(text));
        self.begin(stage, say);
    }

    /// Begins the current task, and prints it.
    fn begin(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        (self.hints, self.unmet) = (0, None);
        if let Err(stopped) = self.lesson.begin(stage, self.task) {
            say(Response::Error(format!("this task cannot begin: {stopped}")));
        }
        self.print_task(say);
    }

    /// Prints the current task, or the result of the lesson after the last task.
    fn print_task(&self, say: &mut Say<'_>) {
        let Some(task) = self.lesson.tasks.get(self.task) else {
            say(Response::Text(self.result()));
            return;
        };
        let (number, tasks) = (self.task + 1, self.lesson.tasks.len());
        let (title, text) = (&task.title, plain(&task.text, WIDTH));
        let mut text = format!("\n== Task {number} of {tasks}: {title}\n\n{text}");
        for step in &task.begin {
            if let Action::Capture { name, port, .. } = &step.action {
                let _ = write!(
                    text,
                    "\nThe capture {name} runs at {}:{} (`packets {name}`).\n",
                    port.node, port.interface
                );
            }
        }
        if !task.hints.is_empty() {
            text += "\n`hint` prints a hint. `check` prints the missing result.\n";
        }
        say(Response::Text(text));
    }

    /// Returns the result of the lesson after the last task.
    fn result(&self) -> String {
        let met = self.states.iter().filter(|state| matches!(state, TaskState::Met(_))).count();
        let tasks = self.states.len();
        let left_out = tasks - met;
        match left_out {
            0 => format!("\n== All {tasks} tasks are done. `quit` ends the lesson.\n"),
            _ => format!(
                "\n== {met} of {tasks} tasks are done; {left_out} were left out. `quit` ends the \
                 lesson.\n"
            ),
        }
    }

    /// Whether the current task is done, and the student has not asked for the next task.
    fn is_met(&self) -> bool {
        matches!(self.states.get(self.task), Some(TaskState::Met(_)))
    }

    /// Checks whether the current task is done. If so, marks it as done.
    fn glance(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        if self.task == self.states.len() || self.is_met() {
            return;
        }
        match self.lesson.glance(stage, self.task, GLANCE) {
            Verdict::Met => self.tick(stage, say),
            Verdict::Unmet(unmet) => self.unmet = Some(unmet),
        }
    }

    /// Marks the current task as done. The next task begins when the student asks for it, because
    /// the student may want to look at the result.
    fn tick(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        self.states[self.task] = TaskState::Met(stage.now());
        let (number, tasks) = (self.task + 1, self.states.len());
        self.unmet = None;
        match number == tasks {
            true => self.next(stage, say),
            false => {
                let text = format!("\n== Task {number} of {tasks} is done. `next` goes on.\n");
                say(Response::Text(text));
            }
        }
    }

    fn next(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        self.task += 1;
        match self.task == self.states.len() {
            true => self.print_task(say),
            false => self.begin(stage, say),
        }
    }

    /// Checks the current task, and says which result is missing.
    fn check(&mut self, stage: &mut dyn Stage, say: &mut Say<'_>) {
        if self.task == self.states.len() {
            self.print_task(say);
            return;
        }
        if self.is_met() {
            say(Response::Text("This task is done: `next` goes on.\n".to_owned()));
            return;
        }
        match self.lesson.check(stage, self.task) {
            Verdict::Met => self.tick(stage, say),
            Verdict::Unmet(unmet) => {
                let mut seen: Vec<&str> = unmet.seen.lines().collect();
                if seen.len() > SEEN {
                    seen.truncate(SEEN);
                    seen.push("...");
                }
                let seen: String = seen.iter().map(|line| format!("    {line}\n")).collect();
                let words = plain(&unmet.words, WIDTH);
                let statement = &unmet.statement;
                say(Response::Text(format!(
                    "Not yet. A result is missing:\n{words}\nThe check is: {statement}\nThe actual \
                     result is:\n{seen}"
                )));
                self.unmet = Some(unmet);
            }
        }
    }
}
