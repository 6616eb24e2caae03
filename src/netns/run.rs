//! Labs in namespaces: brings a lab up and takes it down, and starts and stops its routers.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::interrupt::Interrupt;
use super::lock::Lock;
use super::plan::Options;
use super::running::{expect_up, pid, running};
use super::time_limit::TimeLimit;
use super::verbs::{self, Call, Shell, Step};
use super::{
    console, emulated, environment, neighbour_tables, open, paths, plan, programs, registration,
};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::name::SWITCH;
use crate::lab::scenario::{LinkChange, Place};
use crate::lab::{check, registration::missing, unregistered};
use crate::router::config::EmulatedHost;

/// The time limit for the start of a lab. In this time, the consoles of all routers must be open,
/// and all registrations must be complete.
const SETTLING: Duration = Duration::from_secs(10);
/// The time that is added to [`SETTLING`] for each router, because all routers of a lab run on the
/// same few cores.
const SETTLING_PER_ROUTER: Duration = Duration::from_millis(100);
/// The number of lines of a router's log that an error shows.
const TAIL: usize = 15;

/// Brings `lab` up, waits until every registration is acknowledged, and returns the time that this
/// took. If an operation fails, the lab is taken down, unless `keep` is true. Calls `say` with
/// lines that describe the progress.
pub fn up(
    lab: &Lab,
    keep: bool,
    options: Options,
    say: &mut dyn FnMut(&str),
) -> Result<Duration, Failure> {
    let time_limit = TimeLimit::of(SETTLING);
    environment::expect(&lab.file)?;
    let steps = plan::up(lab, &program()?, options)?;
    check::config_warnings(lab).iter().for_each(|line| log::warn!("{line}"));
    let interrupted = Interrupt::watch()?;
    let lock = Lock::take(&format!("builds lab {}", lab.name), &interrupted, &mut *say)?;
    let shell = Shell { lock: Some(&lock), interrupted: Some(&interrupted) };
    if running().contains(&lab.name) {
        if lab.file.routers().any(|(node, _)| pid(lab, node).is_some()) {
            let name = &lab.name;
            return Err(Failure::Other(format!(
                "lab {name} is already up: look at it with `eidway lab status {name}`, or take it \
                 down with `eidway lab down {name}`"
            )));
        }
        say("removing the remains of an earlier run of this lab");
        shell.run(&[plan::down(&lab.name)], |_| ())?;
    }
    neighbour_tables::make_room(&lab.file, &mut *say);
    let result =
        open::settle(lab, options).and_then(|()| shell.run(&steps, &mut *say)).and_then(|()| {
            drop(lock);
            let routers: Vec<&str> = lab.file.routers().map(|(node, _)| node).collect();
            settle(lab, &routers, &interrupted, say)
        });
    if result.is_err() && !keep {
        say(
            "the lab did not come up, so it is taken down. With the option --keep, it is not taken \
             down",
        );
        down(&lab.name, &mut |_| ())?;
    }
    result?;
    programs::ended(lab).iter().for_each(|line| say(line));
    Ok(time_limit.spent())
}

/// Takes down the running lab `name`. The lab may be in any state.
pub fn down(name: &str, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    paths::expect_own_sockets(name)?;
    if let Err(refused) = environment::need_root() {
        // A lab of an ordinary user is up only while the namespaces of this user exist. In them,
        // the user would be root. So if a lab with this name is up, it belongs to root.
        return if running().iter().any(|lab| lab == name) { Err(refused) } else { Ok(()) };
    }
    let interrupted = Interrupt::watch()?;
    let lock = Lock::take(&format!("removes lab {name}"), &interrupted, &mut *say)?;
    // The removal cannot be interrupted, because a half-removed lab is of no use.
    Shell { lock: Some(&lock), interrupted: None }.run(&[plan::down(name)], say)
}

/// Starts a router that does not run. Waits until all registrations of this router are
/// acknowledged.
pub fn start(lab: &Lab, node: &str, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let config = lab.expect_router(node)?;
    expect_up(lab)?;
    if let Some(pid) = pid(lab, node) {
        return Err(Failure::Other(format!("{node} already runs as process {pid}")));
    }
    let interrupted = Interrupt::watch()?;
    // The router gets the same options as when the lab was brought up.
    let options = open::data_path_options(&lab.name);
    open::copy_completed(lab, node, config).map_err(Failure::io(config))?;
    let call = plan::start(lab, node, config, &program()?, options);
    verbs::run(&[Step::new(format!("{node}: start"), vec![call])], &mut *say)?;
    let hosts = emulated::start_at_home(lab, true, &program()?);
    if !hosts.is_empty() {
        verbs::run(&[Step::new(format!("{} emulated hosts", hosts.len()), hosts)], &mut *say)?;
    }
    settle(lab, &[node], &interrupted, say)
}

