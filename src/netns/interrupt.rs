//! The user's request to stop: the signal INT or TERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::lab::failure::Failure;

/// Set after the user has asked to stop: the lab is taken down before the program ends.
#[derive(Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for a request from this moment on.
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

    /// Fails if the user has asked to stop.
    pub fn check(&self) -> Result<(), Failure> {
        match self.has_come() {
            true => Err(Failure::new("interrupted")),
            false => Ok(()),
        }
    }
}
