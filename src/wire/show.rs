//! Displays each message as one line of text, for debug output and tests.
//!
//! An example of such a line is `Map-Request nonce 0x68E45971-0xE3DF4931 probe SMR DoNotReply
//! source-EID 172.16.0.12 ITR-RLOCs 203.0.113.11 for 192.168.0.22/32`. Bits that are clear and
//! fields that are absent are left out. If an EID is in an instance other than 0, `[iid]` precedes
//! the EID. A locator is `address priority/weight`, then the letters of its set bits L, p and R.

use std::fmt::{self, Display, Formatter};

use super::{
    Action, Address, Authentication, EidRecord, Encapsulated, Info, LocatorRecord, MapNotify,
    MapNotifyAck, MapRegister, MapReply, MapRequest, MappingRecord, Message, Nonce, XtrIdentity,
};
use crate::addr::{Eid, EidPrefix, InstanceId};

impl Display for Nonce {
    /// Writes a nonce as IOS does: `0x68E45971-0xE3DF4931`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:08X}-0x{:08X}", self.0 >> 32, self.0 & 0xffff_ffff)
    }
}

impl Display for Message {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Message::MapRequest(message) => message.fmt(f),
            Message::MapReply(message) => message.fmt(f),
            Message::MapRegister(message) => message.fmt(f),
            Message::MapNotify(message) => message.fmt(f),
            Message::MapNotifyAck(message) => message.fmt(f),
            Message::Info(message) => message.fmt(f),
            Message::Encapsulated(message) => message.fmt(f),
        }
    }
}

impl Display for MapRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Map-Request nonce {}", self.nonce)?;
        words(
            f,
            &[
                (self.authoritative, "authoritative"),
                (self.probe, "probe"),
                (self.smr, "SMR"),
                (self.from_pitr, "from-PITR"),
                (self.smr_invoked, "SMR-invoked"),
                (self.local_xtr, "local-xTR"),
                (self.do_not_reply, "DoNotReply"),
            ],
        )?;
        if let Some(eid) = self.source_eid {
            f.write_str(" source-EID ")?;
            show_eid(f, eid)?;
        }
        list(f, " ITR-RLOCs ", &self.itr_rlocs)?;
        list(f, " for ", &self.records)?;
        list(f, " with ", self.map_reply_record.as_slice())?;
        show_identity(f, self.xtr_identity)
    }
}

impl Display for EidRecord {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        show_eid_prefix(f, self.eid_prefix)?;
        words(f, &[(self.notification_requested, "subscribe")])
    }
}

impl Display for MapReply {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Map-Reply nonce {}", self.nonce)?;
        words(
            f,
            &[(self.probe, "probe"), (self.echo_nonce, "echo-nonce"), (self.security, "security")],
        )?;
        mappings(f, &self.records)
    }
}

impl Display for MapRegister {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "Map-Register nonce {}", self.nonce)?;
        words(
            f,
            &[
                (self.proxy_reply, "proxy-reply"),
                (self.security_capable, "security"),
                (self.reliable_transport, "reliable-transport"),
                (self.eid_notify, "EID-notify"),
                (self.ttl_for_timeout, "TTL-for-timeout"),
                (self.merge, "merge"),
                (self.want_map_notify, "want-Map-Notify"),
            ],
        )?;
        write!(f, " {}", self.authentication)?;
        mappings(f, &self.records)?;
        show_identity(f, self.xtr_identity)
    }
}

impl Display for MapNotify {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        show_map_notify(f, "Map-Notify", self)
    }
}

impl Display for MapNotifyAck {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        show_map_notify(f, "Map-Notify-Ack", &self.0)
    }
}

fn show_map_notify(f: &mut Formatter<'_>, name: &str, message: &MapNotify) -> fmt::Result {
    write!(f, "{name} nonce {}", message.nonce)?;
    words(f, &[(message.built_for_rtr, "built-for-RTR")])?;
    write!(f, " {}", message.authentication)?;
    mappings(f, &message.records)?;
    show_identity(f, message.xtr_identity)
}

impl Display for Info {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let name = if self.reply { "Info-Reply" } else { "Info-Request" };
        write!(f, "{name} nonce {} {}", self.nonce, self.authentication)?;
        if let Some(eid_prefix) = self.eid_prefix {
            f.write_str(" for ")?;
            show_eid_prefix(f, eid_prefix)?;
        }
        write!(f, " TTL {} NAT {}", self.ttl_minutes, self.nat)
    }
}

impl Display for Encapsulated {
    /// Writes the headers and a colon. Then it writes the inner message, or the reason why the
    /// inner message cannot be read.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ECM {} -> {} TTL {}", self.source, self.destination, self.ttl)?;
        words(f, &[(self.ddt_originated, "DDT"), (self.to_etr, "to-ETR"), (self.to_ms, "to-MS")])?;
        match Message::parse(&self.message) {
            // An inner ECM is not parsed. Otherwise a sender could cause a recursion of any depth.
            Ok(Message::Encapsulated(_)) => f.write_str(": ECM"),
            Ok(inner) => write!(f, ": {inner}"),
            Err(error) => write!(f, ": {error}"),
        }
    }
}

