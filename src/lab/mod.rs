//! Labs: what a lab is, and how one is brought to life in Linux network namespaces.
//!
//! A lab is a directory with a `lab.toml` ([`file`]) and one IOS-style `.conf` per router.

pub mod file;
