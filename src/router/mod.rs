//! The core of the router. It has the protocol, and makes no calls to the operating system.
//!
//! A [`Router`] has no socket, no clock, no random source and no thread. Its methods are of four
//! kinds, and a caller uses them in this order:
//!
//! 1. **Inputs**: [`Router::handle`] for events, [`Router::encapsulate`] and
//!    [`Router::decapsulate`] for data packets, [`Router::handle_timeout`] for time. All these
//!    methods take the time `now`, which must not decrease from call to call.
//! 2. **Outputs**: [`Router::poll_output`], until it returns `None`, after each input.
//! 3. **Time**: [`Router::poll_timeout`] returns the time at which `handle_timeout` has work. This
//!    time may change with every input. If `handle_timeout` is called before this time, it changes
//!    nothing.
//! 4. **Getters**, which change nothing.
//!
//! The same seed, wall clock, configuration and inputs give exactly the same outputs.

mod answers;
pub mod away;
pub mod bounded;
mod carry_out;
mod command;
pub mod config;
mod config_change;
mod configure;
mod confirm;
mod context;
mod control;
pub mod counters;
pub mod database;
mod deadlines;
pub mod debug;
pub mod debugging;
mod decide;
pub mod decision;
pub mod descriptors;
pub mod disbelief;
pub mod discovery;
mod echo_nonce;
mod eid_location;
mod elsewhere;
mod etr;
pub mod event;
mod explanations;
pub mod flow_cache;
pub mod flow_verdicts;
mod fragmentation;
mod generation;
mod heard;
mod held;
mod hosts;
mod icmp;
mod instances;
mod interface_name;
pub mod io;
mod itr;
pub mod kept;
mod kernel;
mod kernel_objects;
pub mod last_drops;
pub mod lig;
mod lines;
mod locator;
pub mod locators;
pub mod logging;
mod losses;
pub mod made;
pub mod map_cache;
pub mod map_server;
mod mapping_records;
mod message_event;
pub mod mobility;
mod news;
pub mod opaque;
mod orphaned_lines;
mod outstanding;
mod overclaim;
mod owner_changes;
pub mod packet_event;
mod packet_verdicts;
mod path_events;
pub mod paths;
mod process;
mod process_objects;
mod producer;
mod quote;
mod rate;
pub mod reachability;
pub mod reason;
pub mod recent;
#[cfg(test)]
mod reconcile_tests;
pub mod refusals;
mod register;
mod replies;
mod reply_records;
pub mod request_decision;
mod resolve;
mod resolver;
mod revision;
mod rib;
mod search;
mod searches;
pub mod session;
mod settle;
pub mod shared;
mod site_records;
mod smr;
pub mod smr_guard;
mod solicit;
mod source_check;
mod stale;
mod static_route;
mod status_bits;
mod tcp;
mod timer;
mod timers;
pub mod unsupported;
pub mod witness;
mod words;

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use away::AwayTable;
use bounded::Fill;
use config::{Config, InterfaceName, Roles};
use context::{Clock, Context};
use counters::Counters;
use database::Database;
use debugging::Debugging;
use descriptors::Descriptors;
use echo_nonce::EchoNonce;
use flow_cache::FlowCache;
use heard::Heard;
use icmp::ErrorLimiter;
use io::{Input, Output};
use kernel::Kernel;
use last_drops::LastDrops;
use lig::Queries;
use locators::LocalRlocs;
use map_cache::{Locator, MapCache};
use map_server::MapServer;
use mobility::Mobility;
use news::News;
use paths::Paths;
use process::Process;
use reachability::Reachability;
use reason::SessionReason;
use recent::Recent;
use refusals::Refusals;
use register::Registrar;
pub use register::RegistrationStatus;
use replies::Replies;
use resolver::Resolver;
use revision::Revision;
pub use rib::{Link, Rib};
use session::SessionView;
use solicit::Solicitor;
use source_check::SourceCheck;
use stale::Stale;
use status_bits::StatusHolds;
use timer::Timer;
use witness::{Call, Witness};

