//! A student at a lesson of the page.

use std::time::Duration;

use eidway::lab::Lab;
use eidway::lab::failure::Failure;
use eidway::lab::lesson::hand_in::{Head, Place, Writer};
use eidway::lab::lesson::learner::Command;
use eidway::lab::lesson::{Lesson, LessonAnswer, Unmet, Verdict};
use eidway::lab::running::RunningLab;
use eidway::lab::scenario::play::Stopped;
use eidway::sim::stage::Simulated;
use eidway::watch::hand::Hand;

use crate::request::HandIn;
use crate::statement;

/// The most commands of a record. Later commands are left out.
const MOST_COMMANDS: usize = 9_000;
/// The most names of hands that a record cannot hold.
const MOST_LEFT_OUT: usize = 20;

/// A student at a lesson: the tasks that are done, the current task, and the record.
pub struct Student {
    lesson: Lesson,
    head: Head,
    met: Vec<bool>,
    ready: bool,
    unmet: Option<Unmet>,
    commands: Vec<Command>,
    left_out: Vec<String>,
}

impl Student {
    /// A student before the beginning of a lesson of `lab`, which runs with this seed.
    pub fn new(lesson: Lesson, lab: &Lab, seed: u64) -> Self {
        Student {
            met: vec![false; lesson.tasks.len()],
            head: Head::new(lab, &lesson, seed, Place::Simulator),
            lesson,
            ready: false,
            unmet: None,
            commands: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// Begins a lesson in a running lab: types its configuration at the routers, waits until they
    /// are registered, carries out the statements before the first task, and begins this task.
    ///
    /// # Errors
    /// A router does not run, or a statement fails.
    pub fn begin(lesson: Lesson, lab: &mut Simulated, seed: u64) -> Result<Self, Failure> {
        for (node, overlay) in &lesson.setup.overlays {
            // The student may have left the console in any mode.
            lab.end_session(node);
            let lines = ["configure terminal"].into_iter().chain(overlay.lines()).chain(["end"]);
            for line in lines {
                let answer = lab.console(node, line)?;
                if !answer.done.ok {
                    return Err(Failure::Other(format!(
                        "{node} refuses {line:?}: {}",
                        answer.text
                    )));
                }
            }
            lab.end_session(node);
        }
        lab.register()?;
        lesson.prepare(lab).map_err(failure)?;
        lesson.begin(lab, 0).map_err(failure)?;
        Ok(Student::new(lesson, lab.lab(), seed))
    }

    /// Whether this is the lesson with the name.
    pub fn is_at(&self, name: &str) -> bool {
        self.lesson.name == name
    }

    /// Returns the state of the lesson. With `check`, looks first whether the current task is done.
    /// No time passes, and no task ends: [`Student::check`] ends it.
    pub fn answer(&mut self, lab: &mut Simulated, check: bool) -> LessonAnswer {
        if check && let Some(task) = self.current() {
            match self.lesson.glance(lab, task, Duration::ZERO) {
                Verdict::Met => (self.ready, self.unmet) = (true, None),
                Verdict::Unmet(unmet) => (self.ready, self.unmet) = (false, Some(unmet)),
            }
        }
        LessonAnswer {
            lesson: self.lesson.view(false),
            begun: true,
            met: self.met.clone(),
            ready: self.ready,
            unmet: self.unmet.clone(),
        }
    }

    /// Checks the current task, with its pings and its waits. If it is done, the next task begins.
    ///
    /// # Errors
    /// The next task cannot begin.
    pub fn check(&mut self, lab: &mut Simulated) -> Result<(), Failure> {
        let Some(task) = self.current() else { return Ok(()) };
        match self.lesson.check(lab, task) {
            Verdict::Met => {
                // After the last task, a lesson in a terminal goes on by itself.
                if task + 1 < self.met.len() {
                    self.note(lab, None, "next");
                }
                (self.met[task], self.ready, self.unmet) = (true, false, None);
                self.lesson.begin(lab, task + 1).map_err(failure)
            }
            Verdict::Unmet(unmet) => {
                self.unmet = Some(unmet);
                Ok(())
            }
        }
    }

    fn current(&self) -> Option<usize> {
        self.met.iter().position(|met| !met)
    }

    /// Records a line that is typed at the console of a node.
    pub fn typed(&mut self, lab: &Simulated, node: &str, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if lab.lab().file.routers().any(|(router, _)| router == node) {
            return self.note(lab, Some(node), line);
        }
        match statement::of_host_line(node, line) {
            Some(statement) => self.note(lab, None, &statement),
            None => self.leave_out(format!("{node}> {line}")),
        }
    }

    /// Records a hand.
    pub fn acts(&mut self, lab: &Simulated, hand: &Hand) {
        match statement::of(hand) {
            Ok(Some(statement)) => self.note(lab, None, &statement),
            Ok(None) => {}
            Err(()) => self.leave_out(hand.command(&lab.lab().name)),
        }
    }

    fn note(&mut self, lab: &Simulated, console: Option<&str>, line: &str) {
        if self.commands.len() == MOST_COMMANDS {
            return self.leave_out(line.to_owned());
        }
        let task = self.current().unwrap_or(self.met.len());
        let console = console.map(str::to_owned);
        self.commands.push(Command { at: lab.now(), task, console, line: line.to_owned() });
    }

    fn leave_out(&mut self, what: String) {
        if self.left_out.len() < MOST_LEFT_OUT {
            self.left_out.push(what);
        }
    }

    /// Returns the record for the teacher.
    pub fn hand_in(&self) -> HandIn {
        let (mut writer, mut text) = Writer::new(&self.head);
        for command in &self.commands {
            text += &writer.command(command);
        }
        text += &writer.end();
        HandIn { text, commands: self.commands.len(), left_out: self.left_out.clone() }
    }
}

fn failure(stopped: Stopped) -> Failure {
    Failure::Other(stopped.to_string())
}
