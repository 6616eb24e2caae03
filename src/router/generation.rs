//! The forwarding generation: the number of the changes of all that decisions on packets read.
//!
//! A decision holds until the next generation: in the flow cache, in the check of inner sources, and in a
//! second data path that acts on decisions by itself. Each table counts its own changes, so an input that
//! changes none of them begins no generation.

use super::Router;

impl Router {
    /// The number of the forwarding generation. It grows when one of these changes, and with nothing else:
    ///
    /// - the configuration, and with it the roles, the instance, the router's own addresses and RLOCs, the
    ///   proxy ETRs and the dynamic-EID ranges;
    /// - an entry of the map-cache, or a Locator-Status-Bit of one;
    /// - the database: the local prefixes, their routes, the hosts that are here, and whether the own
    ///   locators are up;
    /// - the away table;
    /// - which locators can be reached, and the path MTUs;
    /// - the nonces of packets to a locator, and which mappings are sent without Locator-Status-Bits.
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

    /// Tells the caches of decisions the generation. This comes after each input that may change a table,
    /// and before packets that waited are decided on.
    pub(super) fn follow_generation(&mut self) {
        let generation = self.forwarding_generation();
        self.flows.follow(generation);
        self.sources.follow(generation);
    }
}
