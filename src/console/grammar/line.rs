//! `line vty`: the terminal lines for users who log in over the network.

use super::context::{Context, Mode};
use super::key::unhide;
use super::row::{No, Row, edit};
use crate::console::args::{Args, Fault};
use crate::console::edit::Editor;

const HERE: &[Mode] = &[Mode::Line];

pub(super) const ROWS: &[Row] = &[
    edit(
        &[Mode::Config],
        "line <which:line>",
        &["Configure a terminal line", "Lines, for example `vty 0 4` or `console 0`"],
        No::After(1),
        line,
    ),
    edit(
        HERE,
        "password [{0|7}] <password:line>",
        &[
            "Set a password",
            "An unencrypted password follows",
            "A hidden password follows",
            "The password",
        ],
        No::After(1),
        password,
    ),
    edit(
        HERE,
        "login [<rest:line>]",
        &["Enable password checking", "Options"],
        No::After(1),
        login,
    ),
];

fn line(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    let which: String = args.value("which").unwrap_or_default();
    let first = which.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let is_vty = !first.is_empty() && "vty".starts_with(&first);
    match args.negated {
        true if is_vty => editor.config.vty_lines = Default::default(),
        true => {}
        false => editor.context = Context::Line { is_vty },
    }
    Ok(())
}

/// Sets or removes the password of the vty lines. On other lines, the password has no effect: the
/// console of a router belongs to the user who has started the router, so the console needs no
/// password.
fn password(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if editor.context != (Context::Line { is_vty: true }) {
        return Ok(());
    }
    editor.config.vty_lines.password = match args.negated {
        true => None,
        false => Some(secret(args)?),
    };
    Ok(())
}

fn secret(args: &Args<'_>) -> Result<String, Fault> {
    let text: String = args.value("password")?;
    match args.has("7") {
        true => unhide(&text).ok_or_else(|| {
            args.fault(
                "password",
                "this password of type 7 is not valid: its decoded text must be one word",
            )
        }),
        false => Ok(text),
    }
}

fn login(editor: &mut Editor, args: &Args<'_>) -> Result<(), Fault> {
    if editor.context == (Context::Line { is_vty: true }) {
        editor.config.vty_lines.no_login = args.negated && !args.is_default();
    }
    Ok(())
}
