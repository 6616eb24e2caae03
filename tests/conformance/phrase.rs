//! The phrases of scripts, by name: the fields of each phrase, and the phrases that it may contain.

use super::words::{Bindings, Fields, Grammar, Kind, split};

use Kind::{Flag, Items, Records, Word};

/// A phrase: `NAME HEAD FIELD ...: PHRASE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    pub name: &'static str,
    pub fields: Fields,
    pub inner: Option<Box<Phrase>>,
}

const RECORD: Grammar = &[
    ("TTL", Word),
    ("authoritative", Flag),
    ("no-action", Flag),
    ("natively-forward", Flag),
    ("send-map-request", Flag),
    ("drop", Flag),
    ("drop-policy-denied", Flag),
    ("drop-auth-failure", Flag),
    ("version", Word),
    ("locators", Items),
];

const MAP_REQUEST: Grammar = &[
    ("nonce", Word),
    ("authoritative", Flag),
    ("probe", Flag),
    ("SMR", Flag),
    ("from-PITR", Flag),
    ("SMR-invoked", Flag),
    ("local-xTR", Flag),
    ("DoNotReply", Flag),
    ("source-EID", Word),
    ("ITR-RLOCs", Items),
    ("for", Items),
    ("with", Records(RECORD)),
    ("xTR-ID", Word),
    ("Site-ID", Word),
];

const MAP_REPLY: Grammar = &[
    ("nonce", Word),
    ("probe", Flag),
    ("echo-nonce", Flag),
    ("security", Flag),
    ("for", Records(RECORD)),
];

/// The fields of a Map-Register. `secret` is the key that signs the message, or with which it must
/// be signed. `MAC` is the length of the MAC in octets. With `MAC-to-records`, the MAC covers the
/// message up to the last record, without the xTR-ID.
const MAP_REGISTER: Grammar = &[
    ("nonce", Word),
    ("proxy-reply", Flag),
    ("security", Flag),
    ("reliable-transport", Flag),
    ("EID-notify", Flag),
    ("TTL-for-timeout", Flag),
    ("merge", Flag),
    ("want-Map-Notify", Flag),
    ("key", Word),
    ("algorithm", Word),
    ("for", Records(RECORD)),
    ("xTR-ID", Word),
    ("Site-ID", Word),
    ("secret", Word),
    ("MAC", Word),
    ("MAC-to-records", Flag),
];

const MAP_NOTIFY: Grammar = &[
    ("nonce", Word),
    ("built-for-RTR", Flag),
    ("key", Word),
    ("algorithm", Word),
    ("for", Records(RECORD)),
    ("xTR-ID", Word),
    ("Site-ID", Word),
    ("secret", Word),
    ("MAC", Word),
];

const ECM: Grammar = &[("TTL", Word), ("DDT", Flag), ("to-ETR", Flag), ("to-MS", Flag)];

/// The outer headers of an encapsulated packet. `bits` are the letters of the flags that are set in
/// the LISP header, or `none`. `flow` determines the UDP source port.
const ENCAPSULATION: Grammar = &[
    ("ttl", Word),
    ("dscp", Word),
    ("ecn", Word),
    ("bits", Word),
    ("low24", Word),
    ("instance", Word),
    ("lsbs", Word),
    ("flow", Word),
];

/// An IP packet. `size` is the length of the whole packet in octets. `port` is the UDP source port.
const PACKET: Grammar =
    &[("ttl", Word), ("dscp", Word), ("ecn", Word), ("size", Word), ("port", Word)];

/// The kind of phrase that a phrase may contain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Nothing,
    Message,
    Packet,
}

