//! The display-filter language of Wireshark. This module has only the parts of the language that
//! queries about a lab need.
//!
//! ```text
//! lisp.type == 8 && !(ip.dst == 10.0.0.0/8) and udp.port in {4341, 4342}
//! ```
//!
//! A field alone tests whether the field is present. A field may have several values. The operators
//! `==`, `<`, `<=`, `>` and `>=` are true if at least one value matches. The operator `!=` is true
//! if the field is present and all its values differ from the operand, as in Wireshark since
//! version 4.0.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;

use super::dissect::Dissection;
use super::field::{Field, Kind, UnknownField, Value};

/// The maximum number of levels of nested brackets and negations.
const MAX_DEPTH: usize = 32;

/// A parsed filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// This filter is true if the field is present.
    Has(&'static str),
    /// This filter is true if the comparison of the field with the operand is true.
    Is(&'static str, Comparison, Operand),
    /// This filter is true if the field has one of these values.
    OneOf(&'static str, Vec<Operand>),
    /// This filter is true if the inner filter is false.
    Not(Box<Filter>),
    /// This filter is true if both inner filters are true.
    And(Box<Filter>, Box<Filter>),
    /// This filter is true if one or both inner filters are true.
    Or(Box<Filter>, Box<Filter>),
}

/// The operator of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
}

/// A value with which a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// A number or a flag.
    Number(u64),
    /// A network that contains the address of the field. A single address is a network too.
    Network(IpNet),
}

/// The reason why a text is not a filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The filter has an unknown field.
    #[error(transparent)]
    Unknown(#[from] UnknownField),
    /// The syntax is wrong.
    #[error("the display filter needs {expected}, but it has {found} here")]
    Syntax {
        /// A description of the expected text.
        expected: &'static str,
        /// The text that the filter has in this place.
        found: String,
    },
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut parser = Parser { words: words(text), at: 0 };
        let filter = parser.any(0)?;
        match parser.peek() {
            None => Ok(filter),
            Some(_) => Err(parser.fault("&&, || or the end")),
        }
    }
}

impl Filter {
    /// Whether a packet matches the filter.
    pub fn passes(&self, packet: &Dissection) -> bool {
        match self {
            Filter::Has(field) => packet.values(field).next().is_some(),
            Filter::Is(field, Comparison::Unequal, operand) => {
                let mut values = packet.values(field).peekable();
                values.peek().is_some()
                    && values.all(|value| !holds(value, Comparison::Equal, *operand))
            }
            Filter::Is(field, comparison, operand) => {
                packet.values(field).any(|value| holds(value, *comparison, *operand))
            }
            Filter::OneOf(field, operands) => packet.values(field).any(|value| {
                operands.iter().any(|&operand| holds(value, Comparison::Equal, operand))
            }),
            Filter::Not(filter) => !filter.passes(packet),
            Filter::And(a, b) => a.passes(packet) && b.passes(packet),
            Filter::Or(a, b) => a.passes(packet) || b.passes(packet),
        }
    }
}

fn holds(value: Value, comparison: Comparison, operand: Operand) -> bool {
    let order = match (value, operand) {
        (Value::Number(number), Operand::Number(other)) => number.cmp(&other),
        (Value::Address(address), Operand::Network(net)) if net.contains(&address) => {
            std::cmp::Ordering::Equal
        }
        (Value::Address(address), Operand::Network(net)) => address.cmp(&net.addr()),
        _ => return false,
    };
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::AtMost => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::AtLeast => order.is_ge(),
    }
}

