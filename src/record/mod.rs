//! Records of a router: all its inputs and outputs, to be replayed.
//!
//! ```text
//!   "eidway record 6\n"                                            the magic number, and the version
//!   length u32 | checksum u16 | step 0: time, Start                   seed, wall clock, config
//!   length u32 | checksum u16 | step 1: time, call, verdict, packet changes, outputs
//!   ...
//! ```
//!
//! Integers of a frame's head are little-endian, its checksum is that of RFC 1071, its body is
//! encoded with postcard. A frame is written when its call has ended, so the record of a killed
//! router can be incomplete only in its last frame. A record contains the configuration with its
//! keys, and the seed of the router's nonces: show it only to persons who may see these.
//!
//! [`step`] has the types of a record, [`Recorder`] writes, [`Reader`] reads. [`Replay`] makes the
//! recorded calls on its own router and compares the outputs octet for octet. At the prompt of
//! [`ReplayConsole`] a person can stop a replay and look at the router.

mod console;
mod read;
mod replay;
pub mod show;
pub mod step;
mod write;

pub use console::ReplayConsole;
pub use read::{ReadError, Reader};
pub use replay::{Difference, Progress, Replay, Until};
pub use write::Recorder;

/// The first octets of every record; the number is the version of the format.
pub const MAGIC: &[u8; 16] = b"eidway record 6\n";

/// Octets before the body of a frame: its length and its checksum.
const HEAD_LEN: usize = 6;

/// The longest body of a frame, octets: a record that claims more is damaged.
const LONGEST_BODY: u32 = 1 << 28;
