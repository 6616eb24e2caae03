//! The commands `copy`, `delete` and `configure replace`: they read and write the running
//! configuration, the startup configuration, and the files in `flash:`.

use super::config_file::{merge_config, read_config};
use super::flash::{self, FileName, Place, Storage, error_opening};
use super::hosts::Hosts;
use super::machine::Machine;
use super::problem::Report;
use super::show::file::read;
use super::startup;
use crate::router::Router;
use crate::router::config::Config;
use crate::router::io::Input;
use crate::time::Time;

/// Carries out the command `copy`. Returns the text for the user.
///
/// # Errors
/// The text for the user, if nothing was copied.
pub fn copy(
    from: &Place,
    to: &Place,
    router: &mut Router,
    hosts: &mut dyn Hosts,
    now: Time,
) -> Result<String, String> {
    let text = read(from, router.config(), hosts.machine());
    let text = text.map_err(|why| error_opening(from, &why))?;
    match to {
        Place::Startup => startup::save(&text, hosts),
        Place::File(name) => {
            let written = flash::write(storage_of(hosts), name, &text, false);
            written.map_err(|why| error_opening(name, &why))?;
            Ok(copied(&text))
        }
        Place::Running => {
            let reading = merge_config(router.config().clone(), &from.to_string(), &text);
            if reading.config != *router.config() {
                router.handle(Input::Configure(Box::new(reading.config)), now);
            }
            Ok(problems(&reading.report) + &copied(&text))
        }
    }
}

/// Carries out the command `configure replace`: the configuration at `from` becomes the running
/// configuration. Returns the text for the user. The emulated hosts of the running configuration
/// remain, because only the lab can connect emulated hosts.
///
/// # Errors
/// The text for the user, if a line is refused or the configuration cannot be read. In this case,
/// nothing has changed.
pub fn replace(
    from: &Place,
    router: &mut Router,
    hosts: &dyn Hosts,
    now: Time,
) -> Result<String, String> {
    let text = read(from, router.config(), hosts.machine());
    let text = text.map_err(|why| error_opening(from, &why))?;
    let mut reading = read_config(&from.to_string(), &text);
    let problems = problems(&reading.report);
    if reading.report.is_refused() {
        return Err(format!("{problems}% The running configuration is unchanged\n"));
    }
    keep_hosts(&mut reading.config, router.config().clone());
    if reading.config != *router.config() {
        router.handle(Input::Configure(Box::new(reading.config)), now);
    }
    Ok(format!("{problems}Total number of passes: 1\nRollback Done\n"))
}

/// Adds the emulated hosts of `running` to their interfaces in `config`.
pub fn keep_hosts(config: &mut Config, running: Config) {
    for (name, interface) in running.interfaces {
        if let Some(same) = config.interfaces.get_mut(&name) {
            same.emulated_hosts.extend(interface.emulated_hosts);
        }
    }
}

/// Carries out the command `delete`: removes a file.
///
/// # Errors
/// The text for the user.
pub fn delete(name: &FileName, hosts: &mut dyn Hosts) -> Result<(), String> {
    let removed = flash::remove(storage_of(hosts), name);
    removed.map_err(|why| format!("%Error deleting {name} ({why})\n"))
}

/// The files in `flash:`.
pub fn storage_of(hosts: &mut dyn Hosts) -> Option<&mut dyn Storage> {
    hosts.machine_mut().and_then(Machine::storage_mut)
}

fn copied(text: &str) -> String {
    format!("{} bytes copied\n", text.len())
}

/// The problems of a file that was read as a configuration. Each problem is one line.
fn problems(report: &Report) -> String {
    report.log_lines().iter().map(|line| format!("% {line}\n")).collect()
}
