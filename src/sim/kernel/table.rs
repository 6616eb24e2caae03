//! Routing tables and policy rules. A route is looked up as on Linux.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;

use super::DeviceId;
use crate::addr::{Eid, EidPrefix, Family, InstanceId};
use crate::prefix_map::PrefixMap;
use crate::router::io::{RuleSelector, Table};

/// The target of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leads {
    /// The packet leaves through a device, to a gateway or to the destination itself.
    Out {
        /// The device.
        device: DeviceId,
        /// The next router, on the link of the device. `None` if the destination itself is on the
        /// link.
        gateway: Option<IpAddr>,
    },
    /// The packet is dropped without an ICMP error.
    Blackhole,
    /// The packet is dropped, and its sender gets an ICMP unreachable.
    Unreachable,
}

/// One route of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The metric of the route. A smaller metric is preferred.
    pub metric: u32,
    /// Whether the kernel made this route for an address of a device.
    pub connected: bool,
    /// The target of the route.
    pub leads: Leads,
    /// The source address of packets that the node itself sends on this route.
    pub source: Option<IpAddr>,
}

impl Entry {
    /// Returns the device through which the route leads.
    pub fn device(&self) -> Option<DeviceId> {
        match self.leads {
            Leads::Out { device, .. } => Some(device),
            Leads::Blackhole | Leads::Unreachable => None,
        }
    }
}

/// One routing table. The entries of each prefix are in the order of preference.
#[derive(Debug, Default)]
pub struct RoutingTable(PrefixMap<Vec<Entry>>);

impl RoutingTable {
    /// Adds an entry for `prefix`. The new entry replaces an old entry with the same metric, but
    /// only if neither entry is a connected route. Returns whether the table has changed.
    pub fn add(&mut self, prefix: IpNet, entry: Entry) -> bool {
        let key = key(prefix);
        let mut entries = self.0.remove(&key).unwrap_or_default();
        let known = entries.contains(&entry);
        if !known {
            // A prefix may have several connected entries: each entry belongs to one address, and
            // several devices may have addresses in the same network.
            entries.retain(|old| old.metric != entry.metric || old.connected || entry.connected);
            entries.push(entry);
            entries.sort();
        }
        self.0.insert(key, entries);
        !known
    }

    /// Removes an entry. Returns whether the entry existed.
    pub fn remove(&mut self, prefix: IpNet, entry: &Entry) -> bool {
        let key = key(prefix);
        let Some(mut entries) = self.0.remove(&key) else {
            return false;
        };
        let before = entries.len();
        entries.retain(|old| old != entry);
        let removed = entries.len() < before;
        if !entries.is_empty() {
            self.0.insert(key, entries);
        }
        removed
    }

    /// Removes the entries for which `goes` is true. Returns the removed entries with their
    /// prefixes.
    pub fn extract(&mut self, goes: impl Fn(IpNet, &Entry) -> bool) -> Vec<(IpNet, Entry)> {
        let (mut gone, mut emptied) = (Vec::new(), Vec::new());
        for (prefix, entries) in self.0.iter_mut() {
            let of_prefix = entries.extract_if(.., |entry| goes(prefix.prefix(), entry));
            gone.extend(of_prefix.map(|entry| (prefix.prefix(), entry)));
            if entries.is_empty() {
                emptied.push(prefix);
            }
        }
        for prefix in emptied {
            self.0.remove(&prefix);
        }
        gone
    }

    /// Returns the best usable entry of the longest prefix that has a usable entry. If all entries
    /// of a prefix are unusable, the lookup continues with a shorter prefix. Linux does the same if
    /// a link is down.
    pub fn lookup(&self, destination: IpAddr, usable: impl Fn(&Entry) -> bool) -> Option<Entry> {
        self.lookup_row(destination, usable).map(|(_, entry)| entry)
    }

    /// Returns the entry of [`RoutingTable::lookup`] with its prefix.
    pub fn lookup_row(
        &self,
        destination: IpAddr,
        usable: impl Fn(&Entry) -> bool,
    ) -> Option<(IpNet, Entry)> {
        let host = Eid::new(InstanceId::DEFAULT, destination).host_prefix();
        let covering: Vec<_> = self.0.covering(&host).collect();
        covering.into_iter().rev().find_map(|(prefix, rows)| {
            let entry = rows.iter().find(|entry| usable(entry))?;
            Some((prefix.prefix(), *entry))
        })
    }

    /// Returns the entries of one prefix, in the order of preference.
    pub fn of(&self, prefix: IpNet) -> &[Entry] {
        self.0.get(&key(prefix)).map_or(&[], Vec::as_slice)
    }

