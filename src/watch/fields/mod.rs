//! The fields of a LISP message or of an IP packet, each with its name, its value and its octets.
//!
//! [`of_message`] and [`of_packet`] read octets from the first to the last and return a
//! [`Dissection`]. Every bit belongs to exactly one field. The names of the fields are those of the
//! RFCs. If octets are damaged, the fields before the damage are shown. Then the field
//! [`walk::DAMAGE`] describes the problem and its position.
//!
//! ```text
//!   packet ──▶ ip (ICMP, TCP, UDP, LISP), control, frame ──▶ record ──▶ address ──▶ walk
//! ```

mod address;
mod control;
pub mod field;
mod frame;
mod ip;
mod packet;
mod record;
#[cfg(test)]
mod tests;
pub mod walk;

pub use field::{Dissection, Field, Layer};
pub use packet::{of_message, of_packet};
