//! The data of the [fast path](super::fast_path) that the console shows.

use std::error::Error;
use std::io;

use log::debug;

use super::fast_path::{FastPath, Miss};
use crate::console::machine::{FastPathCounts, FlowCounts, MissCount};

/// Converts an error of [`FastPath::open`] to an error with one line of text. The line contains all
/// causes of the error.
pub fn in_full(error: io::Error) -> io::Error {
    debug!("fast path: {error}");
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(found) = cause {
        let words = found.to_string();
        if !text.ends_with(&words) {
            text += &format!(": {words}");
        }
        cause = found.source();
    }
    // Only the first line is used. If the kernel rejects the program, the next lines list the
    // program.
    io::Error::new(error.kind(), text.lines().next().unwrap_or_default().to_owned())
}

/// Returns the counts of the fast path.
pub fn counts(programs: &FastPath) -> FastPathCounts {
    let [to_core, from_core] = programs.hits();
    let (outbound, inbound) = (&programs.outbound, &programs.inbound);
    let misses = programs
        .misses()
        .map(|(miss, packets)| MissCount { cause: cause(miss).to_owned(), packets });
    FastPathCounts {
        epoch: programs.epoch(),
        outbound: FlowCounts { flows: outbound.taught(), kept: outbound.kept(), hits: to_core },
        inbound: FlowCounts { flows: inbound.taught(), kept: inbound.kept(), hits: from_core },
        misses: misses.collect(),
    }
}

/// Returns the words for the reason of a miss.
fn cause(miss: Miss) -> &'static str {
    match miss {
        Miss::NoFlow => "no decision on the flow",
        Miss::OldEpoch => "decision of an earlier epoch",
        Miss::NotYet => "an earlier packet is on its way",
        Miss::NotAlive => "deadline of the router expired",
        Miss::OddHeader => "unusual header",
        Miss::TooBig => "too big for the path",
        Miss::Ttl => "TTL",
        Miss::Ecn => "ECN",
        Miss::Checksum => "checksum or length",
        Miss::Refused => "refused by the kernel",
        Miss::Datagrams => "a super-packet of UDP",
    }
}
