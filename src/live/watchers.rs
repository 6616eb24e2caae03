//! The number of pages that watch the lab. While it is zero, no router and no packet is watched.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The number of pages that watch the lab. A clone is another handle of the same number.
#[derive(Clone, Debug, Default)]
pub struct Watchers(Arc<(Mutex<usize>, Condvar)>);

impl Watchers {
    /// Sets the number of pages.
    pub fn set(&self, count: usize) {
        let (number, changed) = &*self.0;
        *number.lock().unwrap_or_else(PoisonError::into_inner) = count;
        changed.notify_all();
    }

    /// Whether a page watches the lab.
    pub fn are_there(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) > 0
    }

    /// Waits until a page watches the lab, but not longer than the time `most`. Returns whether a
    /// page watches the lab.
    pub fn wait(&self, most: Duration) -> bool {
        let (number, changed) = &*self.0;
        let guard = number.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, most, |count| *count == 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 > 0
    }
}
