//! The dissector for Wireshark, `wireshark/eidway.lua`: tshark runs it over the golden messages, and its
//! fields have the values that our own dissection shows.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::process::Command;

use eidway::capture::pcap::PcapWriter;
use eidway::watch::fields::{Dissection, Layer, of_message};
use etherparse::PacketBuilder;

const GOLDEN: &str = include_str!("golden/lisp-golden.hex");
const SCRIPT: &str = concat!("lua_script:", env!("CARGO_MANIFEST_DIR"), "/wireshark/eidway.lua");

/// The messages of which any layer may be the first or an inner one.
const MESSAGES: [&str; 13] = [
    "Map-Request",
    "Map-Reply",
    "Map-Register",
    "Map-Notify",
    "Map-Notify-Ack",
    "Info",
    "ECM",
    "Error-Notification",
    "Registration",
    "Registration-Ack",
    "Registration-Reject",
    "Registration-Refresh",
    "Mapping-Notification",
];

/// Each field of the dissector with the messages, the layers and the name of our field.
const FIELDS: [(&str, &[&str], &str, &str); 26] = [
    ("eidway.mreq.xtrid", &["Map-Request"], "Map-Request", "I"),
    ("eidway.mreq.local", &["Map-Request"], "Map-Request", "L"),
    ("eidway.mreq.no_reply", &["Map-Request"], "Map-Request", "D"),
    ("eidway.mreq.record.subscribe", &["Map-Request"], "EID-Record", "N"),
    ("eidway.mreg.reliable", &["Map-Register"], "Map-Register", "r"),
    ("eidway.mreg.dynamic", &["Map-Register"], "Map-Register", "E"),
    ("eidway.mreg.ttl", &["Map-Register"], "Map-Register", "T"),
    ("eidway.mreg.merge", &["Map-Register"], "Map-Register", "a"),
    ("eidway.mack.xtrid", ACK, "Map-Notify-Ack", "I"),
    ("eidway.mack.rtr", ACK, "Map-Notify-Ack", "R"),
    ("eidway.mack.records", ACK, "Map-Notify-Ack", "Record Count"),
    ("eidway.mack.nonce", ACK, "Map-Notify-Ack", "Nonce"),
    ("eidway.mack.key_id", ACK, "Map-Notify-Ack", "Key ID"),
    ("eidway.mack.algorithm_id", ACK, "Map-Notify-Ack", "Algorithm ID"),
    ("eidway.mack.auth", ACK, "Map-Notify-Ack", "Authentication Data"),
    ("eidway.mack.record.ttl", ACK, "Record", "Record TTL"),
    ("eidway.mack.record.act", ACK, "Record", "ACT"),
    ("eidway.mack.record.authoritative", ACK, "Record", "A"),
    ("eidway.mack.record.version", ACK, "Record", "Map-Version Number"),
    ("eidway.mack.record.iid", ACK, "Record", "Instance ID"),
    ("eidway.mack.record.eid", ACK, "Record", "EID-Prefix"),
    ("eidway.mack.loc", ACK, "Locator", "Locator"),
    ("eidway.mack.loc.priority", ACK, "Locator", "Priority"),
    ("eidway.mack.loc.local", ACK, "Locator", "L"),
    ("eidway.mack.loc.reachable", ACK, "Locator", "R"),
    ("eidway.xtrid", &["Map-Request", "Map-Notify-Ack"], "xTR-ID", "xTR-ID"),
];
const ACK: &[&str] = &["Map-Notify-Ack"];

/// The golden messages: their titles and octets. Data packets are left out.
fn golden() -> Vec<(String, Vec<u8>)> {
    let lines: Vec<&str> = GOLDEN.lines().collect();
    let octets = |hex: &str| base16ct::mixed::decode_vec(hex).unwrap();
    let pairs = lines.chunks(2).map(|pair| (pair[0][2..].to_owned(), octets(pair[1])));
    pairs.filter(|(title, _)| !title.starts_with("data,")).collect()
}

fn find(title: &str) -> Vec<u8> {
    golden().into_iter().find(|(known, _)| known.starts_with(title)).unwrap().1
}

/// Messages with the bits that no golden message has.
fn others() -> Vec<(String, Vec<u8>)> {
    let mut subscribe = find("smr (P,S,D set");
    subscribe[1] |= 0x10;
    subscribe[2] |= 0x40;
    subscribe[24] |= 0x80;
    subscribe.extend(1..=24);
    let mut register = find("Map-Register HMAC-SHA1");
    register[2] |= 0x1c;
    let mut ack = find("Map-Notify-Ack");
    // The record has an EID in instance 4100, and a second locator.
    ack[40] = 2;
    ack.splice(46..52, find("Map-Request, EID in LCAF")[22..40].iter().copied());
    let locator: Vec<u8> = ack[64..76].to_vec();
    ack.splice(76..76, locator);
    [("subscribe", subscribe), ("E, T and a", register), ("ack with LCAF", ack)]
        .map(|(title, octets)| (title.to_owned(), octets))
        .to_vec()
}

