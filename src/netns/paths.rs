//! The paths of labs on this machine: sockets, logs, process numbers and namespaces.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::text;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::private;

/// The directory for all running labs. In it, each lab has its own directory with sockets, logs and
/// process numbers.
pub const RUN: &str = private::OF_ROOT;
/// The directory for the captures of scenarios and the files about failed scenarios. It is beside
/// the directories of labs. No lab has this name, because a lab's name has no dot.
const KEPT: &str = ".scenarios";
/// A directory in the directory of a running lab. If the lab has no directory of its own, this
/// directory contains the lab's files.
pub const FILES: &str = "lab";

/// The directory with the console sockets of a lab that is simulated in real time.
pub fn simulated_run(lab: &str) -> PathBuf {
    private::runtime().join(lab)
}

/// Returns the directory with the console sockets of a lab. The lab may run in namespaces or on the
/// simulator.
pub fn sockets_of(lab: &str) -> PathBuf {
    let simulated = simulated_run(lab);
    if simulated.exists() { simulated } else { Path::new(RUN).join(lab) }
}

/// Returns an error if the directory with the console sockets of a lab belongs to another user, or
/// if another user could have created it.
pub fn expect_own_sockets(lab: &str) -> Result<(), Failure> {
    let directory = sockets_of(lab);
    for directory in [directory.parent(), Some(&directory)].into_iter().flatten() {
        private::expect_unspoilt(directory).map_err(Failure::new)?;
    }
    let owner = fs::symlink_metadata(&directory).map(|found| found.uid());
    match owner {
        Ok(owner) if owner != rustix::process::geteuid().as_raw() => {
            let place = directory.display();
            let (owner, advice) = match owner {
                0 => ("root".to_owned(), "use sudo"),
                owner => (format!("the user with number {owner}"), "work as this user"),
            };
            Err(Failure::Other(format!(
                "lab {lab} belongs to {owner}: {advice} (other users cannot open {place})"
            )))
        }
        _ => Ok(()),
    }
}

/// Creates a new directory for the files of a scenario. `name` is the name of the scenario's lab.
pub fn kept(name: &str) -> Result<PathBuf, Failure> {
    let base = private::make_runtime().map_err(Failure::new)?.join(KEPT);
    private::fresh(&base, name).map_err(Failure::new)
}

/// The directory of a running lab: `/run/eidway/LAB`.
pub fn run(lab: &Lab) -> PathBuf {
    Path::new(RUN).join(&lab.name)
}

/// The console socket of a router.
pub fn socket(lab: &Lab, node: &str) -> PathBuf {
    run(lab).join(format!("{node}.sock"))
}

/// The file to which a router writes its configuration when a user types `write memory`.
pub fn startup(lab: &Lab, node: &str) -> PathBuf {
    run(lab).join(format!("{node}.conf"))
}

/// The log of a router.
pub fn log(lab: &Lab, node: &str) -> PathBuf {
    run(lab).join(format!("{node}.log"))
}

/// Returns the directory with a lab's files. If the lab has no directory of its own, this directory
/// is created when the lab starts.
pub fn files(lab: &Lab) -> PathBuf {
    lab.directory.clone().unwrap_or_else(|| run(lab).join(FILES))
}

/// Returns the path of the configuration file that a router reads at its start. `config` is the
/// path in the lab file. If `core = "auto"` has added lines to the configurations of the lab, the
/// router reads a copy with these lines. The copy is written when the lab or the router starts.
pub fn config(lab: &Lab, node: &str, config: &str) -> PathBuf {
    match &lab.directory {
        Some(_) if lab.chosen.has_changed_configs => run(lab).join(completed(node)),
        _ => files(lab).join(config),
    }
}

/// Returns the path of the copy of a router's configuration. The copy has the lines that `core =
/// "auto"` has added. The path is relative to the directory of a running lab.
pub fn completed(node: &str) -> PathBuf {
    Path::new(FILES).join(format!("{node}.conf"))
}

/// Returns the telnet port of each router of a lab. The key is the name of the router. The map is
/// empty if the consoles are not served by telnet.
pub fn telnet_ports(lab: &str) -> BTreeMap<String, u16> {
    let text = text::read(&sockets_of(lab).join(private::TELNET_PORTS)).unwrap_or_default();
    let port = |line: &str| {
        let (port, name) = line.split_once(' ')?;
        Some((name.to_owned(), port.parse().ok()?))
    };
    text.lines().filter_map(port).collect()
}

/// The namespace of a node: `eidway-LAB-NODE`.
pub fn namespace(lab: &Lab, node: &str) -> String {
    format!("eidway-{}-{node}", lab.name)
}

/// Whether the namespace of a node exists.
pub fn has_namespace(lab: &Lab, node: &str) -> bool {
    Path::new("/run/netns").join(namespace(lab, node)).exists()
}
