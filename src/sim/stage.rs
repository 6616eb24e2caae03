//! The stage on virtual time. On this stage, scenarios need no namespaces, no root privileges and
//! no other programs.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use super::console::LabChannel;
use super::moves::Replug;
use super::pcap::CaptureId;
use super::sending::Sending;
use super::trace::ip_packet;
use super::{Records, Sim, SimError, build, ping};
use crate::capture::pcap::PcapWriter;
use crate::capture::pcapng::Direction;
use crate::capture::{Capture, FilterError, Frame};
use crate::console::Session;
use crate::console::client::{Answer, Client};
use crate::console::protocol::{Done, Request, Response};
use crate::host::PingId;
use crate::host::ping::{Count, Outcome, Pace, PingReport, PingRequest, Probe};
use crate::lab::failure::Failure;
use crate::lab::file::Port;
use crate::lab::flow::FlowReport;
use crate::lab::impairment::Impairment;
use crate::lab::kernel::{LinkState, Route, RouteQuery};
use crate::lab::link_target::Target;
use crate::lab::ping::{Echos, Tally};
use crate::lab::plugging::Plugging;
use crate::lab::running::{NodeState, ProgramState, RunningLab, Sender};
use crate::lab::scenario::stage::Evidence;
use crate::lab::scenario::{LinkChange, Place};
use crate::lab::{self, Lab, wiring};
use crate::rng::Seed;
use crate::router::config::Config;
use crate::router::io::Connection;
use crate::time::{Calendar, Time};
use crate::watch::Watch;
use crate::watch::hand::Hand;
use crate::watch::packet::hex;
use crate::watch::script::{Act, Deed};

mod statements;

impl From<SimError> for Failure {
    fn from(error: SimError) -> Self {
        Failure::new(error)
    }
}

impl From<FilterError> for Failure {
    fn from(error: FilterError) -> Self {
        Failure::new(error)
    }
}

/// The time between the first examination of a capture and the end of this capture. Packets that
/// are on a link at the first examination still belong to the capture.
const ON_ITS_WAY: Duration = Duration::from_millis(200);

/// A function that stores the files of a failed scenario, and returns the location of the files.
pub type Keep = Box<dyn FnMut(&[Evidence]) -> Result<String, Failure>>;

/// The settings for the simulation of a lab.
pub struct Options {
    /// The seed of all random numbers.
    pub seed: Seed,
    /// Opens the records of the routers. `None` if the routers are not recorded.
    pub records: Option<Records>,
    /// The collection that gets an item for each thing that happens. `None` if the lab is not
    /// watched.
    pub watch: Option<Watch>,
    /// Prepares the simulation before its first node exists, for example with observers.
    pub prepare: Box<dyn FnOnce(&mut Sim)>,
    /// The function that is called if a scenario has failed. It gets the evidence of the failure.
    pub keep: Keep,
}

impl Options {
    /// Makes the settings for a lab that is neither recorded nor observed. The files of a failed
    /// scenario are not stored.
    pub fn new(seed: Seed) -> Self {
        let keep: Keep = Box::new(|_| Ok("no place".to_owned()));
        Options { seed, records: None, watch: None, prepare: Box::new(|_| {}), keep }
    }
}

/// A simulated lab with the captures and connections that a scenario has opened in it.
pub struct Simulated {
    lab: Lab,
    configs: BTreeMap<String, Config>,
    sim: Sim,
    /// The time at which all registrations were acknowledged. The time of a scenario is counted
    /// from this time.
    began: Time,
    consoles: BTreeMap<String, Console>,
    captures: BTreeMap<String, Running>,
    /// The captures that have ended, in parsed form.
    captured: BTreeMap<String, Capture>,
    flows: BTreeMap<String, Flow>,
    /// The node of each client, and the client's connection on that node.
    clients: BTreeMap<String, (String, Connection)>,
    connections: u64,
    keep: Keep,
    /// The stored actions in the lab. `None` until [`Simulated::keep_deeds`] is called.
    deeds: Option<Vec<Deed>>,
    /// The number of pings so far. The name of a ping in [`Simulated::deeds`] contains its number.
    pings: u64,
}

/// A console session, and the prompt at the end of its latest answer.
#[derive(Default)]
struct Console {
    session: Session,
    prompt: String,
}

