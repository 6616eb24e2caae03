//! The structure of a phrase in a script: a name, a head, and fields. After `: `, an inner phrase
//! may follow.
//!
//! `control 203.0.113.11 > 198.51.100.21: Map-Reply nonce $n for 172.16.0.0/24 TTL 1440` is a
//! phrase with an inner phrase. The outputs of a router are written as phrases too, and
//! `wire::show` writes messages as phrases. So one parser reads both, and a failure shows a line
//! that can be copied into the script.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// The kind of value that follows the name of a field.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// No value: the field is present or absent.
    Flag,
    /// One word.
    Word,
    /// Items of one word or more, separated by commas.
    Items,
    /// Records, separated by semicolons. Each record is a head and fields of this grammar.
    Records(Grammar),
}

/// The fields that a phrase may have.
pub type Grammar = &'static [(&'static str, Kind)];

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Flag,
    Word(String),
    Items(Vec<Vec<String>>),
    Records(Vec<Fields>),
}

/// The head and the fields of a phrase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub head: Vec<String>,
    values: BTreeMap<&'static str, Value>,
    /// The fields after `without`: they must be absent.
    absent: Vec<&'static str>,
}

/// The value of each `$name`.
pub type Bindings = BTreeMap<String, String>;

/// Splits a text at blanks. `[7] 10.0.0.0/8` is one word: `[7]10.0.0.0/8`.
pub fn split(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(last) if last.starts_with('[') && last.ends_with(']') => last.push_str(word),
            _ => words.push(word.to_owned()),
        }
    }
    words
}

impl Fields {
    /// Reads a head and the fields after it. The first word of the grammar ends the head.
    pub fn parse(words: &[String], grammar: Grammar) -> Result<Self, String> {
        let mut fields = Fields::default();
        let mut rest = words;
        let starts = |word: &String| word == "without" || find(grammar, word).is_some();
        let head = rest.iter().position(starts).unwrap_or(rest.len());
        fields.head = rest[..head].to_vec();
        rest = &rest[head..];
        while let Some((word, after)) = rest.split_first() {
            if word == "without" {
                let (absent, after) = after.split_first().ok_or("a word must follow `without`")?;
                fields.absent.push(known(grammar, absent)?.0);
                rest = after;
                continue;
            }
            let (name, kind) = known(grammar, word)?;
            let (value, taken) = parse_value(name, kind, after, grammar)?;
            if fields.values.insert(name, value).is_some() {
                return Err(format!("`{name}` stands twice"));
            }
            rest = &after[taken..];
        }
        Ok(fields)
    }

    pub fn flag(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    pub fn word(&self, name: &str) -> Option<&str> {
        match self.values.get(name)? {
            Value::Word(word) => Some(word),
            _ => None,
        }
    }

    pub fn number<T: TryFrom<u128>>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(word) = self.word(name) else { return Ok(None) };
        let value = number(word).and_then(|value| T::try_from(value).ok());
        value.map(Some).ok_or(format!("`{name} {word}`: a number that fits is expected"))
    }

    pub fn items(&self, name: &str) -> &[Vec<String>] {
        match self.values.get(name) {
            Some(Value::Items(items)) => items,
            _ => &[],
        }
    }

    pub fn records(&self, name: &str) -> &[Fields] {
        match self.values.get(name) {
            Some(Value::Records(records)) => records,
            _ => &[],
        }
    }

    /// The first difference between `seen` and the expected head and fields.
    pub fn differs(&self, seen: &Fields, bindings: &mut Bindings) -> Option<String> {
        if !self.head.is_empty() && !same_item(&self.head, &seen.head, bindings) {
            return Some(format!("`{}`, not `{}`", seen.head.join(" "), self.head.join(" ")));
        }
        if let Some(absent) = self.absent.iter().find(|name| seen.values.contains_key(*name)) {
            return Some(format!("`{absent}` is there"));
        }
        // A message does not contain the secret. `wrong_signature` checks the signature.
        let differs = |(name, value): (&&'static str, &Value)| {
            if *name == "secret" {
                return None;
            }
            let Some(other) = seen.values.get(name) else {
                return Some(format!("no `{name}`"));
            };
            value.differs(other, bindings).map(|why| format!("`{name}`: {why}"))
        };
        self.values.iter().find_map(differs)
    }

    /// A copy of the fields in which the value of each `$name` replaces the name.
    pub fn resolved(&self, bindings: &Bindings) -> Result<Self, String> {
        let word = |word: &String| resolve(word, bindings);
        let item = |item: &Vec<String>| item.iter().map(word).collect::<Result<Vec<_>, String>>();
        let value = |value: &Value| -> Result<Value, String> {
            Ok(match value {
                Value::Flag => Value::Flag,
                Value::Word(text) => Value::Word(word(text)?),
                Value::Items(items) => {
                    Value::Items(items.iter().map(item).collect::<Result<_, String>>()?)
                }
                Value::Records(records) => Value::Records(
                    records
                        .iter()
                        .map(|each| each.resolved(bindings))
                        .collect::<Result<_, String>>()?,
                ),
            })
        };
        let values = self.values.iter().map(|(name, each)| Ok((*name, value(each)?)));
        Ok(Fields {
            head: item(&self.head)?,
            values: values.collect::<Result<_, String>>()?,
            absent: self.absent.clone(),
        })
    }
}

