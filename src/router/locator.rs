//! A locator of a mapping, and the sources that report whether a locator can be reached.

use serde::Serialize;

use crate::addr::Rloc;
use crate::time::Time;

/// A source that reports whether a locator can be reached (RFC 9300 section 10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The R bit of the record (RFC 9301 section 5.4). The bit is valid until the next record
    /// arrives.
    RBit,
    /// The Locator-Status-Bit in a packet from the site of the locator (RFC 9300 section 10). The
    /// bit is valid until the next Locator-Status-Bit or the next record arrives.
    StatusBits,
    /// An ICMP error from the core network.
    Icmp,
    /// The router's kernel, which has no route to the locator.
    Route,
    /// Packets from the locator do not carry the nonce that the locator should echo (RFC 9300
    /// section 10.1).
    EchoNonce,
}

impl Source {
    /// Describes the source in a few words.
    pub fn describe(self) -> &'static str {
        match self {
            Source::RBit => "the R bit of the locator record",
            Source::StatusBits => "a Locator-Status-Bit",
            Source::Icmp => "an ICMP error",
            Source::Route => "the kernel, which has no route",
            Source::EchoNonce => "echo-nonce",
        }
    }
}

/// A locator of a mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Locator {
    /// The address to which packets are encapsulated.
    pub rloc: Rloc,
    /// The locator with the smallest number is preferred. A locator with the number 255 is never
    /// used.
    pub priority: u8,
    /// The weight of the locator. Flows are distributed over the locators of equal priority in
    /// proportion to their weights.
    pub weight: u8,
    /// The position of the locator in the record, which is also the number of its
    /// Locator-Status-Bit (RFC 9300 section 10).
    pub ordinal: u8,
    /// Whether the site reports that the locator is up.
    pub up: bool,
    /// The source of `up`: [`Source::RBit`] or [`Source::StatusBits`].
    #[serde(skip)]
    pub source: Source,
    /// The time at which the locator got its present state in the map-cache entry.
    #[serde(skip)]
    pub since: Time,
}

impl Locator {
    /// Whether this locator and `other` have the same effect on packets.
    pub(super) fn is_like(&self, other: &Locator) -> bool {
        let facts = |locator: &Locator| {
            (locator.rloc, locator.priority, locator.weight, locator.ordinal, locator.up)
        };
        facts(self) == facts(other)
    }
}
