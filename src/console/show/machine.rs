//! The `show` commands about the machine of a router: `show logging`, `show users`, `show history`,
//! `show startup-config`, `dir`, `show processes`, `show memory`, `show inventory`, `show ip
//! traffic` and others.

use std::fmt::Write;

use super::columns::Columns;
use super::span::{seconds, span};
use super::xe::absent::NO_ROUTING_PROTOCOL;
use super::{State, sessions};
use crate::console::flash::{self, NO_FLASH, error_opening};
use crate::console::machine::{LOG_LINES, LogLine, Startup, Usage, User};
use crate::console::view::XtrId;
use crate::console::view::machine::{
    AliasView, FileRow, FilesView, FlashView, HistoryView, InventoryView, LoggingView,
    PrivilegeView, ProcessView, StartupView, TerminalView, TrafficView, UsersView, VrfView,
};
use crate::console::view::sessions::{SessionRow, SessionsView};
use crate::router::session::SessionState;
use crate::time::Calendar;

/// The reason why a router has no startup configuration.
pub const NO_FILE: &str =
    "this router was started without a file, so it has no startup configuration";

/// The view of the latest lines of the log.
pub fn logging(State { hosts, .. }: State<'_>) -> LoggingView {
    let lines = hosts.machine().map(|machine| machine.log()).unwrap_or_default();
    LoggingView { capacity: LOG_LINES, lines }
}

/// The text of `show logging`.
pub fn logging_text(view: &LoggingView) -> String {
    let LoggingView { capacity, lines } = view;
    let number = lines.len();
    let mut text = format!(
        "Syslog logging: enabled\n    Console logging: disabled\n    Monitor logging: level \
         debugging\n    Buffer logging:  level informational, {number} messages logged\n\nLog \
         Buffer ({capacity} lines):\n\n"
    );
    for LogLine { wall_clock, is_warning, text: line } in lines {
        let severity = if *is_warning { "4-WARNING" } else { "5-NOTICE" };
        let _ = writeln!(text, "{}%LISP-{severity}: {line}", Calendar::stamp(*wall_clock));
    }
    text
}

/// The view of the sessions at the console.
pub fn users(State { hosts, .. }: State<'_>) -> UsersView {
    let own = || vec![User { line: 0, is_own: true, idle: 0 }];
    UsersView { users: hosts.machine().map_or_else(own, |machine| machine.users()) }
}

/// The text of `show users`.
pub fn users_text(view: &UsersView) -> String {
    let mut text =
        "    Line       User       Host(s)              Idle       Location\n".to_owned();
    for User { line, is_own, idle } in &view.users {
        let star = if *is_own { '*' } else { ' ' };
        let name = format!("con {line}");
        let _ = writeln!(text, "{star}{line:>3} {name:21} {:20} {}", "idle", span(*idle));
    }
    text
}

/// The view of the latest lines of this session.
pub fn history(State { history, .. }: State<'_>) -> HistoryView {
    HistoryView { history: history.iter().cloned().collect() }
}

/// The text of `show history`.
pub fn history_text(view: &HistoryView) -> String {
    view.history.iter().map(|line| format!("  {line}\n")).collect()
}

fn startup_file(State { hosts, .. }: State<'_>) -> Result<Startup, String> {
    match hosts.machine() {
        Some(machine) => machine.startup(),
        None => Err(NO_FILE.to_owned()),
    }
}

/// The view of the startup configuration.
pub fn startup(state: State<'_>) -> StartupView {
    match startup_file(state) {
        Ok(Startup { text, .. }) => {
            let lines = text.lines().map(str::to_owned).collect();
            StartupView { startup_config: Some(lines), reason: None }
        }
        Err(why) => StartupView { startup_config: None, reason: Some(why) },
    }
}

/// The text of `show startup-config`.
pub fn startup_text(view: &StartupView) -> String {
    match &view.startup_config {
        None => {
            let why = view.reason.as_deref().unwrap_or_default();
            format!("startup-config is not present: {why}\n")
        }
        Some(lines) => {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            let octets = text.len();
            format!("Using {octets} bytes\n!\n{text}")
        }
    }
}

