//! Plays the table of cases in one of the two worlds.

use std::collections::{BTreeSet, VecDeque};

use eidway::record::Reader;
use eidway::wire::{CONTROL_PORT, Message};
use etherparse::{SlicedPacket, TransportSlice};

use crate::cases::{CASES, CORE_ADDRESS, HOST_ADDRESS, OWN_CORE, OWN_SITE};
use crate::frames::{CORE, HOST, answers, show_frame};
use crate::kinds::{InputKind, OutputKind};

/// A world that has a router: the driver or the simulator.
pub trait World {
    /// A frame arrives at a port.
    fn frame(&mut self, port: &str, frame: &[u8]);
    /// A command is run in the namespace of the router.
    fn hand(&mut self, command: &str);
    /// The operator types a line at the console.
    fn console(&mut self, line: &str);
    /// The process of the router is told to stop.
    fn stop(&mut self);
    /// Lets some milliseconds pass. Returns the frames that left the router, each with its port.
    fn run(&mut self) -> Vec<(&'static str, Vec<u8>)>;
    /// The record of the router so far.
    fn record(&self) -> Vec<u8>;
}

/// An action on the router, and its effects.
pub struct Case {
    pub name: &'static str,
    pub act: fn(&mut Play<'_>),
    /// Texts that must occur in the lines about frames that leave the router.
    pub seen: &'static [&'static str],
    /// Kinds of inputs that must cross the border. Other kinds may cross it too.
    pub inputs: &'static [InputKind],
    pub outputs: &'static [OutputKind],
}

/// A world, and the output of its router.
pub struct Play<'a> {
    pub world: &'a mut dyn World,
    /// The last IP packets that left by the port to the core. The newest packet is the first.
    pub packets: VecDeque<Vec<u8>>,
    lines: Vec<String>,
}

/// How often the world runs for one case at most. Each run takes ten milliseconds.
const RUNS: usize = 500;
/// The maximum number of packets that are kept.
const PACKETS: usize = 64;

/// Plays the table. Returns the kinds of all inputs that crossed the border.
pub fn play(world: &mut dyn World) -> BTreeSet<InputKind> {
    let mut play = Play { world, packets: VecDeque::new(), lines: Vec::new() };
    let (mut crossed, mut steps) = (BTreeSet::new(), 0);
    for case in CASES {
        play.lines.clear();
        (case.act)(&mut play);
        let mut done = false;
        let (mut inputs, mut outputs) = (BTreeSet::new(), BTreeSet::new());
        for _ in 0..RUNS {
            play.run();
            let (read, come, gone) = play.crossed(steps);
            (inputs, outputs) = (come, gone);
            let is_seen = |part: &&str| play.lines.iter().any(|line| line.contains(*part));
            done = case.seen.iter().all(is_seen)
                && case.inputs.iter().all(|kind| inputs.contains(kind))
                && case.outputs.iter().all(|kind| outputs.contains(kind));
            if done {
                steps = read;
                break;
            }
        }
        let (name, lines) = (case.name, &play.lines);
        assert!(
            done,
            "{name}: expected {:?}, {:?} and {:?}, but saw {lines:#?}, {inputs:?} and {outputs:?}",
            case.seen, case.inputs, case.outputs
        );
        crossed.extend(inputs);
    }
    crossed
}

impl Play<'_> {
    /// Lets time pass. The two neighbours of the router answer questions for their hardware
    /// addresses.
    pub fn run(&mut self) {
        for (port, frame) in self.world.run() {
            let Some(line) = show_frame(port, &frame) else { continue };
            for (host, mac, asker) in
                [(CORE_ADDRESS, CORE, OWN_CORE), (HOST_ADDRESS, HOST, OWN_SITE)]
            {
                if line.contains(&format!("who has {host},")) {
                    self.world.frame(port, &answers(port, mac, host, asker));
                }
            }
            if port == "et0-0" && frame[12..14] == [8, 0] {
                self.packets.push_front(frame[14..].to_vec());
                self.packets.truncate(PACKETS);
            }
            self.lines.push(line);
        }
    }

    /// The result of `read` for the newest packet that has a result.
    pub fn newest<T>(&self, read: impl Fn(&[u8]) -> Option<T>) -> T {
        self.packets.iter().find_map(|packet| read(packet)).unwrap()
    }

    /// The number of steps in the record. Also the kinds of inputs and outputs in the steps with a
    /// number greater than `after`.
    fn crossed(&self, after: usize) -> (usize, BTreeSet<InputKind>, BTreeSet<OutputKind>) {
        let record = self.world.record();
        let mut reader = Reader::open(&record[..]).unwrap();
        let (mut read, mut inputs, mut outputs) = (0, BTreeSet::new(), BTreeSet::new());
        // The last step of the record may be incomplete.
        while let Ok(Some((step, outcome))) = reader.next_step() {
            read += 1;
            if read > after {
                inputs.extend(InputKind::of_call(&step.call));
                outputs.extend(outcome.outputs.iter().map(OutputKind::of));
            }
        }
        (read, inputs, outputs)
    }
}

/// The control message in a packet, if the packet goes to port 4342.
pub fn message(packet: &[u8]) -> Option<Message> {
    let sliced = SlicedPacket::from_ip(packet).ok()?;
    match sliced.transport? {
        TransportSlice::Udp(udp) if udp.destination_port() == CONTROL_PORT => {
            Message::parse(udp.payload()).ok()
        }
        _ => None,
    }
}
