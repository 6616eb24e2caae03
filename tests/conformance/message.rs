//! Makes the octets of messages from the words of scripts.

use std::net::SocketAddr;
use std::ops::Range;
use std::str::FromStr;

use eidway::addr::{Eid, EidPrefix, InstanceId, Rloc};
use eidway::wire::{
    Action, Address, Algorithm, CONTROL_PORT, EidRecord, Encapsulated, Key, LocatorRecord, MacForm,
    MapNotify, MapNotifyAck, MapRegister, MapReply, MapRequest, MappingRecord, Nonce, XtrIdentity,
};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::phrase::Phrase;
use super::words::Fields;

/// The secret of the reference configurations.
const SECRET: &str = "cisco";
/// The place of the Authentication Data in a signed message, if the data has 128 bits.
const AUTHENTICATION_DATA: Range<usize> = 16..32;

/// The octets of the message that a phrase describes. A field that the phrase does not name has a
/// default value.
pub fn octets(phrase: &Phrase) -> Result<Vec<u8>, String> {
    let fields = &phrase.fields;
    if phrase.name != "octets" && phrase.name != "ECM" && !fields.head.is_empty() {
        return Err(format!("`{}` stands after {}", fields.head.join(" "), phrase.name));
    }
    match phrase.name {
        "Map-Request" => map_request(fields).map(|request| request.emit()),
        "Map-Reply" => map_reply(fields).map(|reply| reply.emit()),
        "Map-Register" if fields.flag("MAC-to-records") => {
            Ok(map_register(fields)?.emit_signed_to_records(&key(fields)?))
        }
        "Map-Register" => Ok(map_register(fields)?.emit_signed_as(&key(fields)?, form(fields)?)),
        "Map-Notify" => Ok(map_notify(fields)?.emit_signed_as(&key(fields)?, form(fields)?)),
        "Map-Notify-Ack" => {
            Ok(MapNotifyAck(map_notify(fields)?).emit_signed_as(&key(fields)?, form(fields)?))
        }
        "ECM" => encapsulated(phrase),
        "octets" => fields.head.iter().map(|word| octet(word)).collect(),
        other => Err(format!("{other} is no message")),
    }
}

fn octet(word: &str) -> Result<u8, String> {
    u8::from_str_radix(word, 16).map_err(|_| format!("`{word}`: two hex digits expected"))
}

fn map_request(fields: &Fields) -> Result<MapRequest, String> {
    let record = |item: &Vec<String>| {
        let eid_prefix = eid_prefix(&item[0])?;
        Ok(EidRecord { notification_requested: item[1..] == ["subscribe"], eid_prefix })
    };
    let itr_rlocs = fields.items("ITR-RLOCs").iter().map(|item| read(&item[0]).map(Rloc));
    Ok(MapRequest {
        authoritative: fields.flag("authoritative"),
        probe: fields.flag("probe"),
        smr: fields.flag("SMR"),
        from_pitr: fields.flag("from-PITR"),
        smr_invoked: fields.flag("SMR-invoked"),
        local_xtr: fields.flag("local-xTR"),
        do_not_reply: fields.flag("DoNotReply"),
        nonce: nonce(fields)?,
        source_eid: fields.word("source-EID").map(eid).transpose()?,
        itr_rlocs: itr_rlocs.collect::<Result<_, _>>()?,
        records: fields.items("for").iter().map(record).collect::<Result<_, String>>()?,
        map_reply_record: fields.records("with").first().map(mapping).transpose()?,
        xtr_identity: identity(fields)?,
    })
}

fn map_reply(fields: &Fields) -> Result<MapReply, String> {
    Ok(MapReply {
        probe: fields.flag("probe"),
        echo_nonce: fields.flag("echo-nonce"),
        security: fields.flag("security"),
        nonce: nonce(fields)?,
        records: mappings(fields)?,
    })
}

fn map_register(fields: &Fields) -> Result<MapRegister, String> {
    Ok(MapRegister {
        proxy_reply: fields.flag("proxy-reply"),
        security_capable: fields.flag("security"),
        reliable_transport: fields.flag("reliable-transport"),
        eid_notify: fields.flag("EID-notify"),
        ttl_for_timeout: fields.flag("TTL-for-timeout"),
        merge: fields.flag("merge"),
        want_map_notify: fields.flag("want-Map-Notify"),
        nonce: nonce(fields)?,
        records: mappings(fields)?,
        xtr_identity: identity(fields)?,
        ..MapRegister::default()
    })
}

