//! The state of a configuration during editing. The commands of the grammar change this state;
//! [`interpret`](super::interpret) finds the command for a line.

use super::args::{Args, Fault};
use super::grammar::Context;
use crate::addr::InstanceId;
use crate::router::config::{Config, EidTable, Lisp};

/// A configuration during editing, and the mode for the next line.
#[derive(Clone, Debug)]
pub struct Editor {
    /// The configuration so far.
    pub config: Config,
    /// The mode for the next line.
    pub context: Context,
    /// The warnings about the lines so far. Each warning is one sentence, without the leading `%`.
    pub warnings: Vec<String>,
}

impl Editor {
    /// Continues with `config` at the top level.
    pub fn new(config: Config) -> Self {
        Editor::at(config, Context::Config)
    }

    /// Continues with `config` in the mode of `context`.
    pub fn at(config: Config, context: Context) -> Self {
        Editor { config, context, warnings: Vec::new() }
    }

    /// Adds a warning about a line that is accepted. `message` is one sentence, without the leading
    /// `%`. The console prints the warning. If the line is in a file, the warning is in the list of
    /// the file's problems.
    pub fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(message.into());
    }

    /// Returns the configuration of `router lisp`. Creates it if it is missing.
    pub fn lisp(&mut self) -> &mut Lisp {
        self.config.lisp.get_or_insert_default()
    }

    /// The EID-table that is being configured. If no EID-table is selected, the result is a fault
    /// for the line of `args`.
    pub fn eid_table(&mut self, args: &Args<'_>) -> Result<&mut EidTable, Fault> {
        let Some(id) = self.context.instance() else {
            return Err(args.fault("", "no EID-table is selected"));
        };
        self.open_table(id, args, "")
    }

    /// Returns the EID-table of an instance. Creates it if it is missing. A router has only one
    /// EID-table, because its `lisp0` carries the packets of one instance only. EIDs of a second
    /// instance would be registered, but their packets would be dropped. `argument` is the name of
    /// an argument: a fault points at this argument.
    pub fn open_table(
        &mut self,
        id: InstanceId,
        args: &Args<'_>,
        argument: &str,
    ) -> Result<&mut EidTable, Fault> {
        let tables = &mut self.lisp().eid_tables;
        if let Some(other) = tables.keys().find(|other| **other != id) {
            let message = format!(
                "only one EID-table is supported, and instance-id {other} already has an \
                 EID-table: remove it first with `no eid-table default instance-id {other}`"
            );
            return Err(args.fault(argument, message));
        }
        Ok(tables.entry(id).or_default())
    }
}
