//! Reads answers of a router's console into types. The caller sends the commands, through a socket
//! or in this process.

use super::failure::Failure;
use super::registration::{Registration, add, registration};
use crate::console::client::Answer;
use crate::console::parse_config;
use crate::console::view::lisp::{LispView, MapServerRow};
use crate::console::view::{Listing, View};
use crate::router::config::Config;

/// A function that runs a command on a router and returns the answer.
pub type Ask<'a> = dyn FnMut(&str) -> Result<Answer, Failure> + 'a;

/// Returns the view of a `show` command. The command is given without `json`.
///
/// # Errors
/// The router does not answer or refuses the command, or the answer is another view.
pub fn view<V: View>(node: &str, command: &str, ask: &mut Ask<'_>) -> Result<V, Failure> {
    let answer = ask(&format!("{command} json"))?;
    answer.view().map_err(|error| {
        Failure::Other(format!("{node}: the answer to `{command}` cannot be read: {error}"))
    })
}

/// Returns the rows of a table. If the router refuses the command, it does not have this table, and
/// the function returns no rows.
///
/// # Errors
/// The router does not answer, or the answer is another view.
pub fn rows<H: View, R: View>(
    node: &str,
    command: &str,
    ask: &mut Ask<'_>,
) -> Result<Vec<R>, Failure> {
    let answer = ask(&format!("{command} json"))?;
    if !answer.done.ok {
        return Ok(Vec::new());
    }
    let listing: Listing<H, R> = answer.view().map_err(|error| {
        Failure::Other(format!("{node}: the answer to `{command}` cannot be read: {error}"))
    })?;
    Ok(listing.entries)
}

/// Returns the registrations of a router. There are none if the router is not an ETR.
///
/// # Errors
/// The errors of [`view`].
pub fn registrations(node: &str, ask: &mut Ask<'_>) -> Result<Vec<Registration>, Failure> {
    let mut all: Vec<Registration> = Vec::new();
    for command in ["show ip lisp", "show ipv6 lisp"] {
        let view: LispView = view(node, command, ask)?;
        for MapServerRow { address, prefixes, acknowledged, .. } in view.map_servers {
            add(&mut all, registration(address, prefixes, acknowledged));
        }
    }
    Ok(all)
}

/// Returns the running configuration of a router.
///
/// # Errors
/// The router does not answer.
pub fn running_config(node: &str, ask: &mut Ask<'_>) -> Result<Config, Failure> {
    let text = ask("show running-config")?.text;
    // The lines before the first `!` are not commands: they contain the length of the
    // configuration.
    let begin = text.find("\n!\n").unwrap_or(0);
    let wrong = |error| {
        Failure::Other(format!(
            "{node}: the answer to `show running-config` cannot be read: {error}"
        ))
    };
    parse_config(node, &text[begin..]).map_err(wrong)
}
