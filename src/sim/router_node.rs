//! A LISP router of a lab. It has a kernel and a process, and the process runs a [`Router`].
//!
//! This node replaces the driver, which does the same work in a network namespace. It reads
//! `lisp0`, UDP ports 4341 and 4342, and TCP port 4342. It carries out the outputs and kernel
//! requests of the core, and reports the events of the kernel to the core.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Write;
use std::net::SocketAddr;

use super::drops::{ProcessDrop, SimDrop};
use super::kernel::udp::Outgoing;
use super::kernel::{Datagram, DeviceKind, Kernel, KernelDrop};
use super::node::{ForProcess, NodeOutput};
use super::probes;
use super::tcp::Tcp;
use crate::addr::Rloc;
use crate::console::machine::LogLine;
use crate::console::running_config;
use crate::packet::{OwnedPacket, Packet};
use crate::record::Recorder;
use crate::router::debug;
use crate::router::event::Event;
use crate::router::io::{
    ControlDatagram, Device, Encapsulation, Fragmentation, Inbound, Input, KernelEvent,
    LISP_DEVICE, Outbound, Outer, Output, PathEvent, ProcessEvent, ProcessObject, ProcessRequest,
    TcpEvent, TcpRequest,
};
use crate::router::kept::KeptNonces;
use crate::router::logging::{Log, Severity};
use crate::router::witness::Witness;
use crate::router::{Router, Start};
use crate::time::{Deadline, Time};
use crate::wire::data_header::DATA_HEADER_LEN;
use crate::wire::{CONTROL_PORT, DATA_PORT, DATA_SOURCE_PORTS};

/// The TTL of a control message. It is the default TTL of Linux sockets.
const CONTROL_TTL: u8 = 64;
/// The maximum number of refused requests that are kept for inspection.
const REFUSALS: usize = 64;
/// The maximum number of debug lines that are kept until they are read. If there are more lines,
/// the oldest lines are dropped.
const DEBUG_LINES: usize = 1000;
/// The maximum number of log lines that are kept. If there are more lines, the oldest lines are
/// dropped.
const LOG_LINES: usize = 1000;
/// The MTU of a new TUN device, in octets.
const TUNNEL_MTU: u16 = 1500;

/// The receivers of the inputs and outputs of a router.
#[derive(Default)]
pub struct Observers {
    /// The inputs and outputs are written to this record.
    pub record: Option<Box<dyn Write>>,
    /// A witness of the router.
    pub witness: Option<Box<dyn Witness>>,
}

/// A router's kernel and process.
pub struct RouterNode {
    kernel: Kernel,
    router: Router,
    tcp: Tcp,
    /// The RLOCs whose UDP sockets are open.
    sockets: BTreeMap<Rloc, Fragmentation>,
    refusals: Vec<KernelEvent>,
    debug: VecDeque<(Time, String)>,
    log: VecDeque<(Time, Severity, String)>,
    /// The number of lines that were logged for each kind of event.
    log_bounds: Log,
    /// The locators to which the process sent a data packet, but the kernel had no route.
    without_route: BTreeSet<Rloc>,
    /// The number of packets that were passed to the core for a forwarding decision.
    offered: u64,
    /// The stored nonces. The driver stores the same nonces in a file.
    kept: KeptNonces,
    /// The probe sockets of the consoles.
    probes: probes::Sockets,
    /// The configuration with which the process was started, as text.
    started_with: String,
    /// The wall clock at [`Time::ZERO`], in microseconds since 1970.
    wall_clock: u64,
    /// The log lines up to this time are not shown at the console.
    log_cleared_at: Option<Time>,
}

/// The parts of a router's process that a console uses. The core is not one of these parts.
pub struct ConsoleParts<'a> {
    /// The configuration with which the process was started, as text.
    pub started_with: &'a str,
    log: &'a VecDeque<(Time, Severity, String)>,
    log_cleared_at: &'a mut Option<Time>,
    wall_clock: u64,
}

impl ConsoleParts<'_> {
    /// Returns the lines of the log for `show logging`.
    pub fn log_lines(&self) -> Vec<LogLine> {
        let shown =
            self.log.iter().filter(|(at, ..)| self.log_cleared_at.is_none_or(|it| *at > it));
        let line = |(at, severity, text): &(Time, Severity, String)| LogLine {
            wall_clock: self.wall_clock.saturating_add(at.0),
            is_warning: *severity == Severity::Warning,
            text: text.clone(),
        };
        shown.map(line).collect()
    }

    /// Hides the present lines of the log from `show logging`.
    pub fn clear_log(&mut self) {
        *self.log_cleared_at = self.log.back().map(|(at, ..)| *at);
    }
}

