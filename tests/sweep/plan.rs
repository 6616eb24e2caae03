//! The plan of a run: a topology and its faults. A seed makes the plan, and it can be printed as
//! Rust code.

use std::fmt;

use eidway::rng::{Rng, Seed};

use crate::topology::{Cable, End, Kind, Lan, Router, Topology};

/// How a host is plugged into another LAN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Atomic,
    /// The host is in no LAN for this number of milliseconds.
    Gap(u64),
    /// The host is in both LANs for this number of milliseconds.
    Both(u64),
}

/// An event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A roaming host goes to the first LAN of a site.
    Move(usize, usize, How),
    LanDown(Lan),
    LanUp(Lan),
    CableDown(Cable),
    CableUp(Cable),
    /// Loss, duplication and reordering in percent, jitter in milliseconds.
    Impair(Cable, [u8; 3], u64),
    /// As `kill -9`.
    Kill(Router),
    /// As SIGTERM.
    Stop(Router),
    Start(Router),
    /// The key of a site for a server becomes wrong, or becomes right again.
    WrongKey(usize, usize),
    RightKey(usize, usize),
    /// The database-mappings of a LAN are taken out of the configuration, or put back.
    Unmap(Lan),
    Map(Lan),
    /// A ping of IPv6 or IPv4, with this number of echo requests, one a second.
    Ping(End, End, bool, u16),
}

/// A plan. Each event has its time in milliseconds after the registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of the simulator's own randomness.
    pub seed: u64,
    pub topology: Topology,
    /// The site at which each roaming host begins.
    pub roamers_at: Vec<usize>,
    pub events: Vec<(u64, Event)>,
}

impl fmt::Display for Plan {
    /// Writes the plan as Rust code for a test.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Topology { servers, lans, roamers, overlap, proxy, cores, delay_ms } = &self.topology;
        writeln!(f, "Plan {{\n    seed: {},", self.seed)?;
        writeln!(f, "    topology: Topology {{")?;
        writeln!(f, "        servers: vec!{servers:?},\n        lans: vec!{lans:?},")?;
        writeln!(f, "        roamers: {roamers},\n        overlap: {overlap},")?;
        writeln!(f, "        proxy: {proxy},\n        cores: {cores},")?;
        writeln!(f, "        delay_ms: {delay_ms},\n    }},")?;
        writeln!(f, "    roamers_at: vec!{:?},\n    events: vec![", self.roamers_at)?;
        for (at, event) in &self.events {
            writeln!(f, "        ({at}, {event:?}),")?;
        }
        write!(f, "    ],\n}}")
    }
}

/// Draws random values for the generator.
struct Dice(Rng);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound as u64) as usize
    }

    fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.0.below(most - least + 1)
    }

    fn in_percent(&mut self, percent: u64) -> bool {
        self.0.below(100) < percent
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

impl Plan {
    /// The run of a seed.
    pub fn generate(seed: u64) -> Plan {
        let mut dice = Dice(Rng::new(&Seed::from_number(seed), "sweep"));
        let topology = topology(&mut dice);
        let roamers_at = (0..topology.roamers).map(|_| dice.below(topology.sites())).collect();
        let span = dice.between(10, 120) * 1000;
        let mut events = Vec::new();
        for _ in 0..dice.between(2, 12) {
            let at = dice.between(0, span);
            fault(&mut dice, &topology, at, &mut events);
        }
        for _ in 0..dice.between(2, 16) {
            let (from, to) = (dice.one(&topology.ends()), dice.one(&topology.ends()));
            let at = dice.between(0, span);
            if from != to {
                let count = dice.between(1, 60) as u16;
                events.push((at, Event::Ping(from, to, dice.in_percent(40), count)));
            }
        }
        events.sort_by_key(|(at, _)| *at);
        Plan { seed, topology, roamers_at, events }
    }
}

fn topology(dice: &mut Dice) -> Topology {
    use Kind::{New, Old};
    let servers = match dice.below(5) {
        0 => vec![New],
        1 => vec![Old],
        2 => vec![New, New],
        3 => vec![New, Old],
        _ => vec![Old, New],
    };
    let sites = [2, 2, 2, 3, 3, 4, 5][dice.below(7)];
    let mut lans: Vec<usize> = (0..sites).map(|_| [1, 1, 2, 3][dice.below(4)]).collect();
    // Overlapping prefixes need reliable registration.
    let overlap = servers.contains(&New) && dice.in_percent(40);
    if overlap {
        lans[1] += 1;
    }
    Topology {
        servers,
        lans,
        roamers: [0, 1, 1, 2, 3][dice.below(5)],
        overlap,
        proxy: dice.in_percent(50),
        cores: dice.between(1, 3) as usize,
        delay_ms: [0, 1, 5, 20][dice.below(4)],
    }
}

/// Adds a fault, and in most cases the end of the fault.
fn fault(dice: &mut Dice, topology: &Topology, at: u64, events: &mut Vec<(u64, Event)>) {
    let later = at + [50, 900, 4000, 15_000, 45_000, 100_000][dice.below(6)] + dice.between(0, 999);
    let lan = dice.one(&topology.all_lans());
    let cable = dice.one(&topology.cables());
    let router = dice.one(&topology.routers());
    let (site, server) = (dice.below(topology.sites()), dice.below(topology.servers.len()));
    let heals = dice.in_percent(75);
    let mut pair = |fault, end: Option<Event>| {
        events.push((at, fault));
        events.extend(end.map(|end| (later, end)));
    };
    match dice.below(100) {
        0..30 if topology.roamers > 0 => {
            let roamer = dice.below(topology.roamers);
            let how = match dice.below(3) {
                0 => How::Atomic,
                1 => How::Gap(dice.between(1, 3000)),
                _ => How::Both(dice.between(1, 2000)),
            };
            pair(Event::Move(roamer, site, how), None);
        }
        30..45 => pair(Event::LanDown(lan), heals.then_some(Event::LanUp(lan))),
        45..60 => pair(Event::CableDown(cable), Some(Event::CableUp(cable))),
        60..70 => {
            let percent = |dice: &mut Dice| dice.one(&[0, 0, 5, 30, 80]);
            let percents = [percent(dice), percent(dice), percent(dice)];
            pair(Event::Impair(cable, percents, dice.between(0, 40)), None);
        }
        70..82 => {
            let end = if dice.in_percent(80) { Event::Kill(router) } else { Event::Stop(router) };
            pair(end, Some(Event::Start(router)));
        }
        82..90 => {
            pair(Event::WrongKey(site, server), Some(Event::RightKey(site, server)));
        }
        _ => pair(Event::Unmap(lan), heals.then_some(Event::Map(lan))),
    }
}
