//! A request of the user to stop: the signal INT or TERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::lab::failure::Failure;

/// Stores whether the user has asked to stop. After such a request, the lab is taken down before
/// the program ends.
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Begins to watch for the signals INT and TERM.
    pub fn watch() -> Result<Self, Failure> {
        let flag = Arc::new(AtomicBool::new(false));
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&flag))
                .map_err(Failure::io("signal handler"))?;
        }
        Ok(Interrupt(flag))
    }

    /// Whether the user has asked to stop.
    pub fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Returns an error if the user has asked to stop.
    pub fn check(&self) -> Result<(), Failure> {
        match self.has_come() {
            true => Err(Failure::new("interrupted")),
            false => Ok(()),
        }
    }
}
