//! Records of a router: everything that went into it and came out, to be replayed.
//!
//! ```text
//!   "eidway record 6\n"                                            the magic number, and the version
//!   length u32 | checksum u16 | step 0: time, Start                   seed, wall clock, config
//!   length u32 | checksum u16 | step 1: time, call, verdict, packet changes, outputs
//!   ...
//! ```
//!
//! Integers of a frame's head are little-endian, its checksum is that of RFC 1071, its body is in
//! postcard's encoding. A frame is written when its call has ended, so that the record of a router
//! that was killed is cut in its last frame, if anywhere. A record holds the configuration with its
//! keys, and the seed of the router's nonces: it is for the eyes that may see those.
//!
//! [`step`] is the vocabulary, [`Recorder`] writes, [`Reader`] reads, [`Replay`] gives a router of
//! its own the recorded calls and compares the outputs octet for octet, [`ReplayConsole`] is the
//! prompt at which a person stops it and looks.

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
