//! The outputs of the commands `show lisp ...`, in the text format of IOS-XE 17. The commands
//! `show ip lisp ...` print the text format of an older IOS version, as in the document on
//! Generalized SMR.
//!
//! Both formats print the same [view](crate::console::view), so the JSON of both commands is the
//! same. The format of IOS-XE also has lines about features that this router does not have. Such a
//! line has the value that IOS-XE prints while the feature is off. Cisco's parsers (the Python
//! package `genie.libs.parser`) read the format of IOS-XE: `tests/genie` checks this.

pub mod absent;
pub mod census;
pub mod database;
pub mod dynamic_eid;
pub mod forwarding;
pub mod lisp;
pub mod locator_hash;
pub mod map_cache;
pub mod router_lisp;
pub mod server;
pub mod service_summary;
pub mod statistics;
