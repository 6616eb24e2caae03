//! The forwarding generation: a number that grows with each change of the data on which decisions
//! about packets depend.
//!
//! A decision is valid until the next generation begins. The flow cache and the check of inner
//! sources use this rule. If a second data path stores decisions, it can use this rule too. Each
//! table counts its own changes, so an input that changes no table begins no generation.

use super::Router;

impl Router {
    /// The number of the forwarding generation. The number grows only after a change of one of
    /// these:
    ///
    /// - the configuration, which includes the roles, the instance, the router's own addresses and
    ///   RLOCs, the proxy ETRs and the dynamic-EID ranges;
    /// - an entry of the map-cache, or a Locator-Status-Bit of an entry;
    /// - the database: the local prefixes, their routes, the hosts on the LANs of this router, and
    ///   whether the router's own locators are up;
    /// - the away table;
    /// - the set of locators that can be reached, and the path MTUs;
    /// - the nonces of packets to a locator, and the set of mappings that are sent without
    ///   Locator-Status-Bits.
    pub fn forwarding_generation(&self) -> u64 {
        self.configured.number()
            + self.map_cache.revision()
            + self.database.revision()
            + self.away.revision()
            + self.reachability.revision()
            + self.paths.revision()
            + self.echo_nonce.revision()
            + self.status_holds.revision()
    }

    /// Sends the generation to the caches of decisions. The router calls this function after each
    /// input that may change a table, and before it decides on packets that have waited.
    pub(super) fn follow_generation(&mut self) {
        let generation = self.forwarding_generation();
        self.flows.follow(generation);
        self.sources.follow(generation);
    }
}
