//! The console of a router in a simulated lab. The console acts on the router and on the emulated
//! hosts of the router's LANs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io;
use std::time::Duration;

use super::disk::Disk;
use super::error::wrong_kind;
use super::link::Attachment;
use super::node::{HostNode, Node};
use super::probes::{Opened, Socket};
use super::router_node::ConsoleParts;
use super::{NodeId, Sim, SimError};
use crate::console::client::Channel;
use crate::console::flash::Storage;
use crate::console::hosts::{HostState, Hosts, no_host};
use crate::console::machine::{FastPath, HostNames, LogLine, Machine, Startup, Usage, User};
use crate::console::probes::{Ends, ProbeSocket, Probes, Surroundings};
use crate::console::protocol::{HostAnswer, HostRequest, Request, Response};
use crate::console::{Session, read_config};
use crate::router::Router;
use crate::router::config::InterfaceName;
use crate::router::io::Mac;
use crate::time::Time;

impl Sim {
    /// Calls `act` with a router and its emulated hosts, then carries out the outputs of these
    /// nodes.
    ///
    /// # Errors
    /// An error if `name` is not the name of a running router.
    pub fn at_console<T>(
        &mut self,
        name: &str,
        act: impl FnOnce(&mut Router, &mut dyn Surroundings, Time) -> T,
    ) -> Result<T, SimError> {
        let (id, now) = (self.find(name)?, self.now);
        self.clock(id);
        let wall_clock = self.machine_clock(id);
        let interfaces = self.emulated_hosts(id);
        let (mut router, mut hosts) = (None, BTreeMap::new());
        for (number, named) in self.nodes.iter_mut().enumerate() {
            match &mut named.node {
                Node::Router(found) if number == id.0 => router = Some(found),
                Node::Host(host) => {
                    let id = NodeId(number);
                    if let Some(&interface) = interfaces.get(&id) {
                        hosts.insert(named.name.as_str(), Plugged { id, interface, host });
                    }
                }
                _ => {}
            }
        }
        let router = router.ok_or_else(|| wrong_kind(name, "router that runs"))?;
        let mut disk = self.disks.remove(&id).unwrap_or_default();
        disk.flash.wall_clock = wall_clock;
        let (core, parts) = router.console_parts();
        let (asked, opened) = (BTreeSet::new(), Vec::new());
        let names = &self.host_names;
        let mut hosts =
            RouterHosts { hosts, asked, opened, disk: &mut disk, names, parts, restarts: false };
        let result = act(core, &mut hosts, now);
        let RouterHosts { asked, opened, restarts, parts, .. } = hosts;
        let restarts = restarts.then(|| parts.started_with.to_owned());
        opened.into_iter().for_each(|socket| router.add_probe_socket(socket));
        self.disks.insert(id, disk);
        for node in [id].into_iter().chain(asked) {
            self.settle(node);
        }
        if let Some(text) = restarts {
            self.stop_router(name)?;
            self.start_router(name, read_config(name, &text).config)?;
        }
        Ok(result)
    }

    /// Returns the emulated hosts on the LANs of a router. For each host, also returns the router's
    /// interface on the LAN of the host.
    fn emulated_hosts(&self, router: NodeId) -> BTreeMap<NodeId, InterfaceName> {
        let Some(kernel) = self.nodes[router.0].node.kernel() else {
            return BTreeMap::new();
        };
        let ports = self.plugged.iter().filter(|(port, _)| port.node == router);
        let interface =
            |port: &Attachment| InterfaceName::of_device(&kernel.device(port.device).name);
        let lans: BTreeMap<usize, InterfaceName> =
            ports.filter_map(|(port, &lan)| Some((lan, interface(port)?))).collect();
        let is_emulated = |id: NodeId| match &self.nodes[id.0].node {
            Node::Host(host) => host.is_emulated,
            _ => false,
        };
        let hosts = self.plugged.iter().filter(|(port, _)| is_emulated(port.node));
        hosts.filter_map(|(port, lan)| Some((port.node, *lans.get(lan)?))).collect()
    }
}

