//! The log of a router in a file with a size limit.
//!
//! When the file has reached the size [`LONGEST`], it is renamed to FILE.1, and a new file begins.
//! An older FILE.1 is replaced. So the two files always contain the newest lines. The standard
//! error is written to the same file, so that the message of a panic is in the log too.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::private;

/// The size of a log file in octets. When the file has reached this size, a new file begins.
pub const LONGEST: u64 = 4 << 20;

/// A log file that is open for writing.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    longest: u64,
    file: File,
    len: u64,
    /// Whether the last line in the file is not complete yet.
    in_line: bool,
    is_stderr: bool,
}

impl LogFile {
    /// Opens the log file, and makes it the standard output and the standard error of the process.
    /// If the file exists from an earlier run, the log continues in this file.
    ///
    /// # Errors
    /// An error of the file system.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut log = LogFile::of(path, LONGEST)?;
        log.is_stderr = true;
        log.become_stderr()?;
        Ok(log)
    }

    /// Opens the path of the log again, because another program may have renamed the open file. If
    /// there is no file with this path, creates a new file.
    ///
    /// # Errors
    /// An error of the file system. After an error, the log continues in the old file.
    pub fn reopen(&mut self) -> io::Result<()> {
        self.file = append(&self.path)?;
        self.len = self.file.metadata()?.len();
        self.in_line = false;
        if self.is_stderr { self.become_stderr() } else { Ok(()) }
    }

    /// Opens a log file that is renamed when it has reached `longest` octets. The file does not
    /// become the standard error.
    pub(super) fn of(path: &Path, longest: u64) -> io::Result<Self> {
        let file = append(path)?;
        let len = file.metadata()?.len();
        Ok(LogFile { path: path.to_owned(), longest, file, len, in_line: false, is_stderr: false })
    }

    /// Renames the file to FILE.1 and begins a new file. If the file cannot be renamed, the log
    /// continues in the old file, because a file that is too long is better than a lost line.
    fn begin_anew(&mut self) -> io::Result<()> {
        self.len = 0;
        fs::rename(&self.path, former(&self.path))?;
        self.file = append(&self.path)?;
        if self.is_stderr { self.become_stderr() } else { Ok(()) }
    }

    /// Makes the file the standard error and the standard output. No code writes to the standard
    /// output. But if the standard output did not change, an old file would stay open.
    fn become_stderr(&self) -> io::Result<()> {
        rustix::stdio::dup2_stdout(&self.file)?;
        Ok(rustix::stdio::dup2_stderr(&self.file)?)
    }
}

impl Write for LogFile {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        if self.len >= self.longest && !self.in_line {
            // The error is ignored, because an error of the log cannot be written to the log.
            let _ = self.begin_anew();
        }
        let written = self.file.write(octets)?;
        self.len += written as u64;
        self.in_line = octets[..written].last().is_some_and(|last| *last != b'\n');
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Opens a file to append to it. Several processes may append to the same file: the program that
/// starts a router writes a line before the first line of the router.
fn append(path: &Path) -> io::Result<File> {
    private::append(path)
}

fn former(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".1");
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_files_hold_the_last_lines_however_many_there_are() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("xTR1.log");
        fs::write(&path, "an earlier run\n").unwrap();
        let mut log = LogFile::of(&path, 1000).unwrap();
        for line in 0..1000 {
            writeln!(log, "line {line}").unwrap();
        }
        let files = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(files, 2);
        let read = |path: &Path| fs::read_to_string(path).unwrap();
        let (before, now) = (read(&former(&path)), read(&path));
        assert!(before.len() < 1100 && now.len() < 1100, "{} {}", before.len(), now.len());
        let lines: Vec<&str> = before.lines().chain(now.lines()).collect();
        let first: usize = lines[0].strip_prefix("line ").unwrap().parse().unwrap();
        let expected: Vec<String> = (first..1000).map(|line| format!("line {line}")).collect();
        assert_eq!(lines, expected, "none is lost in between");
    }

    #[test]
    fn what_an_earlier_run_left_counts() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("xTR1.log");
        fs::write(&path, vec![b'\n'; 1000]).unwrap();
        let mut log = LogFile::of(&path, 1000).unwrap();
        writeln!(log, "the first line of this run").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "the first line of this run\n");
        assert_eq!(fs::read(former(&path)).unwrap().len(), 1000);
    }
}
