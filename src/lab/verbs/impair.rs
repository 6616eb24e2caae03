//! `lab impair`: the impairments of the links, with the counters of their packets.

use schemars::JsonSchema;
use serde::Serialize;

use crate::lab::Lab;
use crate::lab::impairment::Counts;
use crate::lab::running::Sender;

/// One direction of a link of a lab that is up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ImpairedDirection")]
pub struct SenderStatus {
    /// The port that sends the packets.
    pub from: String,
    /// The port that receives the packets.
    pub to: String,
    /// The impairment in words: `delay 20ms loss 1%` or `none`.
    pub impairment: String,
    /// The counters of the packets since the link was first impaired. On the simulator, they begin
    /// at the start of the lab.
    #[serde(flatten)]
    pub counts: Counts,
}

/// Returns the state of each direction of each link.
pub fn status(lab: &Lab, senders: &[Sender]) -> Vec<SenderStatus> {
    let other = |sender: &Sender| {
        let ends = lab.file.links.iter().map(|link| &link.ends);
        let mut ends = ends.filter(|ends| ends.contains(&sender.port)).flatten();
        ends.find(|end| **end != sender.port).map(ToString::to_string).unwrap_or_default()
    };
    let status = |sender: &Sender| SenderStatus {
        from: sender.port.to_string(),
        to: other(sender),
        impairment: sender.impairment.to_string(),
        counts: sender.counts,
    };
    senders.iter().map(status).collect()
}

/// Returns the states as a table for a person.
pub fn table(states: &[SenderStatus]) -> String {
    let mut text = format!(
        "{:18} {:18} {:>8} {:>6} {:>6} {:>9} {:>6} {:>7} Impairment\n",
        "From", "To", "Sent", "Lost", "Twice", "Reordered", "Full", "Refused"
    );
    for SenderStatus { from, to, impairment, counts } in states {
        let Counts { sent, lost, duplicated, reordered, queue_full, refused } = counts;
        text.push_str(&format!(
            "{from:18} {to:18} {sent:>8} {lost:>6} {duplicated:>6} {reordered:>9} \
             {queue_full:>6} {refused:>7} {impairment}\n"
        ));
    }
    text
}
