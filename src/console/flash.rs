//! `flash:`, the files of a router. `| redirect`, `| append` and `| tee` write the output of a
//! command into a file. `dir`, `more`, `copy` and `delete` work with the files.
//!
//! The driver stores the files in a folder, and the simulator stores them in memory. The folder and
//! the memory both implement [`Storage`]. The bounds in this module apply to both. The name of a
//! file contains no directory, so a file is never outside of the folder.

use std::collections::BTreeMap;
use std::fmt;

/// The maximum number of files of a router.
pub const MOST_FILES: usize = 64;
/// The maximum size of all files of a router together, in octets.
pub const CAPACITY: usize = 4 << 20;
/// The maximum size of one file, in octets.
pub const LARGEST_FILE: usize = 1 << 20;
/// The maximum length of a name, in characters.
const LONGEST_NAME: usize = 64;

/// The names of the file system in IOS, without the colon.
const NAMES: [&str; 3] = ["flash", "bootflash", "disk0"];
/// The reason in an error about a missing file, as on IOS.
const MISSING: &str = "No such file or directory";
/// The reason why a router has no files.
pub const NO_FLASH: &str = "this router was started without a folder for its files";

/// The name of a file in `flash:`: letters, digits, `-`, `_` and `.`, and no `.` at the beginning.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName(String);

impl FileName {
    /// Makes a file name from `name`. `name` does not have the prefix of a file system.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn new(name: &str) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_name = name.chars().all(fits) && !name.starts_with('.');
        match is_name && (1..=LONGEST_NAME).contains(&name.len()) {
            true => Ok(FileName(name.to_owned())),
            false => Err(format!(
                "a file name has 1 to {LONGEST_NAME} letters, digits, `-`, `_` and `.`, and does \
                 not begin with `.`; flash: has no directories"
            )),
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    /// Writes the name with its file system, as IOS does: `flash:/NAME`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "flash:/{}", self.0)
    }
}

/// A source or a destination of `copy`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The running configuration.
    Running,
    /// The startup configuration.
    Startup,
    /// A file in `flash:`.
    File(FileName),
}

impl Place {
    /// Reads a place: `running-config`, `startup-config`, or a file. A name without the prefix of a
    /// file system is a file in `flash:`.
    ///
    /// # Errors
    /// A sentence for the user.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "running-config" | "system:running-config" | "system:/running-config" => {
                return Ok(Place::Running);
            }
            "startup-config" | "nvram:startup-config" | "nvram:/startup-config" => {
                return Ok(Place::Startup);
            }
            _ => {}
        }
        file(text).map(Place::File)
    }
}

impl fmt::Display for Place {
    /// Writes the place with its file system, as IOS does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Running => f.write_str("system:/running-config"),
            Place::Startup => f.write_str("nvram:/startup-config"),
            Place::File(name) => name.fmt(f),
        }
    }
}

/// Reads the name of a file in `flash:`, with or without the prefix of the file system.
///
/// # Errors
/// A sentence for the user.
pub fn file(text: &str) -> Result<FileName, String> {
    match text.split_once(':') {
        None => FileName::new(text),
        Some((system, name)) if is_flash(system) => {
            FileName::new(name.strip_prefix('/').unwrap_or(name))
        }
        Some((system, _)) => Err(format!(
            "a router has no file system {system}:, only flash:, which holds files, and nvram:, \
             which holds the startup configuration"
        )),
    }
}

/// Whether `system`, without a colon, is a name of the file system `flash:`.
pub fn is_flash(system: &str) -> bool {
    NAMES.iter().any(|name| name.eq_ignore_ascii_case(system))
}

/// A file, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// The name of the file.
    pub name: FileName,
    /// The size of the file in octets.
    pub size: usize,
    /// The wall-clock time of the latest change, in microseconds since 1970. `None` if it is not
    /// known.
    pub modified: Option<u64>,
}

/// The place where a router stores its files. An implementation need not check the bounds, because
/// the functions of this module check them.
pub trait Storage {
    /// The name of the place, in words for the user.
    fn place(&self) -> String;

    /// The files, in the order of their names.
    ///
    /// # Errors
    /// A sentence for the user. The errors of all methods of this trait are sentences for the user.
    fn list(&self) -> Result<Vec<File>, String>;

    /// Returns the content of a file. The caller has checked that the file exists.
    fn read(&self, name: &FileName) -> Result<Vec<u8>, String>;

    /// Replaces a file, or makes a new one. After an error or a crash, the file has either the
    /// whole old content or the whole new content.
    fn replace(&mut self, name: &FileName, content: &[u8]) -> Result<(), String>;

    /// Removes a file. The caller has checked that the file exists.
    fn remove(&mut self, name: &FileName) -> Result<(), String>;
}

/// The files of a router in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemoryFiles {
    files: BTreeMap<FileName, (Vec<u8>, u64)>,
    /// The present wall clock of the router, in microseconds since 1970.
    pub wall_clock: u64,
}

impl Storage for MemoryFiles {
    fn place(&self) -> String {
        "the memory of the simulator".to_owned()
    }

    fn list(&self) -> Result<Vec<File>, String> {
        let file = |(name, (content, modified)): (&FileName, &(Vec<u8>, u64))| File {
            name: name.clone(),
            size: content.len(),
            modified: Some(*modified),
        };
        Ok(self.files.iter().map(file).collect())
    }

