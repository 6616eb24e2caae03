//! The events of a router. If a receiver gets all events, it knows the tables of the router.

use std::collections::BTreeSet;

use eidway::addr::{Eid, EidPrefix};
use eidway::router::Router;
use eidway::router::event::{AwayChange, Event, HostChange, MappingChange};
use eidway::router::map_cache::Source;

/// A table with more entries is not compared after each input, because this takes too long.
const LARGE: usize = 300;

/// The tables of a router, made from its events only.
#[derive(Debug, Default)]
pub struct Told {
    mappings: BTreeSet<EidPrefix>,
    away: BTreeSet<EidPrefix>,
    hosts: BTreeSet<Eid>,
}

impl Told {
    /// Applies an event. A learned or found entry must be new, and a removed entry must exist.
    pub fn hear(&mut self, event: &Event) {
        match *event {
            Event::Mapping { eid_prefix, change, .. } => match change {
                MappingChange::Learned => assert!(self.mappings.insert(eid_prefix), "{event}"),
                MappingChange::Changed | MappingChange::Renewed | MappingChange::LocatorState => {
                    assert!(self.mappings.contains(&eid_prefix), "{event}")
                }
                MappingChange::Gone => assert!(self.mappings.remove(&eid_prefix), "{event}"),
                MappingChange::StaticAdded | MappingChange::StaticRemoved => {}
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
                HostChange::Silent | HostChange::Lost(_) | HostChange::MovedAway { .. } => {
                    assert!(self.hosts.remove(&eid), "{event}");
                }
                HostChange::Confirmed => assert!(self.hosts.contains(&eid), "{event}"),
                HostChange::Duplicate { .. } | HostChange::TurnedAway { .. } => {}
            },
            _ => {}
        }
    }

    /// Compares these tables with the tables of the router.
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
