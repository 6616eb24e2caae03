//! Counts the entries of a map-cache. One call of [`Source::poll`] counts at most [`ROWS_A_TURN`]
//! entries, and the router continues its work between two calls.

use crate::addr::{EidPrefix, Family, InstanceId};
use crate::console::show::map_cache::is_idle;
use crate::console::show::{Format, ROWS_A_TURN, Source, State, json};
use crate::console::view::View;
use crate::console::view::census::MapCacheCensus;
use crate::router::map_cache::Mapping;

/// A `show` command that prints the counts of a map-cache. The command first counts all entries,
/// and then prints its view.
pub struct Counted<F, V> {
    family: Family,
    instance_id: InstanceId,
    census: MapCacheCensus,
    /// The latest counted prefix.
    after: Option<EidPrefix>,
    done: bool,
    view: F,
    text: fn(&V) -> String,
}

impl<F: Fn(State<'_>, MapCacheCensus) -> V, V: View> Counted<F, V> {
    /// A `show` command about one family and instance. `view` fills the view after the entries are
    /// counted, and `text` prints it.
    pub fn new(
        (family, instance_id): (Family, InstanceId),
        view: F,
        text: fn(&V) -> String,
    ) -> Self {
        let census = MapCacheCensus::default();
        Counted { family, instance_id, census, after: None, done: false, view, text }
    }

    /// Counts more entries. Returns whether all entries have been counted.
    fn go_on(&mut self, State { router, now, .. }: State<'_>) -> bool {
        let entries = router.map_cache().entries();
        let before = self.census.entries;
        let rest = entries.iter_after(self.instance_id, self.family, self.after);
        for (prefix, entry) in rest.take(ROWS_A_TURN) {
            let opaque = router.map_cache().opaque(&prefix).len() as u64;
            self.census.entries += 1;
            match &entry.mapping {
                Mapping::Locators(locators) => {
                    self.census.locators += locators.len() as u64 + opaque;
                }
                Mapping::ForwardNative | Mapping::SendMapRequest | Mapping::Drop => {
                    self.census.negative += 1;
                }
            }
            self.census.idle += u64::from(is_idle(entry, now));
            self.after = Some(prefix);
        }
        self.census.entries - before < ROWS_A_TURN as u64
    }
}

impl<F: Fn(State<'_>, MapCacheCensus) -> V, V: View> Source for Counted<F, V> {
    fn poll(&mut self, state: State<'_>, format: Format) -> Option<String> {
        if self.done {
            return None;
        }
        if !self.go_on(state) {
            return Some(String::new());
        }
        self.done = true;
        let view = (self.view)(state, self.census);
        Some(match format {
            Format::Text => (self.text)(&view),
            Format::Json => json(&view) + "\n",
        })
    }
}