/// Runs tshark with the dissector over messages, each in a packet of its own. Returns the values of the
/// fields of each packet. `None` if tshark is not installed and tests may be skipped.
fn dissected(messages: &[Vec<u8>], fields: &[&str]) -> Option<Vec<Vec<String>>> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("messages.pcap");
    let mut file = PcapWriter::new(fs::File::create(&path).unwrap()).unwrap();
    let mut sequence = 1;
    for (at, octets) in messages.iter().enumerate() {
        let ip = PacketBuilder::ethernet2([2; 6], [4; 6]).ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
        let mut frame = Vec::new();
        if octets.first() == Some(&0) {
            ip.tcp(4342, 50000, sequence, 8192).ack(1).write(&mut frame, octets).unwrap();
            sequence += octets.len() as u32;
        } else {
            ip.udp(4342, 4342).write(&mut frame, octets).unwrap();
        }
        file.write(at as u64, &frame).unwrap();
    }
    file.flush().unwrap();
    drop(file);
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-X", SCRIPT, "-T", "fields", "-r"]).arg(&path);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    let Ok(output) = tshark.output() else {
        let skip = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some();
        assert!(skip, "tshark is not installed; EIDWAY_ALLOW_SKIP=1 skips this test");
        eprintln!("SKIPPED: tshark is not installed");
        return None;
    };
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && !errors.contains("Lua"), "{errors}");
    let values = |line: &str| line.split('\t').map(str::to_owned).collect();
    let rows: Vec<Vec<String>> =
        String::from_utf8(output.stdout).unwrap().lines().map(values).collect();
    assert_eq!(rows.len(), messages.len());
    Some(rows)
}

/// The values of our fields with a name, in the layers whose names begin with `layer`.
fn ours(found: &Dissection, kinds: &[&str], layer: &str, name: &str) -> String {
    if !found.layers.iter().any(|layer| kinds.contains(&layer.name.as_str())) {
        return String::new();
    }
    let layers = found.layers.iter().filter(|known| known.name.starts_with(layer));
    // "Map-Notify" also begins the name of a Map-Notify-Ack.
    let layers = layers.filter(|known| !MESSAGES.contains(&layer) || known.name == layer);
    let value = |layer: &Layer, name: &str| {
        layer.fields.iter().find(|field| field.name == name).map(|field| plain(&field.value))
    };
    let values = layers.filter_map(|layer| match name {
        "EID-Prefix" => Some(format!("{}/{}", value(layer, name)?, value(layer, "EID mask-len")?)),
        name => value(layer, name),
    });
    values.collect::<Vec<_>>().join(",")
}

/// A value without the signs in which the two dissectors differ.
fn plain(value: &str) -> String {
    let value = value.to_lowercase().replace("-0x", "").replace("0x", "");
    value.replace(' ', "")
}

#[test]
fn the_dissector_for_wireshark_shows_the_values_that_we_show() {
    let messages = [golden(), others()].concat();
    let names = FIELDS.map(|(name, ..)| name);
    let asked = [&["eidway.message", "eidway.damage", "_ws.col.Info"], &names[..]].concat();
    let octets: Vec<Vec<u8>> = messages.iter().map(|(_, octets)| octets.clone()).collect();
    let Some(rows) = dissected(&octets, &asked) else { return };
    let mut compared = [0; FIELDS.len()];
    for ((title, octets), row) in messages.iter().zip(rows) {
        let found = of_message(octets);
        let kinds = found.layers.iter().map(|layer| layer.name.as_str());
        let kinds: Vec<&str> = kinds.filter(|name| MESSAGES.contains(name)).collect();
        assert_eq!(row[0], kinds.join(","), "{title}");
        assert_eq!(row[1], "", "{title}: damage");
        assert!(!row[2].contains("Unknown LISP"), "{title}: {}", row[2]);
        for (at, (name, kinds, layer, field)) in FIELDS.iter().enumerate() {
            let value = ours(&found, kinds, layer, field);
            compared[at] += usize::from(!value.is_empty());
            assert_eq!(plain(&row[3 + at]), value, "{title}: {name}");
        }
    }
    let none: Vec<&str> =
        (0..FIELDS.len()).filter(|&at| compared[at] == 0).map(|at| names[at]).collect();
    assert!(none.is_empty(), "no message has {none:?}");
}

#[test]
fn the_dissector_for_wireshark_reports_the_end_of_a_message_that_is_cut_off() {
    let ack = find("Map-Notify-Ack");
    let cut: Vec<Vec<u8>> = (1..ack.len()).map(|len| ack[..len].to_vec()).collect();
    let Some(rows) = dissected(&cut, &["eidway.message", "eidway.damage"]) else { return };
    for (len, row) in (1..).zip(rows) {
        assert_eq!(row[0], "Map-Notify-Ack", "{len} octets");
        assert!(!row[1].is_empty(), "{len} octets: no damage");
    }
}
