//! A student at a lesson of the page.

use std::time::Duration;

use eidway::lab::failure::Failure;
use eidway::lab::lesson::{Lesson, Unmet, Verdict};
use eidway::lab::running::RunningLab;
use eidway::lab::scenario::play::Stopped;
use eidway::sim::stage::Simulated;

use crate::request::LessonAnswer;

/// A student at a lesson: the tasks that are done, and the current task.
pub struct Student {
    lesson: Lesson,
    met: Vec<bool>,
    unmet: Option<Unmet>,
}

impl Student {
    /// A student before the beginning of a lesson.
    pub fn new(lesson: Lesson) -> Self {
        let met = vec![false; lesson.tasks.len()];
        Student { lesson, met, unmet: None }
    }

    /// Begins a lesson in a running lab: types its configuration at the routers, carries out the
    /// statements before the first task, and begins this task.
    ///
    /// # Errors
    /// A router does not run, or a statement fails.
    pub fn begin(lesson: Lesson, lab: &mut Simulated) -> Result<Self, Failure> {
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
        lesson.prepare(lab).map_err(failure)?;
        lesson.begin(lab, 0).map_err(failure)?;
        Ok(Student::new(lesson))
    }

    /// Whether this is the lesson with the name.
    pub fn is_at(&self, name: &str) -> bool {
        self.lesson.name == name
    }

    /// Returns the state of the lesson. With `check`, looks first whether the current task is done.
    /// No time passes.
    ///
    /// # Errors
    /// The next task cannot begin.
    pub fn answer(&mut self, lab: &mut Simulated, check: bool) -> Result<LessonAnswer, Failure> {
        while check && let Some(task) = self.current() {
            match self.lesson.glance(lab, task, Duration::ZERO) {
                Verdict::Met => self.done(lab, task)?,
                Verdict::Unmet(unmet) => {
                    self.unmet = Some(unmet);
                    break;
                }
            }
        }
        Ok(LessonAnswer { begun: true, ..self.state() })
    }

    /// Returns the state of a lesson that has not begun.
    pub fn unbegun(&self) -> LessonAnswer {
        self.state()
    }

    fn state(&self) -> LessonAnswer {
        LessonAnswer {
            lesson: self.lesson.view(false),
            begun: false,
            met: self.met.clone(),
            unmet: self.unmet.clone(),
        }
    }

    /// Checks the current task, with its pings and its waits.
    ///
    /// # Errors
    /// The task is not done: the error says which result is missing.
    pub fn check(&mut self, lab: &mut Simulated) -> Result<(), Failure> {
        let Some(task) = self.current() else { return Ok(()) };
        match self.lesson.check(lab, task) {
            Verdict::Met => self.done(lab, task),
            Verdict::Unmet(unmet) => {
                let text = format!("Not yet: {} {}", unmet.words, unmet.seen);
                self.unmet = Some(unmet);
                Err(Failure::Other(text))
            }
        }
    }

    fn current(&self) -> Option<usize> {
        self.met.iter().position(|met| !met)
    }

    fn done(&mut self, lab: &mut Simulated, task: usize) -> Result<(), Failure> {
        self.met[task] = true;
        self.unmet = None;
        self.lesson.begin(lab, task + 1).map_err(failure)
    }
}

fn failure(stopped: Stopped) -> Failure {
    Failure::Other(stopped.to_string())
}
