//! Registration, and the message that rejects it (sections 6.1.1 and 6.1.3 of the draft for
//! reliable transport).

use super::{ReliableType, emit_sized_prefix, framed, parse_sized_prefix};
use crate::addr::EidPrefix;
use crate::wire::auth::{self, AuthError, Key, Verified};
use crate::wire::cursor::Reader;
use crate::wire::error::{ParseError, Problem};
use crate::wire::map_register::MapRegister;
use crate::wire::record::MappingRecord;

/// The data of a Registration: a whole Map-Register with exactly one mapping record. A Record TTL
/// of 0 ends the registration.
///
/// The octets of the Map-Register are kept as received, because the MAC covers these octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    register: MapRegister,
    record: MappingRecord,
    octets: Vec<u8>,
}

impl Registration {
    /// Reads the Map-Register of a Registration. [`Registration::verify`] checks the MAC of the
    /// Map-Register.
    ///
    /// # Errors
    /// A field is wrong. The error has the first wrong field and its offset in the Map-Register. If
    /// there is not exactly one record, the error is [`Problem::RecordCount`], and a map-server
    /// discards the Registration.
    pub fn parse(octets: &[u8]) -> Result<Self, ParseError> {
        let register = MapRegister::parse(octets)?;
        let mut reader = Reader::new(octets, ReliableType::Registration.name());
        reader.enter("mapping records");
        let count = usize::from(octets[RECORD_COUNT_AT]);
        if count != 1 {
            return Err(reader.error_at(RECORD_COUNT_AT, Problem::RecordCount(count)));
        }
        let record = register.records.first();
        let record = record.ok_or(reader.error_at(RECORD_COUNT_AT, Problem::NotAnEid))?;
        Ok(Registration { record: record.clone(), octets: octets.to_vec(), register })
    }

    /// Returns the frame of a Registration that contains `register`. `register` must have exactly
    /// one record. The Map-Register has a new MAC, made with `key`.
    pub fn emit_signed(register: &MapRegister, message_id: u32, key: &Key) -> Vec<u8> {
        debug_assert_eq!(register.records.len(), 1, "a Registration has one mapping record");
        framed(ReliableType::Registration, message_id, &register.emit_signed(key))
    }

    /// Checks the MAC as [`auth::verify`] does.
    ///
    /// # Errors
    /// The reason why the Registration must be rejected.
    pub fn verify(&self, key: &Key) -> Result<Verified<'_>, AuthError> {
        auth::verify(&self.octets, key)
    }

    /// Returns the Map-Register.
    pub fn register(&self) -> &MapRegister {
        &self.register
    }

    /// Returns the only mapping record of the Map-Register.
    pub fn record(&self) -> &MappingRecord {
        &self.record
    }

    /// Returns the octets of the Map-Register.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

/// The position of Record Count in a Map-Register.
const RECORD_COUNT_AT: usize = 3;

/// The reason why a map-server refuses or withdraws a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectReason {
    /// 1: the EID-prefix belongs to no site.
    NotASitePrefix,
    /// 2: the MAC or its key is wrong.
    AuthenticationFailure,
    /// 3: the site is not allowed to use these locators.
    LocatorSetNotAllowed,
    /// 4: any other reason. The draft defines no separate number for such a reason.
    Other,
    /// Any other number.
    Unassigned(u8),
}

impl RejectReason {
    /// Returns the reason for this value of the field Reason.
    pub const fn from_number(number: u8) -> Self {
        match number {
            1 => RejectReason::NotASitePrefix,
            2 => RejectReason::AuthenticationFailure,
            3 => RejectReason::LocatorSetNotAllowed,
            4 => RejectReason::Other,
            unassigned => RejectReason::Unassigned(unassigned),
        }
    }

    /// Returns the value of the field Reason.
    pub const fn number(self) -> u8 {
        match self {
            RejectReason::NotASitePrefix => 1,
            RejectReason::AuthenticationFailure => 2,
            RejectReason::LocatorSetNotAllowed => 3,
            RejectReason::Other => 4,
            RejectReason::Unassigned(number) => number,
        }
    }
}

/// The data of a Registration Reject. A map-server may send it long after the registration, to
/// withdraw the registration.
/// ```text
///  0                   1                   2                   3
///  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |    Reason     |           Reserved            | Prefix-Length |
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// |        EID-Prefix-AFI         |          EID-Prefix           ~
/// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistrationReject {
    /// The reason.
    pub reason: RejectReason,
    /// The EID-prefix that is not registered.
    pub eid_prefix: EidPrefix,
}

impl RegistrationReject {
    pub(super) fn parse(reader: &mut Reader<'_>) -> Result<Self, ParseError> {
        reader.enter("Reason");
        let reason = RejectReason::from_number(reader.u8()?);
        let _reserved = reader.u16()?;
        Ok(RegistrationReject { reason, eid_prefix: parse_sized_prefix(reader)? })
    }

    pub(super) fn emit(&self, out: &mut Vec<u8>) {
        out.extend([self.reason.number(), 0, 0]);
        emit_sized_prefix(self.eid_prefix, out);
    }
}
