//! The fields that have Wireshark's names, and the values of these fields.

use std::fmt;
use std::net::IpAddr;

/// The type of the values of a field. The type decides the format in which Wireshark shows a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// No value: the field is present or absent. A protocol is a field of this type.
    Presence,
    /// A decimal number.
    Number,
    /// A hexadecimal number. The variant contains the number of digits.
    Hex(usize),
    /// A flag: true or false.
    Flag,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
}

/// One value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// The field is present.
    Present,
    /// A number. A flag is 0 or 1.
    Number(u64),
    /// An address.
    Address(IpAddr),
}

/// A field that a query can name.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// The name of the field in Wireshark.
    pub name: &'static str,
    /// The type of the field's values.
    pub kind: Kind,
}

macro_rules! fields {
    ($($name:literal: $kind:expr),+ $(,)?) => {
        /// Every field that [`super::dissect`] knows.
        pub const FIELDS: &[Field] = &[$(Field { name: $name, kind: $kind }),+];
    };
}

fields! {
    "frame.number": Kind::Number,
    "icmp": Kind::Presence,
    "icmp.code": Kind::Number,
    "icmp.ident": Kind::Number,
    "icmp.seq": Kind::Number,
    "icmp.type": Kind::Number,
    "icmpv6": Kind::Presence,
    "icmpv6.code": Kind::Number,
    "icmpv6.type": Kind::Number,
    "ip": Kind::Presence,
    "ip.addr": Kind::Ipv4,
    "ip.dst": Kind::Ipv4,
    "ip.len": Kind::Number,
    "ip.proto": Kind::Number,
    "ip.src": Kind::Ipv4,
    "ip.ttl": Kind::Number,
    "ipv6": Kind::Presence,
    "ipv6.addr": Kind::Ipv6,
    "ipv6.dst": Kind::Ipv6,
    "ipv6.hlim": Kind::Number,
    "ipv6.nxt": Kind::Number,
    "ipv6.plen": Kind::Number,
    "ipv6.src": Kind::Ipv6,
    "lisp": Kind::Presence,
    "lisp-data": Kind::Presence,
    "lisp-data.flags.enr": Kind::Flag,
    "lisp-data.flags.iid": Kind::Flag,
    "lisp-data.flags.lsb": Kind::Flag,
    "lisp-data.flags.mv": Kind::Flag,
    "lisp-data.flags.nonce": Kind::Flag,
    "lisp-data.iid": Kind::Number,
    "lisp-tcp": Kind::Presence,
    "lisp-tcp.message.id": Kind::Number,
    "lisp-tcp.message.registration_refresh.flags.rejected": Kind::Flag,
    "lisp-tcp.message.registration_refresh.scope": Kind::Number,
    "lisp-tcp.message.registration_reject.reason": Kind::Number,
    "lisp-tcp.message.type": Kind::Number,
    "lisp.lcaf.iid": Kind::Number,
    "lisp.lcaf.iid.ipv4": Kind::Ipv4,
    "lisp.lcaf.iid.ipv6": Kind::Ipv6,
    "lisp.loc.flags.local": Kind::Flag,
    "lisp.loc.flags.probe": Kind::Flag,
    "lisp.loc.flags.reach": Kind::Flag,
    "lisp.loc.multicast_priority": Kind::Number,
    "lisp.loc.multicast_weight": Kind::Number,
    "lisp.loc.priority": Kind::Number,
    "lisp.loc.weight": Kind::Number,
    "lisp.mapping.act": Kind::Number,
    "lisp.mapping.auth": Kind::Flag,
    "lisp.mapping.eid.ipv4": Kind::Ipv4,
    "lisp.mapping.eid.ipv6": Kind::Ipv6,
    "lisp.mapping.eid.masklen": Kind::Number,
    "lisp.mapping.loccnt": Kind::Number,
    "lisp.mapping.ttl": Kind::Number,
    "lisp.mapping.ver": Kind::Number,
    "lisp.mnot.flags.rtr": Kind::Flag,
    "lisp.mnot.flags.xtrid": Kind::Flag,
    "lisp.mreg.flags.pmr": Kind::Flag,
    "lisp.mreg.flags.sec": Kind::Flag,
    "lisp.mreg.flags.wmn": Kind::Flag,
    "lisp.mreg.flags.xtrid": Kind::Flag,
    "lisp.mrep.flags.enlr": Kind::Flag,
    "lisp.mrep.flags.probe": Kind::Flag,
    "lisp.mrep.flags.sec": Kind::Flag,
    "lisp.mreq.flags.auth": Kind::Flag,
    "lisp.mreq.flags.mrp": Kind::Flag,
    "lisp.mreq.flags.pitr": Kind::Flag,
    "lisp.mreq.flags.probe": Kind::Flag,
    "lisp.mreq.flags.smr": Kind::Flag,
    "lisp.mreq.flags.smri": Kind::Flag,
    "lisp.mreq.itr_rloc_ipv4": Kind::Ipv4,
    "lisp.mreq.itr_rloc_ipv6": Kind::Ipv6,
    "lisp.mreq.record.prefix.ipv4": Kind::Ipv4,
    "lisp.mreq.record.prefix.ipv6": Kind::Ipv6,
    "lisp.mreq.record.prefix.length": Kind::Number,
    "lisp.mreq.srceid.ipv4": Kind::Ipv4,
    "lisp.mreq.srceid_ipv6": Kind::Ipv6,
    "lisp.nonce": Kind::Hex(16),
    "lisp.records": Kind::Number,
    "lisp.type": Kind::Number,
    "tcp": Kind::Presence,
    "tcp.dstport": Kind::Number,
    "tcp.flags.ack": Kind::Flag,
    "tcp.flags.fin": Kind::Flag,
    "tcp.flags.reset": Kind::Flag,
    "tcp.flags.syn": Kind::Flag,
    "tcp.len": Kind::Number,
    "tcp.port": Kind::Number,
    "tcp.srcport": Kind::Number,
    "udp": Kind::Presence,
    "udp.checksum": Kind::Hex(4),
    "udp.dstport": Kind::Number,
    "udp.length": Kind::Number,
    "udp.port": Kind::Number,
    "udp.srcport": Kind::Number,
}

