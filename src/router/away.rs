//! The away table: local EIDs that are not here (draft-ietf-lisp-eid-mobility section 4.2.4; `show ip
//! lisp away`).
//!
//! A packet that is decapsulated for an away EID came by a mapping that is no longer true: it is not
//! delivered, and its sender is solicited to ask again. Of the database and this table the longer
//! prefix says where an EID is; on equal length it is away.

use std::collections::BTreeSet;

use serde::Serialize;

use super::deadlines::Deadlines;
use super::map_cache::Locator;
use crate::addr::{Eid, EidPrefix};
use crate::prefix_map::PrefixMap;
use crate::time::Time;

/// What put a prefix into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Producer {
    /// A database mapping that has no route.
    NoRoute,
    /// A database mapping that was de-configured.
    Deconfigured,
    /// A dynamic-EID range (its hosts that are here stand in the database), or one of its hosts that
    /// went.
    DynamicEid,
    /// A more specific of a local prefix that another xTR registered.
    SiteRegistration,
}

impl Producer {
    /// As `show ip lisp away` prints it.
    pub fn describe(self) -> &'static str {
        match self {
            Producer::NoRoute | Producer::Deconfigured => "local EID",
            Producer::DynamicEid => "dyn-eid",
            Producer::SiteRegistration => "site-registration",
        }
    }

    /// Whether the EID may be elsewhere, so that packets for it are to be led into `lisp0`.
    pub(super) fn leads_elsewhere(self) -> bool {
        matches!(self, Producer::DynamicEid | Producer::SiteRegistration)
    }
}

/// A prefix that is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What put it here.
    pub producer: Producer,
    /// Since when.
    pub created_at: Time,
    /// When the entry goes by itself: a de-configured prefix, when nobody can have it cached any
    /// more.
    pub expires_at: Option<Time>,
    /// Where the EID is, as far as a map-server said.
    pub locators: Vec<Locator>,
}

/// The away EIDs of all instances and both families.
#[derive(Debug, Default)]
pub struct AwayTable {
    entries: PrefixMap<Entry>,
    expiries: Deadlines<EidPrefix>,
    /// What came and went and [leads elsewhere](Producer::leads_elsewhere): the kernel is to know.
    moved: BTreeSet<EidPrefix>,
}

impl AwayTable {
    /// What came and went of what leads elsewhere, since this was last asked.
    pub(super) fn take_moved(&mut self) -> BTreeSet<EidPrefix> {
        std::mem::take(&mut self.moved)
    }

    fn take_out(&mut self, prefix: EidPrefix) {
        let entry = self.entries.remove(&prefix);
        if entry.is_some_and(|entry| entry.producer.leads_elsewhere()) {
            self.moved.insert(prefix);
        }
    }

    /// Puts a prefix into the table; one that is there with the same producer keeps its age.
    pub(super) fn insert(&mut self, prefix: EidPrefix, mut entry: Entry) {
        if let Some(before) = self.entries.get(&prefix)
            && before.producer == entry.producer
        {
            entry.created_at = before.created_at;
        }
        self.expiries.set(prefix, entry.expires_at);
        let after = entry.producer;
        let before = self.entries.insert(prefix, entry).map(|before| before.producer);
        if after.leads_elsewhere() || before.is_some_and(Producer::leads_elsewhere) {
            self.moved.insert(prefix);
        }
    }

    /// Takes a prefix out if `producer` put it in.
    pub(super) fn remove(&mut self, prefix: &EidPrefix, producer: Producer) -> bool {
        let matches = self.entries.get(prefix).is_some_and(|entry| entry.producer == producer);
        if matches {
            self.take_out(*prefix);
            self.expiries.set(*prefix, None);
        }
        matches
    }

    /// Keeps the entries for which `keep` says so.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(EidPrefix, &Entry) -> bool) {
        let all = self.entries.iter();
        let gone: Vec<EidPrefix> =
            all.filter(|(prefix, entry)| !keep(*prefix, entry)).map(|(prefix, _)| prefix).collect();
        for prefix in gone {
            self.take_out(prefix);
            self.expiries.set(prefix, None);
        }
    }

    /// Takes out what nobody can have cached any more.
    pub(super) fn expire(&mut self, now: Time) {
        while let Some(prefix) = self.expiries.pop(now) {
            self.take_out(prefix);
        }
    }

    pub(super) fn next_expiry(&self) -> Option<Time> {
        self.expiries.next()
    }

    /// The entry of the longest prefix that holds `eid`.
    pub fn longest_match(&self, eid: Eid) -> Option<(EidPrefix, &Entry)> {
        self.entries.longest_match(eid)
    }

    /// The entries, for a `show`.
    pub fn entries(&self) -> &PrefixMap<Entry> {
        &self.entries
    }
}
