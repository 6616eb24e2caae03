//! The stage for scenarios in network namespaces: a lab that is up, with real consoles, the `ping`
//! program, captures and the machine's clock.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ipnet::IpNet;

use super::client::Client;
use super::console::Console;
use super::flow::Flow;
use super::interrupt::Interrupt;
use super::plan::Options;
use super::running;
use super::time_limit::TimeLimit;
use super::verbs::{self, Call, Step};
use super::{
    capture, emulated, environment, inside, kernel_state, links, move_host, paths, ping, programs,
    raw, run,
};
use crate::capture::{Capture as Taken, Selected, pcap};
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

/// When a capture file has not grown for this time, the capture is complete.
const QUIET: Duration = Duration::from_millis(200);
/// A display filter of tshark for packets that tshark cannot decode.
const FLAWED: &str = "_ws.malformed || lisp-tcp.undecoded || lisp-tcp.invalid_length || \
                      lisp-tcp.invalid_marker";

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
    captures: BTreeMap<String, Capture>,
    flows: BTreeMap<String, Flow>,
    clients: BTreeMap<String, Client>,
}

/// A capture and its file. After the capture has ended, only the file.
struct Capture {
    file: PathBuf,
    running: Option<capture::Capture>,
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
            captures: BTreeMap::new(),
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

    /// Ends a capture if it still runs. Returns the file, which then contains all captured packets.
    fn finished(&mut self, name: &str) -> Result<PathBuf, Failure> {
        let Some(capture) = self.captures.get_mut(name) else {
            return Err(Failure::Other(format!("there is no capture {name}")));
        };
        if let Some(running) = capture.running.take() {
            settle(&capture.file)?;
            running.end()?;
        }
        Ok(capture.file.clone())
    }

    /// Returns a file with the packets that were captured until now, and whether the capture has
    /// ended.
    fn file_of(&mut self, name: &str) -> Result<(PathBuf, bool), Failure> {
        match self.captures.get(name) {
            Some(Capture { file, running: Some(_) }) => {
                settle(file)?;
                // The file is copied, because the capture may write to it while tshark reads it.
                let octets = fs::read(file).map_err(Failure::io(file.display()))?;
                let copy = file.with_extension("until-now.pcap");
                private::write(&copy, octets).map_err(Failure::new)?;
                Ok((copy, false))
            }
            _ => Ok((self.finished(name)?, true)),
        }
    }
}

/// Waits until a file has not grown for the time [`QUIET`], but at most ten times as long.
fn settle(file: &Path) -> Result<(), Failure> {
    let length = || file.metadata().map(|data| data.len()).map_err(Failure::io(file.display()));
    let most = TimeLimit::of(QUIET * 10);
    let (mut before, mut quiet) = (length()?, TimeLimit::of(QUIET));
    while quiet.pause() && most.pause() {
        let after = length()?;
        if after != before {
            (before, quiet) = (after, TimeLimit::of(QUIET));
        }
    }
    Ok(())
}

/// Runs tshark on a file. Returns the lines that tshark prints.
fn tshark(file: &Path, filter: &str, fields: &[&str]) -> Result<Vec<String>, Failure> {
    let mut command = environment::program("tshark")?;
    command.args(["-n", "-o", "ip.check_checksum:TRUE", "-Y", filter, "-T", "fields", "-r"]);
    command.arg(file);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.stdin(Stdio::null()).output().map_err(Failure::io("tshark"))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::Other(format!("`tshark -Y {filter:?}` fails: {}", errors.trim_end())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
}

/// Checks that the display filters of this program give the same result as tshark. This is
/// necessary because scenarios in simulated labs use only the filters of this program.
fn agree(file: &Path, filter: &str, field: &str) -> Result<(), Failure> {
    let octets = fs::read(file).map_err(Failure::io(file.display()))?;
    let unread = || Failure::Other(format!("{} is not a pcap file", file.display()));
    let taken = Taken::new(pcap::read(&octets).ok_or_else(unread)?);
    let ours = taken.select(filter, field).map_err(Failure::new)?;
    // tshark prints a field only once, so `frame.number` must not be requested twice.
    let number_is_enough = field == "frame.number";
    let fields = if number_is_enough { &[field][..] } else { &["frame.number", field] };
    let theirs = tshark(file, filter, fields)?;
    let line = |found: &Selected| match number_is_enough {
        true => found.value.clone(),
        false => format!("{}\t{}", found.index + 1, found.value),
    };
    let ours: Vec<String> = ours.iter().map(line).collect();
    if ours == theirs {
        return Ok(());
    }
    let only = |these: &[String], others: &[String]| {
        these.iter().filter(|line| !others.contains(line)).cloned().collect::<Vec<_>>()
    };
    let (ours, theirs) = (only(&ours, &theirs), only(&theirs, &ours));
    let file = file.display();
    Err(Failure::Other(format!(
        "{file}, filter {filter:?}, field {field}: only tshark finds {theirs:?}, and only eidway \
         finds {ours:?}"
    )))
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
        let file = self.directory.join(format!("{name}.pcap"));
        // If an earlier capture has this name, it ends here.
        self.captures.remove(name);
        let out = private::create(&file).map_err(Failure::new)?;
        let namespace = paths::namespace(&self.lab, place);
        let running = Some(capture::Capture::start(&namespace, &device, out)?);
        self.captures.insert(name.to_owned(), Capture { file, running });
        Ok(())
    }

    fn end_capture(&mut self, name: &str) -> Result<(), Failure> {
        self.finished(name).map(drop)
    }

    fn packets(&mut self, name: &str, filter: &str, field: &str) -> Result<Vec<Packet>, Failure> {
        let (file, has_ended) = self.file_of(name)?;
        let fields = [
            "frame.time_relative",
            field,
            "_ws.col.Source",
            "_ws.col.Destination",
            "_ws.col.Protocol",
            "_ws.col.Info",
        ];
        let lines = tshark(&file, filter, &fields)?;
        if has_ended {
            agree(&file, filter, field)?;
        }
        let packet = |line: &String| {
            let mut fields = line.split('\t');
            let at = fields.next()?.parse().ok()?;
            let value = fields.next()?.to_owned();
            let at = Duration::try_from_secs_f64(at).ok()?;
            Some(Packet { at, value, summary: fields.collect::<Vec<_>>().join(" ") })
        };
        Ok(lines.iter().filter_map(packet).collect())
    }

    fn flaws(&mut self) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        let names: Vec<String> = self.captures.keys().cloned().collect();
        let flaws = names.into_iter().map(|name| {
            let file = self.finished(&name)?;
            let lines = tshark(&file, FLAWED, &["frame.number", "_ws.col.Info"])?;
            let lines = lines.iter().map(|line| format!("{}: {line}", file.display()));
            Ok((name, lines.collect()))
        });
        flaws.collect()
    }

    fn replay(&mut self, what: &Replay, node: &str) -> Result<(), Failure> {
        let file = self.finished(&what.capture)?;
        let numbers = tshark(&file, &what.filter, &["frame.number"])?;
        let Some(number) = numbers.first().and_then(|number| number.parse().ok()) else {
            return Err(Failure::Other(format!("no packet matches {:?}", what.filter)));
        };
        let packet = replay::repeated(&raw::packet(&file, number)?, what.to)?;
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
        self.captures.clear();
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
