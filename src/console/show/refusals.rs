//! `show lisp refusals`: the control messages that the router refused recently.

use std::fmt::Write;
use std::net::IpAddr;

use super::span::{seconds, span};
use crate::console::view::refusals::{RefusalRow, RefusalsView};
use crate::router::Router;
use crate::router::counters::ControlDrop;
use crate::router::refusals::{Explanation, Refusal};
use crate::time::Time;

/// The view of the refusals.
pub fn view(router: &Router, now: Time) -> RefusalsView {
    let refusals = router.refusals();
    let row = |(&(source, reason), refusal): (&(IpAddr, ControlDrop), &Refusal)| {
        let Explanation { what, why, advice } = refusal.explanation.clone();
        RefusalRow {
            source,
            reason,
            count: refusal.count,
            first: seconds(now.since(refusal.first_at)),
            last: seconds(now.since(refusal.last_at)),
            what,
            why,
            advice,
        }
    };
    RefusalsView { forgotten: refusals.forgotten(), refusals: refusals.recent().map(row).collect() }
}

/// Prints one row for each source and reason. Below each row, prints the latest message, the cause
/// of the refusal, and the remedy.
pub fn text(view: &RefusalsView) -> String {
    let RefusalsView { forgotten, refusals } = view;
    let mut text = format!("LISP control messages refused: {} entries", refusals.len());
    if *forgotten > 0 {
        let _ = write!(text, ", {forgotten} forgotten");
    }
    text += "\n";
    for row in refusals {
        let RefusalRow { source, count, what, why, advice, .. } = row;
        let (first, last) = (span(row.first), span(row.last));
        let reason = row.reason.describe();
        let _ = writeln!(text, "\n{source}, {reason}: {count}, first {first} ago, last {last} ago");
        let _ = writeln!(text, "  {what}: {why}\n  {advice}");
    }
    text
}
