//! The changes of tables, from the events of a router.

use super::item::{Alteration, Change};
use crate::router::event::{
    AwayChange, Event, HostChange, LocatorChange, MapServerChange, MappingChange,
    RegistrationChange, SiteRegistrationChange,
};

/// A change without its router: the table, the key of the line, and the kind of change.
type Row = (&'static str, String, Alteration);

/// Returns the change of a table that an event of the router `node` reports. Returns `None` if the
/// event is not about a table.
pub(super) fn of(node: &str, event: &Event) -> Option<Change> {
    let (table, key, change) = row(event)?;
    let (node, table, text) = (node.to_owned(), table.to_owned(), event.to_string());
    Some(Change { node, table, key, change, text, reason: None, cause: None })
}

fn row(event: &Event) -> Option<Row> {
    use Alteration::{Added, Changed, Removed};
    Some(match event {
        Event::Mapping { eid_prefix, change } => {
            let change = match change {
                MappingChange::Learned => Added,
                MappingChange::Changed => Changed,
                MappingChange::Gone => Removed,
            };
            ("map-cache", eid_prefix.to_string(), change)
        }
        Event::Away { eid_prefix, change, .. } => {
            let change = match change {
                AwayChange::Added => Added,
                AwayChange::Removed => Removed,
            };
            ("away", eid_prefix.to_string(), change)
        }
        Event::Host { eid, change, .. } => ("dynamic-eids", eid.to_string(), of_host(*change)),
        Event::Registration { eid_prefix, change, .. } => {
            let change = match change {
                RegistrationChange::Acknowledged => Added,
                RegistrationChange::Rejected(_) => Removed,
            };
            ("registrations", eid_prefix.to_string(), change)
        }
        Event::SiteRegistration { eid_prefix, change, .. } => {
            let change = match change {
                SiteRegistrationChange::Registered => Added,
                SiteRegistrationChange::Moved | SiteRegistrationChange::Duplicate { .. } => Changed,
                SiteRegistrationChange::Gone => Removed,
            };
            ("sites", eid_prefix.to_string(), change)
        }
        Event::MapServer { map_server, change } => {
            let change = match change {
                MapServerChange::SessionUp => Added,
                MapServerChange::SessionDown => Removed,
                _ => return None,
            };
            ("sessions", map_server.to_string(), change)
        }
        Event::EtrSession { etr, is_up } => {
            ("sessions", etr.to_string(), if *is_up { Added } else { Removed })
        }
        Event::Locator { rloc, change } => {
            let change = match change {
                LocatorChange::Unreachable(_) => Added,
                LocatorChange::PathMtu { .. } => Changed,
            };
            ("reachability", rloc.to_string(), change)
        }
        _ => return None,
    })
}

fn of_host(change: HostChange) -> Alteration {
    match change {
        HostChange::Found { .. } => Alteration::Added,
        HostChange::Confirmed | HostChange::Duplicate { .. } | HostChange::TurnedAway { .. } => {
            Alteration::Changed
        }
        HostChange::Silent | HostChange::Lost | HostChange::MovedAway { .. } => Alteration::Removed,
    }
}