impl RouterNode {
    /// Starts the process in a kernel. The process opens its TCP stack, reads the kernel's tables,
    /// and reads the nonces that an earlier process stored. The `observers` receive the inputs and
    /// outputs of the core.
    pub fn start(mut kernel: Kernel, kept: KeptNonces, start: Start, observers: Observers) -> Self {
        let Observers { record, witness } = observers;
        kernel.remove_leftovers();
        kernel.open_tcp();
        let tcp = Tcp::new(&start.seed, start.now);
        let now = start.now;
        let started_with = running_config(&start.config);
        let wall_clock = start.wall_clock.saturating_sub(now.0);
        let recorder = record.map(|record| Recorder::new(record, &start));
        let mut router = Router::new(start);
        if let Some(recorder) = recorder {
            router.show_to(Box::new(recorder));
        }
        if let Some(witness) = witness {
            router.show_to(witness);
        }
        router.handle(Input::Nonces(kept.clone()), now);
        let mut node = RouterNode {
            kernel,
            router,
            tcp,
            sockets: BTreeMap::new(),
            refusals: Vec::new(),
            debug: VecDeque::new(),
            log: VecDeque::new(),
            log_bounds: Log::default(),
            without_route: BTreeSet::new(),
            offered: 0,
            kept,
            probes: probes::Sockets::default(),
            started_with,
            wall_clock,
            log_cleared_at: None,
        };
        node.kernel.announce();
        node
    }

    /// Returns the core for reading.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Returns the kernel for reading.
    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Returns the kernel so that an operator can change it.
    pub fn kernel_mut(&mut self) -> &mut Kernel {
        &mut self.kernel
    }

    /// Returns the requests that the kernel refused, but at most the first 64.
    pub fn refusals(&self) -> &[KernelEvent] {
        &self.refusals
    }

    /// Returns the number of packets that were passed to the core for a forwarding decision. These
    /// packets come from `lisp0` and from UDP port 4341.
    pub fn offered(&self) -> u64 {
        self.offered
    }

    /// Passes an input to the core.
    pub fn handle(&mut self, input: Input<'_>, now: Time) {
        self.router.handle(input, now);
    }

    /// Returns the core so that the caller can change it.
    pub fn router_mut(&mut self) -> &mut Router {
        &mut self.router
    }

    /// Adds a socket that a console has opened.
    pub fn add_probe_socket(&mut self, socket: probes::Opened) {
        self.probes.add(socket);
    }

    /// Returns the lines of the log, each with its time. Dropped lines are not returned.
    pub fn log(&self) -> impl Iterator<Item = &(Time, Severity, String)> {
        self.log.iter()
    }

    /// Returns the parts of the process that a console uses: the core, which the caller can change,
    /// and the other parts.
    pub fn console_parts(&mut self) -> (&mut Router, ConsoleParts<'_>) {
        let parts = ConsoleParts {
            started_with: &self.started_with,
            log: &self.log,
            log_cleared_at: &mut self.log_cleared_at,
            wall_clock: self.wall_clock,
        };
        (&mut self.router, parts)
    }

    /// Returns the debug lines since the last call, each with its time.
    pub fn take_debug(&mut self) -> Vec<(Time, String)> {
        self.debug.drain(..).collect()
    }

    /// Does the work of the process that is due now.
    pub fn handle_timeout(&mut self, now: Time) {
        self.kernel.handle_timeout(now);
        self.router.handle_timeout(now);
        self.tcp.poll(now);
    }

    /// Returns the next time at which [`RouterNode::handle_timeout`] has work.
    pub fn poll_timeout(&mut self, now: Time) -> Option<Deadline> {
        Deadline::earliest([
            self.router.poll_timeout(),
            self.tcp.poll_timeout(now),
            self.kernel.poll_timeout(),
        ])
    }

    /// Ends the process as after a loss of power. The kernel and the stored nonces remain. The
    /// peers of the TCP connections are not notified.
    pub fn power_off(mut self) -> (Kernel, KeptNonces) {
        self.kernel.end_process();
        (self.kernel, self.kept)
    }

    /// Ends the process as `kill -9` does on Linux. The process sends no last message. Its kernel
    /// closes the TCP connections, so that the peers receive FIN or RST.
    pub fn kill(mut self, now: Time) -> (Kernel, KeptNonces) {
        self.tcp.stop(now);
        self.send_segments();
        self.power_off()
    }

    /// Ends the process as SIGTERM does. The process withdraws its registrations, closes its
    /// connections, and restores the state that the kernel had before the process started.
    pub fn stop(mut self, now: Time) -> (Kernel, KeptNonces) {
        self.router.handle(Input::Stop, now);
        while let Some(output) = self.router.poll_output() {
            // The core first sends its last messages, then removes its routes. The FINs are sent
            // between these two steps, because the FINs need the routes.
            if matches!(output, Output::Kernel(_)) {
                self.tcp.stop(now);
            }
            self.carry_out(output, now);
            self.send_segments();
        }
        self.power_off()
    }

