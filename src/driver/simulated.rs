//! Runs a simulated lab in real time or at another speed. Each router has a console socket.
//!
//! In each step, the simulation runs until a virtual time that depends on the machine's clock and
//! the speed. Between two steps, the consoles are served in turns, as in the event loop of a real
//! router.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;
use std::str::FromStr;
use std::thread;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;

use super::Error;
use super::clock::Clock;
use super::console_server::{ConsoleServer, Turn};
use super::descriptors;
use super::telnet::TelnetServer;
use crate::private;
use crate::router::Router;
use crate::sim::{Sim, SimError};
use crate::time::Time;
use crate::watch::snapshot::RouterState;
use crate::watch::stream::Told;
use crate::watch::{Item, Watch};

/// The time between two steps of the simulation. At full speed, a step is this time on the clock of
/// the simulation. At all other speeds, a step begins at the latest after this time on the clock of
/// the machine.
const STEP: Duration = Duration::from_millis(20);
/// The token of the signals, and the number of tokens for each router. The token of a router's
/// console listener is the number of the router multiplied by [`PER_ROUTER`]. The next tokens
/// belong to the clients of this console.
const SIGNALS: Token = Token(usize::MAX >> 1);
const PER_ROUTER: usize = 64;

/// The speed of the simulated time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// A speed relative to real time: 2 is twice as fast. The number is finite and greater than 0.
    Times(f64),
    /// As fast as the processor allows.
    Fast,
}

impl FromStr for Pace {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "fast" {
            return Ok(Pace::Fast);
        }
        let times = text.parse().ok().filter(|times: &f64| times.is_finite() && *times > 0.0);
        times.map(Pace::Times).ok_or("the value must be a number above 0, or `fast`")
    }
}

/// Runs a simulated lab until SIGINT or SIGTERM, and serves the consoles of the lab's routers. The
/// console sockets are in `directory`, and this directory is below [`private::runtime`]. `telnet`
/// is the telnet port of the first router, or `None` if there is no telnet server.
///
/// # Errors
/// A socket cannot be opened, or polling fails.
pub fn run(sim: Sim, directory: &Path, pace: Pace, telnet: Option<u16>) -> Result<(), Error> {
    let during = format!("opening the consoles in {}", directory.display());
    let mut served = Served::open(sim, directory).map_err(Error::during(during))?;
    let ports = directory.join(private::TELNET_PORTS);
    let opened = match telnet {
        Some(first) => served.serve_telnet(first, directory, &ports),
        None => Ok(()),
    };
    let outcome = opened
        .map_err(Error::during("telnet"))
        .and_then(|()| served.go_on(pace).map_err(Error::during("serving a simulated lab")));
    drop(served);
    let _ = fs::remove_file(&ports);
    // The console sockets are already removed. The result is ignored: if the directory contains
    // other files, it is not removed.
    let _ = fs::remove_dir(directory);
    outcome
}

struct Served {
    sim: Sim,
    poll: Poll,
    signals: Signals,
    consoles: Vec<(String, ConsoleServer)>,
    /// The clients that may have more requests. Each entry is the number of the router and the
    /// number of the client.
    ready: BTreeSet<(usize, usize)>,
    /// The routers whose listeners may have clients that wait to be accepted.
    listening: BTreeSet<usize>,
    /// The collection of the lab's items. `None` if there is no watcher at any console.
    watch: Option<Watch>,
    /// The state of each router that was last sent to the watchers of this router.
    states: BTreeMap<String, RouterState>,
}

impl Served {
    fn open(sim: Sim, directory: &Path) -> io::Result<Self> {
        descriptors::raise_limit();
        private::make_runtime()?;
        private::directory(directory)?;
        let poll = Poll::new()?;
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        poll.registry().register(&mut signals, SIGNALS, Interest::READABLE)?;
        let names: Vec<String> = sim.routers().map(|(name, _)| name.to_owned()).collect();
        let mut consoles = Vec::new();
        for (number, name) in names.into_iter().enumerate() {
            let mut console = ConsoleServer::open(&directory.join(format!("{name}.sock")))?;
            let token = Token(number * PER_ROUTER);
            poll.registry().register(&mut console.listener, token, Interest::READABLE)?;
            consoles.push((name, console));
        }
        Ok(Served {
            sim,
            poll,
            signals,
            consoles,
            ready: BTreeSet::new(),
            listening: BTreeSet::new(),
            watch: None,
            states: BTreeMap::new(),
        })
    }

    /// Starts a thread that serves the consoles by telnet. The thread runs until the process ends.
    /// Writes the list of telnet ports to the file `ports`.
    fn serve_telnet(&self, first: u16, directory: &Path, ports: &Path) -> io::Result<()> {
        let sockets = self.consoles.iter().map(|(name, _)| directory.join(format!("{name}.sock")));
        let server = TelnetServer::bind(first, &sockets.collect::<Vec<_>>())?;
        private::write(ports, server.ports()?)?;
        thread::Builder::new().name("telnet".to_owned()).spawn(move || {
            if let Err(error) = server.run() {
                log::error!("the telnet server has ended: {error}");
            }
        })?;
        Ok(())
    }