use crate::addr::Family;
use crate::rng::Seed;
use crate::time::{Deadline, Time};

/// The arguments with which a router is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// The seed of all random numbers of the router.
    pub seed: Seed,
    /// The wall clock at `now`, in microseconds since 1970. The nonces of Map-Registers begin with
    /// this number. If the last nonce of an earlier run was stored ([`Input::Nonces`]) and is
    /// greater, the new nonces begin after that nonce. So the nonces still grow after a restart,
    /// and a map-server accepts them.
    pub wall_clock: u64,
    /// The router's [`Time`] at its start.
    pub now: Time,
}

/// A LISP router. It can be an xTR, a proxy xTR, a map-server and a map-resolver, in any
/// combination.
///
/// The roles share the tables of the router. The code of a role is in its own files, for example in
/// `itr.rs` and in `map_server`.
#[derive(Debug)]
pub struct Router {
    context: Context,
    xtr_id: u128,
    /// The proxy ETRs that get the packets for EIDs with a negative mapping: first for IPv4 EIDs,
    /// then for IPv6 EIDs.
    proxy_etrs: [Vec<Locator>; 2],
    map_cache: MapCache,
    flows: FlowCache,
    /// How often the configuration of the data path has changed.
    configured: Revision,
    /// The last packet that was delivered. The next input that is not a packet deletes it.
    heard: Option<Heard>,
    sources: SourceCheck,
    paths: Paths,
    reachability: Reachability,
    host_errors: ErrorLimiter,
    echo_nonce: EchoNonce,
    status_holds: StatusHolds,
    database: Database,
    away: AwayTable,
    mobility: Mobility,
    rib: Rib,
    /// The parts of the tables that have to be updated at the end of the input.
    stale: Stale,
    kernel: Kernel,
    process: Process,
    resolver: Resolver,
    news: News,
    solicitor: Solicitor,
    registrar: Registrar,
    replies: Replies,
    map_server: MapServer,
    lig: Queries,
    descriptors: Option<Descriptors>,
}

impl Router {
    /// Starts a router. The first outputs prepare the kernel.
    pub fn new(start: Start) -> Self {
        let Start { config, seed, wall_clock, now } = start;
        let xtr_id = xtr_id(&config);
        let clock = Clock { started_at: now, at_start: wall_clock };
        let mut router = Router {
            xtr_id,
            context: Context { clock, ..Context::default() },
            proxy_etrs: [Vec::new(), Vec::new()],
            map_cache: MapCache::default(),
            flows: FlowCache::default(),
            configured: Revision::default(),
            heard: None,
            sources: SourceCheck::of(&Config::default()),
            paths: Paths::default(),
            reachability: Reachability::default(),
            host_errors: ErrorLimiter::default(),
            echo_nonce: EchoNonce::new(&seed),
            status_holds: StatusHolds::default(),
            database: Database::default(),
            away: AwayTable::default(),
            mobility: Mobility::default(),
            rib: Rib::default(),
            stale: Stale::default(),
            kernel: Kernel::default(),
            process: Process::default(),
            resolver: Resolver::new(&seed),
            news: News::new(&seed),
            solicitor: Solicitor::new(&seed),
            registrar: Registrar::new(&seed, wall_clock, xtr_id),
            replies: Replies::default(),
            map_server: MapServer::new(&seed),
            lig: Queries::new(&seed),
            descriptors: None,
        };
        router.configure(config, now);
        router.settle(now);
        router.follow_generation();
        router
    }

    /// Handles an event.
    pub fn handle(&mut self, input: Input<'_>, now: Time) {
        self.witness(Call::Handle(&input), now);
        self.heard = None;
        self.take_in(input, now);
        self.follow_generation();
    }

