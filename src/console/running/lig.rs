//! `lig`: asks the mapping system for the mapping of an EID, and prints the mapping (RFC 6835). The
//! router sends the Map-Requests. This module prints each Map-Request and the result.

use std::time::Duration;

use super::{Piece, Running};
use crate::console::show::mapping;
use crate::router::Router;
use crate::router::lig::{Answer, Query};
use crate::time::Time;

/// The time between two reads of the state of the query.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// The way in which the user named the EID of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The user gave the address of the EID.
    Address,
    /// The user gave the name of a host.
    Name(String),
    /// The user asked for an EID of this router.
    Own,
}

/// A query that runs.
pub struct Lig {
    /// The number of the query at the router.
    number: u64,
    asked: Asked,
    /// The number of Map-Requests that were printed.
    printed: u8,
    look_at: Option<Time>,
    has_ended: bool,
}

impl Lig {
    /// A command that prints the Map-Requests and the result of the query with this number.
    pub fn new(number: u64, asked: Asked) -> Self {
        Lig { number, asked, printed: 0, look_at: None, has_ended: false }
    }

    fn end(&mut self, text: String) -> Piece {
        self.has_ended = true;
        Piece::Text(text)
    }

    /// The text for an answer: the map-cache entry of the mapping. If the map-cache does not have
    /// this entry, the text is the record of the Map-Reply.
    fn answered(&self, query: &Query, answer: &Answer, router: &Router, now: Time) -> String {
        let eid = query.question.eid;
        let Answer { from, round_trip, record } = answer;
        let mut entry = mapping::entry_text(record.eid_prefix, router, now)
            .unwrap_or_else(|| mapping::record_text(record));
        if self.asked == Asked::Own {
            entry = entry.replacen("via map-reply, complete", "via map-reply, self", 1);
        }
        let name = match &self.asked {
            Asked::Name(name) => format!("{name} "),
            Asked::Address | Asked::Own => String::new(),
        };
        format!(
            "Received map-reply from {from} with rtt {:.6} secs\n\nMap-Cache entry for {name}EID {}:\n\
             {entry}",
            round_trip.as_secs_f64(),
            eid.address
        )
    }
}

impl Running for Lig {
    fn poll(&mut self, router: &Router, now: Time) -> Piece {
        if self.has_ended {
            return Piece::End;
        }
        let Some(query) = router.lig().get(self.number) else {
            return self.end("% The router has ended this query\n".to_owned());
        };
        if let Some(resolver) = query.resolver
            && self.printed < query.sent
        {
            self.printed = query.sent;
            let eid = query.question.eid.address;
            let is_own = self.asked == Asked::Own;
            let kind = if is_own { "loopback map-request" } else { "map-request" };
            return Piece::Text(format!("Send {kind} to {resolver} for {eid} ...\n"));
        }
        match &query.answer {
            Some(answer) => self.end(self.answered(query, answer, router, now)),
            None if !query.is_done() => {
                self.look_at = Some(now + LOOK_INTERVAL);
                Piece::Wait
            }
            None if query.sent == 0 => self.end(
                "% There is no map-resolver to which this router can send the request\n".to_owned(),
            ),
            None => self.end("*** No map-reply received ***\n".to_owned()),
        }
    }

    fn poll_timeout(&self) -> Option<Time> {
        self.look_at.filter(|_| !self.has_ended)
    }

    fn interrupt(&mut self) {
        self.has_ended = true;
    }
}