/// Stops a router. If `kill` is true, the router is killed, so it cannot send a last message.
pub fn stop(lab: &Lab, node: &str, kill: bool, say: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    lab.expect_router(node)?;
    expect_up(lab)?;
    let call = Call::new("router-stop", &lab.name).with(node);
    let (title, call) = match kill {
        true => (format!("{node}: kill"), call.with("kill")),
        false => (format!("{node}: stop"), call),
    };
    verbs::run(&[Step::new(title, vec![call])], say)
}

/// Sets a port up or down, or changes its MTU. When the port of a plain node goes up, this function
/// also restores the routes that the device has lost.
pub fn link(lab: &Lab, port: &Place, change: LinkChange) -> Result<(), Failure> {
    let device = lab.device(&port.node, &port.interface)?;
    expect_up(lab)?;
    let (place, end) = end_of(lab, &port.node, &device);
    let call = Call::new("link-set", &lab.name).with(place).with(end);
    let calls = match change {
        LinkChange::Up => {
            let mut calls = vec![call.with("up")];
            calls.extend(plan::plain_node(lab, &port.node));
            calls
        }
        LinkChange::Down => vec![call.with("down")],
        LinkChange::Mtu(mtu) => vec![call.with("mtu").with(mtu)],
    };
    verbs::run(&[Step::new("link", calls)], |_| ())
}

/// Returns the node that has the device in its namespace, and the name of the device there. An
/// emulated host has no namespace: its device is in the namespace `switch`.
pub fn end_of<'a>(lab: &Lab, node: &'a str, device: &str) -> (&'a str, String) {
    match emulated::find(lab, node) {
        Some(_) => (SWITCH, EmulatedHost::device(node)),
        None => (node, device.to_owned()),
    }
}

/// Returns the path of this program. The routers of a lab run this program too.
pub fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(Failure::io("the path of this program"))
}

/// Waits for the consoles of `routers`. Then waits until all registrations of these routers are
/// acknowledged.
fn settle(
    lab: &Lab,
    routers: &[&str],
    interrupted: &Interrupt,
    say: &mut dyn FnMut(&str),
) -> Result<(), Failure> {
    let count = u32::try_from(routers.len()).unwrap_or(u32::MAX);
    let time_limit = TimeLimit::of(SETTLING + SETTLING_PER_ROUTER.saturating_mul(count));
    for node in routers {
        while console::ask(&paths::socket(lab, node), "show clock").is_err() {
            interrupted.check()?;
            if pid(lab, node).is_none() {
                return Err(with_log(lab, node, "the router has ended"));
            }
            if !time_limit.pause() {
                return Err(with_log(lab, node, "the router's console does not answer"));
            }
        }
    }
    say("consoles answer, waiting for registrations");
    for node in routers {
        loop {
            interrupted.check()?;
            let registrations = registration::registrations(lab, node)?;
            let Some(missing) = missing(&registrations) else {
                break;
            };
            if !time_limit.pause() {
                return Err(not_registered(lab, node, &missing));
            }
        }
    }
    Ok(())
}

/// Makes an error with the missing registrations of all routers, and the causes. Both are read from
/// the consoles of the lab's routers. If the consoles report no missing registration, for example
/// because no console answers, the error has `missing`. This is the text about the missing
/// registrations of `node`.
fn not_registered(lab: &Lab, node: &str, missing: &str) -> Failure {
    match unregistered::explain(&registration::look(lab)) {
        said if said.is_empty() => with_log(lab, node, missing),
        said => Failure::new(format!("not every prefix is registered\n{said}")),
    }
}

/// Makes an error with `problem` and the last lines of a router's log.
pub fn with_log(lab: &Lab, node: &str, problem: &str) -> Failure {
    let path = paths::log(lab, node);
    let log = fs::read(&path).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
    let place = path.display();
    Failure::Other(format!("{node}: {problem}; the last lines of {place}:\n{tail}"))
}
