//! The same packets through a router with the fast path and a router without it.

use std::time::Duration;

use aya::util::KernelVersion;
use eidway::rng::{Rng, Seed};
use serde_json::{Value, json};

use crate::cases::{self, Change, PLAN, Transport, Way};
use crate::compare::{differences, flows};
use crate::kernel_objects::Programs;
use crate::live::{LONG, can_run, until};
use crate::packets::set_v4_checksum;
use crate::world::{DataPath, Port, World};

/// The fuzzed packets, and the number of them between two comparisons.
const FUZZED: usize = 6000;
const VOLLEY: usize = 15;
/// The number of ordinary packets within which a flow gets into the kernel, also after a loss.
const WARM_UP: usize = 64;
/// The time for packets that leave a router after the marker.
const STRAGGLERS: Duration = Duration::from_millis(500);

/// The router without the fast path does not join packets: joined packets would share an ICMP error
/// and the identification of the first one.
const PACKET_BY_PACKET: &[&str] = &["--no-offload"];

/// A router with the fast path and a router without it.
pub struct Pair {
    pub worlds: [World; 2],
    pub programs: Programs,
    markers: u32,
    /// The counters at the last comparison.
    counted: [Value; 2],
}

impl Pair {
    /// Starts both, and lets them learn the mappings. The second router has the options
    /// `user_options`.
    pub fn new(user_options: &[&str]) -> Self {
        let user = World::with_options(DataPath::User, PLAN, user_options, &[]);
        let worlds = [World::new(DataPath::Kernel, PLAN), user];
        let programs = worlds[0].programs();
        let mut pair = Pair { worlds, programs, markers: 0, counted: Default::default() };
        for way in Way::all() {
            for _ in 0..2 {
                pair.send(way.port, &way.frames(Transport::Udp, &Change::none("")));
                let sent = way.inner(Transport::Udp).payload;
                until(LONG, &way.name, || pair.worlds.iter().all(|world| world.has_seen(&sent)));
                pair.settle();
            }
        }
        pair.compare();
        pair.compare_counters();
        pair
    }

    /// Sends ordinary packets until the kernel forwards them. Returns false if it does not do so,
    /// and prints the reasons.
    pub fn warm_up(&mut self, way: &Way, frames: &[Vec<u8>]) -> bool {
        let direction = usize::from(way.port == Port::Core);
        let (epoch, misses) = (self.programs.epoch(), self.programs.misses());
        for _ in 0..WARM_UP {
            let before = self.programs.hits()[direction];
            self.send(way.port, frames);
            self.settle();
            if self.programs.hits()[direction] > before {
                return true;
            }
        }
        let epochs = self.programs.epoch() - epoch;
        let now = self.programs.misses().into_iter().zip(misses);
        let misses: Vec<_> = now.map(|((miss, now), (_, before))| (miss, now - before)).collect();
        eprintln!("{}: no hit in {epochs} epochs: {misses:?}", way.name);
        false
    }

    pub fn send(&self, port: Port, frames: &[Vec<u8>]) {
        for frame in frames {
            self.worlds.iter().for_each(|world| world.send(port, frame));
        }
    }

    /// Waits until both routers have handled all packets. A packet with options passes each of them
    /// after the other packets, because the router itself forwards it.
    pub fn settle(&mut self) {
        self.markers += 1;
        for (port, inner, outer) in [(Port::Core, 0, 0), (Port::Core, 0, 1), (Port::Site, 0, 0)] {
            let label = format!("marker {} {outer} {port:?}", self.markers);
            let frame = Way::new(port, inner, outer).marker(&label);
            self.send(port, &[frame]);
            let passed = |world: &World| world.has_seen(label.as_bytes());
            until_soon(&label, || self.worlds.iter().all(passed));
        }
    }

    /// Compares the packets that left both routers. Returns the differences.
    pub fn compare(&mut self) -> Vec<String> {
        self.compare_by(|_| ())
    }

    /// Compares the packets that left both routers after a change of them.
    pub fn compare_by(&mut self, change: fn(&mut [(Port, Vec<u8>)])) -> Vec<String> {
        self.settle();
        let mut waited = Duration::from_millis(2);
        std::thread::sleep(waited);
        loop {
            let mut frames = [0, 1].map(|number: usize| self.worlds[number].take_seen());
            frames.iter_mut().for_each(|frames| change(frames));
            let [kernel, user] = [0, 1].map(|number: usize| flows(&frames[number], &cases::own()));
            let found = differences(&kernel, &user);
            if found.is_empty() || waited > STRAGGLERS {
                return found;
            }
            for (world, frames) in self.worlds.iter().zip(frames) {
                world.put_back(frames);
            }
            std::thread::sleep(Duration::from_millis(50));
            waited += Duration::from_millis(50);
        }
    }