    /// Returns every entry with its prefix, in the order of the prefixes.
    pub fn iter(&self) -> impl Iterator<Item = (IpNet, &Entry)> {
        let rows = self.0.iter();
        rows.flat_map(|(prefix, entries)| entries.iter().map(move |e| (prefix.prefix(), e)))
    }
}

fn key(prefix: IpNet) -> EidPrefix {
    EidPrefix::new(InstanceId::DEFAULT, prefix)
}

/// A policy rule. Rules are sorted by their first field, then by their second field, and so on.
/// They are evaluated in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rule {
    /// The priority of the rule. The rule with the lowest number is evaluated first.
    pub priority: u32,
    /// The address family of the packets.
    pub family: Family,
    /// Selects the packets to which the rule applies.
    pub selector: RuleSelector,
    /// The table that is looked up. If this is table main, routes into `lisp0` are not used.
    pub table: Table,
}

/// The fields of a packet for the lookup of its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// The destination address.
    pub destination: IpAddr,
    /// The source address. A packet of the node itself may have no source address yet.
    pub source: Option<IpAddr>,
    /// Whether the packet came out of `lisp0`.
    pub from_lisp: bool,
}

impl Flow {
    /// Makes the flow of a packet that the node itself sends. The packet has no source address yet.
    pub fn unbound(destination: IpAddr) -> Self {
        Flow { destination, source: None, from_lisp: false }
    }

    fn matches(&self, rule: &Rule) -> bool {
        rule.family == Family::of(self.destination)
            && match rule.selector {
                RuleSelector::FromLisp => self.from_lisp,
                RuleSelector::Source(rloc) => self.source == Some(rloc.0),
            }
    }
}

/// The tables of a namespace, and the rules that select a table for a packet (see
/// [`crate::router::io::KernelObject::Rule`]).
#[derive(Debug, Default)]
pub struct Routing {
    main: RoutingTable,
    native: RoutingTable,
    rules: BTreeSet<Rule>,
    /// The families that have no rule 32766, because an operator has removed it. This rule looks up
    /// table main for all packets.
    without_main: BTreeSet<Family>,
}

impl Routing {
    /// Returns a table.
    pub fn table(&self, table: Table) -> &RoutingTable {
        match table {
            Table::Main => &self.main,
            Table::Native => &self.native,
        }
    }

    /// Returns a table so that the caller can change it.
    pub fn table_mut(&mut self, table: Table) -> &mut RoutingTable {
        match table {
            Table::Main => &mut self.main,
            Table::Native => &mut self.native,
        }
    }

    /// Adds a rule.
    pub fn add_rule(&mut self, rule: Rule) {
        self.rules.insert(rule);
    }

    /// Removes a rule.
    pub fn remove_rule(&mut self, rule: &Rule) {
        self.rules.remove(rule);
    }

    /// Removes all rules.
    pub fn clear_rules(&mut self) {
        self.rules.clear();
    }

    /// Whether a rule exists.
    pub fn has_rule(&self, rule: &Rule) -> bool {
        self.rules.contains(rule)
    }

