//! A journey in words, for a terminal.

use std::fmt;

use super::cause::Loss;
use super::journey::{Journey, Leg, Step, Verdict, What};

impl fmt::Display for Journey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Journey { source, destination, size, .. } = self;
        let df = if self.df { ", must not be fragmented" } else { "" };
        writeln!(f, "{source} > {destination}, {size} octets{df}")?;
        let width = self.steps.iter().map(|step| step.node.len() + indent(step)).max();
        let width = width.unwrap_or_default();
        for (leg, title) in [(Leg::There, "The packet"), (Leg::Back, "The answer")] {
            let mut steps = self.steps.iter().filter(|step| step.leg == leg).peekable();
            if steps.peek().is_some() {
                writeln!(f, "\n{title}")?;
            }
            while let Some(step) = steps.next() {
                // A route and its neighbour are printed in one line.
                let neighbour = steps.next_if(|next| is_its_neighbour(step, next));
                write_step(f, step, neighbour, width)?;
            }
        }
        write!(f, "\n{}", self.conclusion())
    }
}

impl Journey {
    /// Returns the result of the journey in one line. If the packet or the answer is lost, the line
    /// has the place, the cause and the remedy.
    pub fn conclusion(&self) -> String {
        let subject = if self.arrives { "The answer" } else { "The packet" };
        match (&self.lost, &self.to) {
            (Some(loss), _) => lost(subject, loss),
            (None, Some(to)) => {
                let from = &self.from;
                format!("The packet arrives at {to}, and the answer comes back to {from}.")
            }
            (None, None) => "The packet is lost.".to_owned(),
        }
    }
}

fn lost(subject: &str, loss: &Loss) -> String {
    let Loss { node, because, .. } = loss;
    let first = loss.first_cause();
    let root = match &loss.root {
        None => String::new(),
        Some(_) => format!(" First cause at {}: {}.", first.node, first.because),
    };
    format!("{subject} is lost at {node}: {because}.{root} To do: {}.", first.to_do)
}

fn indent(step: &Step) -> usize {
    usize::from(step.depth) * 2
}

/// Whether `step` is a route, and `next` is the neighbour of this route.
fn is_its_neighbour(step: &Step, next: &Step) -> bool {
    let is_pair = step.what == What::Route && next.what == What::Neighbour;
    let passes = step.verdict == Verdict::Passes && next.verdict == Verdict::Passes;
    is_pair && passes && step.node == next.node && step.depth == next.depth
}

fn write_step(
    f: &mut fmt::Formatter<'_>,
    step: &Step,
    neighbour: Option<&Step>,
    width: usize,
) -> fmt::Result {
    let Step { node, what, verdict, because, section, .. } = step;
    let what = match what {
        What::Route => "route",
        What::Neighbour => "neighbour",
        What::Receive => "receive",
        What::Itr => "ITR",
        What::Etr => "ETR",
        What::MapRequest => "map-request",
        What::MapServer => "map-server",
        What::Registration => "register",
    };
    let mark = match verdict {
        Verdict::Lost => "x",
        Verdict::Waits => "?",
        Verdict::Passes | Verdict::Arrives => " ",
    };
    let section = section.as_ref().map_or(String::new(), |section| format!(" [{section}]"));
    let name = format!("{:indent$}{node}", "", indent = indent(step));
    let neighbour = neighbour.map_or(String::new(), |step| format!("; {}", step.because));
    writeln!(f, " {mark} {name:width$}  {what:11} {because}{neighbour}{section}")
}
