//! The choice of the locator for a packet (RFC 9300 section 8, RFC 9301 section 5.4).

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::config::{Config, ConfiguredLocator};
use super::io::Encapsulation;
use super::map_cache::Locator;
use super::reachability::{Reach, Reachability, Source};
use crate::addr::{Family, InstanceId, Rloc};
use crate::packet::IpHeader;
use crate::time::Time;
use crate::wire::{DataHeader, UNUSABLE_PRIORITY};

/// This router's own locators.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LocalRlocs {
    preferred: [Option<Rloc>; 2],
    all: BTreeSet<Rloc>,
    /// The broadcast addresses of the connected networks.
    broadcasts: BTreeSet<IpAddr>,
}

impl LocalRlocs {
    /// Returns the locators of a configuration. In each family, the locator with the lowest
    /// priority is preferred.
    pub fn of(config: &Config) -> Self {
        let all = config.local_rlocs();
        let configured = configured_locators(config);
        let preferred = Family::BOTH.map(|family| {
            let priority = |rloc: &Rloc| {
                let own = configured.iter().filter(|(address, _)| address == rloc);
                own.map(|(_, priority)| *priority).min().unwrap_or(UNUSABLE_PRIORITY)
            };
            let of_family = all.iter().copied().filter(|rloc| rloc.family() == family);
            of_family.min_by_key(|rloc| (priority(rloc), *rloc))
        });
        let networks = config.addresses().map(|(_, net)| net);
        let broadcasts = networks.filter(is_broadcast_network).map(|net| net.broadcast()).collect();
        LocalRlocs { preferred, all, broadcasts }
    }

    /// Whether `rloc` cannot be the address of a router. This is true if [`Rloc::is_unicast`]
    /// rejects `rloc`, or if `rloc` is the broadcast address of a connected network. A locator must
    /// not have such an address (RFC 9301 section 5.4, Locator).
    pub fn is_no_router_address(&self, rloc: Rloc) -> bool {
        !rloc.is_unicast() || self.broadcasts.contains(&rloc.0)
    }

    /// The local locator from which this router sends packets to remote locators of `family`.
    pub fn preferred(&self, family: Family) -> Option<Rloc> {
        match family {
            Family::Ipv4 => self.preferred[0],
            Family::Ipv6 => self.preferred[1],
        }
    }

    /// Whether `address` is one of the router's own locators.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.all.contains(&Rloc(address))
    }

    /// The ITR-RLOCs for a Map-Request: the preferred locator of each family.
    pub fn itr_rlocs(&self) -> Vec<Rloc> {
        self.preferred.into_iter().flatten().collect()
    }
}

/// Whether the last address of a network is its broadcast address.
fn is_broadcast_network(net: &IpNet) -> bool {
    net.addr().is_ipv4() && net.prefix_len() < 31
}

fn configured_locators(config: &Config) -> Vec<(Rloc, u8)> {
    let sets = config.lisp.iter().flat_map(|lisp| lisp.locator_sets.values().flatten());
    let inline = config.inline_locators();
    let resolve = |locator: &ConfiguredLocator| {
        config.resolve_locator(&locator.source).map(|rloc| (rloc, locator.priority))
    };
    sets.chain(inline).filter_map(resolve).collect()
}

/// Converts the configured locators of a proxy ETR to the locators of a mapping.
pub fn as_mapping(config: &Config, locators: &[ConfiguredLocator]) -> Vec<Locator> {
    let locator = |configured: &ConfiguredLocator| {
        let rloc = config.resolve_locator(&configured.source)?;
        let ConfiguredLocator { priority, weight, .. } = *configured;
        let (up, source) = (true, Source::RBit);
        Some(Locator { rloc, priority, weight, ordinal: 0, up, source, since: Time::ZERO })
    };
    locators.iter().filter_map(locator).collect()
}

/// Returns the outer headers for a packet (RFC 9300 section 5.3). TTL, type of service and ECN are
/// copied from the inner header (for ECN, this is the normal mode of RFC 6040). Returns `None` if
/// no locator can be used.
pub(super) fn encapsulation(
    locators: &[Locator],
    local: &LocalRlocs,
    reachability: &Reachability,
    instance_id: InstanceId,
    header: &IpHeader,
) -> Option<Encapsulation> {
    let (source, destination) = select(locators, local, reachability, header.flow_hash)?;
    Some(Encapsulation {
        source,
        destination,
        flow_hash: header.flow_hash,
        ttl: header.ttl,
        tos: header.tos,
        header: data_header(instance_id).emit(),
    })
}