/// An emulated host, with the router's interface on the LAN of the host.
struct Plugged<'a> {
    id: NodeId,
    interface: InterfaceName,
    host: &'a mut HostNode,
}

/// The emulated hosts of a router.
struct RouterHosts<'a> {
    /// The hosts by name.
    hosts: BTreeMap<&'a str, Plugged<'a>>,
    /// The hosts that have received a task. These hosts may have packets to send.
    asked: BTreeSet<NodeId>,
    /// The probe sockets that a console has opened.
    opened: Vec<Opened>,
    /// The files of the router.
    disk: &'a mut Disk,
    /// The names of the lab's hosts.
    names: &'a HostNames,
    /// Whether the router restarts after this call.
    restarts: bool,
    parts: ConsoleParts<'a>,
}

impl Probes for RouterHosts<'_> {
    fn open(&mut self, ends: Ends) -> Result<Box<dyn ProbeSocket>, String> {
        let (socket, opened) = Socket::open(ends);
        self.opened.push(opened);
        Ok(Box::new(socket))
    }
}

/// A channel to a session on a router of a simulated lab. While a command waits, virtual time
/// passes.
pub struct LabChannel<'a> {
    /// The lab.
    sim: &'a mut Sim,
    /// The router of the session.
    router: &'a str,
    session: &'a mut Session,
    /// The responses that the caller has not received yet.
    responses: VecDeque<Response>,
}

/// The maximum virtual time until a running command continues, if the command has no deadline.
const SHORT: Duration = Duration::from_millis(1);

impl<'a> LabChannel<'a> {
    /// Makes a channel to `session` on the router with the name `router`.
    pub fn new(sim: &'a mut Sim, router: &'a str, session: &'a mut Session) -> Self {
        LabChannel { sim, router, session, responses: VecDeque::new() }
    }

    /// If there is a request, passes the request to the session. Then moves all available responses
    /// of the session into `responses`.
    fn serve(&mut self, request: Option<Request>) -> io::Result<()> {
        let LabChannel { sim, router, session, responses } = self;
        let served = sim.at_console(router, |router, surroundings, now| {
            if let Some(request) = request {
                session.handle(request, router, surroundings, now);
            }
            responses.extend(std::iter::from_fn(|| session.poll(router, surroundings, now)));
        });
        served.map_err(io::Error::other)
    }
}

impl Channel for LabChannel<'_> {
    fn send(&mut self, request: Request) -> io::Result<()> {
        self.serve(Some(request))
    }

    fn receive(&mut self) -> io::Result<Response> {
        loop {
            if let Some(response) = self.responses.pop_front() {
                return Ok(response);
            }
            if self.session.is_idle() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let now = self.sim.now();
            let deadline = self.session.poll_timeout().unwrap_or(now + SHORT);
            let session = &*self.session;
            self.sim.run_while_not(deadline, |_| session.has_answer());
            self.serve(None)?;
        }
    }
}

impl Machine for RouterHosts<'_> {
    fn startup(&self) -> Result<Startup, String> {
        let text = self.disk.startup.as_deref().unwrap_or(self.parts.started_with).to_owned();
        let path = ("simulator".to_owned(), "startup-config".to_owned());
        Ok(Startup { path, text, modified: None })
    }

    fn save(&mut self, text: &str) -> Result<String, String> {
        self.disk.startup = Some(text.to_owned());
        Ok("The simulator keeps the configuration in memory until the lab ends.".to_owned())
    }

    fn storage(&self) -> Option<&dyn Storage> {
        Some(&self.disk.flash)
    }

    fn storage_mut(&mut self) -> Option<&mut dyn Storage> {
        Some(&mut self.disk.flash)
    }

    fn restart(&mut self) {
        self.restarts = true;
    }

    fn log(&self) -> Vec<LogLine> {
        self.parts.log_lines()
    }

    fn clear_log(&mut self) {
        self.parts.clear_log();
    }

    fn users(&self) -> Vec<User> {
        vec![User { line: 0, is_own: true, idle: 0 }]
    }

    fn lab_hosts(&self) -> &HostNames {
        self.names
    }

    fn usage(&self) -> Option<Usage> {
        None
    }

    fn fast_path(&self) -> FastPath {
        FastPath::missing("this router is simulated")
    }
}

