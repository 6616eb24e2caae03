//! What the machine must have before a lab can run in its namespaces.

use std::env;
use std::path::Path;

use super::failure::Failure;
use super::file::LabFile;

/// A command and the Debian package that brings it.
type Tool = (&'static str, &'static str);

/// The tools of the verbs that every lab needs.
const ALWAYS: [Tool; 3] = [("bash", "bash"), ("ip", "iproute2"), ("setsid", "util-linux")];

/// What is missing on this machine for `lab`, a line each; nothing when all is there.
pub fn missing(lab: &LabFile) -> Vec<String> {
    let mut missing = Vec::new();
    if !rustix::process::geteuid().is_root() {
        missing.push(
            "labs in namespaces need root: use sudo, or play the lab on the simulator with --sim"
                .to_owned(),
        );
    }
    if !Path::new("/dev/net/tun").exists() {
        missing.push("/dev/net/tun is missing: modprobe tun".to_owned());
    }
    let offload_off =
        lab.links.iter().any(|link| !link.offload) || lab.lans.iter().any(|lan| !lan.offload);
    let lossy = lab.links.iter().any(|link| link.impairment.loss > 0.0);
    let tools = ALWAYS
        .into_iter()
        .chain(offload_off.then_some(("ethtool", "ethtool")))
        .chain(lossy.then_some(("nft", "nftables")));
    let packages: Vec<&str> =
        tools.filter(|(command, _)| !installed(command)).map(|(_, package)| package).collect();
    if !packages.is_empty() {
        missing.push(format!("missing packages: apt-get install {}", packages.join(" ")));
    }
    missing
}

/// Refuses to go on when something is missing.
pub fn expect(lab: &LabFile) -> Result<(), Failure> {
    let missing = missing(lab);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Other(missing.join("\n")))
}

/// Refuses to go on without `command`, and names the package that has it.
pub fn need(command: &'static str, package: &'static str) -> Result<(), Failure> {
    if installed(command) {
        return Ok(());
    }
    Err(Failure::Other(format!("{command} is missing: apt-get install {package}")))
}

fn installed(command: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|directory| directory.join(command).is_file())
}
