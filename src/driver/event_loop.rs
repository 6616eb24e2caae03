//! The event loop. It waits until a source is ready or a timer is due. Then it serves each ready
//! source, up to a limit of work for each source.
//!
//! mio is edge-triggered. After mio has reported a source, it does not report the source again
//! until a read of the source has returned `WouldBlock`. So the loop reads a source until a read
//! returns `WouldBlock`, or until the loop has reached the limit for this source and this turn. In
//! the second case the source stays in the set of ready sources, and the next turn does not sleep.
//! So a busy source cannot block the other sources.

mod connections;
mod console;
mod data_path;
mod fast_path;
mod kernel;
mod process;
mod restart;
mod signals;
mod spin;
mod watched;

use std::collections::BTreeSet;
use std::io;
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::time::Duration;

use log::{debug, info};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use signal_hook_mio::v1_0::Signals;

use super::clock::Clock;
use super::console_server::ConsoleServer;
use super::descriptors::{self, Waiting};
use super::faults::Faults;
use super::hosts::Hosts;
use super::machine::LogBuffer;
use super::namespace_lock::NamespaceLock;
use super::netlink::Netlink;
use super::nonces::NonceFile;
use super::tcp::Tcp;
use super::tun::Tun;
use super::udp::Udp;
use super::watched::Watched;
use super::{Error, Options, entropy, recording};
use crate::record::Recorder;
use crate::rng::Seed;
use crate::router::config::Config;
use crate::router::event::Event;
use crate::router::io::{ControlDatagram, Input, Output, ProcessObject, ProcessRequest};
use crate::router::logging::{Log, Severity};
use crate::router::{self, Router, Start};
use crate::time::Time;
use connections::{accepted, opened};
use data_path::DataPath;
use fast_path::FastPathState;
use kernel::LOOK_INTERVAL;
use spin::Spin;

/// The maximum number of control messages that are read from one socket in one turn of the loop.
const MESSAGES_A_TURN: usize = 16;
/// The length of the largest IP packet, in octets.
const BUFFER_LEN: usize = 1 << 16;

/// A source that can become ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Signals,
    Kernel,
    Tun,
    /// The data socket of the RLOC in this slot of [`Udp`].
    Data(usize),
    /// The control socket of the RLOC in this slot of [`Udp`].
    Control(usize),
    ConsoleListener,
    /// The client with this number in [`ConsoleServer`].
    Console(usize),
    /// The listener in this slot of [`Tcp`].
    Listener(usize),
    /// The connection with this number in [`Tcp`]. The router has opened this connection.
    Opened(usize),
    /// The connection in [`Tcp`] with the number [`Connection::ACCEPTED`] plus this number. The
    /// router has accepted this connection.
    Accepted(usize),
    /// The device of the emulated host in this slot of [`Hosts`].
    Host(usize),
    /// The ICMP errors about packets whose source is the RLOC in this slot of [`Udp`].
    Errors(usize),
}

impl Source {
    /// The number of kinds of sources. Each kind has its own tokens.
    const KINDS: usize = 12;

    fn token(self) -> Token {
        let (kind, number) = match self {
            Source::Signals => (0, 0),
            Source::Kernel => (1, 0),
            Source::Tun => (2, 0),
            Source::Data(number) => (3, number),
            Source::Control(number) => (4, number),
            Source::ConsoleListener => (5, 0),
            Source::Console(number) => (6, number),
            Source::Listener(number) => (7, number),
            Source::Opened(number) => (8, number),
            Source::Accepted(number) => (9, number),
            Source::Host(number) => (10, number),
            Source::Errors(number) => (11, number),
        };
        Token(number * Self::KINDS + kind)
    }

    fn of(token: Token) -> Self {
        let number = token.0 / Self::KINDS;
        match token.0 % Self::KINDS {
            0 => Source::Signals,
            1 => Source::Kernel,
            2 => Source::Tun,
            3 => Source::Data(number),
            4 => Source::Control(number),
            5 => Source::ConsoleListener,
            6 => Source::Console(number),
            7 => Source::Listener(number),
            8 => Source::Opened(number),
            9 => Source::Accepted(number),
            10 => Source::Host(number),
            _ => Source::Errors(number),
        }
    }
}

/// The result of a turn: whether the loop continues.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The loop does another turn.
    Continue,
    /// The router has stopped and has restored the kernel's state.
    Stopped,
    /// A user has typed `reload`: the caller calls [`EventLoop::restart`].
    Restart,
}

