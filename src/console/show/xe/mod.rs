//! The outputs of IOS-XE 17, which `show lisp ...` prints. The commands `show ip lisp ...` print
//! the forms of an older IOS version, as in the document on Generalized SMR.
//!
//! The form of IOS-XE and the older form have the same [view](crate::console::view), so the JSON of
//! both commands is the same. The form of IOS-XE also has lines about features that this router
//! does not have. Such a line has the value that IOS-XE prints while the feature is off. Cisco's
//! parsers (the Python package `genie.libs.parser`) read these forms: `tests/genie` checks this.

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