/// The view of the files of the router.
pub fn files(state: State<'_>) -> FilesView {
    let row = |Startup { path: (directory, name), text, modified }| FileRow {
        directory,
        name,
        size: text.len(),
        modified,
    };
    let (startup, reason) = match startup_file(state) {
        Ok(startup) => (Some(row(startup)), None),
        Err(why) => (None, Some(why)),
    };
    let (flash, flash_reason) = match flash_files(state) {
        Ok(flash) => (Some(flash), None),
        Err(why) => (None, Some(why)),
    };
    FilesView { startup, reason, flash, flash_reason }
}

fn flash_files(State { hosts, .. }: State<'_>) -> Result<FlashView, String> {
    let storage = hosts.machine().and_then(|machine| machine.storage()).ok_or(NO_FLASH)?;
    let files = storage.list()?;
    let free = flash::free(&files);
    let row = |flash::File { name, size, modified }| FileRow {
        directory: "flash:".to_owned(),
        name: name.as_str().to_owned(),
        size,
        modified,
    };
    let files = files.into_iter().map(row).collect();
    Ok(FlashView { place: storage.place(), capacity: flash::CAPACITY, free, files })
}

/// The text for the time of the latest change of a file, as on IOS. The text is empty if the time
/// is not known.
fn time_of(modified: Option<u64>) -> String {
    modified.map_or_else(String::new, |at| {
        let Calendar { year, month, day, hour, minute, second, .. } = Calendar::of(at);
        format!("{month} {day:02} {year} {hour:02}:{minute:02}:{second:02} +00:00")
    })
}

/// A line of `dir`.
fn dir_line(number: usize, FileRow { name, size, modified, .. }: &FileRow) -> String {
    format!("{number:>5}  -rw-  {size:>12}  {:27}  {name}\n", time_of(*modified))
}

/// The text of `dir`: the files in `flash:`.
pub fn dir_text(view: &FilesView) -> String {
    let Some(FlashView { capacity, free, files, .. }) = &view.flash else {
        let why = view.flash_reason.as_deref().unwrap_or_default();
        return error_opening(&"flash:/", why);
    };
    let mut text = "Directory of flash:/\n\n".to_owned();
    for (row, number) in files.iter().zip(1..) {
        text += &dir_line(number, row);
    }
    if files.is_empty() {
        text += "No files in directory\n";
    }
    text + &format!("\n{capacity} bytes total ({free} bytes free)\n")
}

/// The text of `dir nvram:`: the startup configuration as a file.
pub fn dir_nvram_text(view: &FilesView) -> String {
    match &view.startup {
        None => error_opening(&"nvram:/", view.reason.as_deref().unwrap_or_default()),
        Some(row) => format!("Directory of {}/\n\n{}", row.directory, dir_line(1, row)),
    }
}

/// The text of `show flash:`.
pub fn show_flash_text(view: &FilesView) -> String {
    let Some(FlashView { capacity, free, files, .. }) = &view.flash else {
        return dir_text(view);
    };
    let mut text = "-#- --length-- -----date/time------ path\n".to_owned();
    for (FileRow { name, size, modified, .. }, number) in files.iter().zip(1..) {
        let _ = writeln!(text, "{number:<3} {size:>10} {} /flash/{name}", time_of(*modified));
    }
    text + &format!("\n{free} bytes available ({} bytes used)\n", capacity - free)
}

