//! The messages that a scenario writes itself. [`crate::wire`] makes their octets from the fields.
//!
//! | message | fields |
//! |---|---|
//! | `map-request` | `smr` `probe` `do-not-reply` `smr-invoked` `pitr`, `nonce N`, `source-eid ADDRESS` or `source-eid each PREFIX`, `itr-rloc ADDRESS`, `eid PREFIX`, `encapsulated` (sent in an ECM; the EID is source and destination of the inner header) |
//! | `map-reply` | `probe`, `nonce N`, records |
//! | `map-register` | `key TEXT`, `nonce N`, `want-map-notify`, `reliable-transport`, `merge`, `proxy-reply`, `xtr-id N` or `no-xtr-id`, `mac-to-records` (the MAC covers the message up to the last record, without the xTR-ID), records |
//! | `registration`, by TCP | the fields of `map-register`, `type N` (another type of message), `corrupt-end-marker` |
//!
//! A record is `record PREFIX ttl MINUTES`. Then each locator follows as `locator ADDRESS` or
//! `locator name TEXT` (AFI 17). A record without locators has `action NUMBER` instead. Without the
//! field `nonce`, the nonce is the number of the line in the file, so that a later Map-Register has
//! a greater nonce. Without the field `xtr-id`, the xTR-ID is 1.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::IpNet;

use super::words::{Fault, Word, Words};
use crate::addr::{Eid, EidPrefix, InstanceId, Rloc};
use crate::wire::reliable::END_MARKER;
use crate::wire::{
    Action, Address, Algorithm, CONTROL_PORT, EidRecord, Encapsulated, Key, LocatorRecord,
    MapRegister, MapReply, MapRequest, MappingRecord, Message, Nonce, ReliableType, XtrIdentity,
};

/// The fields that are only a word, without a value, for each type of message.
const MAP_REQUEST: &[&str] =
    &["smr", "probe", "do-not-reply", "smr-invoked", "pitr", "encapsulated"];
const MAP_REPLY: &[&str] = &["probe"];
const MAP_REGISTER: &[&str] = &[
    "want-map-notify",
    "reliable-transport",
    "merge",
    "proxy-reply",
    "no-xtr-id",
    "mac-to-records",
];
const REGISTRATION: &[&str] = &["merge", "proxy-reply", "corrupt-end-marker"];
/// The fields that have a value, for each type of message.
const OF_MAP_REQUEST: &[&str] = &["nonce", "source-eid", "itr-rloc", "eid"];
const OF_MAP_REPLY: &[&str] = &["nonce", "record", "locator", "action"];
const OF_MAP_REGISTER: &[&str] = &["nonce", "key", "xtr-id", "record", "locator", "action"];
const OF_REGISTRATION: &[&str] = &["nonce", "key", "xtr-id", "type", "record", "locator", "action"];
/// The maximum number of addresses of the prefix in `source-eid each PREFIX`.
const MOST_EACH: usize = 4096;

/// The fields of a message of any type. The tables above have the names of the fields that each
/// message may have.
#[derive(Debug, Default)]
struct Fields {
    flags: BTreeSet<String>,
    nonce: Nonce,
    source_eids: Vec<IpAddr>,
    itr_rlocs: Vec<Rloc>,
    eids: Vec<EidRecord>,
    records: Vec<MappingRecord>,
    key: Vec<u8>,
    xtr_id: Option<u128>,
    message_type: Option<u16>,
}

/// Makes the UDP payloads of a message. `lines` has the lines with the fields of the message, each
/// with its position in the text. The result is one payload, or one payload for each Source-EID. If
/// the field `nonce` is missing, `number` is the nonce.
pub(super) fn payloads(
    kind: &Word,
    number: u64,
    lines: &[(usize, &str)],
) -> Result<Vec<Vec<u8>>, Fault> {
    let read = |flags, values| Fields::read(flags, values, number, lines);
    match kind.text.as_str() {
        "map-request" => {
            let fields = read(MAP_REQUEST, OF_MAP_REQUEST)?;
            match fields.source_eids.is_empty() {
                true => Ok(vec![fields.map_request(None)]),
                false => {
                    let eids = fields.source_eids.iter();
                    Ok(eids.map(|eid| fields.map_request(Some(*eid))).collect())
                }
            }
        }
        "map-reply" => Ok(vec![read(MAP_REPLY, OF_MAP_REPLY)?.map_reply()]),
        "map-register" => Ok(vec![read(MAP_REGISTER, OF_MAP_REGISTER)?.map_register()]),
        _ => Err(kind.fault("the message must be `map-request`, `map-reply` or `map-register`")),
    }
}

/// Makes the octets of a message for reliable transport.
pub(super) fn stream_octets(
    kind: &Word,
    number: u64,
    lines: &[(usize, &str)],
) -> Result<Vec<u8>, Fault> {
    if kind.text != "registration" {
        return Err(kind.fault("a message by TCP must be `registration`"));
    }
    let fields = Fields::read(REGISTRATION, OF_REGISTRATION, number, lines)?;
    let message_type = fields.message_type.unwrap_or(ReliableType::Registration.number());
    let marker = match fields.has("corrupt-end-marker") {
        true => !END_MARKER,
        false => END_MARKER,
    };
    // The encoder in wire::reliable is not used here. It makes only messages that its decoder
    // accepts, but a scenario can also send wrong messages.
    let data = fields.map_register();
    let length = u16::try_from(data.len() + 12).unwrap_or(u16::MAX);
    let mut octets = Vec::from(message_type.to_be_bytes());
    octets.extend(length.to_be_bytes());
    octets.extend((number as u32).to_be_bytes());
    octets.extend(data);
    octets.extend(marker.to_be_bytes());
    Ok(octets)
}

