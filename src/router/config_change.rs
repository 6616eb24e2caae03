//! The difference of two configurations. The router does only the work that follows from this
//! difference. So the cost of a new line depends on the change that the line makes, and not on the
//! size of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::config::{Config, DatabaseMapping, EidTable, Interface, Lisp, LocatorSource, Site};
use super::interface_name::InterfaceName;
use super::shared::Shared;
use crate::addr::{EidPrefix, InstanceId};

/// The difference of two configurations, as a list of the router's work.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ConfigChange {
    /// The EID prefixes whose mapping was added, removed or changed.
    pub mappings: BTreeSet<EidPrefix>,
    /// Whether static routes were added or removed.
    pub routes: bool,
    /// Whether an interface was added, or changed its addresses. If one of these interfaces has a
    /// configured locator, `rest` is true too.
    pub addresses: bool,
    /// The EID prefixes in the configuration of sites for which one of these changes was made: the
    /// prefix was added or removed, its options changed, or the key of its site changed.
    pub site_prefixes: BTreeSet<EidPrefix>,
    /// Whether a site of the map-server was removed.
    pub sites: bool,
    /// Whether any other part of the configuration changed. In this case, the router computes again
    /// all data that depend on the configuration.
    pub rest: bool,
}

impl ConfigChange {
    pub(super) fn between(before: &Config, after: &Config) -> Self {
        // This pattern names all fields. So if `Config` gets a new field, the compiler reports an
        // error here. Changes of names (`hostname`, `vrf`, `ip host`, `alias`), of `line vty`, and
        // of lines that the router does not carry out need no work.
        let Config {
            hostname: _,
            vrfs: _,
            hosts: _,
            aliases: _,
            vty_lines: _,
            interfaces,
            static_routes,
            lisp,
            unsupported: _,
        } = after;
        let mut change = ConfigChange {
            routes: before.static_routes != *static_routes,
            ..ConfigChange::default()
        };
        if before.interfaces != *interfaces {
            change.of_interfaces(before, after);
        }
        match (&before.lisp, lisp) {
            (Some(before), Some(after)) => change.of_lisp(before, after),
            (before, after) => change.rest |= before.is_some() != after.is_some(),
        }
        if !change.rest {
            let own: Vec<IpAddr> = after.addresses().map(|(_, net)| net.addr()).collect();
            change.rest = change.mappings.iter().any(|prefix| {
                // The RLOCs of this router may change in two cases:
                // 1. The mapping has inline locators. They can be RLOCs of this router.
                // 2. An address of this router lies inside the prefix. Then this address is an EID
                //    and not an RLOC.
                let is_inline = |config: &Config| {
                    matches!(config.mapping(prefix), Some(DatabaseMapping::Inline(_)))
                };
                let has_own = own.iter().any(|address| prefix.prefix().contains(address));
                has_own || is_inline(before) || is_inline(after)
            });
        }
        change
    }

    fn of_interfaces(&mut self, before: &Config, after: &Config) {
        let mut changed: BTreeSet<InterfaceName> = BTreeSet::new();
        let names = before.interfaces.keys().chain(after.interfaces.keys());
        for name in names.copied().collect::<BTreeSet<_>>() {
            let (old, new) = (before.interfaces.get(&name), after.interfaces.get(&name));
            match (old, new) {
                (old, Some(new)) if is_alike(old.unwrap_or(&Interface::default()), new) => {
                    if old.is_none_or(|old| old.addresses != new.addresses) {
                        changed.insert(name);
                    }
                }
                _ => self.rest = true,
            }
        }
        self.addresses = !changed.is_empty();
        self.rest |= [before, after].into_iter().any(|config| has_locator_at(config, &changed));
    }

