//! The paths of a lab on this machine: sockets, logs, process numbers and namespaces.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::private;

/// The directory of all running labs: each has a directory in it for sockets, logs and process
/// numbers.
pub const RUN: &str = private::OF_ROOT;
/// The directory beside them for captures of scenarios and for evidence of failed ones. No lab has
/// this name, because it has a dot.
const KEPT: &str = ".scenarios";
/// The directory in a running lab's directory for the lab's files, if no other directory has them.
pub const FILES: &str = "lab";

/// The directory with the console sockets of a lab that is simulated in real time.
pub fn simulated_run(lab: &str) -> PathBuf {
    private::runtime().join(lab)
}

/// The directory with the console sockets of a lab, in namespaces or simulated.
pub fn sockets_of(lab: &str) -> PathBuf {
    let simulated = simulated_run(lab);
    if simulated.exists() { simulated } else { Path::new(RUN).join(lab) }
}

/// Refuses the directory with the console sockets of a lab if it belongs to another user, or if
/// another user could have created it.
pub fn expect_own_sockets(lab: &str) -> Result<(), Failure> {
    let directory = sockets_of(lab);
    for directory in [directory.parent(), Some(&directory)].into_iter().flatten() {
        private::expect_unspoilt(directory).map_err(Failure::new)?;
    }
    let owner = fs::symlink_metadata(&directory).map(|found| found.uid());
    match owner {
        Ok(owner) if owner != rustix::process::geteuid().as_raw() => {
            let place = directory.display();
            Err(Failure::Other(format!(
                "lab {lab} belongs to root: use sudo (other users cannot open {place})"
            )))
        }
        _ => Ok(()),
    }
}

/// Makes a new directory for a scenario that is played as `name`.
pub fn kept(name: &str) -> Result<PathBuf, Failure> {
    let base = private::make_runtime().map_err(Failure::new)?.join(KEPT);
    private::fresh(&base, name).map_err(Failure::new)
}

/// `/run/eidway/LAB`.
pub fn run(lab: &Lab) -> PathBuf {
    Path::new(RUN).join(&lab.name)
}

/// The console socket of a router.
pub fn socket(lab: &Lab, node: &str) -> PathBuf {
    run(lab).join(format!("{node}.sock"))
}

/// The log of a router.
pub fn log(lab: &Lab, node: &str) -> PathBuf {
    run(lab).join(format!("{node}.log"))
}

/// The directory of a lab's files. If no directory has them, this directory is made when the lab
/// starts.
pub fn files(lab: &Lab) -> PathBuf {
    lab.directory.clone().unwrap_or_else(|| run(lab).join(FILES))
}

/// The namespace of a node: `eidway-LAB-NODE`.
pub fn namespace(lab: &Lab, node: &str) -> String {
    format!("eidway-{}-{node}", lab.name)
}

/// Whether the namespace of a node exists.
pub fn has_namespace(lab: &Lab, node: &str) -> bool {
    Path::new("/run/netns").join(namespace(lab, node)).exists()
}
