//! Reads the commands under the key `exec` of a node. They set addresses, routes and bridges, and
//! start programs.

use serde_saphyr::Spanned;

use super::source::Source;
use super::topology::place;
use crate::lab::export::read_program;
use crate::lab::failure::Failure;
use crate::lab::file::Span;

/// A command that `lab export` writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// `ip address add ADDRESS dev DEVICE`.
    Address { address: String, device: String },
    /// `ip route add PREFIX via HOP`: the prefix can be `default`.
    Route { prefix: String, via: String },
    /// `ip link set dev DEVICE address MAC`.
    Mac { mac: String, device: String },
    /// `ip link add name BRIDGE type bridge`.
    Bridge(String),
    /// `ip link set dev DEVICE master BRIDGE`.
    Master { device: String, bridge: String },
    /// `ip link set dev DEVICE up`.
    Up(String),
    /// A program that a host runs in the background.
    Program(String),
}

/// Reads the commands of a node. Returns each command with the position of its line in the topology
/// file.
pub(super) fn read(
    source: &Source<'_>,
    exec: &[Spanned<String>],
) -> Result<Vec<(Command, Span)>, Failure> {
    let read = |line: &Spanned<String>| match parse(&line.value) {
        Some(command) => Ok((command, place(line))),
        None => Err(source.error(
            place(line),
            "a lab file cannot have this command: it has only addresses, routes and LANs",
            "expected ip address add, ip route add or ip link",
        )),
    };
    exec.iter().map(read).collect()
}

fn parse(line: &str) -> Option<Command> {
    if let Some(command) = read_program(line) {
        return Some(Command::Program(command));
    }
    let words: Vec<&str> = line.split_whitespace().collect();
    let words: Vec<&str> = match &words[..] {
        ["ip", "-6" | "-4", rest @ ..] | ["ip", rest @ ..] => rest.to_vec(),
        _ => return None,
    };
    let own = |word: &&str| (*word).to_owned();
    Some(match &words[..] {
        ["address" | "addr", "add", address, "dev", device] => {
            Command::Address { address: own(address), device: own(device) }
        }
        ["route", "add", prefix, "via", via] | ["route", "add", prefix, "via", via, "dev", _] => {
            Command::Route { prefix: own(prefix), via: own(via) }
        }
        ["link", "set", "dev", device, "address", mac] => {
            Command::Mac { mac: own(mac), device: own(device) }
        }
        ["link", "add", "name", bridge, "type", "bridge"] => Command::Bridge(own(bridge)),
        ["link", "set", "dev", device, "master", bridge] => {
            Command::Master { device: own(device), bridge: own(bridge) }
        }
        ["link", "set", "dev", device, "up"] => Command::Up(own(device)),
        _ => return None,
    })
}
