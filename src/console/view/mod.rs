//! The views: the content of each `show` command as plain data.
//!
//! A view contains values, but no printed text. The module [`show`](super::show) fills a view from
//! a router and prints it in the format of IOS. `show ... json` writes the view as JSON, and a
//! reader of this JSON gets an equal view. A reader in another process uses the same types as the
//! writer. So the compiler finds all uses of a field if the field is renamed.

pub mod absent;
pub mod away;
pub mod census;
pub mod database;
pub mod drops;
pub mod dynamic_eid;
pub mod emulated_hosts;
pub mod fast_path;
pub mod history;
pub mod host_names;
pub mod interfaces;
pub mod lisp;
pub mod machine;
pub mod map_cache;
pub mod neighbours;
pub mod packet;
pub mod refusals;
pub mod router_lisp;
pub mod routes;
pub mod sessions;
pub mod site;
pub mod site_summary;
pub mod statistics;
pub mod system;

use std::fmt::{self, Debug};
use std::net::IpAddr;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::addr::{Family, InstanceId};
use crate::router::config::Config;

/// A view. If a view is written as JSON and read again, the result equals the view.
pub trait View: Serialize + DeserializeOwned + JsonSchema + PartialEq + Debug + Clone {}

impl<V: Serialize + DeserializeOwned + JsonSchema + PartialEq + Debug + Clone> View for V {}

/// A table: a head and rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "TableOf{R}")]
pub struct Listing<H, R> {
    /// The fields that are printed above the rows.
    #[serde(flatten)]
    pub head: H,
    /// The rows.
    pub entries: Vec<R>,
}

/// The head of a table of EID prefixes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TableHead {
    /// The family of the EIDs.
    pub family: Family,
    /// The EID-table of the instance.
    pub eid_table: EidTableName,
    /// The instance.
    pub instance_id: InstanceId,
    /// The number of entries of the table.
    pub total: usize,
}

/// The name of an EID-table. Its text is `default` or `vrf NAME`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", from = "String")]
pub enum EidTableName {
    /// The EID-table of `eid-table default`.
    #[default]
    Default,
    /// The EID-table of `eid-table vrf NAME`.
    Vrf(String),
}

impl EidTableName {
    /// The EID-table of an instance.
    pub fn of(config: &Config, instance_id: InstanceId) -> Self {
        let lisp = config.lisp.as_ref();
        let table = lisp.and_then(|lisp| lisp.eid_tables.get(&instance_id));
        let vrf = table.and_then(|table| table.vrf.clone());
        vrf.map_or(EidTableName::Default, EidTableName::Vrf)
    }

    /// The name of the VRF. The name of the default routing table is `default`.
    pub fn vrf(&self) -> &str {
        match self {
            EidTableName::Default => DEFAULT_VRF,
            EidTableName::Vrf(name) => name,
        }
    }
}

/// The name of the default routing table.
const DEFAULT_VRF: &str = "default";

impl fmt::Display for EidTableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EidTableName::Default => f.write_str(DEFAULT_VRF),
            EidTableName::Vrf(name) => write!(f, "vrf {name}"),
        }
    }
}

impl From<EidTableName> for String {
    fn from(name: EidTableName) -> Self {
        name.to_string()
    }
}

impl From<String> for EidTableName {
    fn from(text: String) -> Self {
        match text.strip_prefix("vrf ") {
            Some(name) => EidTableName::Vrf(name.to_owned()),
            None => EidTableName::Default,
        }
    }
}

/// The answer to a refused command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The reason for the refusal, as a sentence.
    pub error: String,
}

/// The address of a locator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum LocatorAddress {
    /// An IP address.
    Ip(IpAddr),
    /// An address that is not an IP address. The text has the format of the debug lines. A text of
    /// more than 40 characters is cut.
    Opaque(String),
}

impl fmt::Display for LocatorAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LocatorAddress::Ip(ip) => fmt::Display::fmt(ip, f),
            LocatorAddress::Opaque(text) => f.write_str(text),
        }
    }
}

/// An xTR-ID (RFC 9301 section 5.6): `0x50E5AAE2-0xDBB7E2DF-0x761B5EE7-0xE174F775`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, JsonSchema)]
pub struct XtrId(#[schemars(with = "String")] pub u128);

impl fmt::Display for XtrId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [96, 64, 32, 0].map(|shift| format!("0x{:08X}", (self.0 >> shift) as u32));
        f.write_str(&words.join("-"))
    }
}

impl FromStr for XtrId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = |word: &str| u32::from_str_radix(word.strip_prefix("0x")?, 16).ok();
        let words: Option<Vec<u32>> = text.split('-').map(word).collect();
        match words.as_deref() {
            Some(&[a, b, c, d]) => {
                Ok(XtrId([a, b, c, d].iter().fold(0, |id, &word| id << 32 | u128::from(word))))
            }
            _ => Err(format!("{text:?} is not an xTR-ID: four words in hexadecimal are expected")),
        }
    }
}

impl Serialize for XtrId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        as_text::serialize(self, to)
    }
}

impl<'de> Deserialize<'de> for XtrId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        as_text::deserialize(from)
    }
}

/// Writes a value as a string in JSON. The string has the notation of `Display` and `FromStr`.
mod as_text {
    use super::{Deserialize, Deserializer, Error, FromStr, Serializer, fmt};

    pub fn serialize<T: fmt::Display, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(value)
    }

    pub fn deserialize<'de, T, D>(from: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: fmt::Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_xtr_id_is_read_as_it_is_written() {
        for id in [0, 1, 0x50e5_aae2_dbb7_e2df_761b_5ee7_e174_f775, u128::MAX] {
            let json = serde_json::to_string(&XtrId(id)).unwrap();
            assert_eq!(serde_json::from_str::<XtrId>(&json).unwrap(), XtrId(id), "{json}");
        }
        assert_eq!(XtrId(1 << 96).to_string(), "0x00000001-0x00000000-0x00000000-0x00000000");
        for text in ["", "0x1", "0x1-0x2-0x3-0x4-0x5", "1-2-3-4", "0x1-0x2-0x3-0x100000000"] {
            assert!(text.parse::<XtrId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_opaque_locator_is_a_string_that_is_no_ip_address() {
        for (json, address) in [
            ("\"10.0.0.1\"", LocatorAddress::Ip("10.0.0.1".parse().unwrap())),
            ("\"AFI 17\"", LocatorAddress::Opaque("AFI 17".to_owned())),
        ] {
            assert_eq!(serde_json::from_str::<LocatorAddress>(json).unwrap(), address);
            assert_eq!(serde_json::to_string(&address).unwrap(), json);
        }
    }
}