impl Fields {
    fn read(
        flags: &[&str],
        values: &[&str],
        number: u64,
        lines: &[(usize, &str)],
    ) -> Result<Self, Fault> {
        let mut fields = Fields { nonce: Nonce(number), ..Fields::default() };
        for (start, line) in lines {
            let mut words = Words::new(*start, line)?;
            while let Some(word) = words.peek() {
                words.next("a field")?;
                match word.text.as_str() {
                    flag if flags.contains(&flag) => {
                        fields.flags.insert(flag.to_owned());
                    }
                    field if values.contains(&field) => fields.value(&word, &mut words)?,
                    _ => {
                        let known = [flags, values].concat().join(", ");
                        return Err(word.fault(&format!(
                            "{} is not a field of this message; the fields are {known}",
                            word.text
                        )));
                    }
                }
            }
        }
        Ok(fields)
    }

    fn value(&mut self, field: &Word, words: &mut Words) -> Result<(), Fault> {
        match field.text.as_str() {
            "nonce" => self.nonce = Nonce(words.number()?),
            "key" => self.key = words.next("a key")?.text.into_bytes(),
            "xtr-id" => self.xtr_id = Some(words.number()?),
            "type" => self.message_type = Some(words.number()?),
            "itr-rloc" => self.itr_rlocs.push(Rloc(words.parsed("an address")?)),
            "eid" => self.eids.push(prefix(words)?.into()),
            "source-eid" => match words.take("each") {
                true => self.each(words)?,
                false => self.source_eids.push(words.parsed("an address")?),
            },
            "record" => {
                let eid_prefix = prefix(words)?;
                words.expect("ttl")?;
                self.records.push(MappingRecord::of_site(eid_prefix, words.number()?, Vec::new()));
            }
            "locator" => {
                let last = self.records.last_mut();
                let record =
                    last.ok_or_else(|| field.fault("a record must come before this field"))?;
                record.locators.push(locator(words)?);
            }
            _ => {
                let last = self.records.last_mut();
                let record =
                    last.ok_or_else(|| field.fault("a record must come before this field"))?;
                record.action = Action::from_number(words.number()?);
            }
        }
        Ok(())
    }

    /// Adds all addresses of a prefix as Source-EIDs. The first address (of the network) and the
    /// last address are included.
    fn each(&mut self, words: &mut Words) -> Result<(), Fault> {
        let word = words.next("a prefix")?;
        let net: IpNet = word.text.parse().map_err(|_| word.fault("a prefix is expected"))?;
        let bits = u32::from(net.max_prefix_len() - net.prefix_len());
        if 1usize.checked_shl(bits).is_none_or(|addresses| addresses > MOST_EACH) {
            return Err(
                word.fault(&format!("a prefix of at most {MOST_EACH} addresses is expected"))
            );
        }
        let address = |index: u32| match net.network() {
            IpAddr::V4(first) => IpAddr::V4((first.to_bits() + index).into()),
            IpAddr::V6(first) => IpAddr::V6((first.to_bits() + u128::from(index)).into()),
        };
        self.source_eids.extend((0..1 << bits).map(address));
        Ok(())
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    fn map_request(&self, source_eid: Option<IpAddr>) -> Vec<u8> {
        let request = MapRequest {
            probe: self.has("probe"),
            smr: self.has("smr"),
            from_pitr: self.has("pitr"),
            smr_invoked: self.has("smr-invoked"),
            do_not_reply: self.has("do-not-reply"),
            nonce: self.nonce,
            source_eid: source_eid.map(|address| Eid::new(InstanceId::DEFAULT, address)),
            itr_rlocs: self.itr_rlocs.clone(),
            records: self.eids.clone(),
            ..MapRequest::default()
        };
        let asked = self.eids.first().map(|record| record.eid_prefix.network().address);
        match asked.filter(|_| self.has("encapsulated")) {
            None => request.emit(),
            Some(eid) => {
                let end = SocketAddr::new(eid, CONTROL_PORT);
                Message::Encapsulated(Encapsulated::new(end, end, request.emit())).emit()
            }
        }
    }

    fn map_reply(&self) -> Vec<u8> {
        let probe = self.has("probe");
        let records = self.records.clone();
        MapReply { probe, nonce: self.nonce, records, ..MapReply::default() }.emit()
    }

    fn map_register(&self) -> Vec<u8> {
        let register = MapRegister {
            proxy_reply: self.has("proxy-reply"),
            reliable_transport: self.has("reliable-transport"),
            merge: self.has("merge"),
            want_map_notify: self.has("want-map-notify"),
            nonce: self.nonce,
            records: self.records.clone(),
            xtr_identity: (!self.has("no-xtr-id"))
                .then_some(XtrIdentity { xtr_id: self.xtr_id.unwrap_or(1), site_id: 0 }),
            ..MapRegister::default()
        };
        let secret = self.key.clone();
        let key = Key { algorithm: Algorithm::HmacSha256, secret, key_id: 0 };
        match self.has("mac-to-records") {
            true => register.emit_signed_to_records(&key),
            false => register.emit_signed(&key),
        }
    }
}

fn prefix(words: &mut Words) -> Result<EidPrefix, Fault> {
    Ok(EidPrefix::new(InstanceId::DEFAULT, words.parsed("a prefix")?))
}

/// Makes a locator record with an IP address or a name. The locator is local and reachable, with
/// priority 1 and weight 100.
fn locator(words: &mut Words) -> Result<LocatorRecord, Fault> {
    let rloc = match words.take("name") {
        true => Address::Name(words.next("a name")?.text.into_bytes().into()),
        false => Address::Ip(words.parsed("an address")?),
    };
    Ok(LocatorRecord { rloc, ..LocatorRecord::unicast(Ipv4Addr::UNSPECIFIED.into(), 1, 100) })
}
