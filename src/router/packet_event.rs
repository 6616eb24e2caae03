//! The event about a decision on a data packet. `debug lisp forwarding` prints this event.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::decision::{Because, Transit, Verdict};
use super::io::DropReason;
use crate::addr::{Eid, Rloc};

/// A decision on a data packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketEvent {
    /// The source of the packet.
    pub source: Eid,
    /// The destination of the packet.
    pub destination: Eid,
    /// The RLOC that encapsulated the packet. `None` for a packet from the site.
    pub encapsulator: Option<Rloc>,
    /// The reason for the decision.
    pub because: Because,
    /// The decision.
    pub fate: Fate,
}

/// A decision, without the fields of the outer headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The packet is encapsulated to this locator.
    Encapsulated(Rloc),
    /// The packet is forwarded without LISP.
    Native,
    /// The packet is decapsulated, and the kernel forwards it to its host.
    Delivered,
    /// The packet is encapsulated to this locator, because the destination host moved away.
    SentOn(Rloc),
    /// The packet waits.
    Held,
    /// The packet is dropped.
    Dropped(DropReason),
}

impl PacketEvent {
    pub(super) fn of(transit: &Transit, verdict: Verdict, because: Because) -> Self {
        PacketEvent {
            source: transit.source(),
            destination: transit.destination(),
            encapsulator: transit.origin.encapsulator(),
            because,
            fate: match verdict {
                Verdict::Encapsulate(wrap) => Fate::Encapsulated(wrap.destination),
                Verdict::Native => Fate::Native,
                Verdict::Deliver => Fate::Delivered,
                Verdict::Forward(wrap) => Fate::SentOn(wrap.destination),
                Verdict::Hold(_) => Fate::Held,
                Verdict::Drop(reason) => Fate::Dropped(reason),
            },
        }
    }
}

impl Display for PacketEvent {
    /// Writes the decision and its reason as one line.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let PacketEvent { source, destination, encapsulator, because, fate } = self;
        let iid = destination.instance_id;
        let from = encapsulator.map(|rloc| format!(" (encap src {rloc})")).unwrap_or_default();
        let (from_eid, to_eid) = (source.address, destination.address);
        write!(f, "LISP-0: IID {iid} packet {from_eid} to {to_eid}{from}, ")?;
        match fate {
            Fate::Encapsulated(rloc) => write!(f, "encapsulate to {rloc}")?,
            Fate::Native => f.write_str("forward without LISP")?,
            Fate::Delivered => f.write_str("decapsulate")?,
            Fate::SentOn(rloc) => write!(f, "send on to {rloc}")?,
            Fate::Held => f.write_str("hold")?,
            Fate::Dropped(reason) => write!(f, "drop ({})", reason.describe())?,
        }
        write!(f, ": {}.", because.rule.describe())
    }
}