impl Hosts for RouterHosts<'_> {
    fn machine(&self) -> Option<&dyn Machine> {
        Some(self)
    }

    fn machine_mut(&mut self) -> Option<&mut dyn Machine> {
        Some(self)
    }

    fn states(&self) -> BTreeMap<String, HostState> {
        let state = |Plugged { interface, host, .. }: &Plugged<'_>| HostState {
            interface: *interface,
            addresses: host.host.config().addresses.clone(),
            gateways: host.host.config().gateways.clone(),
            mac: Mac(host.host.mac()),
            is_up: host.up && host.carrier,
            received: host.received,
            sent: host.sent,
        };
        self.hosts.iter().map(|(name, plugged)| ((*name).to_owned(), state(plugged))).collect()
    }

    fn handle(&mut self, request: &HostRequest, now: Time) -> Result<HostAnswer, String> {
        let name = request.name.as_str();
        let Plugged { id, host, .. } = self.hosts.get_mut(name).ok_or_else(|| no_host(name))?;
        self.asked.insert(*id);
        let answer = host.pings.handle(&mut host.host, &request.task);
        host.host.poll(now);
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::console::client::{Answer, Client};
    use crate::console::protocol::HostTask;
    use crate::lab::built_in;
    use crate::rng::Seed;
    use crate::sim::{Replug, ping};

    fn ask(sim: &mut Sim, router: &str, request: Request) -> Answer {
        let mut session = Session::new();
        Client::new(LabChannel::new(sim, router, &mut session)).ask(request).unwrap()
    }

    fn shown(sim: &mut Sim, router: &str) -> String {
        ask(sim, router, Request::Line("show emulated-hosts".to_owned())).text
    }

    #[test]
    fn a_router_shows_the_emulated_hosts_in_its_lans_and_no_others() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let mut sim = ping::lab_up(&lab, Seed::from_number(1)).unwrap();
        let text = shown(&mut sim, "xTR1");
        let line = text.lines().find(|line| line.starts_with("C ")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!(words[1..3], ["Ethernet2/0", "up"], "{text}");
        assert!(line.ends_with("10.10.10.10/24, 2001:db8:a10::10/64"), "{text}");
        assert!(text.contains("\nD ") && !text.contains("\nA "), "{text}");
        assert_eq!(shown(&mut sim, "PxTR1").lines().count(), 1);
        sim.move_host("C", "siteB", Replug::Atomic).unwrap();
        assert!(!shown(&mut sim, "xTR1").contains("\nC "));
        assert!(shown(&mut sim, "xTR2").contains("\nC "));
    }

    #[test]
    fn an_emulated_host_pings_when_a_console_asks_for_it() {
        let lab = built_in::find("gsmr").unwrap().unwrap();
        let mut sim = ping::lab_up(&lab, Seed::from_number(1)).unwrap();
        let host = |name: &str, task| Request::Host(HostRequest { name: name.to_owned(), task });
        let to = "192.168.0.22".parse().unwrap();
        let task = HostTask::Ping { to, count: 2, size: 100, every_ms: None };
        let refused = ask(&mut sim, "xTR2", host("C", task.clone()));
        assert_eq!(refused.error.unwrap(), "there is no emulated host C");
        assert!(!refused.done.ok);
        let begun = ask(&mut sim, "xTR1", host("C", task)).host.unwrap();
        sim.run_for(Duration::from_secs(2));
        let stop = HostTask::Stop(begun.ping.unwrap());
        let report = ask(&mut sim, "xTR1", host("C", stop)).host.unwrap();
        assert!(report.is_done);
        assert_eq!(report.echos.iter().map(|echo| echo.mark).collect::<String>(), "!!");
        let frames = sim.at_console("xTR1", |_, hosts, _| hosts.states()["C"].sent).unwrap();
        assert!(frames >= 2, "{frames}");
    }
}
