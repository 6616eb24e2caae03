//! The actions of a user in a lab, and the commands that do the same in a terminal.

use std::net::Ipv4Addr;

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::lab::impairment::Impairment;
use crate::lab::plugging::Plugging;

/// An action of a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Hand {
    /// Begin a ping. If a host sends the echos, the request returns at once. On the simulator, the
    /// host sends the echos while later requests let time pass. If another node of a simulated lab
    /// sends the echos, the request returns when the ping has ended.
    Ping {
        /// The name for the ping.
        name: String,
        /// The node that sends the echos.
        from: String,
        /// The destination: an address, or the name of a host.
        to: String,
        /// The number of echos.
        #[serde(default = "five")]
        count: u16,
        /// The number of octets of each packet.
        #[serde(default = "hundred")]
        size: u16,
        /// Whether to use the IPv6 address of the host.
        #[serde(default)]
        ipv6: bool,
    },
    /// Begin a ping that goes on until [`Hand::End`].
    Flow {
        /// The name for the flow.
        name: String,
        /// The host that sends the echos.
        from: String,
        /// The destination: an address, or the name of a host.
        to: String,
        /// The time between two echos, in microseconds.
        every_us: u64,
        /// Whether to use the IPv6 address of the host.
        #[serde(default)]
        ipv6: bool,
    },
    /// End a ping or a flow, and remove its state.
    End {
        /// The name of the ping or flow.
        name: String,
    },
    /// Set a port up or down.
    Port {
        /// The node.
        node: String,
        /// The interface, as in the lab file.
        interface: String,
        /// The new state.
        up: bool,
    },
    /// Move a host to the LAN of a router.
    Move {
        /// The host.
        host: String,
        /// The router, or `ROUTER:INTERFACE`.
        to: String,
        /// The manner of the move.
        #[serde(default)]
        how: Plugging,
    },
    /// Start a router that was stopped.
    Start {
        /// The router.
        node: String,
    },
    /// Stop a router.
    Stop {
        /// The router.
        node: String,
    },
    /// Kill a router, so that it cannot send a last message.
    Kill {
        /// The router.
        node: String,
    },
    /// Let a node send IP packets one after another. The source addresses may be forged. The
    /// request returns at once; the node sends the packets as time passes.
    Send {
        /// The node.
        node: String,
        /// The octets of each packet, in hexadecimal.
        packets: Vec<String>,
        /// The number of times that all packets are sent.
        times: u32,
        /// The time between two packets, in microseconds.
        every_us: u64,
    },
    /// Let a plain router open a TCP connection to port 4342 of a server. When the request returns,
    /// the connection is open or refused.
    Connect {
        /// The name for the connection.
        name: String,
        /// The plain router.
        node: String,
        /// The source address: an address of the plain router.
        source: Ipv4Addr,
        /// The address of the server.
        destination: Ipv4Addr,
    },
    /// Send octets on a connection that [`Hand::Connect`] has opened.
    Transmit {
        /// The name of the connection.
        name: String,
        /// The octets in hexadecimal.
        octets: String,
    },
    /// Give a host an additional address.
    Address {
        /// The host.
        host: String,
        /// The address and the prefix length of its network.
        #[schemars(with = "String")]
        address: IpNet,
    },
    /// Set the MTU of a port.
    Mtu {
        /// The node.
        node: String,
        /// The interface, as in the lab file.
        interface: String,
        /// The MTU in octets.
        mtu: u16,
    },
    /// Begin a lesson: add its configuration to the routers, and prepare its first task.
    Lesson {
        /// The name of the lesson.
        name: String,
    },
    /// Show the next hint of the current task of the lesson. The page has the text already. The
    /// request records that the student has seen the hint.
    Hint,
    /// Check the current task of the lesson. If the task is done, begin the next task. Time passes
    /// if the check sends pings or waits.
    Check,
    /// Change the impairment of a link.
    Impair {
        /// The link: its name, `NODE:NODE` or `NODE:INTERFACE`.
        link: String,
        /// The direction, `NODE-to-NODE`. If it is absent, both directions are impaired.
        #[serde(default)]
        direction: Option<String>,
        /// The impairment, in the syntax of scenarios, for example `delay 20ms loss 1%` or `none`.
        #[schemars(with = "String")]
        impairment: Impairment,
    },
}

const fn five() -> u16 {
    5
}

const fn hundred() -> u16 {
    100
}

impl Hand {
    /// Returns the command that does the same in a terminal.
    pub fn command(&self, lab: &str) -> String {
        match self {
            Hand::Ping { from, to, count, size, ipv6, .. } => {
                let mut command = format!("eidway lab ping {lab} {from} {to}");
                if (*count, *size) != (five(), hundred()) {
                    command += &format!(" -c {count} -s {size}");
                }
                command + if *ipv6 { " --ipv6" } else { "" }
            }
            Hand::Flow { from, to, ipv6, .. } => {
                let family = if *ipv6 { " --ipv6" } else { "" };
                format!("eidway lab ping {lab} {from} {to} -c 1000000{family}")
            }
            Hand::End { .. } => "Ctrl-C in the terminal of the ping".to_owned(),
            Hand::Port { node, interface, up } => {
                let state = if *up { "up" } else { "down" };
                format!("eidway lab link {lab} {node}:{interface} {state}")
            }
            Hand::Move { host, to, how } => {
                let how = how.word().map(|word| format!(" --{word}")).unwrap_or_default();
                format!("eidway lab move {lab} {host} --to {to}{how}")
            }
            Hand::Start { node } => format!("eidway lab start {lab} {node}"),
            Hand::Stop { node } => format!("eidway lab stop {lab} {node}"),
            Hand::Kill { node } => format!("eidway lab kill {lab} {node}"),
            Hand::Send { node, packets, times, every_us } => {
                let count = packets.len() as u64 * u64::from(*times);
                match count {
                    1 => format!("scenario: send a packet at {node}"),
                    _ => format!("scenario: send {count} packets at {node} every {every_us} us"),
                }
            }
            Hand::Connect { name, node, source, destination } => {
                format!("scenario: connect {name} at {node} from {source} to {destination}")
            }
            Hand::Transmit { name, octets } => {
                format!("scenario: send {} octets on {name}", octets.len() / 2)
            }
            Hand::Address { host, address } => format!("scenario: address {host} {address}"),
            Hand::Mtu { node, interface, mtu } => {
                format!("scenario: link {node}:{interface} mtu {mtu}")
            }
            Hand::Lesson { name } => format!("eidway lab learn {lab} {name}"),
            Hand::Hint => "hint".to_owned(),
            Hand::Check => "check".to_owned(),
            Hand::Impair { link, direction, impairment } => {
                let words = impairment.to_string();
                let mut words = words.split(' ');
                let mut options = String::new();
                while let (Some(key), Some(value)) = (words.next(), words.next()) {
                    options += &format!(" --{key} {value}");
                }
                if options.is_empty() {
                    options += " --clear";
                }
                if let Some(direction) = direction {
                    options += &format!(" --direction {direction}");
                }
                format!("eidway lab impair {lab} {link}{options}")
            }
        }
    }
}
