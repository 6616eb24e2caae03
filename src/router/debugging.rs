//! The kinds of debug lines that are on: `debug lisp control-plane TYPE` and `debug lisp
//! forwarding`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::counters::ControlDrop;
use super::event::{Event, MessageEvent};

/// A kind of debug lines. IOS uses the same names.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum DebugType {
    /// Received control messages, and refused messages.
    Messages,
    /// Registrations at this map-server.
    MapServerRegistration,
    /// Map-Requests that this map-server forwards.
    MapServerMapRequest,
    /// The map-cache, and the Map-Requests that ask for its mappings.
    RemoteEidCache,
    /// The local EID prefixes, and their registrations.
    LocalEidDatabase,
    /// Solicit-Map-Requests, and the Map-Requests that they invoke.
    SolicitMapRequest,
    /// Hosts of dynamic-EID ranges, and EIDs that are away.
    EidDiscovery,
    /// Decisions on packets from and to EIDs.
    Forwarding,
}

impl DebugType {
    /// All kinds, in the order in which they are printed.
    pub const ALL: [DebugType; 8] = [
        DebugType::Messages,
        DebugType::MapServerRegistration,
        DebugType::MapServerMapRequest,
        DebugType::RemoteEidCache,
        DebugType::LocalEidDatabase,
        DebugType::SolicitMapRequest,
        DebugType::EidDiscovery,
        DebugType::Forwarding,
    ];

    /// The word for the kind in a `debug` command.
    pub fn word(self) -> &'static str {
        match self {
            DebugType::Messages => "messages",
            DebugType::MapServerRegistration => "map-server-registration",
            DebugType::MapServerMapRequest => "map-server-map-request",
            DebugType::RemoteEidCache => "remote-eid-cache",
            DebugType::LocalEidDatabase => "local-eid-database",
            DebugType::SolicitMapRequest => "solicit-map-request",
            DebugType::EidDiscovery => "eid-discovery",
            DebugType::Forwarding => "forwarding",
        }
    }

    /// The kind of debug lines to which an event belongs. `None` if the event has no debug lines.
    pub fn of(event: &Event) -> Option<Self> {
        Some(match event {
            Event::Message(message) => of_message(message),
            Event::Packet(_) => DebugType::Forwarding,
            Event::Refused { reason, .. } => match reason {
                ControlDrop::Authentication | ControlDrop::NotASitePrefix | ControlDrop::Replay => {
                    DebugType::MapServerRegistration
                }
                _ => DebugType::Messages,
            },
            Event::Mapping { .. } => DebugType::RemoteEidCache,
            Event::Away { .. } | Event::Host { .. } => DebugType::EidDiscovery,
            Event::Registration { .. } => DebugType::LocalEidDatabase,
            Event::SiteRegistration { .. } => DebugType::MapServerRegistration,
            _ => return None,
        })
    }
}

fn of_message(message: &MessageEvent) -> DebugType {
    match message {
        MessageEvent::Received { .. } => DebugType::Messages,
        MessageEvent::RequestReceived(request) if !request.smr => DebugType::Messages,
        MessageEvent::RequestSent { request, .. } if !request.smr_invoked => {
            DebugType::RemoteEidCache
        }
        MessageEvent::NextResolver { smr_invoked: false, .. }
        | MessageEvent::ReplyReceived { .. } => DebugType::RemoteEidCache,
        MessageEvent::RequestForwarded { .. } => DebugType::MapServerMapRequest,
        MessageEvent::RequestReceived(_)
        | MessageEvent::RequestScheduled { .. }
        | MessageEvent::NotReplying(_)
        | MessageEvent::RequestSent { .. }
        | MessageEvent::NextResolver { .. }
        | MessageEvent::SmrSent { .. } => DebugType::SolicitMapRequest,
    }
}

/// A set of kinds of debug lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debugging(u16);

impl Debugging {
    /// Every kind.
    pub const ALL: Debugging = Debugging((1 << DebugType::ALL.len()) - 1);
    /// Every kind about control messages: `debug lisp control-plane all`.
    pub const CONTROL_PLANE: Debugging =
        Debugging(Self::ALL.0 & !(1 << DebugType::Forwarding as u16));

    /// The set with one kind.
    pub fn only(kind: DebugType) -> Self {
        Debugging(1 << kind as u16)
    }

    /// Whether the set has a kind.
    pub fn has(self, kind: DebugType) -> bool {
        self.has_any(Self::only(kind))
    }

    /// Whether the set has at least one kind of the set `other`.
    pub fn has_any(self, other: Debugging) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether the set has every kind of the set `other`.
    pub fn has_all(self, other: Debugging) -> bool {
        self.0 & other.0 == other.0
    }

    /// Returns the changed set: if `on` is true, the kinds of `other` are added. Otherwise, the
    /// kinds of `other` are removed.
    pub fn with(self, other: Debugging, on: bool) -> Self {
        Debugging(if on { self.0 | other.0 } else { self.0 & !other.0 })
    }

    /// The kinds in the set.
    pub fn types(self) -> impl Iterator<Item = DebugType> {
        DebugType::ALL.into_iter().filter(move |kind| self.has(*kind))
    }

    /// Whether the router prints the debug lines of an event. If every kind about control messages
    /// is on, the router prints only the lines that Cisco's document has. The document has no lines
    /// about changes of tables.
    pub fn wants(self, event: &Event) -> bool {
        let is_table = matches!(
            event,
            Event::Mapping { .. }
                | Event::Away { .. }
                | Event::Host { .. }
                | Event::Registration { .. }
                | Event::SiteRegistration { .. }
        );
        self != Self::default()
            && DebugType::of(event).is_some_and(|kind| self.has(kind))
            && !(is_table && self.has_all(Self::CONTROL_PLANE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_the_kinds_that_were_added_and_not_removed() {
        let smr = Debugging::only(DebugType::SolicitMapRequest);
        let set = Debugging::default().with(Debugging::CONTROL_PLANE, true).with(smr, false);
        assert_eq!(set.types().count(), DebugType::ALL.len() - 2);
        assert!(!set.has(DebugType::SolicitMapRequest) && !set.has(DebugType::Forwarding));
        assert!(!set.has_all(Debugging::CONTROL_PLANE) && set.has_any(Debugging::CONTROL_PLANE));
        assert_eq!(set.with(Debugging::ALL, false), Debugging::default());
    }
}
