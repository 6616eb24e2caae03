//! The place of an EID in the eyes of this router as an ETR: of the database and the away table, the
//! longer prefix says where the EID is; on equal length it is away (draft-ietf-lisp-eid-mobility section
//! 4.2.4).

use super::away::{AwayTable, Producer};
use super::database::Database;
use crate::addr::{Eid, EidPrefix};

/// The place of an EID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EidLocation {
    /// At this site, by this prefix of the database.
    Here(EidPrefix),
    /// Away, by this prefix of the away table.
    Away(EidPrefix, Producer),
    /// At another site: it is none of our EIDs.
    Elsewhere,
}

impl EidLocation {
    /// Looks an EID up in both tables.
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
