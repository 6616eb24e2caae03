//! The stage for scenarios in network namespaces: a lab that is up, with real consoles, the `ping`
//! program, captures and the machine's clock.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::captures::Captures;
use super::client::Client;
use super::console::Console;
use super::flow::Flow;
use super::interrupt::Interrupt;
use super::plan::Options;
use super::running;
use super::time_limit::TimeLimit;
use super::verbs::{self, Call, Step};
use super::{
    emulated, environment, inside, kernel_state, links, move_host, paths, ping, programs, raw, run,
};
use crate::console::client::Answer;
use crate::console::protocol::{Done, Request, Response};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::Host;
use crate::lab::flow::FlowReport;
use crate::lab::impairment::Impairment;
use crate::lab::kernel::{LinkState, Route, RouteQuery};
use crate::lab::link_target::Target;
use crate::lab::ping::{Echos, Outcome, Tally};
use crate::lab::plugging::Plugging;
use crate::lab::running::{NodeState, RunningLab, Sender};
use crate::lab::scenario::expect::Packet;
use crate::lab::scenario::stage::{Evidence, Stage};
use crate::lab::scenario::stream::Arrived;
use crate::lab::scenario::{Datagrams, LinkChange, Place, Replay, replay};
use crate::private;

/// A lab in namespaces, with its open consoles, flows, captures and clients.
pub struct Namespaces {
    lab: Lab,
    /// The directory for the captures.
    directory: PathBuf,
    /// Whether the directory is kept when this value is dropped.
    is_kept: bool,
    /// Reports whether the user has asked to stop. `None` until an operation begins that must not
    /// stop halfway.
    interrupted: Option<Interrupt>,
    /// Whether the lab is taken down when this value is dropped.
    comes_down: bool,
    clock: TimeLimit,
    consoles: BTreeMap<String, Console>,
    captures: Captures,
    flows: BTreeMap<String, Flow>,
    clients: BTreeMap<String, Client>,
}

impl Namespaces {
    /// Returns an error if this machine does not have a program that scenarios need.
    pub fn expect_programs() -> Result<(), Failure> {
        ["ping", "tshark"].into_iter().try_for_each(environment::need)
    }

    /// Makes the stage of a lab that is already up. The lab stays up when this value is dropped.
    pub fn attach(lab: Lab) -> Self {
        Namespaces {
            lab,
            directory: PathBuf::new(),
            is_kept: true,
            interrupted: None,
            comes_down: false,
            clock: TimeLimit::of(Duration::MAX),
            consoles: BTreeMap::new(),
            captures: Captures::default(),
            flows: BTreeMap::new(),
            clients: BTreeMap::new(),
        }
    }

    fn check(&self) -> Result<(), Failure> {
        self.interrupted.as_ref().map_or(Ok(()), Interrupt::check)
    }

    /// Brings `lab` up. The lab is taken down when the value is dropped.
    ///
    /// # Errors
    /// An error of [`run::up`].
    pub fn up(lab: Lab, options: Options) -> Result<Self, Failure> {
        let interrupted = Interrupt::watch()?;
        run::up(&lab, false, options, &mut |_| ())?;
        // From this point, the lab is taken down in every case.
        let mut stage = Namespaces::attach(lab);
        (stage.interrupted, stage.comes_down) = (Some(interrupted), true);
        stage.directory = paths::kept(&stage.lab.name)?;
        stage.captures = Captures::new(stage.directory.clone());
        stage.is_kept = false;
        Ok(stage)
    }

    fn client(&mut self, name: &str) -> Result<&mut Client, Failure> {
        let client = self.clients.get_mut(name);
        client.ok_or_else(|| Failure::Other(format!("there is no connection {name}")))
    }

    /// Calls `act` with the session on the console of a router. Opens the session if there is none.
    fn in_session<T>(
        &mut self,
        node: &str,
        act: impl FnOnce(&mut Console) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        if !self.consoles.contains_key(node) {
            let console = Console::connect(&paths::socket(&self.lab, node))?;
            self.consoles.insert(node.to_owned(), console);
        }
        let console = self.consoles.get_mut(node);
        let answer =
            act(console.ok_or_else(|| Failure::new("the console of the router is not open"))?);
        if answer.is_err() {
            // A session with an error is not used again. Its router may have been restarted.
            self.consoles.remove(node);
        }
        answer
    }
}