/// The text of `show file systems`.
pub fn file_systems_text(view: &FilesView) -> String {
    let columns = Columns::of([16, 14, 11, 7, 0]);
    let mut text = "File Systems:\n\n".to_owned();
    text += &columns.line(["       Size(b)", "     Free(b)", "    Type", "Flags", "Prefixes"]);
    text += &columns.line(["             -", "           -", "  opaque", "   rw", "system:"]);
    text += &match &view.flash {
        Some(FlashView { place, capacity, free, .. }) => columns.line([
            &format!("*{capacity:>13}"),
            &format!("{free:>12}"),
            "    disk",
            "   rw",
            &format!("flash: bootflash: ({place})"),
        ]),
        None => {
            let why = view.flash_reason.as_deref().unwrap_or_default();
            let name = format!("flash: ({why})");
            columns.line(["*            -", "           -", "    disk", "   rw", &name])
        }
    };
    let name = match &view.startup {
        Some(FileRow { directory, name, .. }) => format!("nvram: ({directory}/{name})"),
        None => format!("nvram: ({})", view.reason.as_deref().unwrap_or_default()),
    };
    text + &columns.line(["             -", "           -", "   nvram", "   rw", &name])
}

/// The view of the process.
pub fn process(State { router, hosts, now, .. }: State<'_>) -> ProcessView {
    ProcessView {
        uptime: seconds(now.since(router.started_at())),
        usage: hosts.machine().and_then(|machine| machine.usage()),
    }
}

const NO_PROCESS: &str =
    "This router is simulated: it has no process of its own, so there are no values to show.\n";

/// The text of `show processes cpu`.
pub fn cpu_text(view: &ProcessView) -> String {
    let Some(Usage { pid, cpu_ms, kernel_ms, .. }) = &view.usage else {
        return NO_PROCESS.to_owned();
    };
    let percent = *cpu_ms as f64 / 10.0 / view.uptime.max(1) as f64;
    format!(
        "CPU utilization since the start of the router: {percent:.2}%\n PID Runtime(ms)  \
         Kernel(ms)  Process\n{pid:>4} {cpu_ms:>11} {kernel_ms:>11}  eidway router\n"
    )
}

/// The text of `show memory` and `show processes memory`.
pub fn memory_text(view: &ProcessView) -> String {
    let Some(Usage { pid, resident, .. }) = &view.usage else {
        return NO_PROCESS.to_owned();
    };
    format!(
        "Processor memory used: {resident} bytes\n PID     Holding  Process\n{pid:>4} \
         {resident:>11}  eidway router\n"
    )
}

/// The view of the version, the serial number and the interfaces of the router.
pub fn inventory(State { router, .. }: State<'_>) -> InventoryView {
    let interfaces = router.config().interfaces.keys();
    InventoryView {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        serial: XtrId(router.xtr_id()).to_string(),
        interfaces: interfaces.map(|name| (name.to_string(), name.device())).collect(),
    }
}

/// The text of `show inventory`.
pub fn inventory_text(view: &InventoryView) -> String {
    let InventoryView { version, serial, .. } = view;
    format!(
        "NAME: \"Chassis\", DESCR: \"Eidway LISP virtual router\"\nPID: EIDWAY            , VID: \
         {version}, SN: {serial}\n"
    )
}

/// The text of `show platform`.
pub fn platform_text(view: &InventoryView) -> String {
    let InventoryView { version, serial, .. } = view;
    let devices = controllers_text(view);
    format!(
        "Chassis type: Eidway LISP virtual router, Version {version}\nSerial number: \
         {serial}\n\n{devices}"
    )
}

/// The text of `show controllers`.
pub fn controllers_text(view: &InventoryView) -> String {
    let columns = Columns::of([27, 0]);
    let mut text = columns.line(["Interface", "Linux device"]);
    for (name, device) in &view.interfaces {
        text += &columns.line([name, device]);
    }
    text
}

/// The view of the counters for packets of EIDs.
pub fn traffic(State { router, .. }: State<'_>) -> TrafficView {
    let counters = router.counters();
    TrafficView {
        encapsulated: counters.encapsulations,
        decapsulated: counters.decapsulations,
        forwarded_away: counters.forwarded_away,
        native: counters.native,
        waiting: router.waiting_packets(),
        dropped: counters.drops.values().sum(),
    }
}

