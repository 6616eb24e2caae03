//! Answers of a router's console that labs need, in types. The caller asks: by a socket, or in the same
//! process.

use super::failure::Failure;
use super::registration::{Registration, add, registration};
use crate::console::client::Answer;
use crate::console::parse_config;
use crate::console::view::lisp::{LispView, MapServerRow};
use crate::console::view::{Listing, View};
use crate::router::config::Config;

/// Runs a command at a router.
pub type Ask<'a> = dyn FnMut(&str) -> Result<Answer, Failure> + 'a;

/// The view of a `show`, which is written without `json`.
///
/// # Errors
/// A router that does not answer, that refuses the line, or whose answer is another view.
pub fn view<V: View>(node: &str, command: &str, ask: &mut Ask<'_>) -> Result<V, Failure> {
    let answer = ask(&format!("{command} json"))?;
    answer.view().map_err(|error| Failure::Other(format!("{node}: {command}: {error}")))
}

/// The rows of a table; none at a router that has no such table, and refuses.
///
/// # Errors
/// A router that does not answer, or whose answer is another view.
pub fn rows<H: View, R: View>(
    node: &str,
    command: &str,
    ask: &mut Ask<'_>,
) -> Result<Vec<R>, Failure> {
    let answer = ask(&format!("{command} json"))?;
    if !answer.done.ok {
        return Ok(Vec::new());
    }
    let listing: Listing<H, R> =
        answer.view().map_err(|error| Failure::Other(format!("{node}: {command}: {error}")))?;
    Ok(listing.entries)
}

/// The registrations of a router; empty for one that is no ETR.
///
/// # Errors
/// Those of [`view`].
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

/// The configuration in force at a router.
///
/// # Errors
/// A router that does not answer.
pub fn running_config(node: &str, ask: &mut Ask<'_>) -> Result<Config, Failure> {
    let text = ask("show running-config")?.text;
    // Above it stands how long it is.
    let begin = text.find("\n!\n").unwrap_or(0);
    let wrong = |error| Failure::Other(format!("{node}: show running-config: {error}"));
    parse_config(node, &text[begin..]).map_err(wrong)
}
