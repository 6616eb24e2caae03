//! The events of a router, taken together: a receiver of all of them knows its tables.

use std::collections::BTreeSet;

use eidway::addr::{Eid, EidPrefix};
use eidway::router::Router;
use eidway::router::event::{AwayChange, Event, HostChange, MappingChange};
use eidway::router::map_cache::Source;

/// Tables of more entries are not compared after each input.
const LARGE: usize = 300;

/// The tables of a router, by its events alone.
#[derive(Debug, Default)]
pub struct Told {
    mappings: BTreeSet<EidPrefix>,
    away: BTreeSet<EidPrefix>,
    hosts: BTreeSet<Eid>,
}

impl Told {
    /// Handles an event. An entry that is learned or found is new, and one that goes was there.
    pub fn hear(&mut self, event: &Event) {
        match *event {
            Event::Mapping { eid_prefix, change } => match change {
                MappingChange::Learned => assert!(self.mappings.insert(eid_prefix), "{event}"),
                MappingChange::Changed => assert!(self.mappings.contains(&eid_prefix), "{event}"),
                MappingChange::Gone => assert!(self.mappings.remove(&eid_prefix), "{event}"),
            },
            Event::Away { eid_prefix, change: AwayChange::Added, .. } => {
                self.away.insert(eid_prefix);
            }
            Event::Away { eid_prefix, change: AwayChange::Removed, .. } => {
                assert!(self.away.remove(&eid_prefix), "{event}");
            }
            Event::Host { eid, change, .. } => match change {
                HostChange::Found { .. } => {
                    self.hosts.insert(eid);
                }
                HostChange::Silent | HostChange::Lost | HostChange::MovedAway { .. } => {
                    assert!(self.hosts.remove(&eid), "{event}");
                }
                HostChange::Confirmed => assert!(self.hosts.contains(&eid), "{event}"),
                HostChange::Duplicate { .. } | HostChange::TurnedAway { .. } => {}
            },
            _ => {}
        }
    }

    /// Compares with the tables themselves.
    pub fn compare(&self, router: &Router) {
        let learned = router.map_cache().entries().iter();
        let learned = learned.filter(|(_, entry)| entry.source == Source::MapReply);
        if self.mappings.len() <= LARGE {
            assert_eq!(self.mappings, learned.map(|(prefix, _)| prefix).collect());
        }
        if self.away.len() <= LARGE {
            let away = router.away().entries().iter();
            assert_eq!(self.away, away.map(|(prefix, _)| prefix).collect());
        }
        if self.hosts.len() <= LARGE {
            assert_eq!(self.hosts, router.mobility().hosts().keys().copied().collect());
        }
    }
}
