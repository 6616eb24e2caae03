//! Finds the labs that are up on this machine, and the routers that run.

use std::fs;
use std::os::unix::fs::MetadataExt;

use super::paths::{self, RUN};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::name::{self, SWITCH};

/// Returns the names of the labs that have a namespace or a directory in `/run`.
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

/// Returns an error if a lab is not up in namespaces. The error has the command that brings the lab
/// up.
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

/// Returns an error if a node has no namespace. The error has the commands that create the
/// namespace.
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

/// Returns the process number of a running router. The number in the file is not sufficient: the
/// process must also belong to this user, and its argv must have the path of the router's socket.
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
        // While a process replaces its program, its argv is empty for a moment, although the
        // process has not ended. So argv is read again.
        if !argv.is_empty() || !lives(pid) {
            return None;
        }
    }
}

/// Whether a process has not ended yet. A zombie process has ended: it only waits until its parent
/// reads its exit status.
fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // In the file `stat`, the state of the process comes after the name of the process. The name is
    // in parentheses and may itself contain parentheses.
    let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}
