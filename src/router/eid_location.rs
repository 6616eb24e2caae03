//! The place of an EID, according to the tables of an ETR. If both the database and the away table
//! have a prefix for the EID, the longer prefix decides. If the two prefixes have the same length,
//! the EID is away (draft-ietf-lisp-eid-mobility section 4.2.4).

use super::away::{AwayTable, Producer};
use super::database::Database;
use crate::addr::{Eid, EidPrefix};

/// The place of an EID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EidLocation {
    /// The EID is at this site. The database has this prefix for it.
    Here(EidPrefix),
    /// The EID is away. The away table has this prefix for it.
    Away(EidPrefix, Producer),
    /// The EID is not an EID of this site.
    Elsewhere,
}

impl EidLocation {
    /// Looks up an EID in both tables.
    pub(super) fn of(eid: Eid, database: &Database, away: &AwayTable) -> Self {
        let here = database.longest_match(eid).map(|(prefix, _)| prefix);
        let away = away.longest_match(eid);
        match (here, away) {
            (Some(here), Some((away, _))) if here.mask_len() > away.mask_len() => {
                EidLocation::Here(here)
            }
            (_, Some((away, entry))) => EidLocation::Away(away, entry.producer),
            (Some(here), None) => EidLocation::Here(here),
            (None, None) => EidLocation::Elsewhere,
        }
    }
}