/// A router with its connections to the operating system.
pub struct EventLoop {
    clock: Clock,
    router: Router,
    poll: Poll,
    events: Events,
    /// The sources that may have more data to read.
    ready: BTreeSet<Source>,
    spin: Spin,
    signals: Option<Signals>,
    netlink: Netlink,
    /// The time of the next check for changes that the kernel does not report.
    look_at: Time,
    options: Options,
    tun: Option<Tun>,
    data_path: DataPath,
    fast_path: FastPathState,
    udp: Udp,
    tcp: Tcp,
    hosts: Hosts,
    /// The seed for the stacks of the emulated hosts.
    hosts_seed: Seed,
    console: Option<ConsoleServer>,
    /// Whether a user has typed `reload`.
    restarts: bool,
    /// The router's items that are sent to the watchers. `None` if no client of the console is a
    /// watcher.
    watched: Option<Watched>,
    /// Converts events to log lines, and limits the number of lines for each kind of event.
    log: Log,
    /// The newest lines of the log.
    log_buffer: LogBuffer,
    nonces: NonceFile,
    faults: Faults,
    /// The listeners that wait for a free file descriptor. A client may wait until such a listener
    /// accepts its connection.
    waiting: Waiting<Source>,
    buffer: Box<[u8]>,
    /// The lock of the namespace. This field is dropped last, so that no other router can use the
    /// namespace before that.
    _lock: NamespaceLock,
}

impl EventLoop {
    /// Prepares the network namespace of the calling thread for a router, and starts the router in
    /// this namespace. The console's socket is opened last. So the router is ready when a client
    /// can connect.
    pub fn start(
        config: Config,
        console_socket: Option<&Path>,
        options: Options,
    ) -> Result<Self, Error> {
        EventLoop::begin(config, console_socket, options, Hosts::default())
    }

    /// Starts a router. `hosts` are the emulated hosts that the router had before its restart.
    fn begin(
        config: Config,
        console_socket: Option<&Path>,
        options: Options,
        hosts: Hosts,
    ) -> Result<Self, Error> {
        // The lock is taken before anything is changed, because another router may use this
        // namespace.
        let lock = NamespaceLock::take();
        let lock = lock.map_err(Error::during("locking this network namespace"))?;
        let clock = Clock::start();
        let descriptors = descriptors::raise_limit();
        let seed = entropy::seed().map_err(Error::during("drawing a seed"))?;
        let hosts_seed = seed.fork("emulated hosts");
        let wall_clock = Clock::wall_clock_micros();
        let start = Start { config, seed, wall_clock, now: clock.now() };
        let nonces = NonceFile::open(options.nonces.as_deref());
        let nonces = nonces.map_err(Error::during("reading the file of nonces"))?;
        let mut router = match &options.record {
            None => Router::new(start),
            Some(path) => {
                recorded_router(start, path).map_err(Error::during("opening the record"))?
            }
        };
        router.handle(Input::Nonces(nonces.kept()), clock.now());
        let mut event_loop = EventLoop {
            clock,
            router,
            poll: Poll::new().map_err(Error::during("opening epoll"))?,
            events: Events::with_capacity(256),
            ready: BTreeSet::new(),
            spin: Spin::default(),
            signals: None,
            netlink: Netlink::open().map_err(Error::during("opening netlink"))?,
            look_at: clock.now() + LOOK_INTERVAL,
            options,
            tun: None,
            data_path: DataPath::default(),
            fast_path: FastPathState::default(),
            udp: Udp::default(),
            tcp: Tcp::new(descriptors),
            hosts,
            hosts_seed,
            console: None,
            restarts: false,
            watched: None,
            log: Log::default(),
            log_buffer: LogBuffer::default(),
            nonces,
            faults: Faults::default(),
            waiting: Waiting::new(descriptors),
            buffer: vec![0; BUFFER_LEN].into_boxed_slice(),
            _lock: lock,
        };
        event_loop.watch_fd(event_loop.netlink.as_raw_fd(), Source::Kernel)?;
        for (slot, device) in event_loop.hosts.devices() {
            event_loop.watch_fd(device, Source::Host(slot))?;
        }
        event_loop.carry_out_first_outputs()?;
        let events = event_loop.netlink.read_all();
        event_loop.tell_router(events.map_err(Error::during("reading links and routes"))?);
        if let Some(path) = console_socket {
            event_loop.open_console(path).map_err(Error::during("opening the console's socket"))?;
        }
        Ok(event_loop)
    }

