//! The IOS-style user interface: one grammar for the config file and the console.
//!
//! - [`grammar`]: the commands, as tables; [`parse`] matches a line against them, [`help`] lists
//!   the words that may come next.
//! - [`edit`]: the state of a [`Config`](crate::router::config::Config) that is being written.
//! - [`interpret`] applies a line to it, with the command that the grammar has for it:
//!   [`config_file`] reads a whole file so, and a session's `configure terminal` one line at a
//!   time; [`running_config()`] writes one. [`contradictions()`] judges it as a whole.
//! - [`session`]: one user; [`protocol`] is its requests and responses.
//! - [`show`]: the outputs. Each fills a [`view`], plain data, and makes the text of IOS of it;
//!   [`filter`] chooses lines.
//! - [`client`]: the other side of a session, in the same process or, by [`json_lines`], in another one.
//! - [`hosts`]: the emulated hosts that a session speaks for.

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