    fn take_in(&mut self, input: Input<'_>, now: Time) {
        match input {
            Input::Control(datagram) => self.handle_control(&datagram, now),
            Input::Kernel(event) => self.handle_kernel(event, now),
            Input::Process(event) => self.process.handle(event, &mut self.context, now),
            Input::Tcp(event) => self.handle_tcp(event, now),
            Input::Path(event) => self.handle_path(event, now),
            Input::Configure(config) => self.configure(*config, now),
            Input::Nonces(kept) => {
                self.map_server.restore_taken_nonces(&kept, now);
                if let Some(sent) = kept.sent() {
                    self.registrar.restore_nonce(&mut self.context, sent);
                }
            }
            Input::Command(command) => self.command(command, now),
            Input::Descriptors(descriptors) => self.descriptors = Some(descriptors),
            Input::Stop => {
                let Router { registrar, context, database, .. } = self;
                registrar.withdraw_all(context, database, now);
                let reason = SessionReason::Stops;
                registrar.close_sessions(context, database, None, reason, now);
                self.map_server.close_sessions(&mut self.context, None, reason, now);
                self.registrar.keep_nonce(&mut self.context);
                let requests = self.kernel.withdraw();
                self.context.request(requests);
                return self.process.close_all(&mut self.context);
            }
        }
        self.settle(now);
    }

    /// Does the work of all timers that are due.
    pub fn handle_timeout(&mut self, now: Time) {
        self.witness(Call::Timeout, now);
        if self.poll_timeout().is_none_or(|next| next.at > now) {
            return;
        }
        self.heard = None;
        self.forget_old(now);
        for timer in Timer::ALL {
            if self.due_at(timer).is_some_and(|at| at <= now) {
                self.fire(timer, now);
            }
        }
        self.settle(now);
        self.follow_generation();
    }