/// An Ethernet frame of a capture.
#[derive(Clone, Debug)]
pub struct SeenFrame {
    /// The time at which the port sent or received the frame.
    pub at: Time,
    /// The index of the port in the list of the capture's ports.
    pub port: usize,
    /// Whether the port sent the frame or received it.
    pub direction: Direction,
    /// The octets.
    pub octets: Vec<u8>,
}

/// The frames of a capture. The running capture adds frames to this list.
type Seen = Rc<RefCell<Vec<SeenFrame>>>;

/// A capture, and the Ethernet frames that it has seen.
struct Running {
    ids: Vec<CaptureId>,
    seen: Seen,
}

struct Flow {
    host: String,
    ping: PingId,
    every: Duration,
}

impl Simulated {
    /// Builds `lab` and switches it on.
    ///
    /// # Errors
    /// An error if the lab or one of its configurations is wrong.
    pub fn start(lab: Lab, options: Options) -> Result<Self, Failure> {
        wiring::expect(&lab)?;
        let configs = build::parse_configs(&lab)?;
        let mut sim = Sim::new(options.seed);
        if let Some(records) = options.records {
            sim.record(records);
        }
        if let Some(watch) = options.watch {
            sim.watch(watch);
        }
        (options.prepare)(&mut sim);
        let sim = sim.built(&lab.file, &configs)?;
        Ok(Simulated {
            lab,
            configs,
            began: sim.now(),
            sim,
            consoles: BTreeMap::new(),
            captures: BTreeMap::new(),
            captured: BTreeMap::new(),
            flows: BTreeMap::new(),
            clients: BTreeMap::new(),
            connections: 0,
            keep: options.keep,
            deeds: None,
            pings: 0,
        })
    }

    /// Builds `lab`, and waits until all its prefixes are registered.
    ///
    /// # Errors
    /// The errors of [`Simulated::start`] and of [`Simulated::register`].
    pub fn up(lab: Lab, options: Options) -> Result<Self, Failure> {
        let mut simulated = Simulated::start(lab, options)?;
        simulated.register()?;
        Ok(simulated)
    }

    /// Waits until all prefixes of the lab are registered. The time of the scenario is counted from
    /// the end of this wait.
    ///
    /// # Errors
    /// An error if a prefix is not registered in time.
    pub fn register(&mut self) -> Result<(), Failure> {
        self.sim.run_until_registered()?;
        self.began = self.sim.now();
        Ok(())
    }

    /// Returns a capture as a pcap file.
    ///
    /// # Errors
    /// An error if there is no capture of this name.
    pub fn pcap(&self, name: &str) -> Result<Vec<u8>, Failure> {
        let Running { seen, .. } = self.captures.get(name).ok_or_else(|| no_capture(name))?;
        let mut file = Vec::new();
        let mut writer = PcapWriter::new(&mut file).map_err(Failure::new)?;
        let frames = seen.borrow();
        let mut frames = frames.iter();
        frames
            .try_for_each(|frame| writer.write(Sim::micros(frame.at), &frame.octets))
            .map_err(Failure::new)?;
        Ok(file)
    }

    /// Begins to capture at several ports.
    ///
    /// # Errors
    /// An error if the node or the device of a port does not exist.
    pub fn capture_at(&mut self, name: &str, ports: &[Port]) -> Result<(), Failure> {
        let seen = Rc::default();
        let mut ids = Vec::new();
        for (number, port) in ports.iter().enumerate() {
            let seen: Seen = Rc::clone(&seen);
            let tap = move |at: Time, direction: Direction, frame: &[u8]| {
                let octets = frame.to_vec();
                seen.borrow_mut().push(SeenFrame { at, port: number, direction, octets });
            };
            ids.push(self.sim.capture(&port.node, &port.device, Box::new(tap))?);
        }
        self.captured.remove(name);
        let earlier = self.captures.insert(name.to_owned(), Running { ids, seen });
        let ids = earlier.into_iter().flat_map(|earlier| earlier.ids);
        ids.for_each(|id| self.sim.end_capture(id));
        Ok(())
    }

    /// Returns the frames that a capture has seen until now, in the order of time.
    ///
    /// # Errors
    /// An error if there is no capture of this name.
    pub fn frames(&self, name: &str) -> Result<Vec<SeenFrame>, Failure> {
        let Running { seen, .. } = self.captures.get(name).ok_or_else(|| no_capture(name))?;
        Ok(seen.borrow().clone())
    }

    /// Returns the simulation for reading.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// Returns the simulation, as a mutable reference.
    pub fn sim_mut(&mut self) -> &mut Sim {
        &mut self.sim
    }

