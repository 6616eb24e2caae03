//! The state of the registrations of an ETR, for a `show` command.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Registrar;
use crate::addr::Family;
use crate::router::config::Config;
use crate::router::database::Database;
use crate::time::Time;

/// The state of the registrations with one map-server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationStatus {
    /// The family of the registered EIDs.
    pub family: Family,
    /// The map-server.
    pub map_server: IpAddr,
    /// The number of prefixes of the family in the database.
    pub prefixes: usize,
    /// The number of prefixes of the family that have a route. The router registers these prefixes.
    pub registered: usize,
    /// The number of prefixes whose registration the map-server has acknowledged: by a Map-Notify
    /// in the last 180 s, or on a session.
    pub acknowledged: usize,
    /// The time at which the last acknowledgement arrived.
    pub last_notify_at: Option<Time>,
}

impl Registrar {
    /// The state of registration, with one row for each family and map-server.
    pub(in crate::router) fn status(
        &self,
        config: &Config,
        database: &Database,
        now: Time,
    ) -> Vec<RegistrationStatus> {
        let mut rows = Vec::new();
        for family in Family::BOTH.into_iter().filter(|family| config.roles(*family).etr) {
            for &map_server in config.etr_map_servers(family).keys() {
                let standings = self.standings.get(&(family, map_server));
                let of_all = || standings.into_iter().flat_map(BTreeMap::values);
                let entries = database.entries().iter();
                rows.push(RegistrationStatus {
                    family,
                    map_server,
                    prefixes: entries.filter(|(prefix, _)| prefix.family() == family).count(),
                    registered: of_all().count(),
                    acknowledged: of_all().filter(|each| each.is_acknowledged(now)).count(),
                    last_notify_at: of_all().filter_map(|each| each.acknowledged_at).max(),
                });
            }
        }
        rows
    }
}