    fn of_lisp(&mut self, before: &Lisp, after: &Lisp) {
        let Lisp {
            process: _,
            locator_sets,
            eid_tables,
            ipv4,
            ipv6,
            sites,
            loc_reach,
            no_reliable_registration,
        } = after;
        self.of_sites(&before.sites, sites);
        self.rest |= before.locator_sets != *locator_sets
            || before.ipv4 != *ipv4
            || before.ipv6 != *ipv6
            || before.loc_reach != *loc_reach
            || before.no_reliable_registration != *no_reliable_registration
            || !before.eid_tables.keys().eq(eid_tables.keys());
        for ((&id, before), after) in before.eid_tables.iter().zip(eid_tables.values()) {
            self.of_table(id, before, after);
        }
    }

    fn of_table(&mut self, id: InstanceId, before: &EidTable, after: &EidTable) {
        let EidTable { vrf: _, database, map_requests, dynamic_eids } = after;
        self.rest |= before.map_requests != *map_requests || before.dynamic_eids != *dynamic_eids;
        let others = others(&before.database, database);
        self.mappings.extend(others.into_iter().map(|prefix| EidPrefix::new(id, prefix)));
    }

    fn of_sites(&mut self, before: &BTreeMap<String, Site>, after: &BTreeMap<String, Site>) {
        self.sites = before.keys().any(|name| !after.contains_key(name));
        for (name, after) in after {
            // A change of the nonce order needs no work: the new order applies to the Map-Registers
            // that arrive later.
            let Site { description: _, key, eid_prefixes, nonce_order: _ } = after;
            match before.get(name) {
                Some(before) if before.key == *key => {
                    self.site_prefixes.extend(others(&before.eid_prefixes, eid_prefixes));
                }
                before => {
                    let old = before.into_iter().flat_map(|before| before.eid_prefixes.keys());
                    self.site_prefixes.extend(old.chain(eid_prefixes.keys()).copied());
                }
            }
        }
    }
}

/// Whether two interfaces are equal, except for their addresses and for the lines that need no work
/// (`description` and `encapsulation`).
fn is_alike(before: &Interface, after: &Interface) -> bool {
    let Interface {
        description: _,
        vlan: _,
        addresses: _,
        vrf,
        shutdown,
        proxy_arp,
        mtu,
        mac,
        lisp_mobility,
        emulated_hosts,
    } = after;
    before.vrf == *vrf
        && before.shutdown == *shutdown
        && before.proxy_arp == *proxy_arp
        && before.mtu == *mtu
        && before.mac == *mac
        && before.lisp_mobility == *lisp_mobility
        && before.emulated_hosts == *emulated_hosts
}

/// Whether a configured locator has an address of one of the interfaces.
fn has_locator_at(config: &Config, interfaces: &BTreeSet<InterfaceName>) -> bool {
    let Some(lisp) = &config.lisp else { return false };
    let of_interfaces = config.addresses().filter(|(name, _)| interfaces.contains(name));
    let addresses: BTreeSet<IpAddr> = of_interfaces.map(|(_, net)| net.addr()).collect();
    let services = [&lisp.ipv4, &lisp.ipv6];
    let sets = lisp.locator_sets.values().flatten();
    let petrs = services.iter().flat_map(|service| &service.use_petr);
    let mut sources = sets.chain(config.inline_locators()).chain(petrs).map(|each| &each.source);
    let is_proxy = services
        .iter()
        .any(|service| service.proxy_itr.iter().any(|rloc| addresses.contains(&rloc.0)));
    is_proxy
        || sources.any(|source| match source {
            LocatorSource::Address(rloc) => addresses.contains(&rloc.0),
            LocatorSource::Interface(_, name) => interfaces.contains(name),
        })
}

