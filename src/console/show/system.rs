//! `show version`, `show clock`, `show running-config` and `show debugging`.

use super::State;
use super::span::{in_words, seconds};
use crate::console::running_config;
use crate::console::view::system::{ClockView, DebuggingView, RunningView, VersionView};
use crate::router::config::InterfaceName;
use crate::router::debugging::{DebugType, Debugging};
use crate::time::Calendar;

/// The view of the version of the program and the uptime of the router.
pub fn version(State { router, now, .. }: State<'_>) -> VersionView {
    VersionView {
        hostname: host_name(&router.config().hostname).to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        uptime: seconds(now.since(router.started_at())),
    }
}

/// The name of a router. The default is `Router`, as on IOS.
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

/// The view of the whole configuration, or of the interface `only`.
pub fn running_part(state: State<'_>, only: Option<InterfaceName>) -> RunningView {
    let RunningView { running_config: lines } = running(state);
    let Some(name) = only else {
        return RunningView { running_config: lines };
    };
    let first = format!("interface {name}");
    let mut lines: Vec<String> = lines
        .into_iter()
        .skip_while(|line| *line != first)
        .take_while(|line| *line != "!")
        .collect();
    lines.push("end".to_owned());
    RunningView { running_config: lines }
}

/// The text of `show running-config section`: the lines, without the head of `show running-config`.
pub fn section_text(view: &RunningView) -> String {
    view.running_config.iter().map(|line| format!("{line}\n")).collect()
}

/// The text of `show running-config`.
pub fn running_text(view: &RunningView) -> String {
    let lines: String = view.running_config.iter().map(|line| format!("{line}\n")).collect();
    let octets = lines.len();
    format!("Building configuration...\n\nCurrent configuration : {octets} bytes\n!\n{lines}")
}

/// The view of the state of debugging.
pub fn debugging(State { router, .. }: State<'_>) -> DebuggingView {
    let on = router.debugging();
    DebuggingView {
        lisp_control_plane: on.has_all(Debugging::CONTROL_PLANE),
        types: on.types().collect(),
    }
}

/// The text of `show debugging`. It is empty if debugging is off.
pub fn debugging_text(view: &DebuggingView) -> String {
    let mut lines = String::new();
    if view.lisp_control_plane {
        lines += "  LISP control plane debugging is on\n";
    }
    for kind in &view.types {
        if !view.lisp_control_plane || *kind == DebugType::Forwarding {
            lines += &format!("  {} debugging is on\n", subject(*kind));
        }
    }
    if lines.is_empty() { lines } else { format!("LISP:\n{lines}") }
}

/// The subject of a kind of debug lines, as `show debugging` names it.
fn subject(kind: DebugType) -> String {
    match kind {
        DebugType::Forwarding => "LISP forwarding".to_owned(),
        kind => format!("LISP control plane {}", kind.word()),
    }
}

/// The message that is printed after the user has turned kinds of debug lines on or off. `left` is
/// the set of the kinds that are on now.
pub fn debugging_turned(types: Debugging, on: bool, left: Debugging) -> String {
    if !on && left == Debugging::default() {
        return "All possible debugging has been turned off\n".to_owned();
    }
    let state = if on { "on" } else { "off" };
    let mut text = String::new();
    if types.has_all(Debugging::CONTROL_PLANE) {
        text += &format!("LISP control plane debugging is {state}\n");
    }
    for kind in types.types() {
        if !types.has_all(Debugging::CONTROL_PLANE) || kind == DebugType::Forwarding {
            text += &format!("{} debugging is {state}\n", subject(kind));
        }
    }
    text
}
