//! The words that scripts are made of: a phrase is a name, a head, fields, and after
//! `: ` a phrase within it.
//!
//! `control 203.0.113.11 > 198.51.100.21: Map-Reply nonce $n for 172.16.0.0/24 TTL 1440` is a
//! phrase with a phrase within. A router's outputs are written in the same words (`wire::show`
//! writes messages so), so that one parser reads both, and a failure shows a line that could stand in
//! the script.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// The operand of a word.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Nothing: it is there or not.
    Flag,
    /// One word.
    Word,
    /// Items of one word or more, with commas between.
    Items,
    /// Records, with semicolons between: a head and the fields of this grammar each.
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

/// A head and fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    pub head: Vec<String>,
    values: BTreeMap<&'static str, Value>,
    /// `without WORD`: fields that must not be there.
    absent: Vec<&'static str>,
}

/// The values of `$name`.
pub type Bindings = BTreeMap<String, String>;

/// Splits at blanks; `[7] 10.0.0.0/8` is one word, `[7]10.0.0.0/8`.
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
    /// Reads a head, up to the first word of the grammar, and fields.
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

    /// The first field in which `seen` differs from the expected fields.
    pub fn differs(&self, seen: &Fields, bindings: &mut Bindings) -> Option<String> {
        if !self.head.is_empty() && !same_item(&self.head, &seen.head, bindings) {
            return Some(format!("`{}`, not `{}`", seen.head.join(" "), self.head.join(" ")));
        }
        if let Some(absent) = self.absent.iter().find(|name| seen.values.contains_key(*name)) {
            return Some(format!("`{absent}` is there"));
        }
        // The secret is not written in a message: the signature is looked at elsewhere.
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

    /// The same with each `$name` replaced by its value.
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

/// Reads the operand of a word; returns it and how many words it took.
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

/// An item may be written shorter than it is seen.
fn same_item(expected: &[String], seen: &[String], bindings: &mut Bindings) -> bool {
    expected.len() <= seen.len()
        && expected.iter().zip(seen).all(|(expected, seen)| same(expected, seen, bindings))
}

/// `*` is anything, `!x` anything but x, `$name` its value, or if it has none, anything, which
/// becomes its value; an address without port is that address with any port.
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

/// `17`, `0x11`, or a nonce as IOS writes it: `0x00000000-0x00000011`.
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