    /// Returns the rules, in the order in which they are evaluated.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter()
    }

    /// Adds or removes rule 32766 of a family. This rule looks up table main for all packets.
    pub fn set_main_rule(&mut self, family: Family, is_there: bool) {
        match is_there {
            true => self.without_main.remove(&family),
            false => self.without_main.insert(family),
        };
    }

    /// Whether table main is looked up for packets that match no other rule.
    pub fn has_main_rule(&self, family: Family) -> bool {
        !self.without_main.contains(&family)
    }

    /// Removes from both tables the routes for which `goes` is true. Returns the removed routes.
    pub fn remove_routes(
        &mut self,
        goes: impl Fn(Table, IpNet, &Entry) -> bool,
    ) -> Vec<(Table, IpNet, Entry)> {
        let mut gone = Vec::new();
        for table in [Table::Main, Table::Native] {
            let rows = self.table_mut(table).extract(|prefix, entry| goes(table, prefix, entry));
            gone.extend(rows.into_iter().map(|(prefix, entry)| (table, prefix, entry)));
        }
        gone
    }

    /// Removes every route through `device` from both tables.
    pub fn remove_device(&mut self, device: DeviceId) {
        self.remove_routes(|_, _, entry| entry.device() == Some(device));
    }

    /// Returns the route of a packet: the rules are evaluated in order, then table main is looked
    /// up. If a rule looks up table main, routes through the device `lisp` are suppressed.
    pub fn lookup(
        &self,
        flow: &Flow,
        lisp: Option<DeviceId>,
        usable: impl Fn(&Entry) -> bool,
    ) -> Option<Entry> {
        self.lookup_row(flow, lisp, usable).map(|(_, entry)| entry)
    }

    /// Returns the route of [`Routing::lookup`] with its prefix.
    pub fn lookup_row(
        &self,
        flow: &Flow,
        lisp: Option<DeviceId>,
        usable: impl Fn(&Entry) -> bool,
    ) -> Option<(IpNet, Entry)> {
        for rule in self.rules.iter().filter(|rule| flow.matches(rule)) {
            let found = self.table(rule.table).lookup_row(flow.destination, &usable);
            // As on Linux, suppression only discards the result of the lookup. A route with a
            // shorter prefix is not searched for.
            let suppressed = |entry: &Entry| {
                rule.table == Table::Main && lisp.is_some() && entry.device() == lisp
            };
            if let Some(row) = found.filter(|(_, entry)| !suppressed(entry)) {
                return Some(row);
            }
        }
        let main = self.has_main_rule(Family::of(flow.destination));
        main.then(|| self.main.lookup_row(flow.destination, usable)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::Rloc;

    const CORE: DeviceId = DeviceId(0);
    const SITE: DeviceId = DeviceId(1);
    const LISP: DeviceId = DeviceId(2);

    fn out(device: DeviceId) -> Entry {
        Entry {
            metric: 0,
            connected: false,
            leads: Leads::Out { device, gateway: None },
            source: None,
        }
    }

    fn net(text: &str) -> IpNet {
        text.parse().unwrap()
    }

    fn rule(priority: u32, selector: RuleSelector, table: Table) -> Rule {
        Rule { priority, family: Family::Ipv4, selector, table }
    }

    /// The tables of an xTR. Table main has a default route into `lisp0` and a site network. Table
    /// native has a default route to the core. Only packets from `lisp0` and from the RLOC use
    /// table native.
    fn xtr() -> Routing {
        let mut routing = Routing::default();
        let rloc = RuleSelector::Source(Rloc([203, 0, 113, 11].into()));
        for (priority, selector, table) in [
            (100, RuleSelector::FromLisp, Table::Main),
            (101, RuleSelector::FromLisp, Table::Native),
            (102, rloc, Table::Main),
            (103, rloc, Table::Native),
        ] {
            routing.add_rule(rule(priority, selector, table));
        }
        let main = routing.table_mut(Table::Main);
        main.add(net("0.0.0.0/0"), out(LISP));
        main.add(net("172.16.0.0/24"), out(SITE));
        let native = routing.table_mut(Table::Native);
        native.add(net("0.0.0.0/0"), out(CORE));
        native.add(net("172.16.0.0/24"), Entry { leads: Leads::Blackhole, ..out(CORE) });
        routing
    }

    fn leads(routing: &Routing, flow: Flow, down: Option<DeviceId>) -> Leads {
        let usable = |entry: &Entry| entry.device().is_none() || entry.device() != down;
        routing.lookup(&flow, Some(LISP), usable).unwrap().leads
    }

    #[test]
    fn only_what_lisp0_emits_and_the_router_sends_takes_the_native_default() {
        let routing = xtr();
        let flow = Flow::unbound([10, 0, 0, 1].into());
        let from_lisp = Flow { from_lisp: true, ..flow };
        let own = Flow { source: Some([203, 0, 113, 11].into()), ..flow };
        assert_eq!(leads(&routing, flow, None), out(LISP).leads);
        assert_eq!(leads(&routing, from_lisp, None), out(CORE).leads);
        assert_eq!(leads(&routing, own, None), out(CORE).leads);
    }

    #[test]
    fn with_its_link_down_a_local_eid_meets_the_guard_and_not_the_default() {
        let routing = xtr();
        let flow = Flow { from_lisp: true, ..Flow::unbound([172, 16, 0, 12].into()) };
        assert_eq!(leads(&routing, flow, None), out(SITE).leads);
        assert_eq!(leads(&routing, flow, Some(SITE)), Leads::Blackhole);
    }

    #[test]
    fn the_longest_prefix_wins_then_the_smallest_metric() {
        let mut table = RoutingTable::default();
        table.add(net("10.0.0.0/8"), out(CORE));
        let worse = Entry { metric: 9, ..out(LISP) };
        table.add(net("10.1.0.0/16"), worse);
        table.add(net("10.1.0.0/16"), out(SITE));
        let lookup = |text: &str| table.lookup(text.parse().unwrap(), |_| true);
        assert_eq!(lookup("10.1.0.1"), Some(out(SITE)));
        assert_eq!(lookup("10.2.0.1"), Some(out(CORE)));
        assert_eq!(lookup("11.0.0.1"), None);
        assert!(table.remove(net("10.1.0.0/16"), &out(SITE)));
        assert!(!table.remove(net("10.1.0.0/16"), &out(SITE)));
        let lookup = |text: &str| table.lookup(text.parse().unwrap(), |_| true);
        assert_eq!(lookup("10.1.0.1"), Some(worse));
    }
}
