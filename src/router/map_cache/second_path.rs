//! The functions of the map-cache for a second data path.
//! [`flow_verdicts`](crate::router::flow_verdicts) explains this path.

use super::{MapCache, count};
use crate::addr::EidPrefix;
use crate::packet::Load;
use crate::prefix_map::Slot;
use crate::time::Time;

impl MapCache {
    /// The prefix of the entry at `slot`, which [`MapCache::find`] returned. The caller must not
    /// have added or removed an entry since that call.
    pub fn prefix_at(&self, slot: Slot) -> Option<EidPrefix> {
        self.entries.at(slot).map(|(prefix, _)| prefix)
    }

    /// Counts packets for an entry, if the entry still exists. `last_at` is the time of the last of
    /// these packets.
    pub fn count_uses(&mut self, prefix: EidPrefix, load: Load, last_at: Time) {
        if let Some(entry) = self.entries.get_mut(&prefix) {
            count(&mut self.used, prefix, entry, load, last_at);
        }
    }
}