    /// Passes a message of the kernel to the process.
    pub fn process(&mut self, what: ForProcess, now: Time) {
        match what {
            ForProcess::Tunnel(packet) => self.read_tunnel(packet, now),
            ForProcess::Datagram(datagram) => match datagram.destination.port() {
                DATA_PORT => self.read_data(datagram, now),
                _ => self.read_control(&datagram, now),
            },
            ForProcess::Segment(packet) => {
                if !self.tcp.receive(&packet, now) {
                    self.note_drop(ProcessDrop::QueueFull, &packet);
                }
            }
            ForProcess::Icmp(packet) => self.probes.receive(&packet, now),
            ForProcess::Error(error) => {
                self.router.handle(Input::Path(PathEvent::Icmp(error)), now);
            }
        }
    }

    /// Returns the next output of the node. Before that, the core and the kernel exchange all their
    /// messages.
    pub fn poll_output(&mut self, now: Time) -> Option<NodeOutput> {
        self.probes.work(&mut self.kernel, now);
        loop {
            if let Some(event) = self.kernel.poll_event() {
                if matches!(event, KernelEvent::Refused { .. }) && self.refusals.len() < REFUSALS {
                    self.refusals.push(event.clone());
                }
                let lisp_gone =
                    matches!(&event, KernelEvent::LinkGone { device } if device == LISP_DEVICE);
                self.router.handle(Input::Kernel(event), now);
                if lisp_gone {
                    let event = ProcessEvent::Lost(ProcessObject::Tunnel);
                    self.router.handle(Input::Process(event), now);
                }
            } else if let Some(packet) = self.tcp.poll_output() {
                self.kernel.send_segment(packet);
            } else if let Some(event) = self.tcp.poll_event(now) {
                self.router.handle(Input::Tcp(event), now);
            } else if let Some(output) = self.router.poll_output() {
                self.carry_out(output, now);
            } else if let Some(rloc) = self.without_route.pop_first() {
                self.router.handle(Input::Path(PathEvent::NoRoute(rloc)), now);
            } else {
                return self.kernel.poll_output().map(NodeOutput::from_kernel);
            }
        }
    }

    /// Opens a device or sockets at the request of the core. If the device or the sockets are
    /// already open, changes their settings.
    fn open(&mut self, object: ProcessObject) {
        match object {
            ProcessObject::Tunnel => match self.kernel.device_id(LISP_DEVICE) {
                Some(id) => self.kernel.set_carrier(id, true),
                None => {
                    self.kernel.add_device(LISP_DEVICE, DeviceKind::Tunnel, TUNNEL_MTU);
                }
            },
            ProcessObject::Sockets { rloc, fragmentation } => {
                if self.sockets.insert(rloc, fragmentation).is_none() {
                    self.kernel.bind_udp(rloc.0, [DATA_PORT, CONTROL_PORT]);
                    self.kernel.bind_senders(rloc.0, DATA_SOURCE_PORTS);
                }
            }
            ProcessObject::Listener(rloc) => self.tcp.listen(rloc),
            // Each emulated host is a node of the lab, so there is nothing to open here.
            ProcessObject::Host(_) => {}
        }
    }

    fn close(&mut self, object: &ProcessObject) {
        match *object {
            ProcessObject::Tunnel => {
                if let Some(id) = self.kernel.device_id(LISP_DEVICE) {
                    self.kernel.delete_device(id);
                }
            }
            ProcessObject::Sockets { rloc, .. } => {
                self.sockets.remove(&rloc);
                self.kernel.unbind(rloc.0);
            }
            ProcessObject::Listener(rloc) => self.tcp.stop_listening(rloc),
            ProcessObject::Host(_) => {}
        }
    }

    fn read_tunnel(&mut self, mut bytes: Vec<u8>, now: Time) {
        let carried = self.router.config().instance_behind(Device::Lisp);
        let Some(instance_id) = carried else {
            return self.note_drop(ProcessDrop::NoEidTable, &bytes);
        };
        let mut packet = Packet::single(&mut bytes);
        self.offered += 1;
        match self.router.encapsulate(instance_id, &mut packet, now) {
            Outbound::Encapsulate(encapsulation) => self.send_data(&encapsulation, &bytes),
            Outbound::Native => self.kernel.write_tunnel(bytes),
            Outbound::Held | Outbound::Dropped(_) => {}
        }
    }

