//! The IOS-style user interface: one grammar for the config file and the console.
//!
//! - [`grammar`]: the commands, as tables; [`parse`] matches a line against them, [`help`] lists
//!   the words that may come next.
//! - [`edit`]: the state of a [`Config`](crate::router::config::Config) during editing.
//! - [`interpret`] applies a line to it, with the matching command of the grammar: [`config_file`]
//!   reads a whole file this way, a session's `configure terminal` one line at a time.
//!   [`running_config()`] writes a configuration. [`contradictions()`] checks it as a whole.
//! - [`session`]: one user; [`protocol`]: the requests and responses of a session.
//! - [`show`]: the outputs. Each fills a [`view`], plain data, and prints it in the format of IOS;
//!   [`filter`] selects lines.
//! - [`client`]: the client of a session in this process or, with [`json_lines`], in another.
//! - [`hosts`]: the emulated hosts to which a session gives tasks.

pub mod args;
pub mod client;
pub mod config_file;
mod contradictions;
pub mod edit;
pub mod exec;
pub mod filter;
pub mod grammar;
pub mod help;
pub mod hosts;
pub mod interpret;
pub mod json_lines;
pub mod parse;
pub mod protocol;
mod running_config;
pub mod session;
pub mod show;
pub mod view;

pub use config_file::{ConfigError, parse_config};
pub use contradictions::contradictions;
pub use running_config::{emulated_host, running_config};
pub use session::Session;