type Row = (&'static str, Grammar, Within);

/// The phrases for the outputs and inputs of the router.
const EVENTS: &[Row] = &[
    ("control", &[], Within::Message),
    ("lisp0", &[], Within::Packet),
    ("data", ENCAPSULATION, Within::Packet),
    ("encapsulate", ENCAPSULATION, Within::Packet),
    ("forward", ENCAPSULATION, Within::Packet),
    ("deliver", &[], Within::Packet),
    ("native", &[], Within::Packet),
    ("hold", &[], Within::Nothing),
    ("drop", &[], Within::Nothing),
    ("link", &[], Within::Nothing),
    ("route", &[("dev", Word), ("gone", Flag)], Within::Nothing),
    ("neighbour", &[], Within::Nothing),
    ("clear", &[], Within::Nothing),
    ("stop", &[], Within::Nothing),
    ("restart", &[], Within::Nothing),
];

const MESSAGES: &[Row] = &[
    ("Map-Request", MAP_REQUEST, Within::Nothing),
    ("Map-Reply", MAP_REPLY, Within::Nothing),
    ("Map-Register", MAP_REGISTER, Within::Nothing),
    ("Map-Notify", MAP_NOTIFY, Within::Nothing),
    ("Map-Notify-Ack", MAP_NOTIFY, Within::Nothing),
    ("ECM", ECM, Within::Message),
    ("octets", &[], Within::Nothing),
];

impl Phrase {
    /// Reads the phrase of an output or input of a router.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::parse_row(text, EVENTS)
    }

    fn parse_row(text: &str, rows: &'static [Row]) -> Result<Self, String> {
        let (outer, inner) = match text.split_once(": ") {
            Some((outer, inner)) => (outer, Some(inner)),
            None => (text, None),
        };
        let words = split(outer);
        let (name, words) = words.split_first().ok_or("something must stand here")?;
        let row = rows.iter().find(|(row, ..)| row == name).ok_or_else(|| {
            let names: Vec<_> = rows.iter().map(|(name, ..)| *name).collect();
            format!("`{name}` is not known here; expected: {}", names.join(", "))
        })?;
        let (name, grammar, within) = *row;
        let fields = Fields::parse(words, grammar).map_err(|why| format!("{name}: {why}"))?;
        let inner = match (inner, within) {
            (None, _) => None,
            (Some(_), Within::Nothing) => return Err(format!("nothing can stand in `{name}`")),
            (Some(text), Within::Message) => Some(Self::parse_row(text, MESSAGES)?),
            (Some(text), Within::Packet) => {
                let fields = Fields::parse(&split(text), PACKET)
                    .map_err(|why| format!("inner packet: {why}"))?;
                Some(Phrase { name: "packet", fields, inner: None })
            }
        };
        let unread = grammar.is_empty() && matches!(name, "deliver" | "native" | "lisp0" | "hold");
        if unread && !fields.head.is_empty() {
            let head = fields.head.join(" ");
            return Err(format!("`{head}` stands after `{name}`; expected: `{name}: PACKET`"));
        }
        Ok(Phrase { name, fields, inner: inner.map(Box::new) })
    }

    /// The reason why `seen` is not as expected; `None` if it is.
    pub fn differs(&self, seen: &Phrase, bindings: &mut Bindings) -> Option<String> {
        if self.name != seen.name {
            return Some(format!("a {}, not a {}", seen.name, self.name));
        }
        if let Some(why) = self.fields.differs(&seen.fields, bindings) {
            return Some(format!("{} {why}", self.name));
        }
        match (&self.inner, &seen.inner) {
            (None, _) => None,
            (Some(expected), Some(seen)) => expected.differs(seen, bindings),
            (Some(_), None) => Some(format!("nothing in the {}", self.name)),
        }
    }

    /// A copy of the phrase in which the value of each `$name` replaces the name.
    pub fn resolved(&self, bindings: &Bindings) -> Result<Self, String> {
        let inner = self.inner.as_ref().map(|inner| inner.resolved(bindings)).transpose()?;
        let fields = self.fields.resolved(bindings)?;
        Ok(Phrase { name: self.name, fields, inner: inner.map(Box::new) })
    }

    /// The inner phrase. It is an error if there is none.
    pub fn within(&self) -> Result<&Phrase, String> {
        let missing = || format!("`{}` needs `: ` and a phrase within", self.name);
        self.inner.as_deref().ok_or_else(missing)
    }

    /// The two ends of a head `A > B`: the source and the destination.
    pub fn path(&self) -> Result<(&str, &str), String> {
        match &self.fields.head[..] {
            [from, arrow, to] if arrow == ">" || arrow == "->" => Ok((from, to)),
            other => Err(format!("{}: `{}`: `FROM > TO` expected", self.name, other.join(" "))),
        }
    }
}
