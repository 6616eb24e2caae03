//! `show lisp packet` and `show lisp map-request`: the decision that the router would make now on a
//! packet or a Map-Request. The commands change nothing and send nothing.

use std::fmt::Write;
use std::net::IpAddr;

use etherparse::{IcmpEchoHeader, IpNumber, Ipv4Header, Ipv6Header};

use super::{State, drops, locator_address};
use crate::addr::{Eid, Family, InstanceId, Rloc};
use crate::console::view::packet::{
    Line, PacketVerdict, PacketView, RequestAnswer, RequestLocator, RequestView,
};
use crate::packet::Packet;
use crate::router::Router;
use crate::router::decision::{Awaited, Decision, Origin, SourceWant, Verdict, Wants};
use crate::router::io::Outer;
use crate::router::request_decision::RequestDecision;
use crate::wire::probe::echo_request;
use crate::wire::{DataHeader, MappingRecord};

/// The TTL of the packet, and of its outer header.
const TTL: u8 = 64;

/// A packet that a user asks about.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The instance.
    pub instance_id: InstanceId,
    /// The source. If it is absent, the source is an EID of this router.
    pub source: Option<IpAddr>,
    /// The destination.
    pub destination: IpAddr,
    /// The number of octets.
    pub size: u16,
    /// Whether the packet must not be fragmented.
    pub df: bool,
    /// The RLOC that encapsulated the packet. `None` if the packet is from the site.
    pub encapsulated_by: Option<IpAddr>,
}

/// The view of the decision on a packet.
pub fn view(state: State<'_>, question: &Question) -> PacketView {
    let State { router, now, .. } = state;
    let Question { instance_id, destination, size, df, encapsulated_by, .. } = *question;
    let source = question.source.unwrap_or_else(|| own_source(router, destination));
    let mut octets = echo(source, destination, size, df);
    let origin = match encapsulated_by {
        None => Origin::Site,
        Some(rloc) => from_core(router, instance_id, rloc),
    };
    let packet = Packet::single(&mut octets);
    let decision = router.explain(instance_id, &packet, origin, now);
    let Decision { verdict, because, .. } = decision;
    let (kind, rlocs, drop) = match verdict {
        Verdict::Encapsulate(wrap) => {
            (PacketVerdict::Encapsulate, Some((wrap.source.0, wrap.destination.0)), None)
        }
        Verdict::Forward(wrap) => {
            (PacketVerdict::Forward, Some((wrap.source.0, wrap.destination.0)), None)
        }
        Verdict::Native => (PacketVerdict::Native, None, None),
        Verdict::Deliver => (PacketVerdict::Deliver, None, None),
        Verdict::Hold(Awaited::Mapping) => (PacketVerdict::AwaitMapping, None, None),
        Verdict::Hold(Awaited::Host) => (PacketVerdict::AwaitHost, None, None),
        Verdict::Drop(reason) => (PacketVerdict::Drop, None, Some(reason)),
    };
    PacketView {
        instance_id,
        source,
        destination,
        size,
        df,
        encapsulated_by,
        verdict: kind,
        drop,
        rlocs,
        rule: because.rule,
        because: because.rule.describe().to_owned(),
        section: because.rule.section().to_owned(),
        line: because.line.map(|line| Line { table: line.table, eid_prefix: line.prefix.prefix() }),
        effects: effects(&decision.wants),
        remedy: drop.map(|reason| drops::remedy(reason).to_owned()),
    }
}

/// The source address of the packets that this router itself sends to EIDs: an address of the
/// router that is a local EID. If there is no such address, any address of the router in the family
/// of the destination. If the router has no address of this family, the unspecified address.
fn own_source(router: &Router, destination: IpAddr) -> IpAddr {
    let family = Family::of(destination);
    let addresses = router.config().addresses().map(|(_, net)| net.addr());
    let of_family = addresses.filter(|&address| Family::of(address) == family);
    let mut by_kind: Vec<IpAddr> = of_family.collect();
    by_kind.sort_by_key(|&address| !router.config().is_local_eid(address));
    by_kind.first().copied().unwrap_or(match family {
        Family::Ipv4 => IpAddr::from([0; 4]),
        Family::Ipv6 => IpAddr::from([0; 16]),
    })
}

fn from_core(router: &Router, instance_id: InstanceId, rloc: IpAddr) -> Origin {
    let own = router.local_rlocs().preferred(Family::of(rloc));
    let destination = own.unwrap_or(Rloc(rloc)).0;
    let outer = Outer { source: rloc, destination, ttl: TTL, tos: 0 };
    let instance_id = (instance_id != InstanceId::DEFAULT).then_some(instance_id);
    Origin::Core { outer, lisp: DataHeader { instance_id, ..DataHeader::default() } }
}

