//! The data of `show version`, `show clock`, `show running-config` and `show debugging`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::router::debugging::DebugType;
use crate::time::Calendar;

/// The data of `show version`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VersionView {
    /// The name of the router.
    pub hostname: String,
    /// The version of this program.
    pub version: String,
    /// Seconds since the start of the program.
    pub uptime: u64,
}

/// The data of `show clock`. The JSON also contains the line that IOS prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(from = "ClockJson", into = "ClockJson")]
pub struct ClockView {
    /// Microseconds since 1970, UTC.
    pub wall_clock: u64,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct ClockJson {
    clock: String,
    wall_clock: u64,
}

impl From<ClockView> for ClockJson {
    fn from(ClockView { wall_clock }: ClockView) -> Self {
        ClockJson { clock: format!("*{}", Calendar::of(wall_clock)), wall_clock }
    }
}

impl From<ClockJson> for ClockView {
    fn from(ClockJson { wall_clock, .. }: ClockJson) -> Self {
        ClockView { wall_clock }
    }
}

/// The data of `show running-config`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunningView {
    /// The lines of the configuration.
    pub running_config: Vec<String>,
}

/// The data of `show debugging`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DebuggingView {
    /// Whether `debug lisp control-plane all` is on.
    pub lisp_control_plane: bool,
    /// The kinds of debug lines that are on.
    pub types: Vec<DebugType>,
}
