//! Which labs are up on this machine, and which of their routers run.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::paths::{self, RUN};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::name::{self, SWITCH};

/// The names of the labs with a namespace or a directory in `/run`.
pub fn running() -> Vec<String> {
    let entries = |path: &str| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok())
    };
    let mut labs: Vec<String> = entries("/run/netns")
        .filter_map(|namespace| {
            let (lab, _node) = namespace.strip_prefix("eidway-")?.rsplit_once('-')?;
            Some(lab.to_owned())
        })
        .chain(entries(RUN))
        .filter(|name| name::lab(name).is_ok())
        .collect();
    labs.sort();
    labs.dedup();
    labs
}

/// Refuses a lab that is not up in namespaces, and names the command that brings it up.
pub fn expect_up(lab: &Lab) -> Result<(), Failure> {
    let switch = std::iter::once(SWITCH);
    let mut nodes = lab.file.nodes.keys().map(String::as_str).chain(switch);
    if nodes.any(|node| paths::has_namespace(lab, node)) {
        return Ok(());
    }
    let name = &lab.name;
    let sockets = paths::sockets_of(name);
    if lab.file.routers().any(|(node, _)| sockets.join(format!("{node}.sock")).exists()) {
        return Err(Failure::Other(format!(
            "lab {name} is up on the simulator and has no namespaces: only eidway console works \
             with it"
        )));
    }
    let others = running();
    let others = match others.is_empty() {
        true => String::new(),
        false => format!("; these labs are up: {}", others.join(", ")),
    };
    Err(Failure::Other(format!(
        "lab {name} is not up: start it with `eidway lab up {}`{others}",
        lab.asked_for
    )))
}

/// Refuses a node without a namespace, and names the commands that make one.
pub fn expect_namespace(lab: &Lab, node: &str) -> Result<(), Failure> {
    expect_up(lab)?;
    if paths::has_namespace(lab, node) {
        return Ok(());
    }
    let (name, asked_for) = (&lab.name, &lab.asked_for);
    Err(Failure::Other(format!(
        "lab {name} is incomplete: {node} has no namespace. Run `eidway lab down {name}`, then \
         `eidway lab up {asked_for}`"
    )))
}

/// The process of a running router. A number in a file is not enough: the process must belong to
/// this user and have the router's socket in its argv.
pub fn pid(lab: &Lab, node: &str) -> Option<u32> {
    let text = fs::read_to_string(paths::run(lab).join(format!("{node}.pid"))).ok()?;
    let pid = text.trim().parse().ok()?;
    let socket = paths::socket(lab, node);
    let user = rustix::process::geteuid().as_raw();
    fs::metadata(format!("/proc/{pid}")).ok().filter(|process| process.uid() == user)?;
    loop {
        let argv = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let mut words = argv.split(|&octet| octet == 0);
        if words.any(|word| word == socket.as_os_str().as_encoded_bytes()) {
            return Some(pid);
        }
        // A living process has no argv for a moment when it becomes another program.
        if !argv.is_empty() || !lives(pid) {
            return None;
        }
    }
}

/// Whether a process lives. A process that has ended and waits for its parent does not.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name before the state is in parentheses and may itself contain parentheses.
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}