    /// Sends a request to the session on a router, as [`RunningLab::console`] does with a line.
    ///
    /// # Errors
    /// The router does not run.
    pub fn ask(&mut self, node: &str, request: Request) -> Result<Answer, Failure> {
        let Console { session, prompt } = self.consoles.entry(node.to_owned()).or_default();
        let channel = LabChannel::new(&mut self.sim, node, session);
        let answer = Client::resume(channel, std::mem::take(prompt)).ask(request);
        let answer = answer.map_err(Failure::new)?;
        prompt.clone_from(&answer.done.prompt);
        if answer.done.closed {
            self.consoles.remove(node);
        }
        Ok(answer)
    }

    /// From now on, stores the actions in the lab, for [`Simulated::take_deeds`].
    pub fn keep_deeds(&mut self) {
        self.deeds = Some(Vec::new());
    }

    /// Returns the actions since the call of [`Simulated::keep_deeds`]. Further actions are not
    /// stored.
    pub fn take_deeds(&mut self) -> Vec<Deed> {
        self.deeds.take().unwrap_or_default()
    }

    /// If actions are stored, stores an action before the action begins. All other events of the
    /// present time happen first. So if the run is repeated, the action has the same position among
    /// the events.
    fn deed(&mut self, request: impl FnOnce() -> Act) {
        self.end_instant();
        let at = self.sim.now().0;
        if let Some(deeds) = &mut self.deeds {
            deeds.push(Deed { at, request: request() });
        }
    }

    /// If actions are stored, carries out the other events of the present time.
    fn end_instant(&mut self) {
        if self.deeds.is_some() {
            self.sim.run_until(self.sim.now());
        }
    }

    /// If actions are stored, stores an action on the lab before the action begins.
    fn hand(&mut self, hand: impl FnOnce() -> Hand) {
        self.deed(|| Act::Act { hand: hand() });
    }

    /// Ends a capture and returns it.
    fn finished(&mut self, name: &str) -> Result<&Capture, Failure> {
        if !self.captured.contains_key(name) {
            self.sim.run_for(ON_ITS_WAY);
            let capture = self.until_now(name)?;
            let running = self.captures.get(name).ok_or_else(|| no_capture(name))?;
            running.ids.iter().for_each(|&id| self.sim.end_capture(id));
            self.captured.insert(name.to_owned(), capture);
        }
        self.captured.get(name).ok_or_else(|| no_capture(name))
    }

    /// Returns the frames that a running capture has seen until now.
    fn until_now(&self, name: &str) -> Result<Capture, Failure> {
        let running = self.captures.get(name).ok_or_else(|| no_capture(name))?;
        // A frame without an IP packet is kept too. So the frame numbers are the same as in other
        // captures.
        let frame = |frame: &SeenFrame| Frame {
            at: frame.at.since(Time::ZERO),
            packet: ip_packet(&frame.octets).to_vec(),
        };
        Ok(Capture::new(running.seen.borrow().iter().map(frame).collect()))
    }

    /// Returns the router that emulates the host `node`.
    fn player(&self, node: &str) -> Option<String> {
        let host = self.lab.expect_host(node).ok().filter(|host| host.emulated)?;
        let lan = self.sim.lan_of(node, &host.device).ok()??;
        let lan = self.lab.file.lans.iter().find(|known| known.name == lan)?;
        let is_router = |port: &&Port| self.configs.contains_key(&port.node);
        lan.ports.iter().find(is_router).map(|port| port.node.clone())
    }

    fn client(&self, name: &str) -> Result<(String, Connection), Failure> {
        let client = self.clients.get(name).cloned();
        client.ok_or_else(|| Failure::Other(format!("there is no connection {name}")))
    }

    /// Sends the list `packets` in order from a node, `times` times in total.
    fn send_packets(
        &mut self,
        node: &str,
        packets: Vec<Vec<u8>>,
        times: u32,
        every: Duration,
    ) -> Result<(), Failure> {
        self.hand(|| Hand::Send {
            node: node.to_owned(),
            packets: packets.iter().map(|packet| hex(packet)).collect(),
            times,
            every_us: micros(every),
        });
        let mut sending = Sending::new(node, packets, times, every, self.sim.now());
        while sending.due().is_some() {
            sending.send_next(&mut self.sim)?;
        }
        Ok(())
    }
}

impl RunningLab for Simulated {
    fn lab(&self) -> &Lab {
        &self.lab
    }

    fn now(&self) -> Duration {
        self.sim.now().since(self.began)
    }