/// Returns the LISP header for a packet, without a nonce and without Locator-Status-Bits. The
/// header for instance 0 has no I bit (RFC 9300 section 8).
pub(super) fn data_header(instance_id: InstanceId) -> DataHeader {
    let instance_id = (instance_id != InstanceId::DEFAULT).then_some(instance_id);
    DataHeader { instance_id, ..DataHeader::default() }
}

/// Selects the local and the remote locator for a flow. A remote locator is a candidate if all
/// these conditions are true:
///
/// - The locator is up, and its priority is not 255.
/// - The locator is not an address of this router.
/// - This router has a locator of the same family.
///
/// Flows are distributed over the candidates with the lowest priority, in proportion to their
/// weights. If all weights are zero, all these candidates get the same number of flows. The hash of
/// the flow selects the candidate. A candidate that the core cannot reach is selected only if the
/// core can reach none of the candidates.
pub fn select(
    locators: &[Locator],
    local: &LocalRlocs,
    reachability: &Reachability,
    flow_hash: u32,
) -> Option<(Rloc, Rloc)> {
    let is_up = |locator: &Locator| reachability.of(locator) == Reach::Up;
    let is_not_down = |locator: &Locator| !matches!(reachability.of(locator), Reach::Down(_));
    let choose = |among| select_among(locators, local, flow_hash, among);
    choose(&is_up).or_else(|| choose(&is_not_down))
}

fn select_among(
    locators: &[Locator],
    local: &LocalRlocs,
    flow_hash: u32,
    among: &dyn Fn(&Locator) -> bool,
) -> Option<(Rloc, Rloc)> {
    let usable = |locator: &&Locator| {
        among(locator)
            && locator.priority != UNUSABLE_PRIORITY
            && local.preferred(locator.rloc.family()).is_some()
            && !local.contains(locator.rloc.0)
    };
    let best = locators.iter().filter(usable).map(|locator| locator.priority).min()?;
    let candidates = || locators.iter().filter(usable).filter(|each| each.priority == best);
    let share = |locator: &Locator, all_zero: bool| {
        if all_zero { 1 } else { u64::from(locator.weight) }
    };
    let all_zero = candidates().all(|locator| locator.weight == 0);
    let total: u64 = candidates().map(|locator| share(locator, all_zero)).sum();
    let mut point = (u64::from(flow_hash) * total) >> 32;
    for locator in candidates() {
        let share = share(locator, all_zero);
        if point < share {
            return Some((local.preferred(locator.rloc.family())?, locator.rloc));
        }
        point -= share;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local() -> LocalRlocs {
        let rloc = Rloc("198.51.100.21".parse().unwrap());
        LocalRlocs {
            preferred: [Some(rloc), None],
            all: BTreeSet::from([rloc]),
            broadcasts: BTreeSet::new(),
        }
    }

    fn locator(address: &str, priority: u8, weight: u8) -> Locator {
        let rloc = Rloc(address.parse().unwrap());
        let (up, source) = (true, Source::RBit);
        Locator { rloc, priority, weight, ordinal: 0, up, source, since: Time::ZERO }
    }

    fn shares(locators: &[Locator]) -> Vec<u32> {
        let mut shares = vec![0; locators.len()];
        for step in 0..1000u32 {
            let hash = step.wrapping_mul(0x9e37_79b9);
            let (_, chosen) = select(locators, &local(), &Reachability::default(), hash).unwrap();
            let index = locators.iter().position(|each| each.rloc == chosen).unwrap();
            shares[index] += 1;
        }
        shares
    }

    #[test]
    fn the_lowest_priority_that_is_up_wins() {
        let mut locators = [locator("10.0.0.1", 1, 100), locator("10.0.0.2", 2, 100)];
        assert_eq!(shares(&locators), [1000, 0]);
        locators[0].up = false;
        assert_eq!(shares(&locators), [0, 1000]);
    }

    #[test]
    fn flows_spread_by_weight_within_two_percent() {
        let thirds = shares(&[locator("10.0.0.1", 1, 75), locator("10.0.0.2", 1, 25)]);
        assert!(thirds[0].abs_diff(750) <= 20, "{thirds:?}");
        let equal = shares(&[locator("10.0.0.1", 1, 0), locator("10.0.0.2", 1, 0)]);
        assert!(equal[0].abs_diff(500) <= 20, "{equal:?}");
        let all = shares(&[locator("10.0.0.1", 1, 100), locator("10.0.0.2", 1, 0)]);
        assert_eq!(all, [1000, 0]);
    }

    #[test]
    fn a_family_that_the_router_lacks_and_priority_255_are_never_used() {
        let locators = [locator("2001:db8::1", 1, 100), locator("10.0.0.1", 255, 100)];
        assert_eq!(select(&locators, &local(), &Reachability::default(), 0), None);
    }
}
