//! Records of a router. A record has all inputs and outputs of the router. So a run of the router
//! can be replayed.
//!
//! ```text
//!   "eidway record 9\n"                                        the magic number, and the version
//!   length u32 | checksum u16 | step 0: time, Start                   seed, wall clock, config
//!   length u32 | checksum u16 | step 1: time, call, verdict, packet changes, outputs
//!   ...
//! ```
//!
//! The integers in the head of a frame are little-endian. The checksum is the Internet checksum
//! (RFC 1071). The body is encoded with postcard. A frame is written when its call has ended. So if
//! a router is killed, only the last frame of its record can be incomplete. A record contains the
//! configuration with its keys, and the seed of the router's nonces. Show a record only to persons
//! who may see these keys and the seed.
//!
//! [`step`] has the types of a record. [`Recorder`] writes a record, and [`Reader`] reads it.
//! [`Replay`] makes the recorded calls on a new router, and compares the outputs octet for octet.
//! With a [`ReplayConsole`], a user can stop a replay and examine the router.

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

/// The first octets of every record. The number in them is the version of the format.
pub const MAGIC: &[u8; 16] = b"eidway record 9\n";

/// The number of octets of a frame before its body: the length and the checksum.
const HEAD_LEN: usize = 6;

/// The maximum number of octets in the body of a frame. If the length in the head of a frame is
/// greater, the record is damaged.
const LONGEST_BODY: u32 = 1 << 28;