impl RunningLab for Namespaces {
    fn lab(&self) -> &Lab {
        &self.lab
    }

    fn now(&self) -> Duration {
        self.clock.spent()
    }

    fn pass(&mut self, time: Duration) -> Result<(), Failure> {
        let time_limit = TimeLimit::of(time);
        while time_limit.pause() {
            self.check()?;
        }
        Ok(())
    }

    fn console(&mut self, node: &str, command: &str) -> Result<Answer, Failure> {
        self.in_session(node, |console| console.ask(command))
    }

    fn converse(
        &mut self,
        node: &str,
        request: Request,
        each: &mut dyn FnMut(Response) -> bool,
    ) -> Result<Done, Failure> {
        self.in_session(node, |console| console.converse(request, each))
    }

    fn ask_once(&mut self, node: &str, command: &str) -> Result<Answer, Failure> {
        Console::connect(&paths::socket(&self.lab, node))?.ask(command)
    }

    fn end_session(&mut self, node: &str) {
        self.consoles.remove(node);
    }

    fn node(&mut self, node: &str) -> NodeState {
        let lab = &self.lab;
        let emulated = emulated::find(lab, node).is_some();
        let player = emulated.then(|| emulated::whereabouts(lab, node)).flatten();
        let player = player.map(|(router, _)| router);
        let pid = running::pid(lab, node);
        NodeState {
            exists: match emulated {
                true => player.is_some(),
                false => paths::has_namespace(lab, node),
            },
            runs: pid.is_some(),
            pid,
            namespace: Some(paths::namespace(lab, player.as_deref().unwrap_or(node))),
            player,
            programs: programs::states(lab, node),
        }
    }

    fn expect_ping(&mut self, from: &str) -> Result<(), Failure> {
        self.check()?;
        match emulated::find(&self.lab, from) {
            Some(_) => emulated::expect(&self.lab, from).map(drop),
            None => inside::program(&self.lab, from, "ping").map(drop),
        }
    }

    fn ping(
        &mut self,
        from: &str,
        target: IpAddr,
        echos: Echos,
        seen: &mut dyn FnMut(Outcome),
    ) -> Result<Tally, Failure> {
        ping::ping(&self.lab, from, target, echos, seen)
    }

    fn ping_each(
        &mut self,
        pings: &[(String, IpAddr)],
        echos: Echos,
    ) -> Result<Vec<Tally>, Failure> {
        ping::each(&self.lab, pings, echos)
    }

    fn flow(
        &mut self,
        name: &str,
        from: &str,
        target: IpAddr,
        every: Duration,
    ) -> Result<(), Failure> {
        self.flows.insert(name.to_owned(), Flow::start(&self.lab, from, target, every)?);
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<FlowReport, Failure> {
        let flow = self.flows.remove(name);
        flow.ok_or_else(|| Failure::Other(format!("there is no flow {name}")))?.end()
    }

    fn move_host(&mut self, host: &str, to: &str, how: Plugging) -> Result<(), Failure> {
        move_host::move_host(&self.lab, host, to, how)
    }

    fn start(&mut self, node: &str, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        if self.interrupted.is_none() {
            self.interrupted = Some(Interrupt::watch()?);
        }
        run::start(&self.lab, node, say)
    }

    fn stop(&mut self, node: &str, kill: bool, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        self.consoles.remove(node);
        run::stop(&self.lab, node, kill, say)
    }

    fn link(&mut self, port: &Place, change: LinkChange) -> Result<(), Failure> {
        run::link(&self.lab, port, change)
    }

    fn impair(&mut self, target: Target, impairment: &Impairment) -> Result<(), Failure> {
        links::impair(&self.lab, &run::program()?, target, impairment)
    }

    fn impairments(&mut self) -> Result<Vec<Sender>, Failure> {
        links::senders(&self.lab)
    }

    fn links(&mut self, node: &str) -> Result<Vec<LinkState>, Failure> {
        kernel_state::links(&self.lab, node)
    }

    fn route(&mut self, node: &str, query: &RouteQuery) -> Result<Route, Failure> {
        kernel_state::route(&self.lab, node, query)
    }

    fn with_log(&self, node: &str, problem: &str) -> Failure {
        run::with_log(&self.lab, node, problem)
    }
}

impl Stage for Namespaces {
    fn capture(&mut self, name: &str, port: &Place) -> Result<(), Failure> {
        let device = self.lab.device(&port.node, &port.interface)?;
        let (place, device) = run::end_of(&self.lab, &port.node, &device);
        self.captures.start(name, &paths::namespace(&self.lab, place), &device)
    }

