//! Several routers in one test. A message to the RLOC of another router arrives there immediately,
//! by UDP, by TCP, or encapsulated. Time is common to all routers.

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use eidway::router::io::{
    Connection, ControlDatagram, DropReason, Encapsulation, Inbound, Input, KernelRequest,
    Outbound, Outer, Output, TcpEvent, TcpRequest,
};
use eidway::router::{Router, debug};
use eidway::time::Time;
use eidway::wire::{FrameReader, Message, ReliableMessage};

use crate::bench::Bench;

/// A message with its time, its sender and its receiver.
#[derive(Debug)]
pub struct Sent {
    pub at: Time,
    pub from: &'static str,
    pub to: &'static str,
    pub what: What,
}

#[derive(Debug)]
pub enum What {
    Udp(Message),
    Tcp(ReliableMessage),
    Syn,
}

/// The result of a packet of EIDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The packet is delivered to the site of this router.
    Delivered(&'static str),
    /// The packet leaves this router natively.
    Native(&'static str),
    /// The packet waits at this router.
    Held(&'static str),
    /// The packet is dropped at this router.
    Dropped(&'static str, DropReason),
}

pub struct Relay {
    pub nodes: BTreeMap<&'static str, Bench>,
    rlocs: BTreeMap<IpAddr, &'static str>,
    pipes: BTreeMap<(&'static str, Connection), (&'static str, Connection)>,
    accepted: u64,
    pub said: Vec<Sent>,
    /// UDP messages from the first router to the second router are lost.
    pub deaf: Option<(&'static str, &'static str)>,
    pub debug: Vec<(&'static str, String)>,
    pub kernel: Vec<(&'static str, KernelRequest)>,
    pub now: Time,
}

impl Relay {
    /// Starts the routers and waits until they have registered. Each router has a name, an RLOC and
    /// a configuration.
    pub fn new(routers: &[(&'static str, &'static str, String)]) -> Self {
        let mut relay = Relay {
            nodes: BTreeMap::new(),
            rlocs: BTreeMap::new(),
            pipes: BTreeMap::new(),
            accepted: Connection::ACCEPTED,
            said: Vec::new(),
            deaf: None,
            debug: Vec::new(),
            kernel: Vec::new(),
            now: Time::ZERO,
        };
        for (name, rloc, config) in routers {
            relay.rlocs.insert(rloc.parse().unwrap(), name);
            relay.nodes.insert(name, Bench::new(config));
        }
        relay.advance(Duration::from_secs(1));
        relay
    }

    pub fn router(&self, name: &str) -> &Router {
        &self.nodes[name].router
    }

    /// Changes a router, and then delivers all messages that follow.
    pub fn at(&mut self, name: &str, change: impl FnOnce(&mut Bench)) {
        change(self.nodes.get_mut(name).unwrap());
        self.settle();
    }

    /// Removes a router as `kill -9` does. Its connections are closed.
    pub fn kill(&mut self, name: &'static str) {
        self.nodes.remove(name);
        let fallen: Vec<_> = self.pipes.iter().filter(|((node, _), _)| *node == name).collect();
        let fallen: Vec<_> = fallen.into_iter().map(|(one, other)| (*one, *other)).collect();
        for (one, (node, connection)) in fallen {
            self.pipes.remove(&one);
            self.pipes.remove(&(node, connection));
            self.input(node, Input::Tcp(TcpEvent::Closed(connection)));
        }
        self.settle();
    }

    /// Lets time pass and handles each deadline of each router when it is due.
    pub fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        self.settle();
        loop {
            let due = self.nodes.values().filter_map(|bench| bench.router.poll_timeout());
            let Some(at) = due.map(|deadline| deadline.at).min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(at);
            let now = self.now;
            for bench in self.nodes.values_mut() {
                bench.now = now;
                bench.router.handle_timeout(now);
            }
            self.settle();
        }
        self.now = end;
        for bench in self.nodes.values_mut() {
            bench.now = end;
        }
    }

    /// Sends a packet into the `lisp0` of a router. Returns the result.
    pub fn send(&mut self, from: &'static str, packet: &[u8]) -> Fate {
        let mut bytes = packet.to_vec();
        let outbound = self.nodes.get_mut(from).unwrap().encapsulate(&mut bytes);
        let fate = match outbound {
            Outbound::Encapsulate(outer) => self.arrive(outer, bytes),
            Outbound::Native => Fate::Native(from),
            Outbound::Held => Fate::Held(from),
            Outbound::Dropped(reason) => Fate::Dropped(from, reason),
        };
        self.settle();
        fate
    }

    fn arrive(&mut self, outer: Encapsulation, inner: Vec<u8>) -> Fate {
        let to = self.rlocs[&outer.destination.0];
        let mut datagram = [&outer.header[..], &inner].concat();
        let header = Outer {
            source: outer.source.0,
            destination: outer.destination.0,
            ttl: outer.ttl.saturating_sub(2),
            tos: outer.tos,
        };
        let inbound = self.nodes.get_mut(to).unwrap().decapsulate_from(&header, &mut datagram);
        match inbound {
            Inbound::Deliver { .. } => Fate::Delivered(to),
            Inbound::Forward { encapsulation, len } => {
                self.arrive(encapsulation, datagram[8..8 + len].to_vec())
            }
            Inbound::Held => Fate::Held(to),
            Inbound::Dropped(reason) => Fate::Dropped(to, reason),
        }
    }

    fn input(&mut self, name: &str, input: Input<'_>) {
        if let Some(bench) = self.nodes.get_mut(name) {
            bench.router.handle(input, bench.now);
        }
    }

    fn settle(&mut self) {
        loop {
            let mut outputs: VecDeque<(&'static str, Output)> = VecDeque::new();
            for (name, bench) in &mut self.nodes {
                bench.drain();
                let events = bench.events();
                let debugging = bench.router.debugging();
                let wanted = events.iter().filter(|event| debugging.wants(event));
                let lines = wanted.flat_map(debug::lines);
                self.debug.extend(lines.map(|line| (*name, line)));
                outputs.extend(bench.outputs().into_iter().map(|output| (*name, output)));
            }
            if outputs.is_empty() {
                return;
            }
            for (from, output) in outputs {
                self.carry(from, output);
            }
        }
    }

    fn carry(&mut self, from: &'static str, output: Output) {
        match output {
            Output::Control { source, destination, payload, .. } => {
                let Some(&to) = self.rlocs.get(&destination.ip()) else { return };
                if self.deaf == Some((from, to)) {
                    return;
                }
                let what = What::Udp(Message::parse(&payload).unwrap());
                self.said.push(Sent { at: self.now, from, to, what });
                let destination = destination.ip();
                let datagram = ControlDatagram { source, destination, payload: &payload };
                self.input(to, Input::Control(datagram));
            }
            Output::Encapsulate(outer, packet) => {
                self.arrive(outer, packet.bytes);
            }
            Output::Tcp(request) => self.carry_tcp(from, request),
            Output::Kernel(request) => self.kernel.push((from, request)),
            Output::Native(..) | Output::Process(_) | Output::Nonce(_) | Output::Event(_) => {}
        }
    }

    fn carry_tcp(&mut self, from: &'static str, request: TcpRequest) {
        match request {
            TcpRequest::Connect { connection, source, destination } => {
                let to = self.rlocs[&destination.0];
                self.said.push(Sent { at: self.now, from, to, what: What::Syn });
                let listens =
                    self.nodes.get(to).is_some_and(|bench| bench.router.config().listens_on_tcp());
                if !listens {
                    return self.input(from, Input::Tcp(TcpEvent::Refused(connection)));
                }
                let other = Connection(self.accepted);
                self.accepted += 1;
                self.pipes.insert((from, connection), (to, other));
                self.pipes.insert((to, other), (from, connection));
                let peer = SocketAddr::new(source.0, 33_000);
                self.input(from, Input::Tcp(TcpEvent::Connected { connection, local: peer }));
                let local = destination.0;
                let accepted = TcpEvent::Accepted { connection: other, peer, local };
                self.input(to, Input::Tcp(accepted));
            }
            TcpRequest::Send(connection, octets, _) => {
                let Some(&(to, other)) = self.pipes.get(&(from, connection)) else { return };
                let mut frames = FrameReader::new();
                frames.push(&octets);
                for frame in frames {
                    let what = What::Tcp(frame.unwrap().message);
                    self.said.push(Sent { at: self.now, from, to, what });
                }
                self.input(to, Input::Tcp(TcpEvent::Bytes(other, &octets)));
            }
            TcpRequest::Close(connection) => {
                let Some((to, other)) = self.pipes.remove(&(from, connection)) else { return };
                self.pipes.remove(&(to, other));
                self.input(to, Input::Tcp(TcpEvent::Closed(other)));
                self.input(from, Input::Tcp(TcpEvent::Closed(connection)));
            }
        }
    }

    /// Gives a router octets from its connection with another router.
    pub fn inject(&mut self, from: &'static str, to: &'static str, octets: &[u8]) {
        let pipe = self.pipes.iter().find(|((node, _), (other, _))| *node == to && *other == from);
        let (&(_, connection), _) = pipe.unwrap();
        self.input(to, Input::Tcp(TcpEvent::Bytes(connection, octets)));
        self.settle();
    }

    /// Forgets the earlier messages, so that a test sees only the next messages.
    pub fn listen(&mut self) {
        self.said.clear();
        self.debug.clear();
        self.kernel.clear();
    }

    /// The UDP messages that one router sent to another.
    pub fn udp(&self, from: &str, to: &str) -> Vec<(Time, &Message)> {
        let said = self.said.iter().filter(|said| said.from == from && said.to == to);
        said.filter_map(|said| match &said.what {
            What::Udp(message) => Some((said.at, message)),
            What::Tcp(_) | What::Syn => None,
        })
        .collect()
    }

    /// The messages of reliable transport that one router sent to another.
    pub fn tcp(&self, from: &str, to: &str) -> Vec<&ReliableMessage> {
        let said = self.said.iter().filter(|said| said.from == from && said.to == to);
        said.filter_map(|said| match &said.what {
            What::Tcp(message) => Some(message),
            What::Udp(_) | What::Syn => None,
        })
        .collect()
    }
}
