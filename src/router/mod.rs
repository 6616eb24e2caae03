//! The pure core: the protocol, and nothing of the operating system.
//!
//! A [`Router`] has no socket, no clock, no random source and no thread. Its methods are of four
//! kinds, and a caller uses them in this order:
//!
//! 1. **Inputs**: [`Router::handle`] for what happens, [`Router::encapsulate`] and
//!    [`Router::decapsulate`] for packets of EIDs, [`Router::handle_timeout`] for time. All of them
//!    take the instant `now`, which never goes back.
//! 2. **Outputs**: [`Router::poll_output`], until it returns `None`, after each input.
//! 3. **Time**: [`Router::poll_timeout`] says when `handle_timeout` has work; its value may change
//!    with every input. A call that comes early does nothing.
//! 4. **Getters**, which only look.
//!
//! The same seed, wall clock, configuration and inputs give the same outputs to the octet.

pub mod config;
pub mod counters;
pub mod database;
pub mod io;
pub mod map_cache;
pub mod map_server;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use config::{Config, InterfaceName};
use counters::Counters;
use database::Database;
use io::{Inbound, Input, Outbound, Outer, Output};
use map_cache::MapCache;
use map_server::MapServer;

use crate::addr::{Family, InstanceId};
use crate::packet::Packet;
use crate::rng::Seed;
use crate::time::{Deadline, Time};

/// What the core knows of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    /// Administratively up.
    pub up: bool,
    /// The other end is there.
    pub carrier: bool,
    /// Octets.
    pub mtu: u32,
}

/// How far registration with one map-server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationStatus {
    /// The EIDs that are registered.
    pub family: Family,
    /// The map-server.
    pub map_server: IpAddr,
    /// How many prefixes are to be registered.
    pub prefixes: usize,
    /// How many of them a Map-Notify has acknowledged in the last 180 s.
    pub acknowledged: usize,
    /// When the last Map-Notify came.
    pub last_notify_at: Option<Time>,
}

/// What a router is started with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The configuration.
    pub config: Config,
    /// Where all its randomness comes from.
    pub seed: Seed,
    /// Microseconds since 1970 at `now`: nonces of registers begin there, so that a restarted
    /// router is not locked out by a map-server that remembers its last nonce.
    pub wall_clock: u64,
    /// The instant of the start.
    pub now: Time,
}

/// A LISP router: xTR, proxy xTR, map-server, map-resolver, or any mix.
#[derive(Debug)]
pub struct Router {
    config: Config,
    started_at: Time,
    map_cache: MapCache,
    database: Database,
    map_server: MapServer,
    counters: Counters,
    links: BTreeMap<String, Link>,
    outputs: VecDeque<Output>,
}

impl Router {
    /// A router that has just been switched on. Its first outputs make its kernel ready.
    pub fn new(start: Start) -> Self {
        Router {
            config: start.config,
            started_at: start.now,
            map_cache: MapCache::default(),
            database: Database::default(),
            map_server: MapServer::default(),
            counters: Counters::default(),
            links: BTreeMap::new(),
            outputs: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn handle(&mut self, input: Input<'_>, now: Time) {
        let _ = (input, now);
    }

    /// Decides on a packet that was read from the `lisp0` of an instance.
    pub fn encapsulate(
        &mut self,
        instance_id: InstanceId,
        packet: &mut Packet<'_>,
        now: Time,
    ) -> Outbound {
        let _ = (instance_id, packet, now);
        Outbound::Held
    }

    /// Decides on a datagram that was read from UDP port 4341; `datagram` is its payload, from the
    /// LISP header on.
    pub fn decapsulate(&mut self, outer: &Outer, datagram: &mut Packet<'_>, now: Time) -> Inbound {
        let _ = (outer, datagram, now);
        Inbound::Dropped(io::DropReason::BadDataHeader)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Time) {
        let _ = now;
    }

    /// The next thing that the router wants done.
    #[must_use]
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Router::handle_timeout`] has work, and which.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Deadline> {
        None
    }

    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The instant of the start.
    pub fn started_at(&self) -> Time {
        self.started_at
    }

    /// The map-cache.
    pub fn map_cache(&self) -> &MapCache {
        &self.map_cache
    }

    /// The local EID prefixes.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The sites; empty on a router that is no map-server.
    pub fn map_server(&self) -> &MapServer {
        &self.map_server
    }

    /// What has been counted since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// 128 bits that name this router in its registrations (RFC 9301 section 5.6).
    pub fn xtr_id(&self) -> u128 {
        0
    }

    /// What is known of the link of an interface.
    pub fn link(&self, name: &InterfaceName) -> Option<Link> {
        self.links.get(&name.device()).copied()
    }

    /// How far registration has come, a row a family and map-server.
    pub fn registrations(&self) -> Vec<RegistrationStatus> {
        Vec::new()
    }
}