    fn end_capture(&mut self, name: &str) -> Result<(), Failure> {
        self.captures.end(name).map(drop)
    }

    fn packets(&mut self, name: &str, filter: &str, field: &str) -> Result<Vec<Packet>, Failure> {
        self.captures.query(name, (field, filter), |capture| Packet::select(capture, filter, field))
    }

    fn flaws(&mut self) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        self.captures.check()
    }

    fn replay(&mut self, what: &Replay, node: &str) -> Result<(), Failure> {
        self.captures.end(&what.capture)?;
        let query = ("frame.number", what.filter.as_str());
        let packet =
            self.captures.query(&what.capture, query, |capture| replay::captured(capture, what))?;
        raw::send(&paths::namespace(&self.lab, node), &[packet], what.times, what.every)
    }

    fn send(&mut self, node: &str, datagrams: &Datagrams) -> Result<(), Failure> {
        let packets = replay::datagrams(datagrams)?;
        let namespace = paths::namespace(&self.lab, node);
        raw::send(&namespace, &packets, datagrams.times, datagrams.every)
    }

    fn connect(
        &mut self,
        name: &str,
        node: &str,
        source: Ipv4Addr,
        destination: SocketAddrV4,
    ) -> Result<(), Failure> {
        let client = Client::connect(&paths::namespace(&self.lab, node), source, destination)?;
        self.clients.insert(name.to_owned(), client);
        Ok(())
    }

    fn transmit(&mut self, name: &str, octets: &[u8]) -> Result<(), Failure> {
        self.client(name)?.transmit(octets);
        Ok(())
    }

    fn arrived(&mut self, name: &str) -> Result<Arrived, Failure> {
        self.client(name)?.arrived()
    }

    fn address(&mut self, host: &str, address: IpNet) -> Result<(), Failure> {
        let hosts = self.lab.file.hosts().find(|(name, _)| *name == host);
        let Some((_, Host { device, emulated: false, .. })) = hosts else {
            return Err(Failure::Other(format!("{host} is not a host with a namespace")));
        };
        let call = Call::new("addr-add", &self.lab.name).with(host).with(device).with(address);
        verbs::run(&[Step::new("address", vec![call])], |_| ())
    }

    /// A file that cannot be read or written is omitted.
    fn keep(&mut self, shown: Vec<Evidence>) -> Result<String, Failure> {
        self.is_kept = true;
        let (lab, directory) = (&self.lab, &self.directory);
        for (name, octets) in shown {
            private::write(&directory.join(name), octets).ok();
        }
        for (node, config) in lab.file.routers() {
            let config = paths::config(lab, node, config);
            fs::copy(config, directory.join(format!("{node}.conf"))).ok();
            fs::copy(paths::log(lab, node), directory.join(format!("{node}.log"))).ok();
        }
        Ok(directory.display().to_string())
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        self.flows.clear();
        self.captures = Captures::default();
        if !self.is_kept
            && let Err(error) = fs::remove_dir_all(&self.directory)
        {
            log::error!("{}: {error}", self.directory.display());
        }
        if self.comes_down
            && let Err(failure) = run::down(&self.lab.name, &mut |_| ())
        {
            log::error!("lab {}: {failure}", self.lab.name);
        }
    }
}
