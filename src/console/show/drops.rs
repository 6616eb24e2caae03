//! `show drops`: the reasons for dropped packets of EIDs. For each reason, the output has the
//! latest packet, and advice for the operator.

use std::fmt::Write;

use super::State;
use super::span::{seconds, span};
use crate::console::view::drops::{DropRow, DropsView, LastPacket};
use crate::router::io::DropReason;
use crate::router::last_drops::LastDrop;

/// The view of the dropped packets.
pub fn view(State { router, now, .. }: State<'_>) -> DropsView {
    let counters = router.counters();
    let last = |reason| {
        router.last_drops().of(reason).map(|LastDrop { at, addresses, encapsulator }| LastPacket {
            ago: seconds(now.since(at)),
            source: addresses.map(|(source, _)| source),
            destination: addresses.map(|(_, destination)| destination),
            encapsulator,
        })
    };
    let row = |(&reason, &count)| DropRow { reason, count, last: last(reason) };
    DropsView {
        last_cleared: router.cleared_at().map(|at| seconds(now.since(at))),
        drops: counters.drops.iter().map(row).collect(),
        control_messages: counters.control_drops.values().sum(),
    }
}

/// The text of `show drops`.
pub fn text(view: &DropsView) -> String {
    let DropsView { last_cleared, drops, control_messages } = view;
    let since = match last_cleared {
        None => "the start of the router".to_owned(),
        Some(ago) => format!("the counters were cleared, {} ago", span(*ago)),
    };
    let mut text = format!("Packets of EIDs that were dropped since {since}:\n");
    if drops.is_empty() {
        text += "  none\n";
    }
    for DropRow { reason, count, last } in drops {
        let _ = writeln!(text, "{}: {count}", reason.describe());
        if let Some(packet) = last {
            let _ = writeln!(text, "  Last packet: {}", last_packet(packet));
        }
        let _ = writeln!(text, "  To do: {}", remedy(*reason));
    }
    if *control_messages > 0 {
        let _ = writeln!(
            text,
            "Control messages without effect: {control_messages}\n  To do: see `show lisp \
             refusals` for the senders and the reasons"
        );
    }
    text
}

fn last_packet(packet: &LastPacket) -> String {
    let ago = span(packet.ago);
    let ends = match (packet.source, packet.destination) {
        (Some(source), Some(destination)) => format!("from {source} to {destination}"),
        _ => "its addresses cannot be read".to_owned(),
    };
    match packet.encapsulator {
        None => format!("{ago} ago, {ends}, from the site"),
        Some(rloc) => format!("{ago} ago, {ends}, encapsulated by {rloc}"),
    }
}

/// The advice to the operator for a reason.
pub fn remedy(reason: DropReason) -> &'static str {
    match reason {
        DropReason::NotIp => "find the program on this machine that writes to lisp0",
        DropReason::LinkScoped | DropReason::InnerLinkScoped => {
            "nothing: LISP carries only unicast packets"
        }
        DropReason::NotAnItr => {
            "configure `ipv4 itr` or `ipv6 itr`, or remove the route into lisp0"
        }
        DropReason::LocalEidNoRoute | DropReason::NoRouteToEid => {
            "see `show ip lisp database` and `show interfaces`: the link or the route to the EID is \
             missing"
        }
        DropReason::MappingDrops => {
            "see `show ip lisp map-cache`: the map-server denies the EID, so check its site and key"
        }
        DropReason::NoUsableLocator => {
            "see `show ip lisp map-cache`: each locator is down, or this router has no locator of \
             the same family"
        }
        DropReason::TooBigForPath => {
            "nothing, if the sender obeys the ICMP error. If not, permit ICMP, or lower the MTU of \
             the sender"
        }
        DropReason::NoMapResolver => "configure `ipv4 itr map-resolver` or `ipv6 itr map-resolver`",
        DropReason::HoldQueueFull => {
            "see `show ip lisp statistics`: too many packets wait for mappings at one time"
        }
        DropReason::Unresolved => {
            "ping the map-resolver that `show ip lisp` names: the map-resolver does not answer \
             Map-Requests"
        }
        DropReason::BadDataHeader | DropReason::BadInnerPacket => {
            "find the sender: it sends packets to port 4341 that are not LISP"
        }
        DropReason::UnknownInstance => {
            "configure the same instance-ID at both ends, or no instance-ID at either end"
        }
        DropReason::NotAnEtr => "configure `ipv4 etr` or `ipv6 etr`",
        DropReason::NotOurEid => {
            "see `show lisp site` at the map-server: the sender has a mapping to this router for an \
             EID that is not in `show ip lisp database`"
        }
        DropReason::EidAway => {
            "nothing: the sender got an SMR and asks for the new locator of the EID"
        }
        DropReason::SourceIsHere => {
            "find the sender: it uses an EID of this site; if a host has two sites, configure `no \
             ipv4 etr source-check`"
        }
        DropReason::OuterTtlExpired => "look for a routing loop between the sender and this router",
        DropReason::EcnMismatch => "turn off ECN marking on the path, or turn on ECN at the hosts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_last_packet_and_an_advice() {
        let last = LastPacket {
            ago: 3,
            source: Some("192.168.0.22".parse().unwrap()),
            destination: Some("172.16.0.12".parse().unwrap()),
            encapsulator: Some("198.51.100.21".parse().unwrap()),
        };
        let row = |reason, last| DropRow { reason, count: 2, last };
        let view = DropsView {
            last_cleared: None,
            drops: vec![row(DropReason::EidAway, Some(last)), row(DropReason::NotIp, None)],
            control_messages: 1,
        };
        let expected = "\
Packets of EIDs that were dropped since the start of the router:
Local EID away: 2
  Last packet: 00:00:03 ago, from 192.168.0.22 to 172.16.0.12, encapsulated by 198.51.100.21
  To do: nothing: the sender got an SMR and asks for the new locator of the EID
Not an IP packet: 2
  To do: find the program on this machine that writes to lisp0
Control messages without effect: 1
  To do: see `show lisp refusals` for the senders and the reasons
";
        assert_eq!(text(&view), expected);
    }
}
