//! Converts the events of a router to changes of tables.

use super::item::{Alteration, Change, Reason};
use crate::router::event::{
    AwayChange, DatabaseChange, Event, HostChange, LocatorChange, MapServerChange, MappingChange,
    RegistrationChange, SiteRegistrationChange,
};

/// A change without its router: the table, the key of the line, and the kind of change.
type Row = (&'static str, String, Alteration);

/// If an event of the router `node` reports the change of a table, returns this change. Returns
/// `None` if the event is not about a table.
pub(super) fn of(node: &str, event: &Event) -> Option<Change> {
    let (table, key, change) = row(event)?;
    let (node, table, text) = (node.to_owned(), table.to_owned(), event.to_string());
    let reason = event.reason().map(Reason::of);
    Some(Change { node, table, key, change, text, reason, cause: None })
}

fn row(event: &Event) -> Option<Row> {
    use Alteration::{Added, Changed, Removed};
    Some(match event {
        Event::Mapping { eid_prefix, change, .. } => {
            let change = of_mapping(change);
            ("map-cache", eid_prefix.to_string(), change)
        }
        Event::Away { eid_prefix, change, .. } => {
            let change = match change {
                AwayChange::Added => Added,
                AwayChange::Removed => Removed,
            };
            ("away", eid_prefix.to_string(), change)
        }
        Event::Database { eid_prefix, change, .. } => {
            let change = match change {
                DatabaseChange::Added => Added,
                DatabaseChange::Changed => Changed,
                DatabaseChange::Removed => Removed,
            };
            ("database", eid_prefix.to_string(), change)
        }
        Event::Host { eid, change, .. } => ("dynamic-eids", eid.to_string(), of_host(*change)),
        Event::Registration { eid_prefix, change, .. } => {
            let change = of_registration(change);
            ("registrations", eid_prefix.to_string(), change)
        }
        Event::SiteRegistration { eid_prefix, change, .. } => {
            let change = of_site(change);
            ("sites", eid_prefix.to_string(), change)
        }
        Event::MapServer { map_server, change } => {
            let change = match change {
                MapServerChange::SessionUp(_) => Added,
                MapServerChange::SessionDown(_) => Removed,
                _ => return None,
            };
            ("sessions", map_server.to_string(), change)
        }
        Event::EtrSession { etr, is_up, .. } => {
            ("sessions", etr.to_string(), if *is_up { Added } else { Removed })
        }
        Event::Locator { rloc, change } => {
            let change = match change {
                LocatorChange::Unreachable(_) => Added,
                LocatorChange::Reachable(_) => Removed,
                LocatorChange::PathMtu { .. } => Changed,
            };
            ("reachability", rloc.to_string(), change)
        }
        _ => return None,
    })
}

fn of_mapping(change: &MappingChange) -> Alteration {
    use Alteration::{Added, Changed, Removed};
    match change {
        MappingChange::Learned | MappingChange::StaticAdded => Added,
        MappingChange::Changed | MappingChange::Renewed | MappingChange::LocatorState => Changed,
        MappingChange::Gone | MappingChange::StaticRemoved => Removed,
    }
}

fn of_registration(change: &RegistrationChange) -> Alteration {
    use Alteration::{Added, Changed, Removed};
    match change {
        RegistrationChange::Begun(_) => Added,
        RegistrationChange::Acknowledged(_)
        | RegistrationChange::Pending(_)
        | RegistrationChange::Rejected(_)
        | RegistrationChange::Lapsed => Changed,
        RegistrationChange::Ended(_) => Removed,
    }
}

fn of_site(change: &SiteRegistrationChange) -> Alteration {
    use Alteration::{Added, Changed, Removed};
    match change {
        SiteRegistrationChange::Registered | SiteRegistrationChange::Configured => Added,
        SiteRegistrationChange::Moved
        | SiteRegistrationChange::Altered
        | SiteRegistrationChange::Duplicate { .. } => Changed,
        SiteRegistrationChange::Gone | SiteRegistrationChange::Deconfigured => Removed,
    }
}

fn of_host(change: HostChange) -> Alteration {
    match change {
        HostChange::Found { .. } => Alteration::Added,
        HostChange::Confirmed | HostChange::Duplicate { .. } | HostChange::TurnedAway { .. } => {
            Alteration::Changed
        }
        HostChange::Silent | HostChange::Lost(_) | HostChange::MovedAway { .. } => {
            Alteration::Removed
        }
    }
}
