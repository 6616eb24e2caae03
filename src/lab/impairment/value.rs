//! The values of impairments, each with its unit: `20ms`, `1%`, `10Mbit`.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// The longest delay of a packet.
const LONGEST: Duration = Duration::from_secs(60);
/// The smallest and the largest rate, in bits per second.
const RATES: std::ops::RangeInclusive<u64> = 1_000..=100_000_000_000;
/// The units of rates, each with its number of bits per second.
const RATE_UNITS: [(&str, u64); 4] =
    [("Gbit", 1_000_000_000), ("Mbit", 1_000_000), ("kbit", 1_000), ("bit", 1)];

/// A delay from zero to a minute: `20ms`, `1.5s` or `500us`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Delay(pub Duration);

/// A percentage from 0 to 100: `1%`, `0.5%`, or the number alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(try_from = "NumberOrText")]
pub struct Percent(pub f64);

/// A rate in bits per second: `10Mbit`, `1.5Gbit` or `64kbit`. It is never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Rate(NonZeroU64);

/// A percentage in a lab file.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a percentage is expected, for example \"1%\"")]
enum NumberOrText {
    Number(f64),
    Text(String),
}

/// Reads a time, for example `50ms`, `1.5s` or `500us`. Returns `None` for any other text.
pub fn time(text: &str) -> Option<Duration> {
    let units = [("ms", 0.001), ("us", 0.000_001), ("s", 1.0)];
    let (number, unit) = split(text, &units)?;
    Duration::try_from_secs_f64(number * unit).ok()
}

/// Splits a text such as `20ms` into a number and a unit. Returns the number, and the value of the
/// unit in `units`.
fn split<T: Copy>(text: &str, units: &[(&str, T)]) -> Option<(f64, T)> {
    let found = units.iter().find_map(|&(unit, value)| Some((text.strip_suffix(unit)?, value)));
    let (number, value) = found?;
    Some((number.parse().ok().filter(|number: &f64| number.is_finite())?, value))
}

impl FromStr for Delay {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let delay = time(text).filter(|delay| *delay <= LONGEST).map(Delay);
        delay.ok_or_else(|| {
            format!("a time from 0ms to 60s is expected, for example 20ms, not {text:?}")
        })
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        match micros {
            0..1_000 if micros > 0 => write!(f, "{micros}us"),
            _ if micros > 0 && micros.is_multiple_of(1_000_000) => {
                write!(f, "{}s", micros / 1_000_000)
            }
            _ => write!(f, "{}ms", micros as f64 / 1000.0),
        }
    }
}

impl FromStr for Percent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix('%').unwrap_or(text).parse::<f64>().ok();
        let percent = number.filter(|number| (0.0..=100.0).contains(number)).map(Percent);
        percent.ok_or_else(|| format!("a percentage from 0% to 100% is expected, not {text:?}"))
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Rate {
    /// Returns the rate in bits per second.
    pub fn bits(self) -> u64 {
        self.0.get()
    }

    /// Returns the time that is needed to send this number of octets.
    pub fn time_for(self, octets: usize) -> Duration {
        let nanos = octets as u128 * 8 * 1_000_000_000 / u128::from(self.bits());
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bits = split(text, &RATE_UNITS).map(|(number, unit)| (number * unit as f64) as u64);
        let rate = bits.filter(|bits| RATES.contains(bits)).and_then(NonZeroU64::new).map(Rate);
        rate.ok_or_else(|| {
            format!("a rate from 1kbit to 100Gbit is expected, for example 10Mbit, not {text:?}")
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = RATE_UNITS.into_iter().find(|(_, unit)| self.bits().is_multiple_of(*unit));
        let (unit, value) = fits.unwrap_or(("bit", 1));
        write!(f, "{}{unit}", self.bits() / value)
    }
}

impl TryFrom<String> for Delay {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<NumberOrText> for Percent {
    type Error = String;

    fn try_from(value: NumberOrText) -> Result<Self, String> {
        match value {
            NumberOrText::Number(number) => number.to_string().parse(),
            NumberOrText::Text(text) => text.parse(),
        }
    }
}

/// Implements the JSON schema for the type of a value in a lab file. The schema is written in each
/// place where the type is used, and not as a separate definition.
macro_rules! schema {
    ($value:ident: $schema:tt) => {
        impl JsonSchema for $value {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($value).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

schema!(Delay: { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(us|ms|s)$" });
schema!(Percent: {
    "anyOf": [
        { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%?$" },
        { "type": "number", "minimum": 0, "maximum": 100 }
    ]
});
schema!(Rate: { "type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?[kMG]?bit$" });
