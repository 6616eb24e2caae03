//! The IOS-style user interface: one grammar for the config file and the console.
//!
//! - [`grammar`]: the commands, as tables; [`parse`] matches a line against them.
//! - [`edit`] applies a line to a [`Config`](crate::router::config::Config): [`config_file`] reads
//!   a whole file so, and a session's `configure terminal` one line at a time;
//!   [`running_config`] writes one.

pub mod args;
pub mod config_file;
pub mod edit;
pub mod exec;
pub mod grammar;
pub mod parse;
mod running_config;

pub use config_file::{ConfigError, parse_config};
pub use running_config::running_config;
