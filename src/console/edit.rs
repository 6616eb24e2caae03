//! A configuration that is being written: the commands of the grammar change it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::args::{Args, Fault};
use super::grammar::Context;
use crate::addr::{InstanceId, is_ipv6_link_local};
use crate::router::config::{Config, EidTable, InterfaceName, Lisp};

/// A configuration that is being written, and the place in it where the next line belongs.
#[derive(Clone, Debug)]
pub struct Editor {
    /// What has been configured so far.
    pub config: Config,
    /// Where the next line belongs.
    pub context: Context,
}

impl Editor {
    /// Goes on with `config` at the top level.
    pub fn new(config: Config) -> Self {
        Editor { config, context: Context::Config }
    }

    /// The `router lisp` that is being configured.
    pub fn lisp(&mut self) -> &mut Lisp {
        self.config.lisp.get_or_insert_default()
    }

    /// The EID-table that is being configured; `args` is the line that needs one.
    pub fn eid_table(&mut self, args: &Args<'_>) -> Result<&mut EidTable, Fault> {
        let Some(id) = self.context.instance() else {
            return Err(args.fault("", "no EID-table is selected"));
        };
        self.open_table(id, args, "")
    }

    /// The EID-table of an instance, made if it is not there. A router has one: its `lisp0` carries
    /// the packets of one instance only, and those of another would be registered and dropped.
    /// `argument` of the line names the instance.
    pub fn open_table(
        &mut self,
        id: InstanceId,
        args: &Args<'_>,
        argument: &str,
    ) -> Result<&mut EidTable, Fault> {
        let tables = &mut self.lisp().eid_tables;
        if let Some(other) = tables.keys().find(|other| **other != id) {
            let message = format!(
                "one EID-table is supported, and there is that of instance-id {other}: \
                 remove it first with `no eid-table default instance-id {other}`"
            );
            return Err(args.fault(argument, message));
        }
        Ok(tables.entry(id).or_default())
    }
}

/// What does not fit together in a configuration each line of which is right, a sentence each. A
/// file is judged so as a whole, since it may name what it defines further down; the console warns.
pub fn contradictions(config: &Config) -> Vec<String> {
    let tables = config.lisp.iter().flat_map(|lisp| lisp.eid_tables.values());
    let dynamic_eids: BTreeSet<&String> = tables.flat_map(|t| t.dynamic_eids.keys()).collect();
    let mut found = Vec::new();
    for (interface, settings) in &config.interfaces {
        for name in settings.lisp_mobility.iter().filter(|name| !dynamic_eids.contains(name)) {
            found.push(format!(
                "{interface} has lisp mobility {name}: there is no such dynamic-eid"
            ));
        }
    }
    let roams = |name: InterfaceName| {
        config.interfaces.get(&name).is_some_and(|port| !port.lisp_mobility.is_empty())
    };
    let mut owners: BTreeMap<IpAddr, InterfaceName> = BTreeMap::new();
    for (interface, net) in config.addresses().filter(|(_, net)| !is_ipv6_link_local(net.addr())) {
        let address = net.addr();
        let owner = *owners.entry(address).or_insert(interface);
        if owner != interface && !(roams(owner) && roams(interface)) {
            found.push(format!(
                "{address} is the address of {owner} and {interface}: \
                 a gateway of roaming hosts needs lisp mobility on both"
            ));
        }
    }
    found
}
