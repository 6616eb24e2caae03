//! The IOS-style user interface: one grammar for the config file and the console.
//!
//! - [`grammar`]: the commands, as tables. [`parse`] matches a line against them. [`help`] lists
//!   the words that may come next.
//! - [`edit`]: the state of a [`Config`](crate::router::config::Config) during editing.
//! - [`interpret`]: finds the command for a line in the grammar and applies the line to a
//!   configuration. [`config_file`] reads a whole file with this module, and `configure terminal`
//!   reads one line at a time. [`running_config()`] writes a configuration as text.
//!   [`contradictions()`] checks a configuration as a whole.
//! - [`session`]: the console of one user. [`protocol`]: the requests and responses of a session.
//! - [`show`]: the `show` commands. Each command fills a [`view`], which is plain data, and prints
//!   the view in the format of IOS. [`filter`] selects lines of the output. [`flash`]: the files of
//!   the router. [`copy`]: the commands that copy files and configurations.
//! - [`client`]: the client of a session. The session is in the same process or, with
//!   [`json_lines`], in another process.
//! - [`terminal`]: the terminal of a user. It connects the keyboard and the screen with a client.
//! - [`running`]: the commands that run for some time, such as `ping`. [`probes`]: the sockets for
//!   the packets of these commands.
//! - [`hosts`]: the emulated hosts. A session passes tasks to these hosts. [`machine`]: the files,
//!   the log and the process of the router.

mod answer;
pub mod args;
pub mod blocks;
pub mod client;
pub mod config_file;
mod contradictions;
pub mod copy;
pub mod edit;
pub mod exec;
pub mod filter;
pub mod flash;
pub mod grammar;
pub mod help;
pub mod hosts;
pub mod interpret;
pub mod json_lines;
mod login;
pub mod machine;
mod messages;
pub mod parse;
pub mod probes;
pub mod problem;
pub mod protocol;
pub mod running;
mod running_config;
pub mod session;
pub mod show;
mod startup;
pub mod terminal;
pub mod view;

pub use config_file::{Reading, parse_config, read_config};
pub use contradictions::{Contradiction, contradictions};
pub use problem::{FileCheck, Problem, ProblemKind, Report};
pub use running_config::{emulated_host, running_config};
pub use session::Session;
