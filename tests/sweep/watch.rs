//! Checks rules for every packet on the links: the packet reaches only its owner, its way has no
//! loop, and no node makes or loses a packet.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use eidway::addr::Family;
use eidway::packet::IpHeader;
use eidway::sim::Sim;
use eidway::sim::trace::{Crossing, Fate};
use eidway::time::Time;
use eidway::wire::DATA_PORT;
use eidway::wire::data_header::DataHeader;
use etherparse::{Icmpv4Type, Icmpv6Type, SlicedPacket, TransportSlice};

use crate::topology::{End, Lan, Router, Topology};

/// The longest time for which a router may send packets to a LAN after a roaming host has left it
/// silently. The router watches its hosts every 5 s, and gives up a host after 3 s more. An answer
/// is valid for 30 s, and 5 s more pass before the host is asked.
const MISSED: Duration = Duration::from_secs(60);
/// The number of crossings that are kept for a report.
const LINES: usize = 60;

/// A rule that was violated.
#[derive(Clone, Debug)]
pub struct Violation {
    pub claim: &'static str,
    pub at: Time,
    pub detail: String,
}

/// An echo request or reply between hosts. It is the same on each link of its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Echo {
    source: IpAddr,
    destination: IpAddr,
    is_reply: bool,
    id: u16,
    seq: u16,
}

/// The nodes at the ends of a link.
#[derive(Clone, Debug)]
enum Ends {
    Cable([String; 2]),
    Lan { lan: Option<Lan>, router: String },
}

/// The numbers of packets that entered and left a node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passage {
    pub entered: u64,
    pub left: u64,
}

/// The number of crossings of a packet, and the number of times that a link duplicated it.
#[derive(Clone, Copy, Debug, Default)]
struct Journey {
    crossings: u32,
    doubled: u32,
}

pub struct Watch {
    links: BTreeMap<String, Ends>,
    hosts: BTreeMap<[u8; 6], String>,
    owners: BTreeMap<IpAddr, End>,
    names: BTreeMap<String, End>,
    journeys: BTreeMap<Echo, Journey>,
    /// The maximum number of crossings of a packet that no link duplicated.
    limit: u32,
    pub passages: BTreeMap<String, Passage>,
    /// For a roaming host and a site: the time since which the host is not on the first LAN of the
    /// site. There is no entry for the site at which the host is.
    gone: BTreeMap<(usize, usize), Time>,
    /// The last start of each router. `None` for a router that does not run.
    started: BTreeMap<String, Option<Time>>,
    pub violation: Option<Violation>,
    pub lines: Option<VecDeque<String>>,
}

impl Watch {
    pub fn new(topology: &Topology, roamers_at: &[usize], sim: &Sim, keep_lines: bool) -> Watch {
        let mut links = BTreeMap::new();
        let file = topology.lab(roamers_at);
        for (cable, link) in topology.cables().into_iter().zip(&file.links) {
            let nodes = [link.ends[0].node.clone(), link.ends[1].node.clone()];
            links.insert(topology.cable_name(cable), Ends::Cable(nodes));
        }
        for lan in topology.all_lans() {
            let router = Router::Xtr(lan.0).name();
            links.insert(lan.name(), Ends::Lan { lan: Some(lan), router });
        }
        let outside = Ends::Lan { lan: None, router: Router::Proxy.name() };
        links.insert("outside".to_owned(), outside);
        let mut hosts = BTreeMap::new();
        let mut owners = BTreeMap::new();
        let mut names = BTreeMap::new();
        for end in topology.ends() {
            if let Ok(host) = sim.host(&end.name()) {
                hosts.insert(host.mac(), end.name());
            }
            for family in Family::BOTH {
                owners.insert(topology.address(end, family), end);
            }
            names.insert(end.name(), end);
        }
        let mut gone = BTreeMap::new();
        for (n, &at) in roamers_at.iter().enumerate() {
            let elsewhere = (0..topology.sites()).filter(|&site| site != at);
            gone.extend(elsewhere.map(|site| ((n, site), Time::ZERO)));
        }
        let routers = topology.routers().into_iter();
        let limit = 2 * 2 + 2 + topology.cores as u32 + 4 * topology.sites() as u32;
        Watch {
            links,
            hosts,
            owners,
            names,
            journeys: BTreeMap::new(),
            limit,
            passages: BTreeMap::new(),
            gone,
            started: routers.map(|router| (router.name(), Some(Time::ZERO))).collect(),
            violation: None,
            lines: keep_lines.then(VecDeque::new),
        }
    }

    /// Notes that a roaming host moves from one site to another.
    pub fn moved(&mut self, roamer: usize, from: usize, to: usize, now: Time) {
        self.gone.insert((roamer, from), now);
        self.gone.remove(&(roamer, to));
    }

    /// Notes that a router's process begins or ends.
    pub fn runs(&mut self, router: Router, since: Option<Time>) {
        self.started.insert(router.name(), since);
    }

