//! The driver: the process of a router on Linux. In a router, only this module calls the operating
//! system. For labs and for files, the modules `netns` and `private` also call the operating
//! system.
//!
//! ```text
//!            site                                                    core
//!              |                                                       |
//!         kernel routes                                          kernel routes
//!              |                                                       |
//!            lisp0 --- packet ---> Router::encapsulate --- wrap ---> UDP RLOC:0xC00n
//!            lisp0 <-- packet ---- Router::decapsulate <-- unwrap -- UDP RLOC:4341
//!                                   |          ^
//!        UDP RLOC:4342 --- Input::Control      |
//!        netlink events -- Input::Kernel ------+---- Router::handle
//!        console socket -- console::Session ---|     Router::handle_timeout <-- clock
//!        TCP RLOC:4342 --- Input::Tcp          |
//!        lisp0 has gone -- Input::Process      |
//!        TAP of a host --- Host::handle        |     (hosts, which the core meets on a LAN)
//!        file of nonces -- Input::Nonces       |     (at the start)
//!        ICMP to consoles - console::Session        (pings and traceroutes: probes.rs)
//!        SIGTERM, SIGINT - Input::Stop         |     (SIGHUP, SIGUSR1: for the log; signals.rs)
//!                                   v
//!                          Router::poll_output --- UDP and TCP RLOC:4342, held packets, netlink
//!                                                  requests, debug lines to consoles and the log,
//!                                                  nonces to their file
//! ```
//!
//! Each process has one thread with one mio loop. A second thread writes the log ([`log_queue`]).
//! In each turn, the loop serves each ready source, up to a limit of work for each source. After
//! every input, the loop carries out the router's outputs and then checks the clock. Many packets
//! are read into one buffer, the arena, and are sent from the arena. The loop does not copy these
//! packets, and does not allocate memory for them.
//!
//! An error of a single read or write is counted and logged ([`faults`]). [`run`] returns an error
//! only if the router cannot work because of the error.
//!
//! The [`fast_path`] forwards the packets of known flows in the kernel. These packets do not reach
//! this process.
//!
//! Reading order: [`event_loop`], then [`tun`], [`offload`], [`udp`], [`netlink`], [`fast_path`],
//! [`console_server`].

pub mod announce;
mod bpf;
pub mod clock;
pub mod console_client;
pub mod console_server;
pub mod descriptors;
pub mod entropy;
pub mod event_loop;
pub mod fast_path;
pub mod faults;
pub mod flash;
pub mod frame_sender;
pub mod hosts;
pub mod log_file;
pub mod log_queue;
pub mod machine;
#[cfg(test)]
mod namespace;
pub mod namespace_lock;
pub mod netlink;
pub mod nonces;
pub mod offload;
pub mod probes;
pub mod progress;
pub mod recording;
pub mod shown_fast_path;
pub mod simulated;
pub mod tap;
pub mod tap_filter;
pub mod tap_point;
pub mod tcp;
pub mod telnet;
#[cfg(test)]
mod tests;
pub mod tun;
pub mod udp;
pub mod user;
pub mod user_namespace;
pub mod watched;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::console::machine::HostNames;
use crate::router::config::Config;
use event_loop::{EventLoop, Flow};
use log_queue::LogQueue;
use machine::RouterFiles;
use udp::UdpChecksum;

/// The reason why a router could not start or could not continue.
#[derive(Debug, thiserror::Error)]
#[error("{during}: {source}")]
pub struct Error {
    during: String,
    source: io::Error,
}

/// The place where packets are forwarded: in the kernel, or in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataPathChoice {
    /// In the kernel if the machine and the privileges of the process permit it, otherwise in this
    /// process.
    #[default]
    Auto,
    /// In the kernel, even if a flow has many small datagrams. The router does not start if the
    /// kernel cannot forward packets.
    Kernel,
    /// In this process.
    User,
}

impl DataPathChoice {
    const ALL: [DataPathChoice; 3] =
        [DataPathChoice::Auto, DataPathChoice::Kernel, DataPathChoice::User];
}

impl fmt::Display for DataPathChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DataPathChoice::Auto => "auto",
            DataPathChoice::Kernel => "kernel",
            DataPathChoice::User => "user",
        })
    }
}

impl FromStr for DataPathChoice {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let mut all = DataPathChoice::ALL.into_iter();
        all.find(|choice| choice.to_string() == word)
            .ok_or("the value must be `auto`, `kernel` or `user`")
    }
}

/// The options of a router's process. These options do not change the behaviour of the router. Only
/// the configuration defines the behaviour.
#[derive(Clone, Debug)]
pub struct Options {
    /// The place where packets are forwarded: in the kernel, or in this process.
    pub data_path: DataPathChoice,
    /// Whether to use segmentation offload, as far as the kernel supports it.
    pub offload: bool,
    /// The rule for the UDP checksums of encapsulated packets.
    pub udp_checksum: UdpChecksum,
    /// The file to which the router writes a record of its inputs and outputs. `None` if it writes
    /// no record.
    pub record: Option<PathBuf>,
    /// The file that stores the nonces of Map-Registers, so that the router knows them after a
    /// restart. `None` if the router does not store them.
    pub nonces: Option<PathBuf>,
    /// The path of the startup configuration, which `write memory` writes, and the folder of
    /// `flash:`.
    pub files: RouterFiles,
    /// The names of the lab's hosts, for the console.
    pub host_names: HostNames,
    /// The log of the process. After SIGHUP, the log continues in a new file.
    pub log: Option<LogQueue>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            data_path: DataPathChoice::default(),
            offload: true,
            udp_checksum: UdpChecksum::Auto,
            record: None,
            nonces: None,
            files: RouterFiles::default(),
            host_names: HostNames::new(),
            log: None,
        }
    }
}

impl Error {
    /// Returns a function that adds the name of an operation to an error. `what` is the name.
    fn during(what: impl Into<String>) -> impl FnOnce(io::Error) -> Error {
        let during = what.into();
        |source| Error { during, source }
    }
}

/// Runs a router in the network namespace of the calling thread until SIGTERM or SIGINT.
///
/// If `console_socket` is `Some`, the router opens a unix socket with this path. Programs connect
/// to this socket to use the console. When the socket accepts connections, the router is ready.
///
/// # Errors
/// The router cannot work, for example because the process has no privilege for the namespace,
/// because there is no `/dev/net/tun`, or because another router uses an RLOC or a socket.
pub fn run(config: Config, console_socket: Option<&Path>, options: Options) -> Result<(), Error> {
    let mut event_loop = EventLoop::start(config, console_socket, options)?;
    event_loop.watch_signals()?;
    loop {
        match event_loop.turn(None).map_err(Error::during("waiting for events"))? {
            Flow::Continue => {}
            Flow::Stopped => return Ok(()),
            Flow::Restart => {
                event_loop = event_loop.restart(console_socket)?;
                event_loop.watch_signals()?;
            }
        }
    }
}
