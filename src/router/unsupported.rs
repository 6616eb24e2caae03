//! Lines about LISP that the router stores in its configuration but does not carry out.
//!
//! A configuration of another router may have lines that this router does not carry out. The router
//! stores these lines as text, each with its place, so that no line of the configuration is lost.

use std::collections::BTreeMap;

use super::interface_name::InterfaceName;
use crate::addr::InstanceId;

/// The block of the configuration in which a line stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// `interface NAME`.
    Interface(InterfaceName),
    /// `router lisp`.
    Lisp,
    /// `locator-set NAME`.
    LocatorSet(String),
    /// The EID-table of an instance.
    EidTable(InstanceId),
    /// A `dynamic-eid` in the EID-table of an instance.
    DynamicEid(InstanceId, String),
    /// `site NAME`.
    Site(String),
}

/// The lines of each place, in the order in which they were typed. If a line opens a block, the
/// lines of the block stand below it and begin with blanks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsupported(BTreeMap<Place, Vec<String>>);

impl Unsupported {
    /// The lines at a place of the configuration.
    pub fn at(&self, place: &Place) -> &[String] {
        self.0.get(place).map_or(&[], Vec::as_slice)
    }

    /// Whether there are no lines.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a line after the other lines of its place, unless the place has the line already.
    pub fn add(&mut self, place: Place, line: &str) {
        let lines = self.0.entry(place).or_default();
        if !lines.iter().any(|other| other == line) {
            lines.push(line.to_owned());
        }
    }

    /// Adds `line` to the block that the stored line `opener` opens, unless this block contains
    /// `line` already. If the place does not contain the line `opener`, adds `line` to the place,
    /// outside of all blocks.
    pub fn add_below(&mut self, place: Place, opener: &str, line: &str) {
        let lines = self.0.entry(place.clone()).or_default();
        let Some(at) = lines.iter().position(|other| other == opener) else {
            return self.add(place, line.trim_start());
        };
        let begin = at + 1;
        let block = lines[begin..].iter().take_while(|line| is_below(line));
        let end = begin + block.count();
        if !lines[begin..end].iter().any(|other| other == line) {
            lines.insert(end, line.to_owned());
        }
    }

    /// Removes the lines that begin with the words of `line`, and their blocks. Returns true if a
    /// line was removed.
    pub fn remove(&mut self, place: &Place, line: &str) -> bool {
        let Some(lines) = self.0.get_mut(place) else {
            return false;
        };
        let before = lines.len();
        let mut is_removed = false;
        lines.retain(|other| {
            if !is_below(other) {
                is_removed = begins_with(other, line);
            }
            !is_removed
        });
        let is_less = lines.len() < before;
        if lines.is_empty() {
            self.0.remove(place);
        }
        is_less
    }

    /// Removes the lines of all places for which `is_place` returns false.
    pub fn retain(&mut self, is_place: impl Fn(&Place) -> bool) {
        self.0.retain(|place, _| is_place(place));
    }
}

/// Whether a line is in a block that an earlier line opens.
fn is_below(line: &str) -> bool {
    line.starts_with(' ')
}

/// Whether `line` begins with all words of `words`.
fn begins_with(line: &str, words: &str) -> bool {
    let mut line = line.split_whitespace();
    words.split_whitespace().all(|word| line.next() == Some(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_there_once_and_goes_with_its_block() {
        let (mut all, lisp) = (Unsupported::default(), || Place::Lisp);
        for line in ["ddt", "service ethernet", "sgt", "ddt"] {
            all.add(lisp(), line);
        }
        for line in [" itr", " exit-service-ethernet", " itr"] {
            all.add_below(lisp(), "service ethernet", line);
        }
        let expected = ["ddt", "service ethernet", " itr", " exit-service-ethernet", "sgt"];
        assert_eq!(all.at(&Place::Lisp), expected);
        assert!(!all.remove(&Place::Lisp, "serv") && !all.remove(&Place::Lisp, "itr"));
        assert!(all.remove(&Place::Lisp, "service"));
        assert_eq!(all.at(&Place::Lisp), ["ddt", "sgt"]);
        assert!(all.remove(&Place::Lisp, "ddt") && all.remove(&Place::Lisp, "sgt"));
        assert!(all.is_empty());
    }
}
