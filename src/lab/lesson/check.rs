//! Prepares the tasks of a lesson in a running lab, and checks whether a task is done.

use std::io;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::Lesson;
use crate::lab::scenario::play::{Player, Stopped, Why};
use crate::lab::scenario::stage::Stage;
use crate::lab::scenario::{Action, Step};

/// Whether a task is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// All expected results are present.
    Met,
    /// A result is missing.
    Unmet(Unmet),
}

/// The first missing result of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unmet {
    /// The number of the expectation in the task, counted from 1.
    pub number: usize,
    /// The expectation in words.
    pub words: String,
    /// The statement with the expectation.
    pub statement: String,
    /// The actual result.
    pub seen: String,
}

impl Verdict {
    /// Whether the task is done.
    pub fn is_met(&self) -> bool {
        matches!(self, Verdict::Met)
    }
}

impl Lesson {
    /// Carries out the statements before the first task. The lab must already have the overlays of
    /// the lesson.
    ///
    /// # Errors
    /// A statement fails.
    pub fn prepare(&self, stage: &mut dyn Stage) -> Result<(), Stopped> {
        carry_out(stage, &self.setup.steps)
    }

    /// Carries out the statements of a task's block `begin`, for example its captures. `task` is
    /// counted from 0.
    ///
    /// # Errors
    /// A statement of the task's block `begin` fails.
    pub fn begin(&self, stage: &mut dyn Stage, task: usize) -> Result<(), Stopped> {
        self.tasks.get(task).map_or(Ok(()), |task| carry_out(stage, &task.begin))
    }

    /// Checks a task. `task` is counted from 0. The task must have begun. Waits for each expected
    /// result until the time limit of its statement. The captures of the task continue.
    pub fn check(&self, stage: &mut dyn Stage, task: usize) -> Verdict {
        self.verdict(stage, task, Duration::MAX, true)
    }

    /// Checks a task as [`Lesson::check`] does, but waits at most the time `patience` for each
    /// result, and sends no ping. So the result for a task with a ping in its check is never
    /// [`Verdict::Met`]. If `patience` is zero, no time passes on the simulator.
    pub fn glance(&self, stage: &mut dyn Stage, task: usize, patience: Duration) -> Verdict {
        self.verdict(stage, task, patience, false)
    }

    fn verdict(
        &self,
        stage: &mut dyn Stage,
        task: usize,
        patience: Duration,
        pings: bool,
    ) -> Verdict {
        let checks = self.tasks.get(task).map_or(&[][..], |task| &task.checks);
        let mut nowhere = io::sink();
        let mut player = Player::looking(stage, &mut nowhere, patience);
        for (index, check) in checks.iter().enumerate() {
            let unmet = |seen| Unmet {
                number: index + 1,
                words: check.words.clone(),
                statement: check.step.text.clone(),
                seen,
            };
            if !pings && matches!(check.step.action, Action::Ping { .. }) {
                return Verdict::Unmet(unmet("no ping was sent yet".to_owned()));
            }
            if let Err(Stopped { why, .. }) = player.steps(std::slice::from_ref(&check.step)) {
                return Verdict::Unmet(unmet(match why {
                    Why::Unmet { seen, .. } => seen.trim_end().to_owned(),
                    Why::Failed(failure) => failure.to_string(),
                }));
            }
        }
        Verdict::Met
    }
}

fn carry_out(stage: &mut dyn Stage, steps: &[Step]) -> Result<(), Stopped> {
    Player::new(stage, &mut io::sink()).steps(steps)
}

impl Action {
    /// Returns the expectation of this statement in words.
    pub fn in_words(&self) -> String {
        match self {
            Action::Show { node, command, expected, .. } => {
                let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
                format!("the output of `{command}` at {node} {}", expected.join(", and it "))
            }
            Action::Packets { capture, filter, expected } => {
                format!("in the capture {capture}, the packets with {filter}: {expected}")
            }
            Action::Ping { ping, expected, .. } if !expected.is_empty() => {
                let expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
                let expected = expected.join(", ");
                let ends = &ping.ends;
                let family = if ends.ipv6 { " by IPv6" } else { "" };
                format!("{} pings {}{family}: {expected}", ends.from, ends.to)
            }
            _ => "this statement has no expectation".to_owned(),
        }
    }
}
