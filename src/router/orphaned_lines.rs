//! Removes lines that the router stores but does not carry out, if the configuration does not have
//! the block of the line any more.

use super::config::Config;
use super::unsupported::Place;

impl Config {
    /// Removes from `unsupported` each line whose block does not exist any more.
    pub fn remove_orphaned_lines(&mut self) {
        if !self.unsupported.is_empty() {
            let mut unsupported = std::mem::take(&mut self.unsupported);
            unsupported.retain(|place| self.has(place));
            self.unsupported = unsupported;
        }
    }

    fn has(&self, place: &Place) -> bool {
        if let Place::Interface(name) = place {
            return self.interfaces.contains_key(name);
        }
        let Some(lisp) = &self.lisp else { return false };
        match place {
            Place::Interface(_) | Place::Lisp => true,
            Place::LocatorSet(name) => lisp.locator_sets.contains_key(name),
            Place::EidTable(id) => lisp.eid_tables.contains_key(id),
            Place::DynamicEid(id, name) => {
                lisp.eid_tables.get(id).is_some_and(|table| table.dynamic_eids.contains_key(name))
            }
            Place::Site(name) => lisp.sites.contains_key(name),
        }
    }
}