/// The keys that only one of the two tables has, and the keys that have different values in the two
/// tables.
fn others<K: Ord + Copy, V: PartialEq>(
    a: &Shared<BTreeMap<K, V>>,
    b: &Shared<BTreeMap<K, V>>,
) -> Vec<K> {
    if a.is_same(b) {
        return Vec::new();
    }
    let (mut others, mut rest) = (Vec::new(), b.iter().peekable());
    for (key, value) in a {
        while let Some((other, _)) = rest.next_if(|(other, _)| *other < key) {
            others.push(*other);
        }
        if rest.next_if(|(other, _)| *other == key).is_none_or(|(_, other)| other != value) {
            others.push(*key);
        }
    }
    others.extend(rest.map(|(key, _)| *key));
    others
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::parse_config;

    const LINES: &str = "
hostname xTR1
interface Ethernet0/0
 ip address 203.0.113.11 255.255.255.0
interface Ethernet1/0
 ip address 172.16.0.1 255.255.255.0
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
 locator-set other
  203.0.113.11 priority 2 weight 100
 eid-table default instance-id 0
  database-mapping 10.0.0.0/24 locator-set set1
  database-mapping 10.0.1.0/24 locator-set set1
 site S
  authentication-key cisco
  eid-prefix 10.0.0.0/8
 ipv4 itr
 ipv4 etr
";

    fn change(line: &str) -> ConfigChange {
        let read = |text: &str| parse_config("test.conf", text).unwrap_or_else(|e| panic!("{e}"));
        ConfigChange::between(&read(LINES), &read(&[LINES, line].concat()))
    }

    const TABLE: &str = "router lisp\n eid-table default instance-id 0\n";

    fn mapping(line: &str) -> ConfigChange {
        change(&[TABLE, line, "\n"].concat())
    }

    #[test]
    fn a_line_changes_what_hangs_on_it_and_nothing_else() {
        let none = ConfigChange::default;
        let mapped = |prefix: &str| {
            let prefix = EidPrefix::new(InstanceId::DEFAULT, prefix.parse().unwrap());
            ConfigChange { mappings: BTreeSet::from([prefix]), ..none() }
        };
        assert_eq!(change("hostname other\n"), none());
        assert_eq!(change("ip route 10.9.0.0 255.255.0.0 203.0.113.1\n").mappings, BTreeSet::new());
        let routes = ConfigChange { routes: true, ..none() };
        assert_eq!(change("ip route 10.9.0.0 255.255.0.0 203.0.113.1\n"), routes);
        let site_prefixes = mapped("11.0.0.0/8").mappings;
        let prefixes = ConfigChange { site_prefixes, ..none() };
        assert_eq!(change("router lisp\n site S\n  eid-prefix 11.0.0.0/8\n"), prefixes);
        let site_prefixes = mapped("10.0.0.0/8").mappings;
        let key = ConfigChange { site_prefixes, ..none() };
        assert_eq!(change("router lisp\n site S\n  authentication-key other\n"), key);
        assert_eq!(change("router lisp\n site T\n  authentication-key other\n"), none());
        let sites = ConfigChange { sites: true, ..none() };
        assert_eq!(change("router lisp\n no site S\n"), sites);
        let addresses = ConfigChange { addresses: true, ..none() };
        assert_eq!(change("interface Ethernet2/0\n ip address 172.17.0.1/16\n"), addresses);
        assert_eq!(change("interface Ethernet1/0\n no ip address\n"), addresses);
        assert_eq!(change("interface Ethernet0/0\n description core\n"), none());
        assert_eq!(mapping("database-mapping 10.0.2.0/24 locator-set set1"), mapped("10.0.2.0/24"));
        assert_eq!(
            mapping("database-mapping 10.0.1.0/24 locator-set other"),
            mapped("10.0.1.0/24")
        );
        let taken = "no database-mapping 10.0.1.0/24 locator-set set1";
        assert_eq!(mapping(taken), mapped("10.0.1.0/24"));
    }

    #[test]
    fn all_is_made_anew_where_a_line_may_change_the_routers_own_locators_or_roles() {
        for line in [
            "database-mapping 172.16.0.0/24 locator-set set1",
            "database-mapping 10.0.2.0/24 203.0.113.11 priority 1 weight 100",
            "map-cache 10.0.0.0/8 map-request",
        ] {
            assert!(mapping(line).rest, "{line}");
        }
        for line in [
            "router lisp\n no ipv4 etr\n",
            "interface Ethernet0/0\n ip address 203.0.113.12/24\n",
            "interface Ethernet1/0\n shutdown\n",
            "no interface Ethernet1/0\n",
            "no router lisp\n",
        ] {
            assert!(change(line).rest, "{line}");
        }
    }
}