    pub fn say(&mut self, line: String) {
        if let Some(lines) = &mut self.lines {
            if lines.len() >= LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }

    fn violate(&mut self, claim: &'static str, crossing: &Crossing<'_>, why: &str) {
        let detail = format!("{why}: {crossing}");
        self.violation.get_or_insert(Violation { claim, at: crossing.time, detail });
    }

    pub fn see(&mut self, crossing: &Crossing<'_>) {
        if self.lines.is_some() {
            self.say(crossing.to_string());
        }
        let Some((echo, is_bare)) = innermost(crossing.packet, true) else { return };
        self.count(crossing, echo);
        self.follow(crossing, echo);
        if is_bare {
            self.look_at_lan(crossing, echo);
        }
    }

    fn count(&mut self, crossing: &Crossing<'_>, _: Echo) {
        let copies = match crossing.fate {
            Fate::Carried => 1,
            Fate::Doubled => 2,
            Fate::Lost => 0,
        };
        let to = match self.links.get(crossing.link) {
            Some(Ends::Cable(nodes)) => nodes.iter().find(|node| *node != crossing.from).cloned(),
            Some(Ends::Lan { router, .. }) => {
                let host = destination_mac(crossing).and_then(|mac| self.hosts.get(&mac));
                Some(host.unwrap_or(router).clone())
            }
            None => None,
        };
        self.passages.entry(crossing.from.to_owned()).or_default().left += 1;
        if let Some(to) = to {
            self.passages.entry(to).or_default().entered += copies;
        }
    }

    fn follow(&mut self, crossing: &Crossing<'_>, echo: Echo) {
        let journey = self.journeys.entry(echo).or_default();
        journey.crossings += 1;
        journey.doubled += u32::from(crossing.fate == Fate::Doubled);
        let (crossings, doubled) = (journey.crossings, journey.doubled);
        // A duplicated request has two answers.
        let (source, destination) = (echo.destination, echo.source);
        let asked = Echo { source, destination, is_reply: false, ..echo };
        let asked = self.journeys.get(&asked).filter(|_| echo.is_reply);
        let doubled = doubled + asked.map_or(0, |asked| asked.doubled);
        let allowed = self.limit << doubled.min(8);
        if crossings > allowed {
            let why = format!("{crossings} crossings, {allowed} are enough");
            self.violate("no packet circles", crossing, &why);
        }
    }

    /// Checks a packet without LISP on a LAN.
    fn look_at_lan(&mut self, crossing: &Crossing<'_>, echo: Echo) {
        let Some(Ends::Lan { lan, .. }) = self.links.get(crossing.link) else { return };
        let lan = *lan;
        let owner = self.owners.get(&echo.destination).copied();
        let for_host = destination_mac(crossing).and_then(|mac| self.hosts.get(&mac));
        if let Some(name) = for_host
            && self.names.get(name).copied() != owner
        {
            let why = format!("for {owner:?}, given to {name}");
            return self.violate("no packet is delivered to the wrong host", crossing, &why);
        }
        if self.names.contains_key(crossing.from) {
            return;
        }
        let (Some(lan), Some(owner)) = (lan, owner) else { return };
        let wrong = match owner {
            End::At(home) => home != lan,
            End::Roamer(n) => lan.1 != 0 || self.is_long_gone(n, lan.0, crossing),
            End::Outside => true,
        };
        if wrong {
            let why = format!("for {owner:?}, sent into {lan:?}");
            self.violate("no packet is delivered to the wrong site", crossing, &why);
        }
    }

    /// Whether the sending router has had enough time to notice that the host has left.
    fn is_long_gone(&self, roamer: usize, site: usize, crossing: &Crossing<'_>) -> bool {
        let long = |since: &Time| crossing.time.since(*since) > MISSED;
        let runs = self.started.get(crossing.from).and_then(|since| since.as_ref());
        runs.is_some_and(long) && self.gone.get(&(roamer, site)).is_some_and(long)
    }
}

fn destination_mac(crossing: &Crossing<'_>) -> Option<[u8; 6]> {
    crossing.frame.first_chunk().copied()
}

/// The echo in a packet, and whether it is not encapsulated.
fn innermost(packet: &[u8], is_bare: bool) -> Option<(Echo, bool)> {
    let header = IpHeader::parse(packet).ok()?;
    let echo = |is_reply, id, seq| {
        let (source, destination) = (header.source, header.destination);
        Some((Echo { source, destination, is_reply, id, seq }, is_bare))
    };
    match SlicedPacket::from_ip(packet).ok()?.transport? {
        TransportSlice::Udp(udp) if udp.destination_port() == DATA_PORT && is_bare => {
            innermost(DataHeader::parse(udp.payload()).ok()?.1, false)
        }
        TransportSlice::Icmpv4(icmp) => match icmp.icmp_type() {
            Icmpv4Type::EchoRequest(asked) => echo(false, asked.id, asked.seq),
            Icmpv4Type::EchoReply(asked) => echo(true, asked.id, asked.seq),
            _ => None,
        },
        TransportSlice::Icmpv6(icmp) => match icmp.icmp_type() {
            Icmpv6Type::EchoRequest(asked) => echo(false, asked.id, asked.seq),
            Icmpv6Type::EchoReply(asked) => echo(true, asked.id, asked.seq),
            _ => None,
        },
        _ => None,
    }
}
