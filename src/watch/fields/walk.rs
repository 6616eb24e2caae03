//! Reads octets, bit by bit, and adds a field at each step.

use std::fmt::Display;

use super::field::{Dissection, Field, Layer};
use crate::watch::packet::hex;

/// The name of a field that describes the problem of damaged octets.
pub const DAMAGE: &str = "Damage";

/// A problem in the octets. The octets after the problem cannot be read.
#[derive(Debug)]
pub struct Damage(pub String);

/// The result of a step: the value of a field, or damage.
pub type Step<T = ()> = Result<T, Damage>;

/// The position in the octets, and the fields before this position.
pub struct Walk<'a> {
    octets: &'a [u8],
    /// The position in bits.
    at: usize,
    /// The end of the part that is read, as an offset in octets.
    end: usize,
    layers: Vec<Layer>,
}

impl<'a> Walk<'a> {
    /// Begins at the first octet.
    pub fn new(octets: &'a [u8]) -> Self {
        Walk { octets, at: 0, end: octets.len(), layers: Vec::new() }
    }

    /// Returns the fields.
    pub fn finish(self) -> Dissection {
        Dissection { layers: self.layers }
    }

    /// Returns the position of the octet in which the next field begins.
    pub fn octet(&self) -> usize {
        self.at / 8
    }

    /// Returns the octets that are not read yet, up to the end of the part.
    pub fn rest(&self) -> &'a [u8] {
        &self.octets[self.octet()..self.end]
    }

    /// Returns the number of octets that are not read yet, up to the end of the part.
    pub fn left(&self) -> usize {
        self.end - self.octet()
    }

    /// Begins a layer. The following fields belong to it.
    pub fn layer(&mut self, name: impl Into<String>, section: &str) {
        let (name, section) = (name.into(), section.to_owned());
        self.layers.push(Layer { name, section, from: self.octet(), len: 0, fields: Vec::new() });
    }

    /// Reads a number that has `bits` bits, at most 64.
    pub fn number(&mut self, name: &str, bits: usize) -> Step<u64> {
        let first = self.octet();
        let (shift, len) = (self.at % 8, (self.at % 8 + bits).div_ceil(8));
        if len > self.left() {
            let left = self.left();
            return Err(Damage(format!(
                "{name} needs {len} octets, but only {left} are left, at octet {first}"
            )));
        }
        let octets = self.octets[first..first + len].iter();
        let wide = octets.fold(0, |wide: u128, octet| wide << 8 | u128::from(*octet));
        let value = wide >> (8 * len - shift - bits) & ((1 << bits) - 1);
        self.push(name, bits, value.to_string());
        Ok(value as u64)
    }

    /// Reads a flag: one bit. `meaning` is the meaning of a set flag.
    pub fn flag(&mut self, name: &str, meaning: &str) -> Step<bool> {
        let set = self.number(name, 1)? == 1;
        if set {
            self.means(meaning);
        }
        Ok(set)
    }

    /// Reads bits that a receiver ignores.
    pub fn reserved(&mut self, bits: usize) -> Step {
        let value = self.number("Reserved", bits)?;
        if value != 0 {
            self.means("A receiver ignores these bits. A sender should clear them.");
        }
        Ok(())
    }

    /// Reads `count` octets.
    pub fn octets(&mut self, name: &str, count: usize) -> Step<&'a [u8]> {
        let octets = self.rest().get(..count).ok_or_else(|| {
            let (left, at) = (self.left(), self.octet());
            Damage(format!("{name} needs {count} octets, but only {left} are left, at octet {at}"))
        })?;
        if count > 0 {
            self.push(name, 8 * count, hex(octets));
        }
        Ok(octets)
    }

    /// Reads all octets up to the end of the part as one field. If there are none, adds no field.
    pub fn to_end(&mut self, name: &str) {
        let bits = 8 * self.end - self.at;
        if bits > 0 {
            let value = hex(self.rest());
            self.push(name, bits, value);
        }
    }

    /// Replaces the value of the last field.
    pub fn shows(&mut self, value: impl Display) {
        if let Some(field) = self.last() {
            field.value = value.to_string();
        }
    }

    /// Sets the meaning of the last field.
    pub fn means(&mut self, meaning: impl Into<String>) {
        if let Some(field) = self.last() {
            field.meaning = Some(meaning.into());
        }
    }

    /// Reads the next `len` octets as a part, with the function `read`. If fewer octets are left,
    /// the part is shorter. If the part is damaged, the octets after the part are still read.
    pub fn part(&mut self, len: usize, read: impl FnOnce(&mut Self) -> Step) {
        let part_end = self.octet() + len.min(self.left());
        let end = std::mem::replace(&mut self.end, part_end);
        match read(self) {
            Ok(()) => self.to_end("Octets after the last field"),
            Err(damage) => self.damage(damage),
        }
        self.end = end;
    }

    /// Adds a field about damage. The field covers all octets up to the end of the part.
    fn damage(&mut self, Damage(problem): Damage) {
        let (from, bits) = (self.octet(), 8 * self.end - self.at);
        let rest = hex(self.rest());
        match bits {
            0 => self.remark(from, problem),
            bits => {
                self.push(DAMAGE, bits, problem);
                self.means(format!("These octets cannot be read: {rest}."));
            }
        }
    }

    /// Adds a field about a problem with another field that could be read. `octet` is the position
    /// of an octet in that other field.
    pub fn remark(&mut self, octet: usize, problem: String) {
        let field = Field {
            name: DAMAGE.to_owned(),
            value: problem,
            from: octet,
            len: 0,
            bits: None,
            meaning: None,
        };
        let layer = self.layers.iter_mut().rev().find(|layer| layer.from <= octet);
        let Some(layer) = layer else { return };
        let after = layer.fields.iter().rposition(|field| field.from <= octet);
        layer.fields.insert(after.map_or(0, |at| at + 1), field);
    }

    fn last(&mut self) -> Option<&mut Field> {
        self.layers.last_mut()?.fields.last_mut()
    }

    fn push(&mut self, name: &str, bits: usize, value: String) {
        if self.layers.is_empty() {
            self.layer("Octets", "");
        }
        let (from, shift) = (self.octet(), self.at % 8);
        self.at += bits;
        let len = self.at.div_ceil(8) - from;
        let shared = shift != 0 || !bits.is_multiple_of(8);
        let field = Field {
            name: name.to_owned(),
            value,
            from,
            len,
            bits: shared.then_some([shift, bits]),
            meaning: None,
        };
        if let Some(layer) = self.layers.last_mut() {
            layer.len = from + len - layer.from;
            layer.fields.push(field);
        }
    }
}
