//! The data of a dissection.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The fields of octets, in the order of the octets.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dissection {
    /// The layers. Each layer begins where the layer before it ends.
    pub layers: Vec<Layer>,
}

/// A header, or a part of a message that has its own diagram in the standard, for example a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Layer {
    /// The name.
    pub name: String,
    /// The standard and the section with the diagram.
    pub section: String,
    /// The position of the first octet of the layer.
    pub from: usize,
    /// The number of octets of the layer.
    pub len: usize,
    /// The fields, in the order of their bits.
    pub fields: Vec<Field>,
}

/// A field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// The name in the standard.
    pub name: String,
    /// The value.
    pub value: String,
    /// The position of the first octet that has a bit of the field.
    pub from: usize,
    /// The number of octets that have a bit of the field. It is 0 for a remark on an octet.
    pub len: usize,
    /// The first bit, counted from the high-order bit of the octet `from`, and the number of bits.
    /// Absent if the field consists of whole octets.
    pub bits: Option<[usize; 2]>,
    /// The meaning of the value in a sentence.
    pub meaning: Option<String>,
}

impl Dissection {
    /// Returns all fields, in the order of the octets.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.layers.iter().flat_map(|layer| &layer.fields)
    }
}
