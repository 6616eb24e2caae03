//! A router on virtual time. Its outputs are written in the words of the scripts.

use std::collections::VecDeque;

use eidway::addr::Family;
use eidway::console::client::{Client, InProcess};
use eidway::console::hosts::NoHosts;
use eidway::console::{Session, parse_config};
use eidway::packet::Packet;
use eidway::rng::Seed;
use eidway::router::config::Config;
use eidway::router::io::{
    Command, ControlDatagram, Inbound, Input, KernelEvent, KernelRoute, Mac, NeighbourState,
    Outbound, Output,
};
use eidway::router::kept::KeptNonces;
use eidway::router::{Router, Start};
use eidway::time::Time;
use eidway::wire::Message;

use super::message::{self, read, socket};
use super::packet;
use super::phrase::Phrase;

/// The length of the LISP header in octets. A delivered packet no longer has this header.
const LISP_HEADER_LEN: usize = 8;
const MTU: u32 = 1500;
/// The maximum number of turns without progress of time. A router never has work for so many turns.
const TURNS: usize = 100_000;

/// An output of the router.
pub struct Event {
    pub at: Time,
    pub text: String,
    pub phrase: Phrase,
    /// The octets of the message, if the output is a message.
    pub octets: Vec<u8>,
}

pub struct Bench {
    router: Router,
    pub now: Time,
    pub events: VecDeque<Event>,
    turns: usize,
    /// The nonces that the router keeps during a restart.
    kept: KeptNonces,
}

impl Bench {
    /// A router whose interfaces are up and whose kernel has routes to the connected networks.
    pub fn new(name: &str, config: &str) -> Result<Self, String> {
        let config = parse_config(name, config).map_err(|error| error.to_string())?;
        let now = Time::ZERO;
        let (events, kept) = (VecDeque::new(), KeptNonces::default());
        let mut bench = Bench { router: started(config, now), now, events, turns: 0, kept };
        bench.wire_up();
        Ok(bench)
    }

    /// The process of the router ends without a message and starts again.
    fn restart(&mut self) {
        self.router = started(self.router.config().clone(), self.now);
        self.router.handle(Input::Nonces(self.kept.clone()), self.now);
        self.wire_up();
    }

    /// Reports the links and the routes to their networks to the router.
    fn wire_up(&mut self) {
        let interfaces: Vec<_> = self.router.config().addresses().collect();
        for (name, _) in &interfaces {
            self.link(&name.device(), true);
        }
        let routes = interfaces.iter().map(|(name, net)| KernelRoute {
            prefix: net.trunc(),
            device: name.device(),
            gateway: None,
            metric: 0,
        });
        self.kernel(KernelEvent::Routes(routes.collect()));
    }

    fn link(&mut self, device: &str, up: bool) {
        let device = device.to_owned();
        self.kernel(KernelEvent::Link { device, up, carrier: up, mtu: MTU });
    }

    fn kernel(&mut self, event: KernelEvent) {
        self.router.handle(Input::Kernel(event), self.now);
        self.drain();
    }

    pub fn configure(&mut self, name: &str, config: &str) -> Result<(), String> {
        let config = parse_config(name, config).map_err(|error| error.to_string())?;
        self.router.handle(Input::Configure(Box::new(config)), self.now);
        self.drain();
        Ok(())
    }

    /// Gives the router the input that a phrase describes. `change` may change the octets of the
    /// input.
    pub fn give(
        &mut self,
        phrase: &Phrase,
        change: impl Fn(&mut Vec<u8>) -> Result<(), String>,
    ) -> Result<(), String> {
        match (phrase.name, &phrase.fields.head[..]) {
            ("control", _) => {
                let (from, to) = phrase.path()?;
                let mut payload = message::octets(phrase.within()?)?;
                change(&mut payload)?;
                let (source, destination) = (socket(from)?, read(to)?);
                let datagram = ControlDatagram { source, destination, payload: &payload };
                self.router.handle(Input::Control(datagram), self.now);
                self.drain();
            }
            ("lisp0", _) => {
                let mut bytes = packet::octets(phrase.within()?)?;
                change(&mut bytes)?;
                self.encapsulate(&mut bytes)?;
            }
            ("data", _) => self.decapsulate(phrase, change)?,
            ("link", [device, state]) if state == "up" || state == "down" => {
                self.link(device, state == "up");
            }
            ("route", [prefix]) => {
                let device = phrase.fields.word("dev").ok_or("`dev DEVICE` expected")?.to_owned();
                let prefix = read(prefix)?;
                let route = KernelRoute { prefix, device, gateway: None, metric: 0 };
                self.kernel(match phrase.fields.flag("gone") {
                    true => KernelEvent::RouteRemoved(route),
                    false => KernelEvent::RouteAdded(route),
                });
            }
            ("neighbour", [device, address, state]) if state == "known" || state == "failed" => {
                let state = match state == "known" {
                    true => NeighbourState::Known(Mac([2, 0, 0, 0, 0, 1])),
                    false => NeighbourState::Failed,
                };
                let (device, address) = (device.clone(), read(address)?);
                self.kernel(KernelEvent::Neighbour { device, address, state });
            }
            ("clear", [what]) if what == "map-cache" => {
                for family in Family::BOTH {
                    let clear = Command::ClearMapCache { family, prefix: None };
                    self.router.handle(Input::Command(clear), self.now);
                }
                self.drain();
            }
            ("restart", []) => self.restart(),
            ("stop", []) => {
                self.router.handle(Input::Stop, self.now);
                self.drain();
            }
            (name, head) => {
                return Err(format!("`{name} {}` cannot be given to a router", head.join(" ")));
            }
        }
        Ok(())
    }

