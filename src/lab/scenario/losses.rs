//! The losses of the flows of a scenario, as a table.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::play::{Played, Stopped, play_each};
use super::run::laid_out;
use super::stage::Stage;
use super::{Action, Scenario};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::flow::FlowReport;

/// The losses of one flow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FlowLosses {
    /// The name of the flow in the scenario.
    pub flow: String,
    /// The statements that changed the lab while the flow ran.
    pub during: Vec<String>,
    /// The number of echos that were sent.
    pub sent: u64,
    /// The number of echos without an answer.
    pub lost: u64,
    /// The longest time without an answer, minus the time between two echos. The unit is
    /// milliseconds.
    pub longest_interruption_ms: u64,
    /// Whether echos were still answered at the end of the flow.
    pub is_back: bool,
}

/// The losses of all flows of a scenario. Its text is a table for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScenarioLosses {
    /// The name of the scenario.
    pub scenario: String,
    /// The title of the scenario.
    pub title: String,
    /// The flows, in the order in which they ended.
    pub flows: Vec<FlowLosses>,
    /// The statement at which the scenario stopped because of an unexpected result, and this
    /// result. Absent if all results were as expected.
    pub unexpected: Option<String>,
}

/// Whether a scenario has a flow.
pub fn has_flows(scenario: &Scenario) -> bool {
    scenario.steps.iter().any(|step| matches!(step.action, Action::Flow { .. }))
}

/// Plays `scenario` on `lab` and returns the losses of its flows. `name` is the name of the
/// scenario. `up` brings the lab up on a stage, as for [`run`](super::run::run).
///
/// # Errors
/// The lab cannot be brought up.
pub fn measure<S: Stage>(
    lab: &Lab,
    (name, scenario): (&str, &Scenario),
    up: impl FnOnce(Lab) -> Result<S, Failure>,
) -> Result<ScenarioLosses, Failure> {
    let mut stage = up(laid_out(lab, scenario)?)?;
    let mut running: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut flows = Vec::new();
    let stopped =
        play_each(scenario, &mut stage, &mut |Played { step, flow, .. }| match &step.action {
            Action::Flow { name, .. } => drop(running.insert(name.clone(), Vec::new())),
            Action::End { name, .. } => {
                let during = running.remove(name).unwrap_or_default();
                flows.extend(flow.map(|report| FlowLosses::new(name, during, report)));
            }
            action if action.changes_lab() => {
                running.values_mut().for_each(|during| during.push(step.text.clone()));
            }
            _ => {}
        });
    Ok(ScenarioLosses {
        scenario: name.to_owned(),
        title: scenario.title.clone(),
        flows,
        unexpected: stopped.err().as_ref().map(Stopped::to_string),
    })
}

impl FlowLosses {
    fn new(flow: &str, during: Vec<String>, report: FlowReport) -> Self {
        FlowLosses {
            flow: flow.to_owned(),
            during,
            sent: report.sent,
            lost: report.lost(),
            longest_interruption_ms: report.out_ms,
            is_back: report.is_back,
        }
    }

    /// Returns the statements during the flow in a few words: the first, and the number of the
    /// others.
    fn during(&self) -> String {
        match &self.during[..] {
            [] => "-".to_owned(),
            [only] => only.clone(),
            [first, others @ ..] => format!("{first}, and {} more", others.len()),
        }
    }

    fn interruption(&self) -> String {
        let after = if self.is_back { "" } else { ", not back" };
        format!("{} ms{after}", self.longest_interruption_ms)
    }
}

impl fmt::Display for ScenarioLosses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |least: usize, of: fn(&FlowLosses) -> usize| {
            self.flows.iter().map(of).fold(least, usize::max)
        };
        let flow = width(4, |losses| losses.flow.len());
        let during = width(6, |losses| losses.during().len());
        writeln!(f, "{}: {}", self.scenario, self.title)?;
        writeln!(
            f,
            "{:flow$}  {:during$}  {:>6}  {:>6}  Longest interruption",
            "Flow", "During", "Sent", "Lost"
        )?;
        for losses in &self.flows {
            let FlowLosses { flow: name, sent, lost, .. } = losses;
            let (events, interruption) = (losses.during(), losses.interruption());
            writeln!(f, "{name:flow$}  {events:during$}  {sent:>6}  {lost:>6}  {interruption}")?;
        }
        match &self.unexpected {
            Some(unexpected) => writeln!(f, "NOT AS EXPECTED\n{unexpected}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_a_line_for_each_flow() {
        let losses = |flow: &str, during: &[&str], report| {
            FlowLosses::new(flow, during.iter().map(|&text| text.to_owned()).collect(), report)
        };
        let report = FlowReport { sent: 300, received: 299, out_ms: 10, is_back: true };
        let mut table = ScenarioLosses {
            scenario: "moves".to_owned(),
            title: "A host moves".to_owned(),
            flows: vec![
                losses("quiet", &[], FlowReport { received: 300, out_ms: 0, ..report }),
                losses("ping-pong", &["move A to xTR1", "move A to xTR2"], report),
                losses("gone", &["kill xTR1"], FlowReport { is_back: false, ..report }),
            ],
            unexpected: None,
        };
        let text = "moves: A host moves\n\
                    Flow       During                        Sent    Lost  Longest interruption\n\
                    quiet      -                              300       0  0 ms\n\
                    ping-pong  move A to xTR1, and 1 more     300       1  10 ms\n\
                    gone       kill xTR1                      300       1  10 ms, not back\n";
        assert_eq!(table.to_string(), text);
        table.unexpected = Some("moves.scenario:3: end gone lost at-most 0".to_owned());
        assert!(
            table
                .to_string()
                .ends_with("NOT AS EXPECTED\nmoves.scenario:3: end gone lost at-most 0\n")
        );
    }
}
