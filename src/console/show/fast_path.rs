//! `show ip lisp fast-path`: whether the kernel forwards packets of EIDs, and the number of these
//! packets.

use std::fmt::Display;

use super::State;
use super::columns::Columns;
use crate::console::machine::{FastPath, FastPathCounts, MissCount};
use crate::console::view::fast_path::FastPathView;

/// The reason why a router without a machine has no fast path.
const NO_MACHINE: &str = "this router has no machine";

/// The view of the fast path.
pub fn view(state: State<'_>) -> FastPathView {
    let FastPath { reason, counts } = of(state);
    FastPathView { in_use: reason.is_none(), reason, counts }
}

/// The reason why the process of the router forwards all packets. `None` if the fast path is in
/// use.
pub(super) fn reason(state: State<'_>) -> Option<String> {
    of(state).reason
}

fn of(State { hosts, .. }: State<'_>) -> FastPath {
    hosts.machine().map_or_else(|| FastPath::missing(NO_MACHINE), |machine| machine.fast_path())
}

/// Returns a line with a label and two values. The values of all lines are right-aligned in two
/// columns.
fn line(label: &str, first: &dyn Display, second: &dyn Display) -> String {
    let cells = [format!("  {label}"), format!("{first:>12}"), format!("{second:>13}")];
    Columns::of([36, 13, 0]).line(cells.each_ref().map(String::as_str))
}

/// The text of `show ip lisp fast-path`.
pub fn text(view: &FastPathView) -> String {
    let mut text = match &view.reason {
        None => "LISP fast path: in use\n".to_owned(),
        Some(reason) => format!("LISP fast path: not in use: {reason}\n"),
    };
    let Some(FastPathCounts { epoch, outbound, inbound, misses }) = &view.counts else {
        return text;
    };
    text += &line("Epoch", epoch, &"");
    text += &line("Direction", &"to the core", &"from the core");
    text += &line("Flows in the kernel", &outbound.flows, &inbound.flows);
    text += &line("Flows that the router forwards", &outbound.kept, &inbound.kept);
    text += &line("Packets that the kernel forwarded", &outbound.hits, &inbound.hits);
    text += "Packets that the process of the router received:\n";
    for MissCount { cause, packets } in misses {
        text += &line(cause, packets, &"");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::machine::FlowCounts;

    #[test]
    fn numbers_stand_below_each_other() {
        let counts = FastPathCounts {
            epoch: 12,
            outbound: FlowCounts { flows: 3, kept: 1, hits: 12_345 },
            inbound: FlowCounts { flows: 2, kept: 0, hits: 6_789 },
            misses: vec![MissCount { cause: "no decision on the flow".to_owned(), packets: 17 }],
        };
        let view = FastPathView { in_use: true, reason: None, counts: Some(counts) };
        assert_eq!(
            text(&view),
            "\
LISP fast path: in use
  Epoch                                       12
  Direction                          to the core from the core
  Flows in the kernel                          3             2
  Flows that the router forwards               1             0
  Packets that the kernel forwarded        12345          6789
Packets that the process of the router received:
  no decision on the flow                     17
"
        );
    }

    #[test]
    fn without_a_fast_path_there_is_only_the_reason() {
        let reason = Some("this router is simulated".to_owned());
        let view = FastPathView { in_use: false, reason, counts: None };
        assert_eq!(text(&view), "LISP fast path: not in use: this router is simulated\n");
    }
}
