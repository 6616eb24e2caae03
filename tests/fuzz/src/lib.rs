//! The bodies of the fuzz targets. They check properties that must hold for all octets.
//!
//! cargo-fuzz calls them from `fuzz_targets`. `tests/fuzz_corpus.rs` calls them with the committed
//! corpora. A body panics if it has found a fault. Otherwise it returns. See `CONTRIBUTING.md`,
//! Fuzzing.

mod ledger;
mod message;
mod normalised;
mod play;
mod reliable;
mod site;
mod telnet;
mod texts;
mod traffic;

pub use message::message;
pub use play::{data_path, router};
pub use reliable::reliable;
pub use telnet::telnet;
pub use texts::{config, console, hand_in, lab, lesson, scenario};

/// A function that is called with any octets.
pub type Body = fn(&[u8]);

/// All targets, by the names of their corpora.
pub const TARGETS: [(&str, Body); 11] = [
    ("message", message),
    ("reliable", reliable),
    ("data_path", data_path),
    ("router", router),
    ("console", console),
    ("config", config),
    ("lab", lab),
    ("scenario", scenario),
    ("lesson", lesson),
    ("hand_in", hand_in),
    ("telnet", telnet),
];
