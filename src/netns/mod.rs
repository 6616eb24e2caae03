//! Labs in Linux network namespaces. [`open`] finds a lab, and [`run`] brings it up and takes it
//! down.
//!
//! Each node is a namespace, each link is a pair of `veth` devices, and each router is a process of
//! this program. The scripts in `netns-scripts` create these objects. [`plan`] lists the calls of
//! the scripts, and [`verbs`] runs them.

pub mod capture;
mod captures;
pub mod check;
pub mod client;
pub mod console;
pub mod emulated;
pub mod environment;
pub mod flow;
pub mod folder;
pub mod import;
pub mod inside;
pub mod interrupt;
mod kernel_state;
pub mod links;
pub mod lock;
pub mod move_host;
pub mod neighbour_tables;
pub mod open;
pub mod paths;
pub mod ping;
pub mod plan;
pub mod programs;
pub mod raw;
pub mod registration;
pub mod run;
pub mod running;
pub mod save;
pub mod scenario_file;
pub mod stage;
pub mod test_run;
pub mod text;
pub mod time_limit;
pub mod user;
pub mod verbs;
