//! Mapping Notification: a map-server reports the mapping that it holds for an EID-prefix (section
//! 6.1.5 of the draft for reliable transport).

use crate::wire::cursor::Reader;
use crate::wire::error::{ParseError, Problem};
use crate::wire::map_register::XtrIdentity;
use crate::wire::record::MappingRecord;

/// The data of a Mapping Notification. This message acknowledges nothing, and it is not answered.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                         xTR-ID (128)                          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                         Site-ID (64)                          |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |                    Record (MappingRecord)                     |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingNotification {
    /// The xTR that sent the latest valid registration of the EID-prefix.
    pub xtr_identity: XtrIdentity,
    /// The mapping.
    pub record: MappingRecord,
}

impl MappingNotification {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        let xtr_identity = XtrIdentity::parse(reader)?;
        reader.enter("Record");
        let record = MappingRecord::parse(reader)?;
        let record = record.ok_or(reader.error(Problem::NotAnEid))?;
        Ok(MappingNotification { xtr_identity, record })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        self.xtr_identity.emit(out);
        self.record.emit(out);
    }
}
