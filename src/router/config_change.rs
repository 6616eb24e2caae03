//! The difference of two configurations. The router does only the work that follows from this
//! difference. So the cost of a new line depends on the change that the line makes, and not on the
//! size of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::config::{Config, DatabaseMapping, EidTable, Lisp, Site};
use super::shared::Shared;
use crate::addr::{EidPrefix, InstanceId};

/// The difference of two configurations, as a list of the work that the router has to do.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ConfigChange {
    /// The EID prefixes whose mapping was added, removed or changed.
    pub mappings: BTreeSet<EidPrefix>,
    /// Whether static routes were added or removed.
    pub routes: bool,
    /// The EID prefixes in the configuration of sites, if they were added or removed, or if their
    /// options changed.
    pub site_prefixes: BTreeSet<EidPrefix>,
    /// Whether other settings of the sites of the map-server changed.
    pub sites: bool,
    /// Whether any other part of the configuration changed. In this case, the router computes all
    /// data that depend on the configuration again.
    pub rest: bool,
}

impl ConfigChange {
    pub(super) fn between(before: &Config, after: &Config) -> Self {
        // This pattern names all fields. So if `Config` gets a new field, the compiler reports an
        // error here. Names, the lines for users, and lines that the router does not carry out need no
        // work.
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
            rest: before.interfaces != *interfaces,
            ..ConfigChange::default()
        };
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
        self.sites = !before.keys().eq(after.keys());
        for (before, after) in before.values().zip(after.values()) {
            let Site { description: _, key, eid_prefixes, nonce_order } = after;
            self.sites |= before.key != *key || before.nonce_order != *nonce_order;
            self.site_prefixes.extend(others(&before.eid_prefixes, eid_prefixes));
        }
    }
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
        let sites = ConfigChange { sites: true, ..none() };
        assert_eq!(change("router lisp\n site S\n  authentication-key other\n"), sites);
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
        for line in ["router lisp\n no ipv4 etr\n", "interface Ethernet2/0\n", "no router lisp\n"] {
            assert!(change(line).rest, "{line}");
        }
    }
}