fn map_notify(fields: &Fields) -> Result<MapNotify, String> {
    Ok(MapNotify {
        built_for_rtr: fields.flag("built-for-RTR"),
        nonce: nonce(fields)?,
        records: mappings(fields)?,
        xtr_identity: identity(fields)?,
        ..MapNotify::default()
    })
}

/// The key of a message: the key that signs it, or the key with which it must be signed.
pub fn key(fields: &Fields) -> Result<Key, String> {
    let number = fields.number("algorithm")?.unwrap_or(Algorithm::HmacSha256.number());
    let algorithm = Algorithm::from_number(number);
    Ok(Key {
        algorithm: algorithm.ok_or(format!("`algorithm {number}`: 1, 2 or 3 expected"))?,
        secret: fields.word("secret").unwrap_or(SECRET).into(),
        key_id: fields.number("key")?.unwrap_or(0),
    })
}

/// The form of the MAC of a message.
fn form(fields: &Fields) -> Result<MacForm, String> {
    let first = MacForm::of_first(key(fields)?.algorithm);
    let length = fields.number("MAC")?.unwrap_or(first.length());
    MacForm::new(first.algorithm(), length).map_err(|error| error.to_string())
}

/// Signs a message: writes the HMAC-SHA-256-128 with the key [`SECRET`] into the Authentication
/// Data.
pub fn sign(message: &mut [u8]) -> Result<(), String> {
    let data = message.get_mut(AUTHENTICATION_DATA).ok_or("too short to be signed")?;
    data.fill(0);
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key of any length");
    let mac = mac.chain_update(&*message).finalize().into_bytes();
    message[AUTHENTICATION_DATA].copy_from_slice(&mac[..16]);
    Ok(())
}

/// The octets of an ECM. If the phrase gives no addresses, the inner source is the Source-EID of
/// the Map-Request and the inner destination is the requested EID.
fn encapsulated(phrase: &Phrase) -> Result<Vec<u8>, String> {
    let inner = phrase.within()?;
    let (source, destination) = if phrase.fields.head.is_empty() {
        let request = map_request(&inner.fields)?;
        let asked = request.records.first().map(|record| record.eid_prefix.network());
        let asked = asked.ok_or("the Map-Request in an ECM asks for nothing")?;
        let source = request.source_eid.filter(|eid| eid.family() == asked.family());
        let address = |eid: Eid| SocketAddr::new(eid.address, CONTROL_PORT);
        (address(source.unwrap_or(asked)), address(asked))
    } else {
        let (from, to) = phrase.path()?;
        (socket(from)?, socket(to)?)
    };
    let message = octets(inner)?;
    let plain = Encapsulated::new(source, destination, message);
    let ttl = phrase.fields.number("TTL")?.unwrap_or(plain.ttl);
    Ok(Encapsulated {
        ddt_originated: phrase.fields.flag("DDT"),
        to_etr: phrase.fields.flag("to-ETR"),
        to_ms: phrase.fields.flag("to-MS"),
        ttl,
        ..plain
    }
    .emit())
}

/// Reads an address with a port. If the word has no port, it is the control port.
pub fn socket(word: &str) -> Result<SocketAddr, String> {
    word.parse().or_else(|_| Ok(SocketAddr::new(read(word)?, CONTROL_PORT)))
}

pub fn read<T: FromStr>(word: &str) -> Result<T, String> {
    let kind = std::any::type_name::<T>().rsplit("::").next().unwrap_or_default();
    word.parse().map_err(|_| format!("`{word}` is no {kind}"))
}

/// Splits `[7]10.0.0.0` or `10.0.0.0` into the instance-ID and the rest.
fn instance(word: &str) -> Result<(InstanceId, &str), String> {
    let Some((id, rest)) = word.strip_prefix('[').and_then(|word| word.split_once(']')) else {
        return Ok((InstanceId::DEFAULT, word));
    };
    let id = InstanceId::new(read(id)?).ok_or(format!("`{word}`: an instance-ID has 24 bits"))?;
    Ok((id, rest))
}

fn eid(word: &str) -> Result<Eid, String> {
    let (instance_id, address) = instance(word)?;
    Ok(Eid::new(instance_id, read(address)?))
}

fn eid_prefix(word: &str) -> Result<EidPrefix, String> {
    let (instance_id, prefix) = instance(word)?;
    Ok(EidPrefix::new(instance_id, read(prefix)?))
}