    fn pass(&mut self, time: Duration) -> Result<(), Failure> {
        self.sim.run_for(time);
        Ok(())
    }

    fn console(&mut self, node: &str, command: &str) -> Result<Answer, Failure> {
        self.deed(|| Act::Console { node: node.to_owned(), line: command.to_owned() });
        self.ask(node, Request::Line(command.to_owned()))
    }

    fn converse(
        &mut self,
        node: &str,
        request: Request,
        each: &mut dyn FnMut(Response) -> bool,
    ) -> Result<Done, Failure> {
        let Console { session, prompt } = self.consoles.entry(node.to_owned()).or_default();
        let channel = LabChannel::new(&mut self.sim, node, session);
        let mut client = Client::resume(channel, std::mem::take(prompt));
        let done = client.converse(request, |response| Ok(each(response)));
        let done = done.map_err(Failure::new)?;
        prompt.clone_from(&done.prompt);
        // The debug lines since the last request are shown only if the session monitors. Otherwise
        // they are dropped.
        let monitors = session.monitors();
        for (at, line) in self.sim.take_debug(node)?.into_iter().filter(|_| monitors) {
            each(Response::Debug(format!("{}{line}", Calendar::stamp(Sim::wall_clock(at)))));
        }
        Ok(done)
    }

    fn ask_once(&mut self, node: &str, command: &str) -> Result<Answer, Failure> {
        self.end_instant();
        let mut session = Session::default();
        let channel = LabChannel::new(&mut self.sim, node, &mut session);
        Client::new(channel).command(command).map_err(Failure::new)
    }

    fn end_session(&mut self, node: &str) {
        self.consoles.remove(node);
    }

    fn node(&mut self, node: &str) -> NodeState {
        let runs = self.sim.router(node).is_ok();
        let host = self.lab.file.hosts().find(|(name, _)| *name == node);
        let commands = host.map(|(_, host)| host.run.clone()).into_iter().flatten();
        let programs = commands.map(|command| ProgramState { command, pid: None, log: None });
        let programs = programs.collect();
        let player = self.player(node);
        NodeState { exists: true, runs, player, programs, ..NodeState::default() }
    }

    fn expect_ping(&mut self, from: &str) -> Result<(), Failure> {
        self.lab.expect_node(from)
    }

    fn ping(
        &mut self,
        from: &str,
        target: IpAddr,
        echos: Echos,
        seen: &mut dyn FnMut(lab::ping::Outcome),
    ) -> Result<Tally, Failure> {
        let request = ping::request(target, echos);
        self.pings += 1;
        let name = format!("ping {}", self.pings);
        self.hand(|| Hand::Ping {
            name: name.clone(),
            from: from.to_owned(),
            to: target.to_string(),
            count: u16::try_from(echos.count).unwrap_or(u16::MAX),
            size: request.size,
            ipv6: target.is_ipv6(),
        });
        let report = self.sim.ping_from(from, request)?;
        if self.sim.host(from).is_ok() {
            self.hand(|| Hand::End { name });
        }
        Ok(ping::tally(&report, seen))
    }

