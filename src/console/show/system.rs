//! `show version`, `show clock`, `show running-config` and `show debugging`.

use super::State;
use super::span::{in_words, seconds};
use crate::console::running_config;
use crate::console::view::system::{ClockView, DebuggingView, RunningView, VersionView};
use crate::time::Calendar;

/// The view of the version of the program and its uptime.
pub fn version(State { router, now, .. }: State<'_>) -> VersionView {
    VersionView {
        hostname: host_name(&router.config().hostname).to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime: seconds(now.since(router.started_at())),
    }
}

/// The name of a router. If no name is configured, it is `Router`, as on IOS.
pub fn host_name(configured: &str) -> &str {
    if configured.is_empty() { "Router" } else { configured }
}

/// The text of `show version`.
pub fn version_text(view: &VersionView) -> String {
    let VersionView { hostname, version, uptime } = view;
    let uptime = in_words(*uptime);
    format!("Eidway LISP virtual router, Version {version}\n\n{hostname} uptime is {uptime}\n")
}

/// The view of the clock.
pub fn clock(State { router, now, .. }: State<'_>) -> ClockView {
    ClockView { wall_clock: router.wall_clock(now) }
}

/// The text of `show clock`: `*07:23:36.000 UTC Sat Nov 28 2026`. As on IOS, the star means that no
/// time server has confirmed the time.
pub fn clock_text(view: &ClockView) -> String {
    format!("*{}\n", Calendar::of(view.wall_clock))
}

/// The view of the current configuration.
pub fn running(State { router, .. }: State<'_>) -> RunningView {
    let text = running_config(router.config());
    RunningView { running_config: text.lines().map(str::to_owned).collect() }
}

/// The text of `show running-config`.
pub fn running_text(view: &RunningView) -> String {
    let lines: String = view.running_config.iter().map(|line| format!("{line}\n")).collect();
    let octets = lines.len();
    format!("Building configuration...\n\nCurrent configuration : {octets} bytes\n!\n{lines}")
}

/// The view of the state of debugging.
pub fn debugging(State { router, .. }: State<'_>) -> DebuggingView {
    DebuggingView { lisp_control_plane: router.is_debugging() }
}

/// The text of `show debugging`. It is empty if debugging is off.
pub fn debugging_text(view: &DebuggingView) -> String {
    match view.lisp_control_plane {
        true => "LISP:\n  LISP control plane debugging is on\n".to_owned(),
        false => String::new(),
    }
}

/// The message after the user turns debugging on or off.
pub fn debugging_turned(on: bool) -> &'static str {
    match on {
        true => "LISP control plane debugging is on\n",
        false => "All possible debugging has been turned off\n",
    }
}