    /// Removes and returns the next output, which the caller must carry out.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        let output = self.context.outputs.pop_front();
        self.context.witnesses.iter_mut().for_each(|witness| witness.output(output.as_ref()));
        output
    }

    /// The time at which [`Router::handle_timeout`] has work next, and the timer of this work. The
    /// time may change with every input.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        let deadline =
            |timer: Timer| Some(Deadline { at: self.due_at(timer)?, why: timer.describe() });
        Deadline::earliest(Timer::ALL.map(deadline))
    }

    /// Adds a witness. The router reports every later call and output to the witness.
    pub fn show_to(&mut self, witness: Box<dyn Witness>) {
        self.context.witnesses.push(witness);
    }

    /// Removes the witnesses that have ended.
    pub fn remove_ended_witnesses(&mut self) {
        self.context.witnesses.retain(|witness| !witness.has_ended());
    }

    /// Reports the start of a call to the witnesses.
    pub(super) fn witness(&mut self, call: Call<'_>, now: Time) {
        self.context.witnesses.iter_mut().for_each(|witness| witness.call(call, now));
    }

    /// The file descriptors of the process, if the process has reported them.
    pub fn descriptors(&self) -> Option<Descriptors> {
        self.descriptors
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.context.config
    }

    /// The roles of the router for EIDs of `family`.
    pub fn roles(&self, family: Family) -> Roles {
        self.context.config.roles(family)
    }

    /// The router's [`Time`] at its start.
    pub fn started_at(&self) -> Time {
        self.context.clock.started_at
    }

    /// The wall clock at `now`, in microseconds since 1970: the wall clock at the start of the
    /// router plus the time that has passed since the start.
    pub fn wall_clock(&self, now: Time) -> u64 {
        self.context.clock.at(now)
    }

    /// The router's own locators.
    pub fn local_rlocs(&self) -> &LocalRlocs {
        &self.context.local
    }

    /// The map-cache.
    pub fn map_cache(&self) -> &MapCache {
        &self.map_cache
    }

    /// The fill levels of two kinds of tables: Map-Requests without an answer, and packets that
    /// wait for these answers.
    pub fn resolver_fills(&self) -> Vec<bounded::Fill> {
        self.resolver.outstanding.fills()
    }

    /// The fill levels of the tables of SMRs: first the received SMRs, then the sent SMRs.
    pub fn smr_fills(&self) -> impl Iterator<Item = bounded::Fill> {
        self.resolver.smr_guard.fills().into_iter().chain(self.solicitor.fills())
    }

    /// The queries of the command `lig`.
    pub fn lig(&self) -> &Queries {
        &self.lig
    }

    /// The reports of the core network about paths to locators.
    pub fn paths(&self) -> &Paths {
        &self.paths
    }

    /// The reachability of locators, and the sources that report this reachability.
    pub fn reachability(&self) -> &Reachability {
        &self.reachability
    }

    /// The local EID prefixes.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The states of registration, with one row for each family and map-server.
    pub fn registrations(&self, now: Time) -> Vec<RegistrationStatus> {
        self.registrar.status(&self.context.config, &self.database, now)
    }

    /// The sessions of this router: first its sessions as a map-server, then its sessions as an
    /// ETR.
    pub fn sessions(&self) -> Vec<SessionView> {
        let mut views = self.map_server.session_views();
        views.extend(self.registrar.session_views(&self.context.config));
        views
    }

    /// The fill levels of the tables that limit the number of Map-Replies.
    pub fn reply_limits(&self) -> [Fill; 2] {
        self.replies.fills()
    }

    /// The control messages that were refused recently.
    pub fn refusals(&self) -> &Refusals {
        &self.context.refusals
    }

    /// The fill level of the table of notifications from map-servers that wait for a confirmation.
    pub fn news_fill(&self) -> Fill {
        self.news.fill()
    }

    /// The away table: the EIDs of this site that are not at this xTR.
    pub fn away(&self) -> &AwayTable {
        &self.away
    }

    /// The sites of the map-server. A router that is not a map-server has no sites.
    pub fn map_server(&self) -> &MapServer {
        &self.map_server
    }

    /// The kinds of debug lines that are on ([`Command::Debug`](io::Command::Debug)).
    pub fn debugging(&self) -> Debugging {
        self.context.debugging
    }

    /// The last data packet that the router dropped, for each drop reason.
    pub fn last_drops(&self) -> &LastDrops {
        &self.context.last_drops
    }

    /// The time at which the counters were cleared; `None` if they count since the start.
    pub fn cleared_at(&self) -> Option<Time> {
        self.context.cleared_at
    }

    /// The counters since the start, or since they were cleared.
    pub fn counters(&self) -> &Counters {
        &self.context.counters
    }

    /// The numbers of Map-Requests and of Map-Registers that were received recently.
    pub fn recent(&self) -> (&Recent, &Recent) {
        (&self.context.recent_requests, &self.context.recent_registers)
    }

    /// The number of data packets that wait for a mapping or until their host is found. The router
    /// counts each received data packet once: in this number, or in a counter of sent or dropped
    /// packets.
    pub fn waiting_packets(&self) -> u64 {
        self.resolver.outstanding.waiting() + self.mobility.waiting()
    }

    /// 128 bits that identify this router in its registrations (RFC 9301 section 5.6).
    pub fn xtr_id(&self) -> u128 {
        self.xtr_id
    }

    /// Whether another program set down a port that is configured to be up.
    pub fn is_down_by_hand(&self, name: &InterfaceName) -> bool {
        self.kernel.is_down_by_hand(name)
    }

    /// Whether the kernel's route to an address leads into `lisp0`.
    pub fn leads_to_lisp(&self, address: IpAddr) -> bool {
        self.rib.leads_to_lisp(address)
    }

    /// The links and the routes of the kernel's table main.
    pub fn rib(&self) -> &Rib {
        &self.rib
    }

    /// The state of the link of an interface.
    pub fn link(&self, name: &InterfaceName) -> Option<Link> {
        self.rib.link(&name.device())
    }
}

/// Returns an identifier that does not change with a restart, so that a map-server regards the
/// restarted router as the same xTR. The identifier is made from the host name and the RLOCs.
fn xtr_id(config: &Config) -> u128 {
    let mut digest = Sha256::new().chain_update(&config.hostname);
    for rloc in config.local_rlocs() {
        digest.update(rloc.to_string());
    }
    let digest: [u8; 32] = digest.finalize().into();
    digest.iter().take(16).fold(0, |id, octet| id << 8 | u128::from(*octet))
}
