//! The parts of a router's machine that the console uses: the files of the router, the newest lines
//! of the log, and the processor time and memory of the process.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::clock::Clock;
use super::flash::Folder;
use crate::console::flash::Storage;
use crate::console::machine::{
    FastPath, HostNames, LOG_LINES, LogLine, Machine, Startup, Usage, User,
};
use crate::console::show::machine::NO_FILE;
use crate::private;

/// The number of clock ticks in a second. It is the unit of times in `/proc/PID/stat`, and is the
/// same on all machines.
const TICKS: u64 = 100;

/// The paths of the files of a router: the startup configuration, and the folder of `flash:`.
#[derive(Clone, Debug, Default)]
pub struct RouterFiles {
    /// The configuration file with which the router was started.
    pub started_with: Option<PathBuf>,
    /// The copy of the configuration that `write memory` writes. If this copy exists, the router
    /// reads it at the next start, and not the file `started_with`. `None` if `write memory` writes
    /// the file `started_with`.
    pub copy: Option<PathBuf>,
    /// The folder with the files in `flash:`. `None` if the router has no `flash:`.
    pub flash: Option<Folder>,
}

impl RouterFiles {
    /// Returns the path of the configuration file that the router reads at its start.
    pub fn to_read(&self) -> Option<&Path> {
        let copy = self.copy.as_deref().filter(|copy| copy.exists());
        copy.or(self.started_with.as_deref())
    }

    /// Replaces the content of the file that `write memory` writes. A reader of the file always
    /// gets the complete old text or the complete new text, also after a crash. Returns the path of
    /// the file.
    ///
    /// # Errors
    /// The file cannot be written. Then the file still contains the old text.
    fn write(&self, text: &str) -> io::Result<PathBuf> {
        let path = self.copy.as_ref().or(self.started_with.as_ref());
        let path = path.ok_or_else(|| io::Error::other(NO_FILE))?;
        // If the path is a symbolic link, the target of the link is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        private::exchange(&path, text).map(|()| path)
    }
}

/// The newest lines of the log.
#[derive(Debug, Default)]
pub struct LogBuffer(VecDeque<LogLine>);

impl LogBuffer {
    /// Adds a line. If there are already [`LOG_LINES`] lines, removes the oldest line.
    pub fn push(&mut self, is_warning: bool, text: &str) {
        if self.0.len() == LOG_LINES {
            self.0.pop_front();
        }
        let wall_clock = Clock::wall_clock_micros();
        self.0.push_back(LogLine { wall_clock, is_warning, text: text.to_owned() });
    }
}

/// The machine of a router, for the session of one client at the console.
pub struct ProcessMachine<'a> {
    /// The files of the router.
    pub files: &'a mut RouterFiles,
    /// The newest lines of the log.
    pub log: &'a mut LogBuffer,
    /// The sessions at the console.
    pub users: Vec<User>,
    /// The names of the lab's hosts.
    pub host_names: &'a HostNames,
    /// Set to true when a user requests that the router restarts.
    pub restarts: &'a mut bool,
    /// The state of the fast path.
    pub fast_path: FastPath,
}

impl Machine for ProcessMachine<'_> {
    fn startup(&self) -> Result<Startup, String> {
        let path = self.files.to_read().ok_or(NO_FILE)?;
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(failed)?;
        let modified = fs::metadata(path).and_then(|found| found.modified()).ok();
        let modified = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let part = |part: Option<&std::ffi::OsStr>| {
            part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let directory = part(path.parent().map(Path::as_os_str));
        Ok(Startup {
            path: (directory, part(path.file_name())),
            text,
            modified: modified.and_then(|at| u64::try_from(at.as_micros()).ok()),
        })
    }

    fn save(&mut self, text: &str) -> Result<String, String> {
        let path = self.files.write(text).map_err(|error| error.to_string())?;
        let path = path.display();
        Ok(match self.files.copy {
            None => format!("The configuration is in {path}."),
            Some(_) => format!(
                "The configuration is in {path}. This file belongs to the running lab. `eidway lab \
                 save LAB` copies the file to the folder of the lab."
            ),
        })
    }

    fn storage(&self) -> Option<&dyn Storage> {
        self.files.flash.as_ref().map(|folder| folder as &dyn Storage)
    }

    fn storage_mut(&mut self) -> Option<&mut dyn Storage> {
        self.files.flash.as_mut().map(|folder| folder as &mut dyn Storage)
    }

    fn restart(&mut self) {
        *self.restarts = true;
    }

    fn log(&self) -> Vec<LogLine> {
        self.log.0.iter().cloned().collect()
    }

    fn clear_log(&mut self) {
        self.log.0.clear();
    }

    fn users(&self) -> Vec<User> {
        self.users.clone()
    }

    fn lab_hosts(&self) -> &HostNames {
        self.host_names
    }

    fn usage(&self) -> Option<Usage> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        // The second field is the name of the program in parentheses, and may contain blanks. So
        // the other fields are searched after the last closing parenthesis.
        let (_, fields) = stat.rsplit_once(')')?;
        let mut ticks = fields.split_whitespace().skip(11).map_while(|field| field.parse().ok());
        let (user, kernel): (u64, u64) = (ticks.next()?, ticks.next()?);
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u64 = resident.split_whitespace().next()?.parse().ok()?;
        Some(Usage {
            pid: std::process::id(),
            cpu_ms: (user + kernel) * 1000 / TICKS,
            kernel_ms: kernel * 1000 / TICKS,
            resident: kilobytes * 1024,
        })
    }

    fn fast_path(&self) -> FastPath {
        self.fast_path.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(directory: &Path) -> RouterFiles {
        let started_with = directory.join("xTR1.conf");
        fs::write(&started_with, "hostname old\n").unwrap();
        RouterFiles { started_with: Some(started_with), ..RouterFiles::default() }
    }

    #[test]
    fn a_router_writes_the_file_that_it_was_started_with_and_leaves_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        let path = files.write("hostname new\n").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "hostname new\n");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn in_a_lab_a_copy_is_written_and_read_at_the_next_start() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = files(directory.path());
        files.copy = Some(directory.path().join("run.conf"));
        assert_eq!(files.to_read(), files.started_with.as_deref());
        files.write("hostname new\n").unwrap();
        assert_eq!(files.to_read(), files.copy.as_deref());
        let old = fs::read_to_string(files.started_with.unwrap()).unwrap();
        assert_eq!(old, "hostname old\n");
    }

    #[test]
    fn a_file_that_cannot_be_written_is_unchanged() {
        let directory = tempfile::tempdir().unwrap();
        let mut files = files(directory.path());
        files.copy = Some(directory.path().join("missing/run.conf"));
        assert!(files.write("hostname new\n").is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(RouterFiles::default().write("").is_err());
    }
}
