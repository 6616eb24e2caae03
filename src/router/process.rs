//! The objects that the router wants its process to hold open: `lisp0`, the sockets of each RLOC,
//! the TCP listeners and the emulated hosts.
//!
//! The wanted objects are a set, like the objects of the kernel (`kernel.rs`). The set is computed
//! from the configuration, the links and the paths. The first outputs for an input open the new
//! objects, because later outputs may be sent through these objects. The last outputs for an input
//! close the objects that are not wanted any more, because earlier outputs may be sent through
//! these objects. If an object cannot be opened, or if `lisp0` was deleted, the object is requested
//! again, like a lost object of the kernel.

use std::collections::BTreeSet;

use super::config::Config;
use super::context::Context;
use super::event::{Event, ProcessObjectChange};
use super::fragmentation::Fragmentation;
use super::io::Output;
use super::losses::{Losses, Verdict};
use super::paths::Paths;
use super::process_objects::{HostWish, ProcessEvent, ProcessObject, ProcessRequest};
use super::rib::Rib;
use crate::addr::Family;
use crate::time::Time;

/// The MTU in octets of an emulated host if its interface does not configure an MTU.
const DEFAULT_HOST_MTU: u16 = 1500;

/// The objects that the process holds open on request.
#[derive(Debug, Default)]
pub(super) struct Process {
    /// The wanted objects.
    wanted: BTreeSet<ProcessObject>,
    /// The objects that are still open, and that are closed at the end of the input.
    unwanted: BTreeSet<ProcessObject>,
    /// Whether a link has changed since the set was computed.
    is_stale: bool,
    /// Whether a path MTU was known when the set was computed: for IPv4, and for IPv6.
    has_mtu: [bool; 2],
    /// The objects that were refused or lost recently.
    losses: Losses<ProcessObject>,
}

impl Process {
    /// Records that a link has changed. This change may allow or forbid the fragmentation of
    /// packets.
    pub(super) fn mark_stale(&mut self) {
        self.is_stale = true;
    }

    /// Computes the set of wanted objects again, and requests the new objects. [`Process::settle`]
    /// closes the objects that are not wanted any more.
    pub(super) fn open_wanted(&mut self, context: &mut Context, rib: &Rib, paths: &Paths) {
        self.is_stale = false;
        self.has_mtu = Family::BOTH.map(|family| paths.has_mtu(family));
        let come = self.replace(wanted(&context.config, rib, paths));
        open(come, context);
    }

    /// Ends an input: applies the changes of links and paths, and closes the objects that are not
    /// wanted any more.
    pub(super) fn settle(&mut self, context: &mut Context, rib: &Rib, paths: &Paths) {
        let has_mtu = Family::BOTH.map(|family| paths.has_mtu(family));
        if self.is_stale || self.has_mtu != has_mtu {
            self.open_wanted(context, rib, paths);
        }
        self.close_unwanted(context);
    }

    /// Closes all objects, because the router stops.
    pub(super) fn close_all(&mut self, context: &mut Context) {
        self.replace(BTreeSet::new());
        self.close_unwanted(context);
    }

    /// Processes an event about an object of the process.
    pub(super) fn handle(&mut self, event: ProcessEvent, context: &mut Context, now: Time) {
        let mut tell = |object, change| {
            context.outputs.push_back(Output::Event(Event::ProcessObject { object, change }));
        };
        match event {
            ProcessEvent::Lost(object) if self.wanted.contains(&object) => {
                match self.losses.vanished(object.clone(), now) {
                    Verdict::Now => {
                        tell(object.clone(), ProcessObjectChange::MadeAgain);
                        open(vec![object], context);
                    }
                    Verdict::Later { first: true } => tell(object, ProcessObjectChange::Vanishes),
                    Verdict::Later { first: false } => {}
                }
            }
            ProcessEvent::Refused { object, error } if self.wanted.contains(&object) => {
                if self.losses.refused(object.clone(), now) {
                    tell(object, ProcessObjectChange::Refused(error));
                }
            }
            ProcessEvent::Lost(_) | ProcessEvent::Refused { .. } => {}
        }
    }

    /// Handles the removal of a device with the name `lisp0`. If the device belonged to another
    /// program, the router can create its own device now.
    pub(super) fn retry_tunnel(&mut self, context: &mut Context) {
        let tunnel = ProcessObject::Tunnel;
        if self.wanted.contains(&tunnel) && self.losses.is_due(&tunnel) {
            self.losses.forget(&tunnel);
            open(vec![tunnel], context);
        }
    }

    /// Requests the due objects again.
    pub(super) fn open_due(&mut self, context: &mut Context, now: Time) {
        open(self.losses.take_due(now), context);
    }

    /// The time at which the next object is due.
    pub(super) fn next_open(&self) -> Option<Time> {
        self.losses.next_due()
    }

    /// Stores a new set of wanted objects. Returns the objects that are new.
    fn replace(&mut self, wanted: BTreeSet<ProcessObject>) -> Vec<ProcessObject> {
        let come: Vec<_> = wanted.difference(&self.wanted).cloned().collect();
        let gone: Vec<_> = self.wanted.difference(&wanted).cloned().collect();
        gone.iter().for_each(|gone| self.losses.forget(gone));
        self.unwanted.extend(gone);
        // If a new object and an unwanted object cannot be open at the same time, the new object
        // replaces the unwanted object in one step.
        self.unwanted.retain(|gone| !come.iter().any(|other| other.has_the_place_of(gone)));
        self.wanted = wanted;
        come
    }

    /// Closes the unwanted objects in the reverse order of their opening.
    fn close_unwanted(&mut self, context: &mut Context) {
        let closed = std::mem::take(&mut self.unwanted).into_iter().rev();
        context.outputs.extend(closed.map(ProcessRequest::Close).map(Output::Process));
    }
}

fn open(objects: Vec<ProcessObject>, context: &mut Context) {
    let opened = objects.into_iter().map(ProcessRequest::Open);
    context.outputs.extend(opened.map(Output::Process));
}

/// Returns all objects that a configuration needs. The fragmentation of the sockets depends on the
/// current links and paths.
fn wanted(config: &Config, rib: &Rib, paths: &Paths) -> BTreeSet<ProcessObject> {
    let mut wanted = BTreeSet::new();
    if config.needs_tunnel() {
        wanted.insert(ProcessObject::Tunnel);
    }
    for rloc in config.local_rlocs() {
        let fragmentation = Fragmentation::of(rloc, config, rib, paths);
        wanted.insert(ProcessObject::Sockets { rloc, fragmentation });
        if config.listens_on_tcp() {
            wanted.insert(ProcessObject::Listener(rloc));
        }
    }
    wanted.extend(hosts(config).map(ProcessObject::Host));
    wanted
}

fn hosts(config: &Config) -> impl Iterator<Item = HostWish> {
    config.interfaces.iter().flat_map(|(&interface, port)| {
        port.emulated_hosts.iter().map(move |(name, made_of)| HostWish {
            interface,
            name: name.clone(),
            mtu: port.mtu.unwrap_or(DEFAULT_HOST_MTU),
            made_of: made_of.clone(),
        })
    })
}