/// Splits a text into operators, brackets and words. Spaces separate words.
fn words(text: &str) -> Vec<&str> {
    const SIGNS: [&str; 14] =
        ["&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "(", ")", "{", "}", ","];
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
        let ends = |(at, c): (usize, char)| {
            let ends = c.is_whitespace() || "&|=!<>(){},".contains(c);
            (ends && at > 0).then_some(at)
        };
        let len = match sign {
            Some(sign) => sign.len(),
            None => rest.char_indices().find_map(ends).unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at(len);
        words.push(word);
        rest = behind.trim_start();
    }
    words
}

struct Parser<'a> {
    words: Vec<&'a str>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, wanted: &[&str]) -> bool {
        let found = self.peek().is_some_and(|word| wanted.contains(&word));
        self.at += usize::from(found);
        found
    }

    fn next(&mut self, expected: &'static str) -> Result<&'a str, FilterError> {
        let word = self.peek().ok_or_else(|| self.fault(expected))?;
        self.at += 1;
        Ok(word)
    }

    fn fault(&self, expected: &'static str) -> FilterError {
        let found = self.peek().map_or("the end".to_owned(), |word| format!("{word:?}"));
        FilterError::Syntax { expected, found }
    }

    fn any(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut filter = self.all(depth)?;
        while self.take(&["||", "or"]) {
            filter = Filter::Or(Box::new(filter), Box::new(self.all(depth)?));
        }
        Ok(filter)
    }

    fn all(&mut self, depth: usize) -> Result<Filter, FilterError> {
        let mut filter = self.one(depth)?;
        while self.take(&["&&", "and"]) {
            filter = Filter::And(Box::new(filter), Box::new(self.one(depth)?));
        }
        Ok(filter)
    }

    fn one(&mut self, depth: usize) -> Result<Filter, FilterError> {
        if depth > MAX_DEPTH {
            return Err(self.fault("fewer nested brackets and negations"));
        }
        if self.take(&["!", "not"]) {
            return Ok(Filter::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take(&["("]) {
            let filter = self.any(depth + 1)?;
            return match self.take(&[")"]) {
                true => Ok(filter),
                false => Err(self.fault(")")),
            };
        }
        let field = Field::find(self.next("a field")?)?;
        if self.take(&["in"]) {
            return self.one_of(field);
        }
        let comparison = match self.peek() {
            Some("==" | "eq") => Comparison::Equal,
            Some("!=" | "ne") => Comparison::Unequal,
            Some("<" | "lt") => Comparison::Less,
            Some("<=" | "le") => Comparison::AtMost,
            Some(">" | "gt") => Comparison::Greater,
            Some(">=" | "ge") => Comparison::AtLeast,
            _ => return Ok(Filter::Has(field.name)),
        };
        self.at += 1;
        Ok(Filter::Is(field.name, comparison, self.operand(field)?))
    }

    fn one_of(&mut self, field: &Field) -> Result<Filter, FilterError> {
        if !self.take(&["{"]) {
            return Err(self.fault("{"));
        }
        let mut operands = vec![self.operand(field)?];
        while !self.take(&["}"]) {
            self.take(&[","]);
            operands.push(self.operand(field)?);
        }
        Ok(Filter::OneOf(Field::find(field.name)?.name, operands))
    }

    fn operand(&mut self, field: &Field) -> Result<Operand, FilterError> {
        let (expected, operand) = match (field.kind, self.peek()) {
            (Kind::Ipv4, word) => ("an IPv4 address", word.and_then(network)),
            (Kind::Ipv6, word) => ("an IPv6 address", word.and_then(network)),
            (Kind::Flag, Some("true" | "True" | "TRUE")) => ("", Some(Operand::Number(1))),
            (Kind::Flag, Some("false" | "False" | "FALSE")) => ("", Some(Operand::Number(0))),
            (Kind::Presence, _) => ("a field instead of a protocol", None),
            (_, word) => ("a number", word.and_then(number)),
        };
        let fits = match (field.kind, operand) {
            (Kind::Ipv4, Some(Operand::Network(net))) => net.addr().is_ipv4(),
            (Kind::Ipv6, Some(Operand::Network(net))) => net.addr().is_ipv6(),
            _ => true,
        };
        let operand = operand.filter(|_| fits).ok_or_else(|| self.fault(expected))?;
        self.at += 1;
        Ok(operand)
    }
}

fn network(word: &str) -> Option<Operand> {
    let net = match word.parse::<IpAddr>() {
        Ok(address) => address.into(),
        Err(_) => word.parse::<IpNet>().ok()?,
    };
    Some(Operand::Network(net))
}

fn number(word: &str) -> Option<Operand> {
    let number = match word.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => word.parse(),
    };
    number.ok().map(Operand::Number)
}