    /// Does one turn. Sleeps until a source is ready, a timer is due or the time `limit` has
    /// passed. Then serves each ready source, up to a limit of work for each source.
    pub fn turn(&mut self, limit: Option<Duration>) -> io::Result<Flow> {
        self.wait(limit)?;
        let now = self.clock.now();
        self.ready.extend(self.waiting.due(now));
        self.serve_fast_path(now);
        for source in mem::take(&mut self.ready) {
            if source == Source::Signals && self.serve_signals() == Flow::Stopped {
                self.stop();
                return Ok(Flow::Stopped);
            }
            if self.serve(source) {
                self.ready.insert(source);
            }
        }
        if self.restarts {
            return Ok(Flow::Restart);
        }
        let now = self.clock.now();
        self.tell_of_paths(now);
        self.expire_connections(now);
        self.hosts.handle_timeout(now);
        self.serve_due_consoles(now);
        if self.look_at <= now {
            self.look(now);
        }
        if self.router.poll_timeout().is_some_and(|deadline| deadline.at <= now) {
            self.report_uses(now);
            self.router.handle_timeout(now);
            self.carry_out_outputs();
        }
        self.faults.count_if("writing the file of nonces", self.nonces.write_due(now));
        self.tell_watchers();
        Ok(Flow::Continue)
    }

    /// Removes everything that the router has created.
    pub fn stop(&mut self) {
        info!("stopping");
        let now = self.clock.now();
        self.router.handle(Input::Stop, now);
        self.carry_out_outputs();
        self.tell_watchers();
        self.faults.count_if("writing the file of nonces", self.nonces.write());
    }

    /// Returns the router, for reading only.
    pub fn router(&self) -> &Router {
        &self.router
    }

    /// Returns the emulated hosts, for tests.
    #[cfg(test)]
    pub(super) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    fn wait(&mut self, limit: Option<Duration>) -> io::Result<()> {
        let now = self.clock.now();
        let timer = self.router.poll_timeout().map(|deadline| now.until(deadline.at));
        let closing = self.tcp.deadline().map(|deadline| now.until(deadline));
        let timeout = if self.ready.is_empty() {
            let hosts = self.hosts.poll_timeout().map(|due| now.until(due));
            let nonces = self.nonces.deadline().map(|due| now.until(due));
            let waiting = self.waiting.deadline().map(|due| now.until(due));
            let console = self.console.as_ref().and_then(ConsoleServer::deadline);
            let console = console.map(|due| now.until(due));
            let look = Some(now.until(self.look_at));
            let watched = self.watched.as_ref().and_then(Watched::deadline);
            let watched = watched.map(|due| now.until(due));
            [timer, closing, hosts, nonces, waiting, console, look, watched, limit]
                .into_iter()
                .flatten()
                .min()
        } else {
            Some(Duration::ZERO)
        };
        if timeout == Some(Duration::ZERO) || !self.spin_until_ready(timeout)? {
            poll(&mut self.poll, &mut self.events, timeout)?;
        }
        self.ready.extend(self.events.iter().map(|event| Source::of(event.token())));
        Ok(())
    }

    /// Polls the sources again and again without sleeping, until a source is ready, `timeout` has
    /// passed, or [`Spin::lasts`] returns false. Returns true if a source is ready. After a packet,
    /// the next packet often arrives in less time than the loop needs to sleep and to wake up.
    fn spin_until_ready(&mut self, timeout: Option<Duration>) -> io::Result<bool> {
        let begin = self.clock.now();
        let mut now = begin;
        while self.spin.lasts(now) && timeout.is_none_or(|timeout| now.since(begin) < timeout) {
            poll(&mut self.poll, &mut self.events, Some(Duration::ZERO))?;
            if !self.events.is_empty() {
                return Ok(true);
            }
            std::thread::yield_now();
            let after = self.clock.now();
            self.spin.yielded(now, after);
            now = after;
        }
        Ok(false)
    }

    /// Serves a source for one turn. Returns true if the source may have more data to read.
    fn serve(&mut self, source: Source) -> bool {
        match source {
            Source::Signals => false,
            Source::Kernel => self.serve_kernel(),
            Source::Tun => self.serve_tun(),
            Source::Data(slot) => self.serve_data(slot),
            Source::Control(slot) => self.serve_control(slot),
            Source::ConsoleListener => self.serve_console_listener(),
            Source::Console(number) => self.serve_console(number),
            Source::Listener(slot) => self.serve_tcp_listener(slot),
            Source::Opened(number) => self.serve_connection(opened(number)),
            Source::Accepted(number) => self.serve_connection(accepted(number)),
            Source::Host(slot) => self.serve_host(slot),
            Source::Errors(slot) => self.udp.learn(slot, &mut self.faults),
        }
    }