    fn go_on(&mut self, pace: Pace) -> io::Result<()> {
        let (clock, began) = (Clock::start(), self.sim.now());
        let mut events = Events::with_capacity(64);
        loop {
            let sleeps = self.ready.is_empty() && pace != Pace::Fast;
            let wait = if sleeps { STEP } else { Duration::ZERO };
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => other?,
            }
            if self.signals.pending().next().is_some() {
                return Ok(());
            }
            let now = match pace {
                Pace::Times(times) => began + clock.now().since(Time::ZERO).mul_f64(times),
                Pace::Fast => self.sim.now() + STEP,
            };
            self.run_until(now);
            for token in events.iter().map(mio::event::Event::token).filter(|&at| at != SIGNALS) {
                match (token.0 / PER_ROUTER, token.0 % PER_ROUTER) {
                    (router, 0) => drop(self.listening.insert(router)),
                    (router, client) => drop(self.ready.insert((router, client - 1))),
                }
            }
            for router in std::mem::take(&mut self.listening) {
                self.accept(router);
            }
            for (router, client) in std::mem::take(&mut self.ready) {
                self.serve(router, client);
            }
            self.say_debug_lines();
            self.tell_watchers();
        }
    }

    /// Runs the simulation until the virtual time `until`. If the command of a client waits for a
    /// time or for a packet, serves this client at the virtual time at which the wait ends.
    fn run_until(&mut self, until: Time) {
        loop {
            let consoles = &self.consoles;
            let deadlines = consoles.iter().filter_map(|(_, console)| console.deadline());
            let deadline = deadlines.min().unwrap_or(until).min(until);
            let has_answer = |_: &Sim| consoles.iter().any(|(_, console)| console.has_answer());
            self.sim.run_while_not(deadline, has_answer);
            let now = self.sim.now();
            let due: BTreeSet<(usize, usize)> = consoles
                .iter()
                .enumerate()
                .flat_map(|(router, (_, console))| {
                    let clients = console.due(now).into_iter().chain(console.with_answer());
                    clients.map(move |client| (router, client))
                })
                .collect();
            if due.is_empty() && now >= until {
                return;
            }
            for (router, client) in due {
                self.serve(router, client);
            }
        }
    }

    fn accept(&mut self, router: usize) {
        let Some((_, console)) = self.consoles.get_mut(router) else { return };
        loop {
            match console.accept() {
                Ok(number) => {
                    let Some(client) = console.client_mut(number) else { continue };
                    let token = Token(router * PER_ROUTER + 1 + number);
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    if self.poll.registry().register(&mut client.stream, token, interest).is_err() {
                        console.close(number);
                    }
                }
                Err(error) if descriptors::none_is_free(&error) => {
                    // In the next step, the listener accepts the clients that still wait.
                    self.listening.insert(router);
                    return;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // This client was disconnected because there are too many clients, or it has closed
                // its connection.
                Err(_) => {}
            }
        }
    }

    fn serve(&mut self, router: usize, number: usize) {
        let Some((name, console)) = self.consoles.get_mut(router) else { return };
        let Some(client) = console.client_mut(number) else { return };
        let started_at = |sim: &Sim| sim.router(name).ok().map(Router::started_at);
        let before = started_at(&self.sim);
        let turn: Result<Turn, SimError> =
            self.sim.at_console(name, |router, hosts, now| client.serve(router, hosts, now));
        if started_at(&self.sim) != before {
            // The router has restarted because of the command `reload`, so all its sessions end.
            return console.close_all();
        }
        match turn {
            Ok(Turn::More) => drop(self.ready.insert((router, number))),
            Ok(Turn::Wait) => {}
            Ok(Turn::Close) | Err(_) => console.close(number),
        }
    }

    fn say_debug_lines(&mut self) {
        for (name, console) in &mut self.consoles {
            for (at, line) in self.sim.take_debug(name).unwrap_or_default() {
                console.say(&format!("{}{line}", Clock::stamp(Sim::wall_clock(at))));
            }
        }
    }

    /// Sends the items since the last step to the watchers. A watcher of a router gets the items of
    /// this router. Some items belong to no router, for example the packets on the links. Only the
    /// watchers of the first watched router get these items.
    fn tell_watchers(&mut self) {
        let is_watched = self.consoles.iter().any(|(_, console)| console.is_watched());
        match (&self.watch, is_watched) {
            (None, false) => return,
            (None, true) => {
                let watch = Watch::default();
                self.sim.watch(watch.clone());
                self.watch = Some(watch);
            }
            (Some(_), true) => {}
            (Some(_), false) => {
                self.sim.stop_watching();
                self.watch = None;
                return;
            }
        }
        let items = self.watch.as_ref().map(Watch::take).unwrap_or_default();
        let began = Clock::wall_clock_micros().saturating_sub(self.sim.now().0);
        let mut is_first = true;
        for (name, console) in self.consoles.iter_mut().filter(|(_, it)| it.is_watched()) {
            let is_here = |item: &&Item| match item.node() {
                Some(node) => node == name,
                None => is_first,
            };
            let own = items.iter().filter(is_here).cloned();
            let mut lines: Vec<Told> = own.map(Box::new).map(Told::Item).collect();
            is_first = false;
            if !lines.is_empty() || console.has_new_watcher() {
                let state = self.sim.router(name).map(RouterState::of).unwrap_or_default();
                let first = [Told::Began(began), Told::State(state.clone())];
                if self.states.get(name) != Some(&state) {
                    lines.push(Told::State(state.clone()));
                    self.states.insert(name.clone(), state);
                }
                console.tell(&first, &lines);
            }
        }
    }
}
