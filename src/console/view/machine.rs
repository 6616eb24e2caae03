//! The data of the `show` commands about the machine of a router: its files, its log, its process
//! and the users of its console.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::console::machine::{LogLine, Usage, User};

/// The data of `show logging`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LoggingView {
    /// The maximum number of lines in the list.
    pub capacity: usize,
    /// The latest lines of the log. The first of them is the oldest.
    pub lines: Vec<LogLine>,
}

/// The data of `show users`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UsersView {
    /// The sessions.
    pub users: Vec<User>,
}

/// The data of `show history`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryView {
    /// The latest lines of this session. The first of them is the oldest.
    pub history: Vec<String>,
}

/// The data of `show startup-config`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StartupView {
    /// The lines of the file. Absent if there is no file.
    pub startup_config: Option<Vec<String>>,
    /// The reason why there is no file.
    pub reason: Option<String>,
}

/// The data of `dir`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FilesView {
    /// The file of the startup configuration. Absent if there is no file.
    pub startup: Option<FileRow>,
    /// The reason why there is no file.
    pub reason: Option<String>,
    /// The files in `flash:`. Absent if the router has no place for files.
    pub flash: Option<FlashView>,
    /// The reason why there is no `flash:`.
    pub flash_reason: Option<String>,
}

/// The files in `flash:`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FlashView {
    /// The place of the files outside of the router.
    pub place: String,
    /// The maximum number of octets of all files together.
    pub capacity: usize,
    /// The number of free octets.
    pub free: usize,
    /// The files, in the order of their names.
    pub files: Vec<FileRow>,
}

/// The data of `more`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileView {
    /// The name of the file, with its file system.
    pub file: String,
    /// The lines of the file. Absent if it cannot be read.
    pub lines: Option<Vec<String>>,
    /// The reason why the file cannot be read.
    pub reason: Option<String>,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileRow {
    /// The directory of the file.
    pub directory: String,
    /// The name of the file.
    pub name: String,
    /// The size of the file in octets.
    pub size: usize,
    /// The wall-clock time of the latest change, in microseconds since 1970. Absent if it is not
    /// known.
    pub modified: Option<u64>,
}

/// The data of `show processes cpu` and `show memory`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessView {
    /// Seconds since the start of the router.
    pub uptime: u64,
    /// The resources of the process. Absent if the router has no process of its own.
    pub usage: Option<Usage>,
}

/// The data of `show inventory` and `show platform`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InventoryView {
    /// The version of this program.
    pub version: String,
    /// The xTR-ID, which is used as the serial number.
    pub serial: String,
    /// The interfaces with their Linux devices.
    pub interfaces: Vec<(String, String)>,
}

/// The data of `show ip traffic`: the packets of EIDs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficView {
    /// Packets that were encapsulated.
    pub encapsulated: u64,
    /// Packets that were decapsulated.
    pub decapsulated: u64,
    /// Packets that were decapsulated and encapsulated again, because their destination host had
    /// moved away.
    pub forwarded_away: u64,
    /// Packets that were forwarded without LISP.
    pub native: u64,
    /// Packets that wait for a mapping or a host now.
    pub waiting: u64,
    /// Packets that were dropped.
    pub dropped: u64,
}

/// The data of `show terminal`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TerminalView {
    /// The number of lines that `terminal length` sets. 0 means that the output does not pause
    /// after each screen. Absent if the user has not set a number. In this case, the size of the
    /// user's screen is used.
    pub length: Option<u16>,
    /// The number of columns that `terminal width` sets. 0 means that there is no limit. Absent if
    /// the user has not set a number. In this case, the size of the user's screen is used.
    pub width: Option<u16>,
}

/// The data of `show privilege`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrivilegeView {
    /// The privilege level. It is always 15.
    pub privilege: u8,
}

/// The data of `show vrf`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VrfView {
    /// The names of the VRFs and the interfaces of each VRF. The default VRF is not in the list.
    pub vrfs: Vec<(String, Vec<String>)>,
}

/// The data of `show alias`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AliasView {
    /// Each short command, and the command that it stands for.
    pub aliases: Vec<(String, String)>,
}