    fn serve_host(&mut self, slot: usize) -> bool {
        match self.hosts.receive(slot, self.clock.now()) {
            Ok(more) => more,
            Err(error) => {
                self.faults.count("reading a host's device", &error);
                false
            }
        }
    }

    fn serve_control(&mut self, slot: usize) -> bool {
        let now = self.clock.now();
        for _ in 0..MESSAGES_A_TURN {
            let Some(sockets) = self.udp.slot(slot) else {
                return false;
            };
            let header = match sockets.receive_control(&mut self.buffer) {
                Ok(header) => header,
                Err(error) => return self.faults.end_of_reading("reading port 4342", &error),
            };
            debug!("control: {} octets from {}", header.len, header.source);
            let datagram = ControlDatagram {
                source: header.source,
                destination: header.destination,
                payload: &self.buffer[..header.len],
            };
            self.router.handle(Input::Control(datagram), now);
            self.carry_out_outputs();
        }
        true
    }

    /// Carries out the router's first outputs. Opens `lisp0` and the sockets before it changes the
    /// namespace, because a router cannot work without `lisp0` and the sockets.
    fn carry_out_first_outputs(&mut self) -> Result<(), Error> {
        let outputs: Vec<Output> = std::iter::from_fn(|| self.router.poll_output()).collect();
        let (process, others): (Vec<_>, Vec<_>) =
            outputs.into_iter().partition(|output| matches!(output, Output::Process(_)));
        for output in process {
            match output {
                Output::Process(ProcessRequest::Open(object))
                    if !matches!(object, ProcessObject::Host(_)) =>
                {
                    self.open(&object)?;
                }
                output => self.carry_out(output),
            }
        }
        let prepared = self.netlink.prepare();
        prepared.map_err(Error::during("preparing the namespace"))?;
        others.into_iter().for_each(|output| self.carry_out(output));
        self.carry_out_outputs();
        Ok(())
    }

    /// Carries out the router's outputs.
    fn carry_out_outputs(&mut self) {
        self.follow_decisions();
        while let Some(output) = self.router.poll_output() {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Control { source, destination, payload, .. } => {
                debug!("control: {} octets to {destination}", payload.len());
                let sent = match self.udp.of(source.ip()) {
                    Some(sockets) => sockets.send_control(destination, &payload),
                    None => Err(io::ErrorKind::AddrNotAvailable.into()),
                };
                self.faults.count_if("sending a control message", sent);
            }
            Output::Encapsulate(wrap, mut packet) => {
                self.send_held(&wrap, &mut packet);
            }
            Output::Native(instance_id, mut packet) => {
                self.write_held(instance_id, &mut packet);
            }
            Output::Kernel(request) => self.change_kernel(request),
            Output::Process(request) => self.change_process(request),
            Output::Tcp(request) => self.change_connection(request),
            Output::Nonce(request) => self.nonces.apply(request),
            Output::Event(event) => self.tell(&event),
        }
    }

    /// Writes an event of the core to the log and to the consoles.
    fn tell(&mut self, event: &Event) {
        let now = self.clock.now();
        for (severity, line) in self.log.lines(event, now) {
            log::log!(severity.into(), "{line}");
            self.log_buffer.push(severity == Severity::Warning, &line);
        }
        if self.router.debugging().wants(event) {
            router::debug::lines(event).iter().for_each(|line| self.say(line));
        }
    }

    /// Adds the time to a debug line, and sends it to the log and to every console whose user has
    /// asked for debug lines.
    fn say(&mut self, line: &str) {
        let line = format!("{}{line}", Clock::stamp(Clock::wall_clock_micros()));
        info!(target: "debug", "{line}");
        if let Some(console) = &mut self.console {
            console.say(&line);
        }
    }
}

/// Registers file descriptors with mio.
impl EventLoop {
    fn watch_fd(&self, fd: RawFd, source: Source) -> Result<(), Error> {
        self.watch_fd_for(fd, source, Interest::READABLE)
    }

    fn watch_fd_for(&self, fd: RawFd, source: Source, interest: Interest) -> Result<(), Error> {
        let registry = self.poll.registry();
        let outcome = registry.register(&mut SourceFd(&fd), source.token(), interest);
        outcome.map_err(Error::during("watching a socket"))
    }
}

fn recorded_router(start: Start, path: &Path) -> io::Result<Router> {
    let recorder = Recorder::new(recording::create(path)?, &start);
    let mut router = Router::new(start);
    router.show_to(Box::new(recorder));
    Ok(router)
}

fn poll(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
    match poll.poll(events, timeout) {
        // A signal has arrived, so the pipe of the signals is ready in the next turn.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        other => other,
    }
}