fn nonce(fields: &Fields) -> Result<Nonce, String> {
    Ok(Nonce(fields.number("nonce")?.unwrap_or(0)))
}

fn identity(fields: &Fields) -> Result<Option<XtrIdentity>, String> {
    let Some(xtr_id) = fields.number("xTR-ID")? else { return Ok(None) };
    Ok(Some(XtrIdentity { xtr_id, site_id: fields.number("Site-ID")?.unwrap_or(0) }))
}

fn mappings(fields: &Fields) -> Result<Vec<MappingRecord>, String> {
    fields.records("for").iter().map(mapping).collect()
}

fn mapping(fields: &Fields) -> Result<MappingRecord, String> {
    let prefix = match &fields.head[..] {
        [prefix] => eid_prefix(prefix)?,
        other => return Err(format!("`{}`: an EID-prefix expected", other.join(" "))),
    };
    let action = (1..=5).map(Action::from_number).find(|action| fields.flag(&action.to_string()));
    Ok(MappingRecord {
        ttl_minutes: fields.number("TTL")?.unwrap_or(1440),
        eid_prefix: prefix,
        action: action.unwrap_or_default(),
        authoritative: fields.flag("authoritative"),
        map_version: fields.number("version")?.unwrap_or(0),
        locators: fields
            .items("locators")
            .iter()
            .map(|item| locator(item))
            .collect::<Result<_, _>>()?,
    })
}

/// Reads a locator: `203.0.113.11 1/100 LR`. The defaults are priority 1, weight 100, and
/// reachable.
fn locator(item: &[String]) -> Result<LocatorRecord, String> {
    let share = item.get(1).map_or("1/100", String::as_str);
    let letters = item.get(2).map_or("R", String::as_str);
    let (priority, weight) =
        share.split_once('/').ok_or(format!("`{share}`: PRIORITY/WEIGHT expected"))?;
    if let Some(other) = letters.chars().find(|letter| !"LpR-".contains(*letter)) {
        return Err(format!("`{other}` is no bit of a locator; L, p, R, or - for none expected"));
    }
    Ok(LocatorRecord {
        priority: read(priority)?,
        weight: read(weight)?,
        multicast_priority: 255,
        multicast_weight: 0,
        local: letters.contains('L'),
        probed: letters.contains('p'),
        reachable: letters.contains('R'),
        rloc: address(&item[0])?,
    })
}

/// Reads an address in the notation of the router's log: `192.0.2.1`, `"name"`, `0200.0000.0001`,
/// `none`, `LCAF-7(0102)`, `[7]192.0.2.1`, or a list of addresses, `(192.0.2.1,"name")`.
fn address(word: &str) -> Result<Address, String> {
    let bad = || format!("`{word}` is no address");
    if word == "none" {
        return Ok(Address::None);
    }
    if let Some(name) = word.strip_prefix('"') {
        let name = name.strip_suffix('"').ok_or_else(bad)?;
        return Ok(Address::Name(name.as_bytes().into()));
    }
    if let Some(list) = word.strip_prefix('(') {
        let list = list.strip_suffix(')').ok_or_else(bad)?;
        let parts = list.split(',').filter(|part| !part.is_empty());
        return Ok(Address::List(parts.map(address).collect::<Result<_, _>>()?));
    }
    if let Some(lcaf) = word.strip_prefix("LCAF-") {
        let (number, octets) = lcaf.split_once('(').ok_or_else(bad)?;
        let octets = hex(octets.strip_suffix(')').ok_or_else(bad)?)?;
        return Ok(Address::Opaque { flags: 0, lcaf_type: read(number)?, rsvd2: 0, octets });
    }
    if word.starts_with('[') {
        let (instance_id, address_of) = instance(word)?;
        let instance_id = instance_id.number();
        return Ok(Address::InstanceId { instance_id, address: address(address_of)?.into() });
    }
    if let Ok(ip) = word.parse() {
        return Ok(Address::Ip(ip));
    }
    let octets = hex(&word.replace('.', ""))?;
    let mac_48 = <[u8; 6]>::try_from(&octets[..]).map(Address::Mac48);
    mac_48.or_else(|_| <[u8; 8]>::try_from(&octets[..]).map(Address::Mac64)).map_err(|_| bad())
}

fn hex(digits: &str) -> Result<Vec<u8>, String> {
    let pair = |at: usize| digits.get(at..at + 2).unwrap_or_default();
    (0..digits.len()).step_by(2).map(|at| octet(pair(at))).collect()
}