    fn read(&self, name: &FileName) -> Result<Vec<u8>, String> {
        let found = self.files.get(name).map(|(content, _)| content.clone());
        found.ok_or_else(|| MISSING.to_owned())
    }

    fn replace(&mut self, name: &FileName, content: &[u8]) -> Result<(), String> {
        self.files.insert(name.clone(), (content.to_owned(), self.wall_clock));
        Ok(())
    }

    fn remove(&mut self, name: &FileName) -> Result<(), String> {
        self.files.remove(name).map(drop).ok_or_else(|| MISSING.to_owned())
    }
}

/// The number of free octets in a storage that contains these files.
pub fn free(files: &[File]) -> usize {
    CAPACITY.saturating_sub(files.iter().map(|file| file.size).sum())
}

/// The text of a file. Octets that are not UTF-8 are replaced.
///
/// # Errors
/// The reason, in the words of IOS if the file does not exist.
pub fn read(storage: Option<&dyn Storage>, name: &FileName) -> Result<String, String> {
    let storage = storage.ok_or(NO_FLASH)?;
    match find(&storage.list()?, name) {
        None => Err(MISSING.to_owned()),
        Some(file) if file.size > LARGEST_FILE => Err(too_large(LARGEST_FILE)),
        Some(_) => Ok(String::from_utf8_lossy(&storage.read(name)?).into_owned()),
    }
}

/// Checks, before a command begins, whether its output can be written into a file.
///
/// # Errors
/// The reason why the file cannot be written.
pub fn expect_room(storage: Option<&dyn Storage>, name: &FileName) -> Result<(), String> {
    let storage = storage.ok_or(NO_FLASH)?;
    let files = storage.list()?;
    match find(&files, name).is_none() && files.len() >= MOST_FILES {
        true => Err(format!(
            "No space left on device: it already has {MOST_FILES} files, the maximum number"
        )),
        false => Ok(()),
    }
}

/// Writes a text into a file. If `appends` is true, adds the text at the end of the file. If not,
/// the text replaces the content of the file.
///
/// # Errors
/// The reason: the text is too long for the file or for the storage, there are too many files, or
/// the storage cannot write. The file is unchanged.
pub fn write(
    storage: Option<&mut dyn Storage>,
    name: &FileName,
    text: &str,
    appends: bool,
) -> Result<(), String> {
    let storage = storage.ok_or(NO_FLASH)?;
    expect_room(Some(&*storage), name)?;
    let files = storage.list()?;
    let old = find(&files, name).map_or(0, |file| file.size);
    let size = text.len() + if appends { old } else { 0 };
    if size > LARGEST_FILE {
        return Err(too_large(LARGEST_FILE));
    }
    if size > free(&files) + old {
        return Err(format!("No space left on device: its files may have {CAPACITY} bytes"));
    }
    let mut content = if appends && old > 0 { storage.read(name)? } else { Vec::new() };
    content.extend_from_slice(text.as_bytes());
    storage.replace(name, &content)
}

/// Removes a file.
///
/// # Errors
/// The reason, in the words of IOS if the file does not exist.
pub fn remove(storage: Option<&mut dyn Storage>, name: &FileName) -> Result<(), String> {
    let storage = storage.ok_or(NO_FLASH)?;
    match find(&storage.list()?, name) {
        Some(_) => storage.remove(name),
        None => Err(MISSING.to_owned()),
    }
}

fn find<'f>(files: &'f [File], name: &FileName) -> Option<&'f File> {
    files.iter().find(|file| file.name == *name)
}

/// The reason for refusing a file of more than `most` octets.
fn too_large(most: usize) -> String {
    format!("File too large: a file may have at most {most} bytes")
}

/// A file into which the output of a command is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The file.
    pub file: FileName,
    /// Whether the output is added at the end of the file.
    pub appends: bool,
    /// Whether the output is also printed.
    pub prints: bool,
}

/// The collected output of a command, for a file. The file is written when the output has ended.
#[derive(Clone, Debug)]
pub struct Writing {
    to: Destination,
    text: String,
    /// Whether the output is longer than the maximum size of a file.
    is_too_long: bool,
}

impl Writing {
    /// Begins an output for the file `to`.
    pub fn new(to: Destination) -> Self {
        Writing { to, text: String::new(), is_too_long: false }
    }

    /// Adds a piece of the output. Returns the text to print.
    pub fn push(&mut self, text: String) -> String {
        self.is_too_long |= self.text.len() + text.len() > LARGEST_FILE;
        match self.is_too_long {
            true => self.text.clear(),
            false => self.text += &text,
        }
        if self.to.prints { text } else { String::new() }
    }

    /// Ends the output and writes the file.
    ///
    /// # Errors
    /// The text of the error for the user. The file is unchanged.
    pub fn finish(self, storage: Option<&mut dyn Storage>) -> Result<(), String> {
        let Destination { file, appends, .. } = &self.to;
        let written = match self.is_too_long {
            true => Err(too_large(LARGEST_FILE)),
            false => write(storage, file, &self.text, *appends),
        };
        written.map_err(|why| error_opening(file, &why))
    }
}

/// The text of IOS if a file cannot be read or written.
pub fn error_opening(file: &impl fmt::Display, why: &str) -> String {
    format!("%Error opening {file} ({why})\n")
}
