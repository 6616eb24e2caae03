//! `lab start` and `lab restart`: start a router and wait until it is registered again.

use std::time::Duration;

use super::registered_at;
use crate::lab::Lab;
use crate::lab::asked;
use crate::lab::failure::Failure;
use crate::lab::registration;
use crate::lab::running::RunningLab;

/// The longest time for all registrations after a router has started. An ETR registers once a
/// minute (RFC 9301 section 8.2).
const REGISTERING: Duration = Duration::from_secs(90);
/// The time between two checks of the registrations. A check asks many consoles, so it must not be
/// repeated too often.
const LOOKING: Duration = Duration::from_millis(200);

/// Starts a router and waits until it is registered. If the router is a map-server, also waits
/// until all other routers have registered with it again. If a host pinged earlier, a map-cache
/// could keep a negative answer for a minute.
///
/// # Errors
/// The router already runs, or a registration is still missing after the time limit.
pub fn start(
    lab: &Lab,
    running: &mut dyn RunningLab,
    node: &str,
    say: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    running.start(node, say)?;
    let deadline = running.now() + REGISTERING;
    let mut said = String::new();
    while let Some(missing) = missing(lab, running, node)? {
        let left = deadline.saturating_sub(running.now());
        if left.is_zero() {
            return Err(running.with_log(node, &missing));
        }
        if missing != said {
            say(&format!("{node}: {missing}; the command waits for at most {} s", left.as_secs()));
            said = missing;
        }
        running.pass(LOOKING)?;
    }
    Ok(())
}

/// Returns a text with the missing registrations of a router. If the router has no missing
/// registration, the text has the registrations of other routers that are missing at this router.
fn missing(lab: &Lab, running: &mut dyn RunningLab, node: &str) -> Result<Option<String>, Failure> {
    let own = asked::registrations(node, &mut |command| running.console(node, command))?;
    match registration::missing(&own) {
        Some(missing) => Ok(Some(missing)),
        None => registered_at::missing(lab, running, node),
    }
}