/// The text of `show ip traffic`.
pub fn traffic_text(view: &TrafficView) -> String {
    let TrafficView { encapsulated, decapsulated, forwarded_away, native, waiting, dropped } = view;
    format!(
        "LISP traffic (packets of EIDs, IPv4 and IPv6):\n  Sent:  {encapsulated} encapsulated, \
         {forwarded_away} to moved hosts, {native} without LISP\n  Rcvd:  {decapsulated} \
         decapsulated\n  Wait:  {waiting}\n  Drop:  {dropped} (`show drops` has the reasons)\nThe \
         kernel of the router forwards all other packets: `ip -s link` counts them\n"
    )
}

/// The view of the TCP connections: the sessions of reliable transport.
pub fn tcp(state: State<'_>) -> SessionsView {
    sessions::view(state, sessions::Which::All)
}

/// The text of `show tcp brief`.
pub fn tcp_text(view: &SessionsView) -> String {
    let columns = Columns::of([10, 28, 28, 0]);
    let mut text = columns.line(["TCB", "Local Address", "Foreign Address", "(state)"]);
    let connected = view.sessions.iter().filter(|row| row.state != SessionState::Down);
    for (number, SessionRow { peer, port, local, state, .. }) in connected.enumerate() {
        let local =
            local.map_or_else(|| "*.*".to_owned(), |at| format!("{}.{}", at.ip(), at.port()));
        let state = if *state == SessionState::Up { "ESTAB" } else { "SYNSENT" };
        let tcb = format!("{:08X}", number + 1);
        text += &columns.line([&tcb, &local, &format!("{peer}.{port}"), state]);
    }
    text
}

/// The view of the privilege level.
pub fn privilege(_: State<'_>) -> PrivilegeView {
    PrivilegeView { privilege: 15 }
}

/// The text of `show privilege`.
pub fn privilege_text(view: &PrivilegeView) -> String {
    format!("Current privilege level is {}\n", view.privilege)
}

/// The view of the VRFs.
pub fn vrf(State { router, .. }: State<'_>) -> VrfView {
    let config = router.config();
    let interfaces = |vrf: &String| {
        let of_vrf = config.interfaces.iter().filter(|(_, it)| it.vrf.as_ref() == Some(vrf));
        of_vrf.map(|(name, _)| name.to_string()).collect()
    };
    VrfView { vrfs: config.vrfs.keys().map(|vrf| (vrf.clone(), interfaces(vrf))).collect() }
}

/// The text of `show vrf`.
pub fn vrf_text(view: &VrfView) -> String {
    let columns = Columns::of([35, 22, 12, 0]);
    let mut text = columns.line(["  Name", "Default RD", "Protocols", "Interfaces"]);
    for (name, interfaces) in &view.vrfs {
        let name = format!("  {name}");
        text += &columns.line([&name, "<not set>", "ipv4,ipv6", &interfaces.join(", ")]);
    }
    text
}

/// The view of the terminal of this session.
pub fn terminal(State { terminal, .. }: State<'_>) -> TerminalView {
    TerminalView { length: terminal.length, width: terminal.width }
}

/// The text of `show terminal`.
pub fn terminal_text(view: &TerminalView) -> String {
    let number = |value: Option<u16>, unit| match value {
        Some(0) => "no limit".to_owned(),
        Some(value) => format!("{value} {unit}"),
        None => "as the screen".to_owned(),
    };
    let (length, width) = (number(view.length, "lines"), number(view.width, "columns"));
    format!("Line 0, Location: \"\", Type: \"\"\nLength: {length}, Width: {width}\n")
}

/// The view of the aliases of commands.
pub fn alias(State { router, .. }: State<'_>) -> AliasView {
    let aliases = router.config().aliases.iter();
    AliasView { aliases: aliases.map(|(short, long)| (short.clone(), long.clone())).collect() }
}

/// The text of `show alias`.
pub fn alias_text(view: &AliasView) -> String {
    let mut text = "Exec mode aliases:\n".to_owned();
    for (short, long) in &view.aliases {
        let _ = writeln!(text, "  {short:21} {long}");
    }
    text
}

/// The text of `show ip protocols`.
pub fn routing_protocols_text(view: &VrfView) -> String {
    let VrfView { vrfs: _ } = view;
    NO_ROUTING_PROTOCOL.to_owned()
}
