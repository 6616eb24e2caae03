//! The operator's commands that change the state of a router but not its configuration.

use super::Router;
use super::counters::Counters;
use super::io::{Command, Device, KernelRequest};
use super::last_drops::LastDrops;
use super::reason::SessionReason;
use crate::time::Time;

/// One [`Command::AskNeighbours`] probes at most this number of neighbours: the neighbours that
/// have answered most recently. The kernel probes the other neighbours before it sends packets to
/// them.
const NEIGHBOURS: usize = 1024;

impl Router {
    /// Carries out a command.
    pub(super) fn command(&mut self, command: Command, now: Time) {
        match command {
            Command::ClearMapCache { family, prefix } => {
                for instance_id in self.context.config.instances() {
                    self.map_cache.clear(instance_id, family, prefix);
                }
            }
            Command::Debug { types, on } => {
                self.context.debugging = self.context.debugging.with(types, on);
            }
            Command::Watch(on) => self.context.is_watched = on,
            Command::Lig(question) => {
                let Router { lig, context, resolver, .. } = self;
                lig.begin(context, resolver, question, now);
            }
            Command::ClearStatistics => {
                self.context.counters = Counters::default();
                self.context.last_drops = LastDrops::default();
                self.context.cleared_at = Some(now);
                self.map_cache.rejected = 0;
                self.map_cache.evicted = 0;
            }
            Command::ClearSessions(only) => {
                let Router { registrar, context, database, .. } = self;
                let reason = SessionReason::Cleared;
                registrar.close_sessions(context, database, only, reason, now);
                self.map_server.close_sessions(&mut self.context, only, reason, now);
            }
            Command::AskNeighbours => {
                let neighbours = self.mobility.neighbours.used_since(Time::ZERO);
                let probe = |(interface, address): (_, _)| KernelRequest::Probe {
                    device: Device::Interface(interface),
                    address,
                };
                let asked = neighbours.take(NEIGHBOURS).map(|(key, _)| probe(*key)).collect();
                self.context.request(asked);
            }
        }
    }
}