    /// Compares the changes of the counters of both routers since the last comparison. Returns the
    /// differences.
    pub fn compare_counters(&mut self) -> Vec<String> {
        let now = [0, 1].map(|number: usize| counters(&mut self.worlds[number]));
        let [kernel, user] = [0, 1].map(|number: usize| grown(&self.counted[number], &now[number]));
        self.counted = now;
        let mut found = Vec::new();
        differ("", &kernel, &user, &mut found);
        found
    }
}

/// Polls like [`until`], but without a long sleep.
fn until_soon(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    until(LONG, what, is_so);
}

/// The counters that both routers must share.
fn counters(world: &mut World) -> Value {
    let mut statistics = world.json("show ip lisp statistics json");
    for name in ["last_cleared", "descriptors"] {
        statistics.as_object_mut().unwrap().remove(name);
    }
    // These are messages of the kernel about `lisp0` itself, which come at any time.
    statistics["drops"].as_object_mut().unwrap().remove("link-scoped");
    let mut caches = Vec::new();
    for family in ["ip", "ipv6"] {
        let mut cache = world.json(&format!("show {family} lisp map-cache json"));
        remove_times(&mut cache);
        caches.push(cache);
    }
    json!({ "statistics": statistics, "map-caches": caches })
}

/// Removes the fields that are times.
fn remove_times(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for name in ["uptime", "expires", "last_modified", "last_used"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(remove_times);
        }
        Value::Array(items) => items.iter_mut().for_each(remove_times),
        _ => {}
    }
}

/// The numbers of `new`, less those of `old` at the same places.
fn grown(old: &Value, new: &Value) -> Value {
    match new {
        Value::Object(fields) => {
            let grown = |(name, value): (&String, &Value)| (name.clone(), grown(&old[name], value));
            Value::Object(fields.iter().map(grown).collect())
        }
        Value::Array(items) => {
            let grown = |(number, item): (usize, &Value)| grown(&old[number], item);
            Value::Array(items.iter().enumerate().map(grown).collect())
        }
        Value::Number(number) => {
            let old = old.as_i64().unwrap_or_default();
            number.as_i64().map_or(new.clone(), |number| (number - old).into())
        }
        _ => new.clone(),
    }
}

