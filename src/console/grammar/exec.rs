//! Exec commands, and the ways out of a mode.

use super::{Context, Mode, No, Row, edit};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;

pub(super) const ROWS: &[Row] = &[];

/// Every mode of the configuration.
const CONFIGURATION: &[Mode] = &[
    Mode::Config,
    Mode::Interface,
    Mode::Line,
    Mode::Lisp,
    Mode::LocatorSet,
    Mode::EidTable,
    Mode::Site,
    Mode::Service,
    Mode::Instance,
    Mode::InstanceService,
];

/// Commands that leave a mode.
pub(super) const LEAVING: &[Row] = &[
    edit(CONFIGURATION, "exit", &["Exit from the current mode"], No::Never, leave),
    edit(CONFIGURATION, "end", &["Exit from configure mode"], No::Never, end),
    edit(
        &[Mode::Lisp],
        "exit-router-lisp",
        &["Exit from LISP configuration mode"],
        No::Never,
        leave,
    ),
    edit(
        &[Mode::LocatorSet],
        "exit-locator-set",
        &["Exit from locator-set configuration mode"],
        No::Never,
        leave,
    ),
    edit(
        &[Mode::EidTable],
        "exit-eid-table",
        &["Exit from EID-table configuration mode"],
        No::Never,
        leave,
    ),
    edit(&[Mode::Site], "exit-site", &["Exit from site configuration mode"], No::Never, leave),
    edit(
        &[Mode::Instance],
        "exit-instance-id",
        &["Exit from instance configuration mode"],
        No::Never,
        leave,
    ),
    edit(
        &[Mode::Service, Mode::InstanceService],
        "{exit-service-ipv4|exit-service-ipv6}",
        &["Exit from service configuration mode", "Exit from service configuration mode"],
        No::Never,
        leave,
    ),
];

fn leave(editor: &mut Editor, _: &Args<'_>) -> Result<(), Fault> {
    if let Some(outer) = editor.context.outer() {
        editor.context = outer;
    }
    Ok(())
}

fn end(editor: &mut Editor, _: &Args<'_>) -> Result<(), Fault> {
    editor.context = Context::Exec;
    Ok(())
}