    fn flow(
        &mut self,
        name: &str,
        from: &str,
        target: IpAddr,
        every: Duration,
    ) -> Result<(), Failure> {
        self.hand(|| Hand::Flow {
            name: name.to_owned(),
            from: from.to_owned(),
            to: target.to_string(),
            every_us: micros(every),
            ipv6: target.is_ipv6(),
        });
        let pace = Pace::Every(every);
        let request = PingRequest {
            count: Count::Endless { kept: usize::MAX },
            pace,
            ..PingRequest::new(target)
        };
        let host = from.to_owned();
        let ping = self.sim.with_host(&host, |host| host.start_ping(request))?;
        self.flows.insert(name.to_owned(), Flow { host, ping, every });
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<FlowReport, Failure> {
        self.hand(|| Hand::End { name: name.to_owned() });
        let missing = || Failure::Other(format!("there is no flow {name}"));
        let Flow { host, ping, every } = self.flows.remove(name).ok_or_else(missing)?;
        let report = self.sim.with_host(&host, |host| host.stop_ping(ping))?;
        Ok(flow_report(&report.ok_or_else(missing)?, every))
    }

    fn move_host(&mut self, host: &str, to: &str, how: Plugging) -> Result<(), Failure> {
        self.hand(|| Hand::Move { host: host.to_owned(), to: to.to_owned(), how });
        let lan = self.lab.lan_of(host, to)?;
        let how = match how {
            Plugging::Atomic => Replug::Atomic,
            Plugging::MakeBeforeBreak => Replug::MakeBeforeBreak(Plugging::BETWEEN),
            Plugging::BreakBeforeMake => Replug::Gap(Plugging::BETWEEN),
        };
        Ok(self.sim.move_host(host, &lan.name, how)?)
    }

    fn start(&mut self, node: &str, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        let config = self.configs.get(node).cloned();
        let config = config.ok_or_else(|| Failure::Other(format!("{node} is not a router")))?;
        if self.sim.router(node).is_ok() {
            return Err(Failure::Other(format!("{node} runs already")));
        }
        self.hand(|| Hand::Start { node: node.to_owned() });
        say(&format!("{node}: start"));
        Ok(self.sim.start_router(node, config)?)
    }

    fn stop(&mut self, node: &str, kill: bool, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        self.lab.expect_router(node)?;
        self.hand(|| match kill {
            true => Hand::Kill { node: node.to_owned() },
            false => Hand::Stop { node: node.to_owned() },
        });
        self.consoles.remove(node);
        say(&format!("{node}: {}", if kill { "kill" } else { "stop" }));
        let stopped = match kill {
            true => self.sim.kill_router(node),
            false => self.sim.stop_router(node),
        };
        Ok(stopped?)
    }

    fn link(&mut self, port: &Place, change: LinkChange) -> Result<(), Failure> {
        let device = self.lab.device(&port.node, &port.interface)?;
        self.hand(|| {
            let (node, interface) = (port.node.clone(), port.interface.clone());
            match change {
                LinkChange::Up => Hand::Port { node, interface, up: true },
                LinkChange::Down => Hand::Port { node, interface, up: false },
                LinkChange::Mtu(mtu) => Hand::Mtu { node, interface, mtu },
            }
        });
        Ok(match change {
            LinkChange::Up => self.sim.set_port_up(&self.lab.file, &port.node, &device),
            LinkChange::Down => self.sim.set_port(&port.node, &device, false),
            LinkChange::Mtu(mtu) => self.sim.set_mtu(&port.node, &device, mtu),
        }?)
    }

    fn impair(&mut self, target: Target, impairment: &Impairment) -> Result<(), Failure> {
        let mtu = target.mtu(&self.lab.file, impairment).map_err(Failure::Other)?;
        let link = target.link(&self.lab.file).name();
        let direction = target.direction(&self.lab.file);
        self.hand(|| Hand::Impair { link, direction, impairment: *impairment });
        Ok(self.sim.impair_target(&self.lab.file, target, *impairment, mtu)?)
    }

    fn impairments(&mut self) -> Result<Vec<Sender>, Failure> {
        Ok(self.sim.senders(&self.lab.file)?)
    }

    fn links(&mut self, node: &str) -> Result<Vec<LinkState>, Failure> {
        Ok(self.sim.link_states(node)?)
    }

    fn route(&mut self, node: &str, query: &RouteQuery) -> Result<Route, Failure> {
        Ok(self.sim.route_of(node, query)?)
    }

    fn with_log(&self, node: &str, problem: &str) -> Failure {
        Failure::Other(format!("{node}: {problem}"))
    }
}

/// Converts a duration to microseconds.
fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

fn no_capture(name: &str) -> Failure {
    Failure::Other(format!("there is no capture {name}"))
}

/// Makes the report of a flow.
fn flow_report(report: &PingReport, every: Duration) -> FlowReport {
    let instant = |at: Time| at.since(Time::ZERO);
    let answered = report.probes.iter().filter_map(|probe| match probe.outcome {
        Outcome::Reply(span) => Some(instant(probe.sent_at) + span),
        _ => None,
    });
    let mut answers: Vec<Duration> = answered.collect();
    answers.sort();
    let end = |probe: Option<&Probe>| probe.map_or(Duration::ZERO, |probe| instant(probe.sent_at));
    let is_answered = |probe: &Probe| matches!(probe.outcome, Outcome::Reply(_));
    let last = report.probes.iter().rposition(is_answered);
    // The last echo request may still wait for its reply when the flow ends. In this case, it is
    // not counted.
    let under_way = last.is_some_and(|last| last + 2 == report.probes.len());
    let sent = (report.probes.len() - usize::from(under_way)) as u64;
    FlowReport::of(sent, (end(report.probes.front()), end(report.probes.back())), &answers, every)
}