impl Value {
    fn differs(&self, seen: &Value, bindings: &mut Bindings) -> Option<String> {
        match (self, seen) {
            (Value::Flag, Value::Flag) => None,
            (Value::Word(expected), Value::Word(seen)) => {
                (!same(expected, seen, bindings)).then(|| format!("{seen}, not {expected}"))
            }
            (Value::Items(expected), Value::Items(seen)) => {
                let same = expected.len() == seen.len()
                    && expected.iter().zip(seen).all(|(a, b)| same_item(a, b, bindings));
                (!same).then(|| format!("{}, not {}", list(seen), list(expected)))
            }
            (Value::Records(expected), Value::Records(seen)) => {
                if expected.len() != seen.len() {
                    return Some(format!("{} records, not {}", seen.len(), expected.len()));
                }
                expected.iter().zip(seen).find_map(|(a, b)| a.differs(b, bindings))
            }
            _ => unreachable!("one grammar read both"),
        }
    }
}

fn list(items: &[Vec<String>]) -> String {
    items.iter().map(|item| item.join(" ")).collect::<Vec<_>>().join(", ")
}

fn find(grammar: Grammar, word: &str) -> Option<(&'static str, Kind)> {
    grammar.iter().copied().find(|(name, _)| *name == word)
}

fn known(grammar: Grammar, word: &str) -> Result<(&'static str, Kind), String> {
    find(grammar, word).ok_or_else(|| {
        let names: Vec<_> = grammar.iter().map(|(name, _)| *name).collect();
        format!("`{word}` is not known here; expected: {}", names.join(", "))
    })
}

/// Reads the value of a field. Returns the value and the number of words of the value.
fn parse_value(
    name: &str,
    kind: Kind,
    after: &[String],
    grammar: Grammar,
) -> Result<(Value, usize), String> {
    let inner: Grammar = match kind {
        Kind::Flag => return Ok((Value::Flag, 0)),
        Kind::Word => {
            let word = after.first().ok_or(format!("a word must follow `{name}`"))?;
            return Ok((Value::Word(word.clone()), 1));
        }
        Kind::Items => &[],
        Kind::Records(inner) => inner,
    };
    let ends = |word: &String| {
        word == "without" && inner.is_empty()
            || find(grammar, word).is_some() && find(inner, word).is_none()
    };
    let taken = after.iter().position(ends).unwrap_or(after.len());
    let separator = if inner.is_empty() { ',' } else { ';' };
    let parts = separated(&after[..taken], separator);
    if parts.iter().any(Vec::is_empty) {
        return Err(format!("something must follow `{name}`"));
    }
    if inner.is_empty() {
        return Ok((Value::Items(parts), taken));
    }
    let records = parts.iter().map(|part| Fields::parse(part, inner)).collect::<Result<_, _>>()?;
    Ok((Value::Records(records), taken))
}

fn separated(words: &[String], separator: char) -> Vec<Vec<String>> {
    let mut parts = vec![Vec::new()];
    for word in words {
        let (text, ends) = match word.strip_suffix(separator) {
            Some(text) => (text, true),
            None => (word.as_str(), false),
        };
        if let Some(part) = parts.last_mut()
            && !text.is_empty()
        {
            part.push(text.to_owned());
        }
        if ends {
            parts.push(Vec::new());
        }
    }
    parts
}

/// Whether an item is as expected. The expected item may have fewer words than the seen item.
fn same_item(expected: &[String], seen: &[String], bindings: &mut Bindings) -> bool {
    expected.len() <= seen.len()
        && expected.iter().zip(seen).all(|(expected, seen)| same(expected, seen, bindings))
}

/// Whether a word is as expected. `*` matches any word. `!x` matches any word except x. `$name`
/// matches the value of the name; if the name has no value, it matches any word, which becomes the
/// value. An address without a port matches the address with any port.
pub fn same(expected: &str, seen: &str, bindings: &mut Bindings) -> bool {
    if let Some(other) = expected.strip_prefix('!') {
        return !same(other, seen, &mut bindings.clone());
    }
    if let Some(name) = expected.strip_prefix('$') {
        return seen == bindings.entry(name.to_owned()).or_insert_with(|| seen.to_owned()).as_str();
    }
    let address = |word: &str| word.parse::<IpAddr>().ok();
    let socket = |word: &str| word.parse::<SocketAddr>().ok();
    expected == "*"
        || expected == seen
        || number(expected).is_some_and(|expected| number(seen) == Some(expected))
        || address(expected).is_some_and(|ip| {
            address(seen) == Some(ip) || socket(seen).is_some_and(|seen| seen.ip() == ip)
        })
}

fn resolve(word: &str, bindings: &Bindings) -> Result<String, String> {
    match word.strip_prefix('$') {
        Some(name) => {
            bindings.get(name).cloned().ok_or(format!("`${name}` stands for nothing yet"))
        }
        None => Ok(word.to_owned()),
    }
}

/// Reads a number: `17`, `0x11`, or a nonce in the notation of IOS, `0x00000000-0x00000011`.
pub fn number(word: &str) -> Option<u128> {
    let hex = |digits: &str| u128::from_str_radix(digits, 16).ok();
    match word.strip_prefix("0x") {
        None => word.parse().ok(),
        Some(digits) => match digits.split_once("-0x") {
            None => hex(digits),
            Some((high, low)) => Some(hex(high)? << 32 | hex(low)?),
        },
    }
}
