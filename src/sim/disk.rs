//! The files of a simulated router.

use crate::console::flash::MemoryFiles;

/// The files of a router. The files remain when the router's process ends.
#[derive(Debug, Default)]
pub struct Disk {
    /// The startup configuration that `write memory` has written.
    pub startup: Option<String>,
    /// The files in `flash:`.
    pub flash: MemoryFiles,
}
