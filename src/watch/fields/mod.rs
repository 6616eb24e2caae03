//! The fields of a LISP message or of an IP packet, each with its name, its value and its octets.
//!
//! [`of_message`] and [`of_packet`] walk over octets and return a [`Dissection`]. Every bit belongs
//! to exactly one field. The names are those of the RFCs. Damaged octets are shown up to the
//! damage. The field [`walk::DAMAGE`] after that has the problem and its position.
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