/// Returns the octets of an IP packet that contains an echo request. The packet has `size` octets,
/// including the IP header. If the addresses are of different families, the result is empty, and
/// the decision is that this is not an IP packet.
fn echo(source: IpAddr, destination: IpAddr, size: u16, df: bool) -> Vec<u8> {
    const ICMP: usize = 8;
    let header = match Family::of(destination) {
        Family::Ipv4 => 20,
        Family::Ipv6 => 40,
    };
    let data = usize::from(size).saturating_sub(header + ICMP);
    let echo = IcmpEchoHeader { id: 1, seq: 1 };
    let Some(message) = echo_request(source, destination, echo, data) else {
        return Vec::new();
    };
    let mut octets = Vec::new();
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => {
            let mut header = Ipv4Header {
                dont_fragment: df,
                time_to_live: TTL,
                protocol: IpNumber::ICMP,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv4Header::default()
            };
            if header.set_payload_len(message.len()).is_err() {
                return Vec::new();
            }
            header.header_checksum = header.calc_header_checksum();
            octets.extend_from_slice(&header.to_bytes());
        }
        (IpAddr::V6(source), IpAddr::V6(destination)) => {
            let header = Ipv6Header {
                payload_length: message.len() as u16,
                next_header: IpNumber::IPV6_ICMP,
                hop_limit: TTL,
                source: source.octets(),
                destination: destination.octets(),
                ..Ipv6Header::default()
            };
            octets.extend_from_slice(&header.to_bytes());
        }
        _ => return Vec::new(),
    }
    octets.extend_from_slice(&message);
    octets
}

/// The further effects of a packet, as sentences.
fn effects(wants: &Wants) -> Vec<String> {
    let mut effects = Vec::new();
    let mut add = |applies: bool, effect: &str| {
        if applies {
            effects.push(effect.to_owned());
        }
    };
    add(wants.solicit, "The router sends an SMR to the xTR that encapsulated the packet");
    add(wants.search_source, "The router searches for the host that sent the packet");
    let searches = wants.search_destination.is_some();
    add(searches, "The router searches for the destination host on its LANs");
    let asks = wants.source == SourceWant::AskHost;
    add(asks, "The router asks whether the host that has the source address is still on its port");
    add(wants.begin_echo, "The packet asks the other xTR to echo a nonce");
    if let Some(mtu) = wants.tell_too_big {
        effects.push(format!("The router tells the sender that the path permits {mtu} octets"));
    }
    if let Some(prefix) = wants.hear {
        let prefix = prefix.prefix();
        effects.push(format!("The router notes the other xTR as a peer of {prefix}"));
    }
    effects
}

/// The text of `show lisp packet`.
pub fn text(view: &PacketView) -> String {
    let PacketView { source, destination, size, because, section, .. } = view;
    let from = match view.encapsulated_by {
        None => "from the site".to_owned(),
        Some(rloc) => format!("from the core, encapsulated by {rloc}"),
    };
    let df = if view.df { ", must not be fragmented" } else { "" };
    let mut text = format!("Packet {source} > {destination}, {size} octets{df}, {from}\n");
    let _ = writeln!(text, "  Verdict:  {}", verdict_text(view));
    let _ = writeln!(text, "  Because:  {because}");
    if let Some(Line { table, eid_prefix }) = view.line {
        let _ = writeln!(text, "  Line:     {eid_prefix} in the {}", table.describe());
    }
    let _ = writeln!(text, "  See:      {section}");
    for effect in &view.effects {
        let _ = writeln!(text, "  Effect:   {effect}");
    }
    if let Some(remedy) = &view.remedy {
        let _ = writeln!(text, "  To do:    {remedy}");
    }
    text
}

/// The verdict in a few words.
pub fn verdict_text(view: &PacketView) -> String {
    let to = || view.rlocs.map_or(String::new(), |(_, to)| format!(" to {to}"));
    match view.verdict {
        PacketVerdict::Encapsulate => format!("encapsulate{}", to()),
        PacketVerdict::Native => "forward without LISP".to_owned(),
        PacketVerdict::Deliver => "decapsulate and deliver".to_owned(),
        PacketVerdict::Forward => format!("encapsulate again{}", to()),
        PacketVerdict::AwaitMapping => "hold until the Map-Reply arrives".to_owned(),
        PacketVerdict::AwaitHost => "hold until the host is found".to_owned(),
        PacketVerdict::Drop => match view.drop {
            Some(reason) => format!("drop ({})", reason.describe()),
            None => "drop".to_owned(),
        },
    }
}