/// Lists the places at which two values differ.
fn differ(at: &str, kernel: &Value, user: &Value, found: &mut Vec<String>) {
    match (kernel, user) {
        (Value::Object(one), Value::Object(other)) if one.len() == other.len() => {
            for (name, value) in one {
                differ(&format!("{at}/{name}"), value, &other[name], found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (number, (one, other)) in one.iter().zip(other).enumerate() {
                differ(&format!("{at}/{number}"), one, other, found);
            }
        }
        _ if kernel != user => found.push(format!("{at}: kernel {kernel}, user {user}")),
        _ => {}
    }
}

#[test]
fn known_flows_leave_a_router_with_the_fast_path_as_without_it() {
    if !can_run() {
        return;
    }
    let mut pair = Pair::new(&[]);
    let before = pair.programs.hits();
    let (mut out, mut inbound) = (0, 0);
    let kernel = KernelVersion::current().unwrap();
    for way in Way::all() {
        for transport in [Transport::Udp, Transport::Tcp, Transport::Echo] {
            let frames = way.frames(transport, &Change::none(""));
            for number in 0..20 {
                pair.send(way.port, &frames);
                if number < 3 {
                    pair.settle();
                }
            }
            let found = [pair.compare(), pair.compare_counters()].concat();
            assert!(found.is_empty(), "{}, {transport:?}:\n{}", way.name, found.join("\n"));
            match way.port {
                _ if !way.is_possible(kernel) => {}
                Port::Site => out += 17,
                Port::Core => inbound += 17,
            }
        }
    }
    let hits = pair.programs.hits();
    let hits = [hits[0] - before[0], hits[1] - before[1]];
    assert!(hits[0] >= out && hits[1] >= inbound, "{hits:?} hits of {out} and {inbound} packets");
}

#[test]
fn changed_packets_leave_a_router_with_the_fast_path_as_without_it() {
    if !can_run() {
        return;
    }
    let mut pair = Pair::new(PACKET_BY_PACKET);
    let (mut all, mut cases) = (Vec::new(), 0);
    for way in Way::all() {
        let good = way.frames(Transport::Udp, &Change::none(""));
        for change in cases::changes().iter().filter(|change| change.is_for(&way)) {
            let odd = way.frames(Transport::Udp, change);
            assert!(pair.warm_up(&way, &good), "{}: the kernel does not forward", way.name);
            for frames in [&good, &odd, &good] {
                pair.send(way.port, frames);
            }
            pair.settle();
            // The kernel may know the changed packet now.
            for frames in [&odd, &good] {
                pair.send(way.port, frames);
            }
            pair.settle();
            for frames in [&odd, &odd, &good] {
                pair.send(way.port, frames);
            }
            cases += 1;
            let found = [pair.compare(), pair.compare_counters()].concat();
            if !found.is_empty() {
                all.push(format!("{}: {}:\n{}", way.name, change.name, found.join("\n")));
            }
        }
    }
    eprintln!("{cases} cases, hits {:?}", pair.programs.hits());
    assert!(all.is_empty(), "{} of {cases} cases:\n{}", all.len(), all.join("\n"));
}

#[test]
fn fuzzed_headers_leave_a_router_with_the_fast_path_as_without_it() {
    if !can_run() {
        return;
    }
    let mut pair = Pair::new(PACKET_BY_PACKET);
    let mut rng = Rng::new(&Seed::from_number(18), "headers");
    let ways = Way::all();
    let transports = [Transport::Udp, Transport::Tcp, Transport::Echo];
    let mut cold = 0;
    for number in 0..FUZZED / VOLLEY {
        let way = &ways[rng.below(ways.len() as u64) as usize];
        let transport = transports[rng.below(3) as usize];
        // A flow of its own: packets of the last volley may be on their way for a long time.
        let ports = Change::ports(5000 + number as u16);
        let good = way.frames(transport, &ports);
        cold += u32::from(!pair.warm_up(way, &good));
        let mut sent = Vec::new();
        for _ in 0..VOLLEY {
            let frame = mutated(&good[0], &mut rng);
            pair.send(way.port, std::slice::from_ref(&frame));
            pair.send(way.port, &good);
            sent.push(crate::compare::hex(&frame));
        }
        let found = [pair.compare(), pair.compare_counters()].concat();
        let (found, sent) = (found.join("\n"), sent.join("\n"));
        assert!(found.is_empty(), "{}, {transport:?}:\n{found}\nsent:\n{sent}", way.name);
    }
    eprintln!("{FUZZED} packets, {cold} cold flows, hits {:?}", pair.programs.hits());
    assert!(cold < (FUZZED / VOLLEY / 20) as u32, "the kernel does not forward {cold} flows");
}

/// Changes one to three octets of the packet in a frame. The addresses stay: so the packet is not
/// for a host that the test does not know. Sometimes the checksums of the headers become right
/// again.
fn mutated(frame: &[u8], rng: &mut Rng) -> Vec<u8> {
    let mut frame = frame.to_vec();
    for _ in 0..=rng.below(3) {
        let at = 14 + rng.below(frame.len() as u64 - 14) as usize;
        let is_address = |start: usize| match frame.get(start).map(|first| first >> 4) {
            Some(4) => (start + 12..start + 20).contains(&at),
            Some(6) => (start + 8..start + 40).contains(&at),
            _ => false,
        };
        if !is_address(14) && !inner_start(&frame).is_some_and(is_address) {
            frame[at] = match rng.below(3) {
                0 => frame[at] ^ 1 << rng.below(8),
                _ => rng.next_u64() as u8,
            };
        }
    }
    if rng.below(2) == 0 {
        let inner = inner_start(&frame);
        for start in [Some(14), inner].into_iter().flatten() {
            if frame[start] >> 4 == 4 {
                set_v4_checksum(&mut frame[start..]);
            }
        }
    }
    frame
}

/// The place of the inner packet in a frame of the core.
fn inner_start(frame: &[u8]) -> Option<usize> {
    let header_len = if frame[14] >> 4 == 6 { 40 } else { 20 };
    let start = 14 + header_len + 16;
    let is_data = frame.get(14 + header_len + 2..14 + header_len + 4) == Some(&[0x10, 0xf5]);
    (is_data && frame.len() > start).then_some(start)
}
