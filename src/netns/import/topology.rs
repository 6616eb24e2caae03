//! The part of the grammar of containerlab's topology files that `lab export` uses. A key that is
//! not in this part is an error.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::source::Source;
use crate::lab::export::containerlab::{SYSCTLS, TITLE};
use crate::lab::failure::Failure;
use crate::lab::file::{LabError, Span};

/// A topology file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Topology {
    pub name: Spanned<String>,
    pub topology: Body,
}

/// The section `topology`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    #[serde(default)]
    pub defaults: Defaults,
    pub nodes: Pairs<Node>,
    #[serde(default)]
    pub links: Vec<Link>,
}

/// The values for all nodes.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Defaults {
    pub kind: Option<Spanned<String>>,
    pub network_mode: Option<Spanned<String>>,
    #[serde(default)]
    pub sysctls: Pairs<Spanned<i64>>,
    #[serde(default)]
    pub labels: Pairs<Spanned<String>>,
}

/// A node.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Node {
    pub group: Option<Spanned<String>>,
    pub kind: Option<Spanned<String>>,
    pub image: Option<Spanned<String>>,
    #[serde(default)]
    pub sysctls: Pairs<Spanned<i64>>,
    #[serde(default)]
    pub labels: Pairs<Spanned<String>>,
    #[serde(default)]
    pub binds: Vec<Spanned<String>>,
    pub cmd: Option<Spanned<String>>,
    #[serde(default)]
    pub exec: Vec<Spanned<String>>,
}

/// A link.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub endpoints: Spanned<Vec<Spanned<String>>>,
    pub mtu: Option<Spanned<u16>>,
    #[serde(default)]
    pub vars: Pairs<Spanned<Scalar>>,
}

/// The value of a variable of a link.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(untagged)]
pub(super) enum Scalar {
    Truth(bool),
    Whole(i64),
    Number(f64),
    Text(String),
}

/// The entries of a map, in the order of the file, with the positions of the keys.
pub(super) struct Pairs<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Pairs<T> {
    fn default() -> Self {
        Pairs(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Entries<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Pairs<T>, M::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// The position of an item in the text.
pub(super) fn span(location: &Location) -> Span {
    let span = location.span();
    let at = |offset: Option<u64>| offset.and_then(|it| usize::try_from(it).ok()).unwrap_or(0);
    let start = at(span.byte_offset());
    start..start + at(span.byte_len())
}

/// The position of a value in the text.
pub(super) fn place<T>(value: &Spanned<T>) -> Span {
    span(&value.referenced)
}

impl Source<'_> {
    /// Reads the file.
    pub(super) fn parse(&self) -> Result<Topology, Failure> {
        serde_saphyr::from_str(self.text).map_err(|error| {
            let said = error.without_snippet().to_string();
            // The report shows the position, so the position is removed from the message.
            let message = said.rsplit_once(" at line ").map_or(said.as_str(), |(before, _)| before);
            let span = error.location().map(|location| span(&location));
            Failure::File(LabError::new(self.path, self.text, span, message, ""))
        })
    }

    /// Checks the values for all nodes.
    pub(super) fn expect_defaults(&self, topology: &Topology) -> Result<(), Failure> {
        let Defaults { kind, network_mode, sysctls, labels } = &topology.topology.defaults;
        self.expect_linux(kind.as_ref())?;
        if let Some(mode) = network_mode.as_ref().filter(|mode| mode.value != "none") {
            let message = "the nodes of Eidway have no management network";
            return Err(self.error(place(mode), message, "expected `network-mode: none`"));
        }
        self.expect_sysctls(sysctls, &SYSCTLS)?;
        match labels.0.iter().find(|(key, _)| key.value != TITLE) {
            Some((key, _)) => Err(self.unknown_label(key)),
            None => Ok(()),
        }
    }

    /// Returns an error if the kind of a node is given and is not `linux`.
    pub(super) fn expect_linux(&self, kind: Option<&Spanned<String>>) -> Result<(), Failure> {
        match kind.filter(|kind| kind.value != "linux") {
            Some(kind) => {
                let message = format!("Eidway has no nodes of the kind {:?}", kind.value);
                Err(self.error(place(kind), message, "expected linux"))
            }
            None => Ok(()),
        }
    }

    /// Checks the sysctls of the topology file. Each must be in `known`, with the same value.
    pub(super) fn expect_sysctls(
        &self,
        sysctls: &Pairs<Spanned<i64>>,
        known: &[(&str, u8)],
    ) -> Result<(), Failure> {
        for (key, value) in &sysctls.0 {
            let found = known.iter().find(|(name, _)| *name == key.value);
            match found {
                Some((_, expected)) if i64::from(*expected) == value.value => {}
                Some((_, expected)) => {
                    let message = format!("the nodes of a lab have {} = {expected}", key.value);
                    return Err(self.error(place(value), message, ""));
                }
                None => {
                    let message = format!("a lab file cannot have the sysctl {}", key.value);
                    return Err(self.error(place(key), message, ""));
                }
            }
        }
        Ok(())
    }

    pub(super) fn unknown_label(&self, key: &Spanned<String>) -> Failure {
        let message = format!("{:?} is not a label of Eidway", key.value);
        self.error(place(key), message, "")
    }
}
