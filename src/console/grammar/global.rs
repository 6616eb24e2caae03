//! Global configuration: the hostname, interfaces, and terminal lines.

use super::context::{Context, Mode};
use super::row::{No, Row, edit};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;

const HERE: &[Mode] = &[Mode::Config];

pub(super) const ROWS: &[Row] = &[
    edit(
        HERE,
        "hostname <name:word>",
        &["Set system's network name", "This system's network name"],
        No::After(1),
        hostname,
    ),
    edit(
        HERE,
        "interface <interface:interface> [{point-to-point|multipoint}]",
        &[
            "Select an interface to configure",
            "Interface name",
            "The link has two ends (no effect)",
            "The link has several ends (no effect)",
        ],
        No::After(2),
        interface,
    ),
    edit(
        HERE,
        "router lisp [<process:0-65535>]",
        &[
            "Enable a routing process",
            "Locator/ID Separation Protocol",
            "Number of the LISP process (default 0)",
        ],
        No::After(2),
        router_lisp,
    ),
];

fn hostname(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if args.negated {
        editor.config.hostname.clear();
        return Ok(());
    }
    let name: String = args.value("name")?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.len() > 63 || !name.chars().all(allowed) {
        return Err(args.fault("name", "a name has at most 63 letters, digits, '-', '_' and '.'"));
    }
    editor.config.hostname = name;
    Ok(())
}

fn interface(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let name = args.value("interface")?;
    if args.negated {
        editor.config.interfaces.remove(&name);
        return Ok(());
    }
    editor.config.interfaces.entry(name).or_default();
    editor.context = Context::Interface(name);
    Ok(())
}

fn router_lisp(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let process: u16 = args.optional("process").unwrap_or_default();
    if let Some(lisp) = &editor.config.lisp
        && lisp.process != process
    {
        let known = lisp.process;
        let message = format!(
            "a router has only one LISP process, and this router has `router lisp {known}`"
        );
        return Err(args.fault(if args.given("process") { "process" } else { "lisp" }, message));
    }
    if args.negated {
        editor.config.lisp = None;
        return Ok(());
    }
    editor.config.lisp.get_or_insert_default().process = process;
    editor.context = Context::Lisp;
    Ok(())
}