    fn read_data(&mut self, datagram: Datagram, now: Time) {
        let Datagram { source, destination, ttl, tos, mut payload } = datagram;
        let outer = Outer { source: source.ip(), destination: destination.ip(), ttl, tos };
        let mut packet = Packet::single(&mut payload);
        self.offered += 1;
        match self.router.decapsulate(&outer, &mut packet, now) {
            Inbound::Deliver { len, .. } => {
                if let Some(inner) = payload.get(DATA_HEADER_LEN..DATA_HEADER_LEN + len) {
                    self.kernel.write_tunnel(inner.to_vec());
                }
            }
            Inbound::Forward { encapsulation, len } => {
                if let Some(inner) = payload.get(DATA_HEADER_LEN..DATA_HEADER_LEN + len) {
                    self.send_data(&encapsulation, inner);
                }
            }
            Inbound::Held | Inbound::Dropped(_) => {}
        }
    }

    fn read_control(&mut self, datagram: &Datagram, now: Time) {
        let control = ControlDatagram {
            source: datagram.source,
            destination: datagram.destination.ip(),
            payload: &datagram.payload,
        };
        self.router.handle(Input::Control(control), now);
    }

    fn carry_out(&mut self, output: Output, now: Time) {
        match output {
            Output::Control { source, destination, payload, .. } => {
                self.send_control(source, destination, &payload);
            }
            Output::Encapsulate(encapsulation, OwnedPacket { bytes, .. }) => {
                self.send_data(&encapsulation, &bytes);
            }
            Output::Native(_, OwnedPacket { bytes, .. }) => self.kernel.write_tunnel(bytes),
            Output::Kernel(request) => self.kernel.apply(request),
            Output::Process(ProcessRequest::Open(object)) => self.open(object),
            Output::Process(ProcessRequest::Close(object)) => self.close(&object),
            Output::Tcp(request) => self.change_connection(request, now),
            Output::Nonce(request) => self.kept.apply(request),
            Output::Event(event) => self.tell(&event, now),
        }
    }

    /// Handles an event of the core: adds the lines of the event to the log and to the debug lines.
    fn tell(&mut self, event: &Event, now: Time) {
        for (severity, line) in self.log_bounds.lines(event, now) {
            self.write_log(severity, line, now);
        }
        if self.router.debugging().wants(event) {
            debug::lines(event).into_iter().for_each(|line| self.say(line, now));
        }
    }

    fn say(&mut self, line: String, now: Time) {
        log::debug!(target: "debug", "{line}");
        if self.debug.len() == DEBUG_LINES {
            self.debug.pop_front();
        }
        self.debug.push_back((now, line));
    }

    fn write_log(&mut self, severity: Severity, line: String, now: Time) {
        log::log!(severity.into(), "{}: {line}", self.router.config().hostname);
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back((now, severity, line));
    }

    fn send_control(&mut self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) {
        let datagram = Outgoing {
            source,
            destination,
            ttl: CONTROL_TTL,
            tos: 0,
            checksum: true,
            fragmentation: Fragmentation::ByPath,
            payload,
        };
        match self.sockets.contains_key(&Rloc(source.ip())) {
            // The kernel counts a failure, so the result is not used.
            true => drop(self.kernel.send_udp(&datagram)),
            false => {
                let packet = self.kernel.as_packet(&datagram);
                self.note_drop(ProcessDrop::NoSocket, &packet);
            }
        }
    }

    fn note_drop(&mut self, reason: ProcessDrop, packet: &[u8]) {
        self.kernel.dropped.note(SimDrop::Process(reason), packet);
    }

    fn change_connection(&mut self, request: TcpRequest, now: Time) {
        match request {
            // Linux cannot bind a source address that the node does not have.
            TcpRequest::Connect { connection, source, .. } if !self.kernel.is_local(source.0) => {
                self.router.handle(Input::Tcp(TcpEvent::Closed(connection)), now);
            }
            request => self.tcp.request(request, now),
        }
    }

    fn send_segments(&mut self) {
        while let Some(packet) = self.tcp.poll_output() {
            self.kernel.send_segment(packet);
        }
    }

    fn send_data(&mut self, encapsulation: &Encapsulation, inner: &[u8]) {
        let Encapsulation { source, destination, ttl, tos, header, .. } = *encapsulation;
        let Some(&fragmentation) = self.sockets.get(&source) else {
            return self.note_drop(ProcessDrop::NoSocket, inner);
        };
        let source_port = encapsulation.source_port();
        let mut payload = Vec::with_capacity(DATA_HEADER_LEN + inner.len());
        payload.extend_from_slice(&header);
        payload.extend_from_slice(inner);
        let sent = self.kernel.send_udp(&Outgoing {
            source: SocketAddr::new(source.0, source_port),
            destination: SocketAddr::new(destination.0, DATA_PORT),
            ttl,
            tos,
            checksum: false,
            fragmentation,
            payload: &payload,
        });
        if matches!(sent, Err(KernelDrop::NoRoute | KernelDrop::Unreachable)) {
            self.without_route.insert(destination);
        }
    }
}