    fn encapsulate(&mut self, bytes: &mut [u8]) -> Result<(), String> {
        let mut owned = Packet::single(bytes);
        let instance_id = self.router.config().instance_of_command(None);
        let verdict = self.router.encapsulate(instance_id, &mut owned, self.now);
        let packet = packet::show_packet(bytes);
        let text = match verdict {
            Outbound::Encapsulate(outer) => {
                format!("{}: {packet}", packet::show_encapsulation("encapsulate", &outer))
            }
            Outbound::Native => format!("native: {packet}"),
            Outbound::Held => "hold".to_owned(),
            Outbound::Dropped(reason) => format!("drop {}", name_of(&reason)?),
        };
        self.saw(text, Vec::new());
        self.drain();
        Ok(())
    }

    fn decapsulate(
        &mut self,
        phrase: &Phrase,
        change: impl Fn(&mut Vec<u8>) -> Result<(), String>,
    ) -> Result<(), String> {
        let (outer, mut datagram) = packet::datagram(phrase)?;
        change(&mut datagram)?;
        let mut borrowed = Packet::single(&mut datagram);
        let verdict = self.router.decapsulate(&outer, &mut borrowed, self.now);
        let inner = |len: usize| packet::show_packet(&datagram[LISP_HEADER_LEN..][..len]);
        let text = match verdict {
            Inbound::Deliver { len, .. } => format!("deliver: {}", inner(len)),
            Inbound::Forward { encapsulation, len } => {
                format!("{}: {}", packet::show_encapsulation("forward", &encapsulation), inner(len))
            }
            Inbound::Held => "hold".to_owned(),
            Inbound::Dropped(reason) => format!("drop {}", name_of(&reason)?),
        };
        self.saw(text, Vec::new());
        self.drain();
        Ok(())
    }

    /// Lets time pass until `end`, or until the router has an output. Returns whether there was an
    /// output.
    pub fn advance(&mut self, end: Time) -> Result<bool, String> {
        let before = self.events.len();
        while let Some(next) = self.router.poll_timeout().filter(|next| next.at <= end) {
            if next.at > self.now {
                self.turns = 0;
            }
            self.turns += 1;
            if self.turns > TURNS {
                return Err(format!("time stands still at {:?}: {}", self.now, next.why));
            }
            self.now = self.now.max(next.at);
            self.router.handle_timeout(self.now);
            self.drain();
            if self.events.len() > before {
                return Ok(true);
            }
        }
        self.now = self.now.max(end);
        Ok(false)
    }

    /// The output of a console command.
    pub fn show(&mut self, command: &str) -> Result<String, String> {
        let (mut session, hosts, now) = (Session::new(), &mut NoHosts, self.now);
        let channel = InProcess { session: &mut session, router: &mut self.router, hosts, now };
        let answer = Client::new(channel).command(command).map_err(|error| error.to_string())?;
        match answer.done.ok {
            true => Ok(answer.text),
            false => Err(format!("`{command}`: {} {:?}", answer.text, answer.error)),
        }
    }

    /// Keeps the outputs about messages and packets. Other outputs are not in the RFCs: requests to
    /// the kernel, TCP of the draft for reliable transport, and debug lines.
    fn drain(&mut self) {
        while let Some(output) = self.router.poll_output() {
            match output {
                Output::Control { source, destination, payload, .. } => {
                    let message = match Message::parse(&payload) {
                        Ok(message) => message.to_string(),
                        Err(error) => panic!("the router sent octets that are no message: {error}"),
                    };
                    assert_ne!(inner_checksum(&payload), Some(0), "no checksum in: {message}");
                    self.saw(format!("control {source} > {destination}: {message}"), payload);
                }
                Output::Encapsulate(outer, packet) => {
                    let outer = packet::show_encapsulation("encapsulate", &outer);
                    let packet = packet::show_packet(&packet.bytes);
                    self.saw(format!("{outer}: {packet}"), Vec::new());
                }
                Output::Native(_, packet) => {
                    let packet = packet::show_packet(&packet.bytes);
                    self.saw(format!("native: {packet}"), Vec::new());
                }
                Output::Nonce(request) => self.kept.apply(request),
                Output::Tcp(_) | Output::Kernel(_) | Output::Process(_) | Output::Event(_) => {}
            }
        }
    }

    fn saw(&mut self, text: String, octets: Vec<u8>) {
        let phrase = Phrase::parse(&text)
            .unwrap_or_else(|why| panic!("the router's words are not understood: {why}: {text}"));
        self.events.push_back(Event { at: self.now, text, phrase, octets });
    }
}

fn started(config: Config, now: Time) -> Router {
    Router::new(Start { config, seed: Seed::from_number(1), wall_clock: 1000 + now.0, now })
}

/// The inner UDP checksum of an ECM. The parser has already checked a checksum that is not zero.
fn inner_checksum(message: &[u8]) -> Option<u16> {
    let inner_udp = match (message[0] >> 4, message.get(4)? >> 4) {
        (8, 4) => 4 + 20,
        (8, 6) => 4 + 40,
        _ => return None,
    };
    let checksum = message.get(inner_udp + 6..inner_udp + 8)?;
    Some(u16::from_be_bytes([checksum[0], checksum[1]]))
}

/// The name of a reason in JSON, for example `no-route-to-eid`.
fn name_of(reason: &impl serde::Serialize) -> Result<String, String> {
    let name = serde_json::to_value(reason).map_err(|error| error.to_string())?;
    name.as_str().map(str::to_owned).ok_or("a reason has a name".to_owned())
}