/// The error for a name that is not in [`FIELDS`]. Its text lists the fields with similar names.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no field {name}; similar fields are {}", near(name).join(", "))]
pub struct UnknownField {
    /// The unknown name, as it is in the query.
    pub name: String,
}

impl Field {
    /// Returns the field with this name.
    ///
    /// # Errors
    /// [`UnknownField`] if no field has this name.
    pub fn find(name: &str) -> Result<&'static Field, UnknownField> {
        let found = FIELDS.iter().find(|field| field.name == name);
        found.ok_or_else(|| UnknownField { name: name.to_owned() })
    }

    /// Formats a value as Wireshark does.
    pub fn show(&self, value: Value) -> Shown {
        Shown { kind: self.kind, value }
    }
}

/// A value as text.
pub struct Shown {
    kind: Kind,
    value: Value,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.value, self.kind) {
            (Value::Number(number), Kind::Hex(digits)) => write!(f, "0x{number:0digits$x}"),
            (Value::Number(number), _) => number.fmt(f),
            (Value::Address(address), _) => address.fmt(f),
            (Value::Present, _) => f.write_str("1"),
        }
    }
}

/// Returns the fields whose names are most similar to `name`.
fn near(name: &str) -> Vec<&'static str> {
    const SHOWN: usize = 4;
    let mut names: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    names.sort_by_key(|known| distance(known, name));
    names.truncate(SHOWN);
    names
}

/// Returns the minimum number of octets that must be added, removed or changed to turn one word
/// into the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
