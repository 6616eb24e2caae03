//! `show version`, `show clock`, `show running-config` and `show debugging`.

use super::State;
use super::span::{in_words, seconds};
use crate::console::running_config;
use crate::console::view::system::{ClockView, DebuggingView, RunningView, VersionView};
use crate::time::Calendar;

/// Looks at the program and its uptime.
pub fn version(State { router, now, .. }: State<'_>) -> VersionView {
    VersionView {
        hostname: host_name(&router.config().hostname).to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime: seconds(now.since(router.started_at())),
    }
}

/// The name of a router; `Router` without one, as on IOS.
pub fn host_name(configured: &str) -> &str {
    if configured.is_empty() { "Router" } else { configured }
}

/// `show version`.
pub fn version_text(view: &VersionView) -> String {
    let VersionView { hostname, version, uptime } = view;
    let uptime = in_words(*uptime);
    format!("Eidway LISP virtual router, Version {version}\n\n{hostname} uptime is {uptime}\n")
}

/// Looks at the clock.
pub fn clock(State { router, now, .. }: State<'_>) -> ClockView {
    ClockView { wall_clock: router.wall_clock(now) }
}

/// `show clock`: `*07:23:36.000 UTC Sat Nov 28 2026`. The star says, as on IOS, that no time server
/// vouches for it.
pub fn clock_text(view: &ClockView) -> String {
    format!("*{}\n", Calendar::of(view.wall_clock))
}

/// Writes the configuration in force.
pub fn running(State { router, .. }: State<'_>) -> RunningView {
    let text = running_config(router.config());
    RunningView { running_config: text.lines().map(str::to_owned).collect() }
}

/// `show running-config`.
pub fn running_text(view: &RunningView) -> String {
    let lines: String = view.running_config.iter().map(|line| format!("{line}\n")).collect();
    let octets = lines.len();
    format!("Building configuration...\n\nCurrent configuration : {octets} bytes\n!\n{lines}")
}

/// Looks at the state of debugging.
pub fn debugging(State { router, .. }: State<'_>) -> DebuggingView {
    DebuggingView { lisp_control_plane: router.is_debugging() }
}

/// `show debugging`; nothing when nothing is.
pub fn debugging_text(view: &DebuggingView) -> String {
    match view.lisp_control_plane {
        true => "LISP:\n  LISP control plane debugging is on\n".to_owned(),
        false => String::new(),
    }
}

/// The answer when debugging has been turned on or off.
pub fn debugging_turned(on: bool) -> &'static str {
    match on {
        true => "LISP control plane debugging is on\n",
        false => "All possible debugging has been turned off\n",
    }
}
