//! The impairments of links: delay, jitter, loss, duplication, reordering, a rate and an MTU.
//!
//! The impairments are keys of a link in a lab file, options of `eidway lab impair`, and words of a
//! scenario:
//!
//! ```text
//! delay 20ms jitter 5ms loss 1% duplicate 0.5% reorder 2% rate 10Mbit mtu 1400
//! ```
//!
//! [`Direction`] decides whether and when each packet in one direction of a link arrives. Both the
//! simulator and the forwarder of labs in namespaces use it, so both treat packets alike.

mod direction;
mod value;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::packet::IPV6_MINIMUM_MTU;
pub use direction::{Counts, Direction, Fate, MOST_OCTETS, MOST_PACKETS};
pub use value::{Delay, Percent, Rate, time};

/// The smallest and the largest MTU of a link in octets: the minimum MTU of IPv6, and the MTU of
/// jumbo frames.
pub const MTUS: std::ops::RangeInclusive<u16> = IPV6_MINIMUM_MTU..=9216;

/// The word for a link without impairments.
pub const NONE: &str = "none";

/// The words of the impairments, with the form of each value. Error messages list them.
const KEYS: &str =
    "delay TIME, jitter TIME, loss N%, duplicate N%, reorder N%, rate N[k|M|G]bit and mtu OCTETS";

/// The impairments of the packets on a link, or on one direction of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Impairment {
    /// `delay`: the delay of each packet.
    pub delay: Duration,
    /// `jitter`: the largest difference between the delay of a packet and `delay`.
    pub jitter: Duration,
    /// `loss`: the percentage of packets that are lost.
    pub loss: f64,
    /// `duplicate`: the percentage of packets that arrive twice.
    pub duplicate: f64,
    /// `reorder`: the percentage of packets that are sent without the delay. These packets overtake
    /// the delayed packets.
    pub reorder: f64,
    /// `rate`: the maximum rate of the frames. `None` if the rate has no limit.
    pub rate: Option<Rate>,
    /// `mtu`: the length in octets of the largest IP packet. `None` if the link has the MTU of the
    /// lab file. The MTU is a setting of the ports at both ends.
    pub mtu: Option<u16>,
}

impl Impairment {
    /// Whether there is no impairment.
    pub fn is_none(&self) -> bool {
        *self == Impairment::default()
    }

    /// Returns an impairment that has only the longest delay and the largest loss of all these
    /// impairments.
    pub fn worst(all: impl Iterator<Item = Impairment>) -> Impairment {
        all.fold(Impairment::default(), |worst, one| Impairment {
            delay: worst.delay.max(one.delay),
            loss: worst.loss.max(one.loss),
            ..worst
        })
    }

    /// Sets the impairment `key` from a text.
    ///
    /// # Errors
    /// There is no impairment with this key, or the value is wrong. The error has the accepted keys
    /// or values.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "delay" => self.delay = value.parse::<Delay>()?.0,
            "jitter" => self.jitter = value.parse::<Delay>()?.0,
            "loss" => self.loss = value.parse::<Percent>()?.0,
            "duplicate" => self.duplicate = value.parse::<Percent>()?.0,
            "reorder" => self.reorder = value.parse::<Percent>()?.0,
            "rate" => self.rate = Some(value.parse()?),
            "mtu" => self.mtu = Some(mtu(value)?),
            _ => {
                return Err(format!(
                    "{key:?} is not an impairment: the impairments are {KEYS}, or {NONE}"
                ));
            }
        }
        Ok(())
    }

    /// Checks that the impairments fit together.
    ///
    /// # Errors
    /// Packets are reordered, but no packet is delayed.
    pub fn check(&self) -> Result<(), String> {
        match self.reorder > 0.0 && self.delay.is_zero() {
            true => Err("reorder is possible only with a delay, because a reordered packet \
                         overtakes delayed packets"
                .to_owned()),
            false => Ok(()),
        }
    }
}

/// Reads an MTU in octets.
fn mtu(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|mtu| MTUS.contains(mtu)).ok_or_else(|| {
        let (low, high) = (MTUS.start(), MTUS.end());
        format!("an MTU from {low} to {high} octets is expected, not {text:?}")
    })
}

impl FromStr for Impairment {
    type Err = String;

    /// Reads the text `none`, or a list of impairments. Each impairment in the list is a word and
    /// then its value.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut impairment = Impairment::default();
        let mut words = text.split_whitespace();
        if text.trim() == NONE {
            return Ok(impairment);
        }
        while let Some(key) = words.next() {
            let value = words.next();
            // If the word is unknown, the error is about the word, and not about its missing value.
            impairment.set(key, value.unwrap_or_default()).map_err(|error| match value {
                None if !error.starts_with('"') => format!("{key} has no value: {error}"),
                _ => error,
            })?;
        }
        impairment.check()?;
        Ok(impairment)
    }
}

impl fmt::Display for Impairment {
    /// Writes the text that [`Impairment::from_str`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str(NONE);
        }
        let Impairment { delay, jitter, loss, duplicate, reorder, rate, mtu } = *self;
        let delays = [("delay", delay), ("jitter", jitter)].into_iter();
        let delays = delays.filter(|(_, delay)| !delay.is_zero());
        let shares = [("loss", loss), ("duplicate", duplicate), ("reorder", reorder)].into_iter();
        let shares = shares.filter(|(_, share)| *share > 0.0);
        let words: Vec<String> = delays
            .map(|(key, delay)| format!("{key} {}", Delay(delay)))
            .chain(shares.map(|(key, share)| format!("{key} {}", Percent(share))))
            .chain(rate.map(|rate| format!("rate {rate}")))
            .chain(mtu.map(|mtu| format!("mtu {mtu}")))
            .collect();
        f.write_str(&words.join(" "))
    }
}

impl From<Impairment> for String {
    fn from(impairment: Impairment) -> Self {
        impairment.to_string()
    }
}

impl TryFrom<String> for Impairment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_an_impairment_are_read_and_written_alike() {
        let text = "delay 20ms jitter 500us loss 1% duplicate 0.5% reorder 2% rate 10Mbit mtu 1400";
        let impairment: Impairment = text.parse().unwrap();
        assert_eq!(impairment.delay, Duration::from_millis(20));
        assert_eq!(impairment.rate.map(Rate::bits), Some(10_000_000));
        assert_eq!(impairment.to_string(), text);
        for text in ["none", "delay 1.5ms", "delay 2s loss 100%", "rate 1500bit"] {
            assert_eq!(text.parse::<Impairment>().unwrap().to_string(), text);
        }
        assert_eq!("loss 1".parse::<Impairment>(), "loss 1%".parse());
    }

    #[test]
    fn a_wrong_impairment_is_refused_with_the_values_that_are_right() {
        for (text, reason) in [
            ("loss 101%", "a percentage from 0% to 100% is expected, not \"101%\""),
            ("loss -1%", "a percentage from 0% to 100%"),
            ("delay -5ms", "a time from 0ms to 60s is expected"),
            ("delay 20", "a time from 0ms to 60s is expected"),
            ("delay", "delay has no value: a time"),
            ("jitter 61s", "a time from 0ms to 60s"),
            ("rate 0Mbit", "a rate from 1kbit to 100Gbit is expected"),
            ("rate 10MB", "a rate"),
            ("mtu 100", "an MTU from 1280 to 9216 octets"),
            ("speed 3", "\"speed\" is not an impairment: the impairments are delay TIME"),
            ("reorder 5%", "reorder is possible only with a delay"),
        ] {
            let error = text.parse::<Impairment>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