/// The view of the answer to a Map-Request.
pub fn request_view(State { router, .. }: State<'_>, eid: Eid) -> RequestView {
    let configured = router.map_server().configured_site(&eid.host_prefix());
    let mut view = RequestView {
        instance_id: eid.instance_id,
        eid: eid.address,
        answer: RequestAnswer::NotOurRole,
        eid_prefix: None,
        ttl_minutes: None,
        etr: None,
        site: configured.map(|(_, site)| site.to_owned()),
        locators: Vec::new(),
        because: String::new(),
        section: String::new(),
    };
    let mut reply = |answer: RequestAnswer, record: &MappingRecord| {
        view.answer = answer;
        view.eid_prefix = Some(record.eid_prefix.prefix());
        view.ttl_minutes = Some(record.ttl_minutes);
        view.locators = locators(record);
    };
    let (because, section) = match router.explain_request(eid) {
        RequestDecision::Own(record) => {
            reply(RequestAnswer::Database, &record);
            ("The EID is in the database of this ETR", "RFC 9301 section 5.4")
        }
        RequestDecision::Forward { etr } => {
            (view.answer, view.etr) = (RequestAnswer::Forward, Some(etr.0));
            ("An ETR has registered the EID", "RFC 9301 section 8.3")
        }
        RequestDecision::Proxy(record) => {
            reply(RequestAnswer::Registrations, &record);
            ("The ETR asked the map-server to answer in place of the ETR", "RFC 9301 section 8.3")
        }
        RequestDecision::Negative { prefix, ttl_minutes } => {
            view.answer = RequestAnswer::Negative;
            (view.eid_prefix, view.ttl_minutes) = (Some(prefix.prefix()), Some(ttl_minutes));
            let because = match view.site {
                Some(_) => "The EID is configured for a site, but no ETR has registered it",
                None => "The EID is not configured for a site",
            };
            (because, "RFC 9301 section 8.1")
        }
        RequestDecision::NotOurEid => {
            view.answer = RequestAnswer::NotOurEid;
            let because = "The EID is not at the site of this ETR: the ETR sends no answer";
            (because, "RFC 9301 section 5.4")
        }
        RequestDecision::NotOurRole => {
            let because = "The router is not a map-resolver, a map-server or an ETR: the router \
                           sends no answer";
            (because, "RFC 9301 section 4")
        }
    };
    (view.because, view.section) = (because.to_owned(), section.to_owned());
    view
}

fn locators(record: &MappingRecord) -> Vec<RequestLocator> {
    let locator = |locator: &crate::wire::LocatorRecord| RequestLocator {
        rloc: locator_address(&locator.rloc),
        priority: locator.priority,
        weight: locator.weight,
        reachable: locator.reachable,
    };
    record.locators.iter().map(locator).collect()
}

/// The text of `show lisp map-request`.
pub fn request_text(view: &RequestView) -> String {
    let RequestView { eid, because, section, .. } = view;
    let mut text = format!("Map-Request for {eid}\n");
    let prefix = view.eid_prefix.map_or(String::new(), |prefix| format!(" for {prefix}"));
    let answer = match view.answer {
        RequestAnswer::Database => format!("Map-Reply{prefix} from the database"),
        RequestAnswer::Registrations => format!("Map-Reply{prefix} from the registrations"),
        RequestAnswer::Negative => format!("negative Map-Reply{prefix}"),
        RequestAnswer::Forward => match view.etr {
            Some(etr) => format!("forward to the ETR {etr}"),
            None => "forward to an ETR".to_owned(),
        },
        RequestAnswer::NotOurEid | RequestAnswer::NotOurRole => "none".to_owned(),
    };
    let _ = writeln!(text, "  Answer:   {answer}");
    for RequestLocator { rloc, priority, weight, reachable } in &view.locators {
        let state = if *reachable { "reachable" } else { "unreachable" };
        let _ = writeln!(text, "  Locator:  {rloc} {priority}/{weight} {state}");
    }
    let _ = writeln!(text, "  Because:  {because}\n  See:      {section}");
    if let Some(site) = &view.site {
        let _ = writeln!(text, "  Site:     {site}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::decision::{Rule, Table};
    use crate::router::io::DropReason;

    #[test]
    fn a_decision_is_printed_with_its_rule_its_line_and_its_remedy() {
        let view = PacketView {
            instance_id: InstanceId::DEFAULT,
            source: "192.168.0.22".parse().unwrap(),
            destination: "172.16.0.12".parse().unwrap(),
            size: 100,
            df: false,
            encapsulated_by: Some("198.51.100.21".parse().unwrap()),
            verdict: PacketVerdict::Drop,
            drop: Some(DropReason::EidAway),
            rlocs: None,
            rule: Rule::EidAway,
            because: Rule::EidAway.describe().to_owned(),
            section: Rule::EidAway.section().to_owned(),
            line: Some(Line { table: Table::Away, eid_prefix: "172.16.0.0/24".parse().unwrap() }),
            effects: vec!["The router sends an SMR".to_owned()],
            remedy: Some("nothing".to_owned()),
        };
        let expected = "\
Packet 192.168.0.22 > 172.16.0.12, 100 octets, from the core, encapsulated by 198.51.100.21
  Verdict:  drop (Local EID away)
  Because:  The destination is an EID of the site, but it is not at this xTR
  Line:     172.16.0.0/24 in the away table
  See:      draft-ietf-lisp-eid-mobility section 4.2.4
  Effect:   The router sends an SMR
  To do:    nothing
";
        assert_eq!(text(&view), expected);
    }
}