impl Display for MappingRecord {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        show_eid_prefix(f, self.eid_prefix)?;
        write!(f, " TTL {}", self.ttl_minutes)?;
        words(f, &[(self.authoritative, "authoritative")])?;
        if self.action != Action::NoAction || self.locators.is_empty() {
            write!(f, " {}", self.action)?;
        }
        if self.map_version != 0 {
            write!(f, " version {}", self.map_version)?;
        }
        list(f, " locators ", &self.locators)
    }
}

impl Display for LocatorRecord {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.rloc, self.priority, self.weight)?;
        if self.local || self.probed || self.reachable {
            f.write_str(" ")?;
        }
        for (set, letter) in [(self.local, "L"), (self.probed, "p"), (self.reachable, "R")] {
            f.write_str(if set { letter } else { "" })?;
        }
        Ok(())
    }
}

impl Display for Action {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Action::NoAction => "no-action",
            Action::NativelyForward => "natively-forward",
            Action::SendMapRequest => "send-map-request",
            Action::Drop => "drop",
            Action::DropPolicyDenied => "drop-policy-denied",
            Action::DropAuthFailure => "drop-auth-failure",
            Action::Unassigned(number) => return write!(f, "action-{number}"),
        })
    }
}

/// The maximum number of octets of a name or of an LCAF that are shown. If there are more octets,
/// `...` replaces the further octets.
const SHOWN_OCTETS: usize = 64;

impl Display for Address {
    /// Writes the address as one word: `192.0.2.1`, `"rtr-lab-1"`, `0200.0000.0001`,
    /// `(192.0.2.1,"rtr-lab-1")`, or `LCAF-7(010203)` with its octets in hexadecimal. In a name,
    /// these octets are escaped: spaces, quotation marks, backslashes, and all octets that are not
    /// printable ASCII.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Address::None => f.write_str("none"),
            Address::Ip(ip) => ip.fmt(f),
            Address::Name(octets) => show_name(f, octets),
            Address::Mac48(octets) => show_mac(f, octets),
            Address::Mac64(octets) => show_mac(f, octets),
            Address::List(addresses) => {
                f.write_str("(")?;
                separated(f, "", ",", addresses)?;
                f.write_str(")")
            }
            Address::InstanceId { instance_id, address } => write!(f, "[{instance_id}]{address}"),
            Address::SourceDestination {
                source_mask_len,
                destination_mask_len,
                source,
                destination,
            } => write!(f, "({source}/{source_mask_len},{destination}/{destination_mask_len})"),
            Address::Opaque { lcaf_type, octets, .. } => {
                write!(f, "LCAF-{lcaf_type}(")?;
                let shown = &octets[..octets.len().min(SHOWN_OCTETS)];
                shown.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
                f.write_str(if shown.len() < octets.len() { "...)" } else { ")" })
            }
        }
    }
}

fn show_name(f: &mut Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let shown = &octets[..octets.len().min(SHOWN_OCTETS)];
    f.write_str("\"")?;
    for octet in shown {
        match octet {
            b' ' => f.write_str("\\x20")?,
            octet => write!(f, "{}", octet.escape_ascii())?,
        }
    }
    f.write_str(if shown.len() < octets.len() { "...\"" } else { "\"" })
}

/// Writes a MAC address in groups of four hexadecimal digits, as IOS does.
fn show_mac(f: &mut Formatter<'_>, octets: &[u8]) -> fmt::Result {
    for (index, pair) in octets.chunks(2).enumerate() {
        f.write_str(if index == 0 { "" } else { "." })?;
        pair.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
    }
    Ok(())
}

impl Display for Authentication {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "key {} algorithm {}", self.key_id, self.algorithm)
    }
}

pub(super) fn show_identity(f: &mut Formatter<'_>, identity: Option<XtrIdentity>) -> fmt::Result {
    let Some(XtrIdentity { xtr_id, site_id }) = identity else {
        return Ok(());
    };
    write!(f, " xTR-ID 0x{xtr_id:032X} Site-ID {site_id}")
}

fn show_eid(f: &mut Formatter<'_>, eid: Eid) -> fmt::Result {
    show_instance(f, eid.instance_id)?;
    eid.fmt(f)
}

pub(super) fn show_eid_prefix(f: &mut Formatter<'_>, eid_prefix: EidPrefix) -> fmt::Result {
    show_instance(f, eid_prefix.instance_id())?;
    eid_prefix.fmt(f)
}

fn show_instance(f: &mut Formatter<'_>, instance_id: InstanceId) -> fmt::Result {
    if instance_id == InstanceId::DEFAULT { Ok(()) } else { write!(f, "[{instance_id}] ") }
}

fn words(f: &mut Formatter<'_>, words: &[(bool, &str)]) -> fmt::Result {
    words.iter().filter(|(set, _)| *set).try_for_each(|(_, word)| write!(f, " {word}"))
}

/// Writes `lead`, then the items, separated by commas. If there are no items, writes nothing.
fn list<T: Display>(f: &mut Formatter<'_>, lead: &str, items: &[T]) -> fmt::Result {
    separated(f, lead, ", ", items)
}

/// Writes mappings, separated by semicolons, because a mapping itself contains commas.
fn mappings(f: &mut Formatter<'_>, records: &[MappingRecord]) -> fmt::Result {
    separated(f, " for ", "; ", records)
}

fn separated<T: Display>(
    f: &mut Formatter<'_>,
    lead: &str,
    separator: &str,
    items: &[T],
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index == 0 { lead } else { separator })?;
        item.fmt(f)?;
    }
    Ok(())
}
