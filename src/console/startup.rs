//! The commands about the startup configuration. `write memory` saves the running configuration as
//! the startup configuration. `reload` restarts the router with the startup configuration. If the
//! running configuration is not saved, `reload` first asks a question, as on IOS.

use super::config_file::read_config;
use super::hosts::Hosts;
use super::machine::Machine;
use super::running_config::running_config;
use super::show::machine::NO_FILE;
use crate::router::Router;
use crate::router::config::Config;

/// The question of `reload`. It is printed in place of the prompt.
pub const QUESTION: &str = "System configuration has been modified. Save? [yes/no]: ";
/// The final text of a session, if the router restarts.
const SHUTDOWN: &str = "\n***\n*** --- SHUTDOWN NOW ---\n***\n";

/// The next step of the command `reload`, and the text for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The user must answer the [`QUESTION`].
    Ask(String),
    /// The router does not restart.
    Refuse(String),
    /// The router restarts, and the session ends.
    Restart(String),
}

/// Writes the text of a configuration into the file of the startup configuration. Returns the text
/// for the user.
///
/// # Errors
/// The text for the user, if the file cannot be written.
pub fn save(text: &str, hosts: &mut dyn Hosts) -> Result<String, String> {
    let saved = match hosts.machine_mut() {
        Some(machine) => machine.save(text),
        None => Err(NO_FILE.to_owned()),
    };
    match saved {
        Ok(place) => Ok(format!("Building configuration...\n[OK]\n{place}\n")),
        Err(why) => Err(format!("% The configuration is not saved: {why}\n")),
    }
}

/// Begins the command `reload`. Returns the next step of this command.
pub fn reload(router: &Router, hosts: &mut dyn Hosts) -> Step {
    let machine = hosts.machine().ok_or_else(|| NO_FILE.to_owned());
    match machine.and_then(|machine| is_modified(router.config(), machine)) {
        Ok(false) => restart("", hosts),
        Ok(true) => Step::Ask(String::new()),
        Err(why) => Step::Refuse(format!("% The router does not restart: {why}\n")),
    }
}

/// Handles the answer of the user to the [`QUESTION`]. If the user presses Control-C, the terminal
/// sends `end`.
pub fn answer(typed: &str, router: &Router, hosts: &mut dyn Hosts) -> Step {
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" => match save(&running_config(router.config()), hosts) {
            Ok(text) => restart(&text, hosts),
            Err(text) => Step::Refuse(text),
        },
        "n" | "no" => restart("", hosts),
        "end" => Step::Refuse("% The router does not restart\n".to_owned()),
        _ => Step::Ask("% Please answer 'yes' or 'no'.\n".to_owned()),
    }
}

/// Requests the restart of the router. `text` is printed before the final text of the session.
fn restart(text: &str, hosts: &mut dyn Hosts) -> Step {
    hosts.machine_mut().into_iter().for_each(Machine::restart);
    Step::Restart(format!("{text}{SHUTDOWN}"))
}

/// Whether the running configuration differs from the startup configuration. Emulated hosts are
/// not compared, because the lab adds and moves them.
fn is_modified(running: &Config, machine: &dyn Machine) -> Result<bool, String> {
    let startup = read_config("startup-config", &machine.startup()?.text).config;
    Ok(without_hosts(startup) != without_hosts(running.clone()))
}

fn without_hosts(mut config: Config) -> Config {
    config.interfaces.values_mut().for_each(|interface| interface.emulated_hosts.clear());
    config
}
