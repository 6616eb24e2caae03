//! The parts of a watched lab and the events in it, as plain data.
//!
//! A page and a program read the same types, whether the lab runs on the simulator or in
//! namespaces. A [`Snapshot`] has the nodes, the links and the state of the ports. An [`Item`] is
//! one event: a message, a packet on a link, a decision about a packet, a change of a table, or a
//! line of a log. Each item has its time and its reason. [`fields`] shows the octets of messages
//! and packets field by field.
//!
//! ```text
//!   Router ── RouterWatch, a witness ──▶ messages, decisions, changes ─┐
//!   link   ── Watch::packet_on_link  ──▶ packets on links              ┴─▶ Watch ──▶ items
//! ```

pub mod answer;
mod change;
mod collection;
pub mod comments;
pub mod detail;
pub mod event;
pub mod fields;
pub mod hand;
pub mod item;
mod matching;
pub mod merge;
pub mod packet;
mod router;
pub mod schema;
pub mod script;
pub mod snapshot;
pub mod stop;
pub mod stream;
pub mod tables;

pub use collection::Watch;
pub use detail::Detail;
pub use item::{Item, Kind};
pub use router::RouterWatch;
pub use snapshot::Snapshot;
pub use stop::Stop;
