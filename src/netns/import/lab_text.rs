//! Makes the text of a lab file from a topology file. If a part of the text comes from the topology
//! file, its position in the topology file is stored.

use std::fmt::{Display, Write};

use toml::Value;

use super::topology::{Scalar, Topology, place};
use crate::lab::export::containerlab::TITLE;
use crate::lab::file::Span;

/// The text of a lab file. For each part that comes from the topology file, `origins` has the
/// position of the part in `text`, and its position in the topology file.
pub(super) struct LabText {
    text: String,
    origins: Vec<(Span, Span)>,
}

impl LabText {
    /// Begins the text with the name and the title of the lab.
    pub(super) fn new(topology: &Topology) -> Self {
        let mut lab = LabText { text: String::new(), origins: Vec::new() };
        lab.add("name = ");
        lab.put(string(&topology.name.value), place(&topology.name));
        lab.add("\n");
        let labels = &topology.topology.defaults.labels.0;
        if let Some((_, title)) = labels.iter().find(|(key, _)| key.value == TITLE) {
            lab.add("title = ");
            lab.put(string(&title.value), place(title));
            lab.add("\n");
        }
        lab
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds a text that comes from no part of the topology file.
    pub(super) fn add(&mut self, text: impl Display) {
        // A write into a `String` never fails.
        let _ = write!(self.text, "{text}");
    }

    /// Adds a text that comes from the part `origin` of the topology file.
    pub(super) fn put(&mut self, text: impl Display, origin: Span) {
        let start = self.text.len();
        self.add(text);
        self.origins.push((start..self.text.len(), origin));
    }

    /// Adds a list. Each element is a text, and the part of the topology file from which the text
    /// comes.
    pub(super) fn put_list(&mut self, elements: impl IntoIterator<Item = (String, Span)>) {
        self.add("[");
        for (number, (element, origin)) in elements.into_iter().enumerate() {
            if number > 0 {
                self.add(", ");
            }
            self.put(element, origin);
        }
        self.add("]");
    }

    /// Returns the part of the topology file from which the text at the position `at` comes. If
    /// `at` is between two such texts, for example in a key, returns the origin of the next text.
    pub(super) fn origin(&self, at: usize) -> Option<Span> {
        let inside = self.origins.iter().find(|(part, _)| part.contains(&at));
        let next = || self.origins.iter().find(|(part, _)| part.start >= at);
        inside.or_else(next).map(|(_, origin)| origin.clone())
    }
}

/// Returns a text as a string of TOML.
pub(super) fn string(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

/// Returns a text as a key of TOML.
pub(super) fn key(text: &str) -> String {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    match !text.is_empty() && text.chars().all(is_bare) {
        true => text.to_owned(),
        false => string(text),
    }
}

/// Returns the value of a variable of a link in the syntax of TOML.
pub(super) fn scalar(value: &Scalar) -> String {
    let value = match value {
        Scalar::Truth(truth) => Value::Boolean(*truth),
        Scalar::Whole(number) => Value::Integer(*number),
        Scalar::Number(number) => Value::Float(*number),
        Scalar::Text(text) => Value::String(text.clone()),
    };
    value.to_string()
}
