//! Changes a configuration, one line at a time: what the config file and `configure terminal`
//! have in common.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::args::{Args, Fault};
use super::grammar::{Context, Run, is_link_local};
use super::parse::{Match, Mismatch, match_line};
use crate::addr::InstanceId;
use crate::router::config::{Config, EidTable, InterfaceName, Lisp};

/// A configuration that is being written, and the place in it where the next line belongs.
#[derive(Clone, Debug)]
pub struct Editor {
    /// What has been configured so far.
    pub config: Config,
    /// Where the next line belongs.
    pub context: Context,
}

/// Why a line was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineError {
    /// It is no command.
    Syntax(Mismatch),
    /// It is one, but it cannot be done.
    Semantic(Fault),
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

    /// Does one line; after an error the configuration may be half changed.
    pub fn apply(&mut self, line: &str) -> Result<(), LineError> {
        let (matched, context) = find(&self.context, line).map_err(LineError::Syntax)?;
        self.context = context;
        match matched.run {
            Run::Edit(edit) => edit(self, &matched.args).map_err(LineError::Semantic),
            Run::Ignore => Ok(()),
            Run::Exec(_) => {
                Err(LineError::Semantic(matched.args.fault("", "the command is no configuration")))
            }
        }
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
    for (interface, net) in config.addresses().filter(|(_, net)| !is_link_local(*net)) {
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

/// Finds the command that a line is, in `context` or else in one that encloses it, as IOS leaves a
/// mode at the first line that does not belong there.
pub fn find<'t>(context: &Context, line: &'t str) -> Result<(Match<'t>, Context), Mismatch> {
    let mut here = context.clone();
    let mut best: Option<Mismatch> = None;
    loop {
        match match_line(&here, line) {
            Ok(matched) => return Ok((matched, here)),
            Err(mismatch) if best.as_ref().is_none_or(|b| mismatch.progress() > b.progress()) => {
                best = Some(mismatch);
            }
            Err(_) => {}
        }
        match here.outer() {
            Some(outer) if outer != Context::Exec => here = outer,
            _ => break,
        }
    }
    Err(best.unwrap_or(Mismatch::Incomplete { expected: Vec::new() }))
}
