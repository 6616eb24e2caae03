//! The programs that this machine needs for labs in namespaces. All modules of `netns` start
//! programs through the functions of this module. So if a program is missing, the error always
//! names the Debian package that contains the program.

use std::env;
use std::ffi::OsString;
use std::fs::File;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Command;

use crate::lab::failure::Failure;
use crate::lab::file::LabFile;

/// The programs and the Debian packages that contain them. Labs run some of these programs. Users
/// run the other programs in the nodes of a lab.
const PACKAGES: [(&str, &str); 24] = [
    ("arping", "arping"),
    ("bash", "bash"),
    ("bridge", "iproute2"),
    ("curl", "curl"),
    ("dig", "bind9-dnsutils"),
    ("ethtool", "ethtool"),
    ("hping3", "hping3"),
    ("ip", "iproute2"),
    ("iperf3", "iperf3"),
    ("mtr", "mtr-tiny"),
    ("nc", "netcat-openbsd"),
    ("nft", "nftables"),
    ("nsenter", "util-linux"),
    ("ping", "iputils-ping"),
    ("setsid", "util-linux"),
    ("socat", "socat"),
    ("ss", "iproute2"),
    ("tc", "iproute2"),
    ("tcpdump", "tcpdump"),
    ("telnet", "telnet"),
    ("traceroute", "traceroute"),
    ("tshark", "tshark"),
    ("unshare", "util-linux"),
    ("wget", "wget"),
];

/// The programs that the scripts of `netns-scripts` need for every lab.
const ALWAYS: [&str; 5] = ["bash", "ip", "nsenter", "setsid", "unshare"];

/// The directories with programs like `ethtool`. The `PATH` of an ordinary user often does not
/// contain these directories.
const OF_ADMINISTRATORS: [&str; 3] = ["/usr/local/sbin", "/usr/sbin", "/sbin"];
/// The device file through which routers create their network devices.
const TUN: &str = "/dev/net/tun";

/// Returns lines about the programs and the device file that `lab` needs but this machine does not
/// have. Returns no line if nothing is missing.
pub fn missing(lab: &LabFile) -> Vec<String> {
    let mut missing = Vec::new();
    if let Err(error) = File::options().read(true).write(true).open(TUN) {
        missing.push(match error.kind() {
            ErrorKind::PermissionDenied => format!(
                "this user cannot open {TUN}: run `chmod 666 {TUN}` as root. On most systems, all \
                 users can open this file: a user can create devices only in their own namespaces"
            ),
            _ => format!("{TUN}: {error}: run `modprobe tun` as root"),
        });
    }
    let offload_off =
        lab.links.iter().any(|link| !link.offload) || lab.lans.iter().any(|lan| !lan.offload);
    let impaired = lab.links.iter().any(|link| !link.impairment.is_none());
    let programs =
        ALWAYS.into_iter().chain(offload_off.then_some("ethtool")).chain(impaired.then_some("tc"));
    let packages: Vec<&str> = programs
        .filter(|program| found(program).is_none())
        .map(|program| package_of(program).unwrap_or(program))
        .collect();
    missing.extend(lab.hosts().flat_map(|(node, host)| {
        host.run.iter().filter_map(move |command| missing_program(node, command))
    }));
    if !packages.is_empty() {
        missing.push(format!("packages are missing: run `apt-get install {}`", packages.join(" ")));
    }
    missing
}

/// Words of `sh` that begin a command and are not programs.
const WORDS_OF_SHELL: [&str; 9] = [".", "cd", "exec", "for", "if", "set", "trap", "until", "while"];

/// Returns a line about the program at the beginning of `command` if this machine does not have the
/// program. The host `node` runs this command.
fn missing_program(node: &str, command: &str) -> Option<String> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./+-".contains(c);
    let program = command.split_whitespace().next()?;
    if !program.chars().all(is_plain) || WORDS_OF_SHELL.contains(&program) {
        return None;
    }
    let error = need(program).err()?;
    Some(format!("host {node} runs `{command}`, and {error}"))
}

/// Returns an error if this machine does not have a program or the device file that `lab` needs.
pub fn expect(lab: &LabFile) -> Result<(), Failure> {
    let missing = missing(lab);
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::Other(missing.join("\n")))
}

/// Returns an error if the user is root neither on this machine nor in a user namespace. In this
/// case, the program can find only labs of root.
pub fn need_root() -> Result<(), Failure> {
    match rustix::process::geteuid().is_root() {
        true => Ok(()),
        false => Err(Failure::new(
            "this lab belongs to root: use sudo, or bring up a lab of your own with `eidway lab up`",
        )),
    }
}

/// Returns an error if `program` is missing. The error names the Debian package of the program.
pub fn need(program: &str) -> Result<(), Failure> {
    if found(program).is_some() {
        return Ok(());
    }
    let remedy = match package_of(program) {
        Some(package) => format!(": run `apt-get install {package}`"),
        None => String::new(),
    };
    Err(Failure::Other(format!("the program {program} is missing on this machine{remedy}")))
}

/// Makes a command that runs `program` without arguments.
///
/// # Errors
/// The program is missing. The error names the Debian package of the program.
pub fn program(program: &str) -> Result<Command, Failure> {
    need(program)?;
    let mut command = Command::new(program);
    command.env("PATH", path());
    Ok(command)
}

/// Returns the value of `PATH` for programs: the directories in the user's `PATH`, and the
/// directories of [`OF_ADMINISTRATORS`].
fn path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    for directory in OF_ADMINISTRATORS {
        path.push(":");
        path.push(directory);
    }
    path
}

fn package_of(program: &str) -> Option<&'static str> {
    PACKAGES.iter().find(|(known, _)| *known == program).map(|(_, package)| *package)
}

/// Returns the file of a program. A name with a slash is a path.
fn found(program: &str) -> Option<PathBuf> {
    if program.contains('/') {
        return Some(PathBuf::from(program)).filter(|path| path.is_file());
    }
    let path = path();
    let mut files = env::split_paths(&path).map(|directory| directory.join(program));
    files.find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_its_package() {
        assert!(need("bash").is_ok() && need("/bin/sh").is_ok());
        let error = need("no-such-program").unwrap_err().to_string();
        assert_eq!(error, "the program no-such-program is missing on this machine");
        assert!(program("/bin/no-such-program").is_err());
        assert_eq!(package_of("ping"), Some("iputils-ping"));
        assert!(PACKAGES.is_sorted());
    }
}
