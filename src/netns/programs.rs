//! The programs of hosts: the key `run` of the lab file.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::verbs::Call;
use super::{paths, text};
use crate::lab::Lab;
use crate::lab::running::ProgramState;

/// The calls that start the programs of all hosts.
pub fn start(lab: &Lab) -> Vec<Call> {
    let hosts = lab.file.hosts();
    let all = hosts.flat_map(|(node, host)| {
        (1..).zip(&host.run).map(move |(number, command)| (node, number, command))
    });
    let call = |(node, number, command): (&str, usize, &String)| {
        Call::new("host-run", &lab.name).with(node).with(number).with(command)
    };
    all.map(call).collect()
}

/// The states of the programs of a node.
pub fn states(lab: &Lab, node: &str) -> Vec<ProgramState> {
    let host = lab.file.hosts().find(|(name, _)| *name == node);
    let programs = host.map(|(_, host)| &host.run).into_iter().flatten();
    (1..)
        .zip(programs)
        .map(|(number, command)| ProgramState {
            command: command.clone(),
            pid: pid(lab, node, number),
            log: Some(file(lab, node, number, "log").display().to_string()),
        })
        .collect()
}

/// Returns a line for each program that has ended although its lab is up.
pub fn ended(lab: &Lab) -> Vec<String> {
    let nodes = lab.file.hosts().map(|(node, _)| node);
    let states = nodes.flat_map(|node| states(lab, node).into_iter().map(move |it| (node, it)));
    let ended = states.filter(|(_, state)| state.pid.is_none());
    let line = |(node, state): (&str, ProgramState)| {
        let log = state.log.unwrap_or_default();
        let said = text::read(Path::new(&log)).unwrap_or_default();
        let last = said.lines().last().unwrap_or("it has printed nothing");
        format!("{node}: the program `{}` has ended: {last} (see {log})", state.command)
    };
    ended.map(line).collect()
}

/// Returns the path of a file about a program. With the `extension` `log`, this is the log of the
/// program. With `pid`, it is the file with the process number of the program.
fn file(lab: &Lab, node: &str, number: usize, extension: &str) -> PathBuf {
    paths::run(lab).join(format!("{node}.run-{number}.{extension}"))
}

/// Returns the process number of a program if it runs. The number in the file is not sufficient:
/// the process with this number must also be in the network namespace of the host.
fn pid(lab: &Lab, node: &str, number: usize) -> Option<u32> {
    let pid: u32 = text::read(&file(lab, node, number, "pid")).ok()?.trim().parse().ok()?;
    let inode = |path: &Path| fs::metadata(path).map(|found| found.ino()).ok();
    let own = inode(Path::new(&format!("/proc/{pid}/ns/net")))?;
    let namespace = Path::new("/run/netns").join(paths::namespace(lab, node));
    (inode(&namespace)? == own).then_some(pid)
}
