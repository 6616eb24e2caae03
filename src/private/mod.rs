//! Directories, files and locks that no other user of the machine has changed or can change.
//!
//! Labs run as root on machines that have other users, and the file names of labs are easy to
//! guess. Therefore this module checks the owner of each file or directory before the file or
//! directory is used:
//!
//! - [`make_runtime`] returns the directory for all files of running labs. No other user can write
//!   in this directory or replace it. So a path in this directory always means the same file.
//! - [`directory`] makes a directory, or accepts an existing directory of this user. It does not
//!   follow a symbolic link.
//! - A path that a user enters may be in a directory of another user. The file with this path is
//!   newly created ([`create`]), or it is opened without following a symbolic link and then checked
//!   ([`append`], [`replace`], [`read`]).
//! - The file of a [`Lock`] has mode 0600. A user who cannot open the file cannot hold the lock.
//!
//! The text of each error contains the path. If the file belongs to another user, the text also
//! contains the number of that user.

mod lock;

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::process::geteuid;

pub use lock::{Holder, Lock};

/// The directory for the files of running labs, if the user is root.
pub const OF_ROOT: &str = "/run/eidway";
/// The file with the telnet ports of the routers of a lab, in the directory of the running lab.
pub const TELNET_PORTS: &str = "telnet-server.ports";
/// The mode of [`OF_ROOT`]. Only root can list the file names in this directory. Another user can
/// open a file in this directory only if the user knows the name of the file.
const MODE_OF_ROOT: u32 = 0o711;
/// The mode of every other directory.
const MODE: u32 = 0o700;
/// The mode of every file.
const FILE_MODE: u32 = 0o600;
/// The mode of a program.
const PROGRAM_MODE: u32 = 0o755;
/// The permission bits that allow other users than the owner to write.
const WRITE_OF_OTHERS: u32 = 0o022;
/// The sticky bit. In a directory with this bit, users can rename and remove only their own files.
const STICKY: u32 = 0o1000;
/// The maximum number of directory names that [`fresh`] tries.
const MOST: usize = 1000;

/// Returns the directory for the files of running labs of this user. For root, the directory is
/// [`OF_ROOT`]. For another user, it is `$XDG_RUNTIME_DIR/eidway`, or `/tmp/eidway-UID` if the
/// variable is not set. The directory may not exist yet.
pub fn runtime() -> PathBuf {
    let user = geteuid();
    if user.is_root() {
        return PathBuf::from(OF_ROOT);
    }
    let own = std::env::var_os("XDG_RUNTIME_DIR").filter(|own| !own.is_empty());
    let shared = || std::env::temp_dir().join(format!("eidway-{}", user.as_raw()));
    own.map_or_else(shared, |own| Path::new(&own).join("eidway"))
}

/// Makes the directory [`runtime`] if it is missing. Returns its path.
///
/// # Errors
/// Another user has made the directory, can write in it, or can replace it.
pub fn make_runtime() -> io::Result<PathBuf> {
    let path = runtime();
    let above = path.parent().unwrap_or(&path);
    let found = fs::metadata(above).map_err(named(above))?;
    expect_owner(above, &found)?;
    if found.mode() & WRITE_OF_OTHERS != 0 && found.mode() & STICKY == 0 {
        return Err(refused(above, &format!("other users can rename {}", path.display())));
    }
    let mode = if path == Path::new(OF_ROOT) { MODE_OF_ROOT } else { MODE };
    directory_of_mode(&path, mode)?;
    Ok(path)
}

/// Returns an error if a directory exists, and another user has made it or can write in it. A
/// directory of root is accepted for every user.
///
/// # Errors
/// The directory is not accepted, the path is not a directory, or the file system returns an error.
pub fn expect_unspoilt(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(named(path)(error)),
        Ok(found) if !found.is_dir() => Err(refused(path, "it is not a directory")),
        Ok(found) => expect_ours(path, &found),
    }
}

/// Makes a directory of mode 0700, or accepts an existing directory of this user.
///
/// # Errors
/// The existing directory belongs to another user, other users can write in it, the path is a
/// symbolic link, or the file system returns an error.
pub fn directory(path: &Path) -> io::Result<()> {
    directory_of_mode(path, MODE)
}

/// Makes a directory of mode 0700 that does not exist yet.
///
/// # Errors
/// `AlreadyExists`, or another error of the file system.
pub fn new_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(MODE).create(path).map_err(named(path))
}

/// Makes each directory in the path `below` inside of `base`, as [`directory`] does.
///
/// # Errors
/// The errors of [`directory`]. It is also an error if the path `below` leads out of `base`.
pub fn directory_below(base: &Path, below: &Path) -> io::Result<()> {
    let mut path = base.to_owned();
    for part in below.components() {
        let Component::Normal(part) = part else {
            return Err(refused(below, "this path leads out of its directory"));
        };
        path.push(part);
        directory(&path)?;
    }
    Ok(())
}

/// Makes a new directory of mode 0700, and returns its path. The path is `base/name`. If this name
/// is in use, the path is `base/name-2`, or `base/name-3`, and so on.
///
/// # Errors
/// An error of the file system.
pub fn fresh(base: &Path, name: &str) -> io::Result<PathBuf> {
    directory(base)?;
    let names = (2..=MOST).map(|number| format!("{name}-{number}"));
    for name in std::iter::once(name.to_owned()).chain(names) {
        let path = base.join(name);
        match DirBuilder::new().mode(MODE).create(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map_err(named(&path)).map(|()| path),
        }
    }
    Err(refused(base, &format!("it already has {MOST} directories with the name {name}")))
}

/// Makes a new file of mode 0600.
///
/// # Errors
/// `AlreadyExists` if the file or a symbolic link exists, or another error of the file system.
pub fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(FILE_MODE).open(path).map_err(named(path))
}

/// Opens a file to append to it. If the file does not exist, creates it with mode 0600.
///
/// # Errors
/// - The file belongs to another user, or other users can write to the file.
/// - The file has a second name (a hard link), or is a symbolic link.
/// - The file system returns an error.
pub fn append(path: &Path) -> io::Result<File> {
    open(path, OpenOptions::new().append(true).create(true))
}

/// Opens a file and removes its content, so that the caller can write a new content. If the file
/// does not exist, creates it with mode 0600.
///
/// # Errors
/// The errors of [`append`].
pub fn replace(path: &Path) -> io::Result<File> {
    // The function `open` checks the file. The content is removed only after this check.
    let file = open(path, OpenOptions::new().write(true).create(true))?;
    if file.metadata().map_err(named(path))?.is_file() {
        file.set_len(0).map_err(named(path))?;
    }
    Ok(file)
}

/// Replaces the content of a file. If the file does not exist, creates it with mode 0600.
///
/// # Errors
/// The errors of [`append`].
pub fn write(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    replace(path)?.write_all(content.as_ref()).map_err(named(path))
}

/// Replaces the content of a program file. Every user can run the program (mode 0755).
///
/// # Errors
/// The errors of [`append`].
pub fn write_program(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut file = replace(path)?;
    file.write_all(content.as_ref()).map_err(named(path))?;
    file.set_permissions(Permissions::from_mode(PROGRAM_MODE)).map_err(named(path))
}

/// Replaces a file in one step by a new file with the content `content`. A reader gets the complete
/// old content or the complete new content, also after a crash. The new file has the owner and the
/// mode of the old file. If there is no old file, the new file has mode 0600. If `path` is a
/// symbolic link, the link is replaced, and the target of the link does not change.
///
/// # Errors
/// An error of the file system. In this case the old file is unchanged.
pub fn exchange(path: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut new = path.to_owned().into_os_string();
    new.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(new);
    let exchanged = write_beside(path, &new, content.as_ref()).map_err(named(path));
    if exchanged.is_err() {
        // The result is ignored: if the new file was not made, there is no file to remove.
        let _ = fs::remove_file(&new);
    }
    exchanged
}

fn write_beside(path: &Path, new: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create(new)?;
    if let Ok(old) = fs::metadata(path) {
        std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
        file.set_permissions(old.permissions())?;
    }
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(new, path)?;
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

/// Returns the content of a file. The content can be trusted, because only this user or root could
/// write it.
///
/// # Errors
/// The errors of [`append`], or `NotFound`.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut octets = Vec::new();
    let mut file = open(path, OpenOptions::new().read(true))?;
    file.read_to_end(&mut octets).map_err(named(path))?;
    Ok(octets)
}

/// Removes a socket that an earlier process of this user has left.
///
/// # Errors
/// The file is not a socket, it belongs to another user, or the file system returns an error.
pub fn remove_socket(path: &Path) -> io::Result<()> {
    let found = fs::symlink_metadata(path).map_err(named(path))?;
    expect_owner(path, &found)?;
    if !found.file_type().is_socket() {
        return Err(refused(path, "it is not a socket"));
    }
    fs::remove_file(path).map_err(named(path))
}

fn directory_of_mode(path: &Path, mode: u32) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(named(path)(error));
        }
        _ => {}
    }
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
    let opened = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        // The directory cannot be opened. If it belongs to another user, the returned error names
        // this user.
        Err(error) => return Err(expect_unspoilt(path).err().unwrap_or(named(path)(error))),
        Ok(opened) => opened,
    };
    let found = opened.metadata().map_err(named(path))?;
    expect_ours(path, &found)?;
    if found.mode() & 0o777 == mode {
        return Ok(());
    }
    // The directory may have another mode because of an earlier version of Eidway or an unusual
    // umask. But no other user could write in this directory.
    opened.set_permissions(Permissions::from_mode(mode)).map_err(named(path))
}

fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    // `O_NONBLOCK` is set because another user may have made a named pipe with this name. If no
    // process reads this pipe, an open without this flag would never return.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let _opened = match options.mode(FILE_MODE).custom_flags(flags).open(path) {
        Ok(file) => {
            let found = file.metadata().map_err(named(path))?;
            if found.is_file() {
                return expect_ours(path, &found).map(|()| file);
            }
            expect_owner(path, &found)?;
            Some(file)
        }
        // In a directory such as /tmp, the kernel refuses to open the file of another user, but
        // does not report the reason.
        Err(error) => match fs::symlink_metadata(path) {
            Ok(found) if found.is_symlink() => return Err(refused(path, "it is a symbolic link")),
            Ok(found) => {
                expect_owner(path, &found)?;
                if error.raw_os_error() != Some(libc::ENXIO) {
                    return Err(named(path)(error));
                }
                None
            }
            Err(_) => return Err(named(path)(error)),
        },
    };
    // This file is a named pipe or a device of this user, so the second open may wait. The first
    // descriptor stays open until the second descriptor is open. Otherwise the reader of the pipe
    // could get an end of file between the two opens.
    let file = options.custom_flags(libc::O_NOFOLLOW).open(path).map_err(named(path))?;
    expect_owner(path, &file.metadata().map_err(named(path))?).map(|()| file)
}

/// Returns an error if a directory or a plain file belongs to another user, or if another user may
/// have written to it.
fn expect_ours(path: &Path, found: &Metadata) -> io::Result<()> {
    expect_owner(path, found)?;
    let mode = found.mode() & 0o7777;
    if mode & WRITE_OF_OTHERS != 0 {
        return Err(refused(path, &format!("other users can write to it (mode {mode:o})")));
    }
    if found.is_file() && found.nlink() > 1 {
        return Err(refused(path, "it has a second name (a hard link)"));
    }
    Ok(())
}

/// Returns an error if a file belongs to another user. A file of root is accepted for every user,
/// because root can always change any file.
fn expect_owner(path: &Path, found: &Metadata) -> io::Result<()> {
    let (owner, user) = (found.uid(), geteuid().as_raw());
    match owner == user || owner == 0 {
        true => Ok(()),
        false => Err(refused(path, &format!("it belongs to user {owner}, not to user {user}"))),
    }
}

fn refused(path: &Path, why: &str) -> io::Error {
    let message = format!("{}: {why}", path.display());
    io::Error::new(io::ErrorKind::PermissionDenied, message)
}

/// Returns a function that adds the path to an error. The path precedes the message of the
/// operating system.
fn named(path: &Path) -> impl FnOnce(io::Error) -> io::Error {
    let path = path.display().to_string();
    move |error| io::Error::new(error.kind(), format!("{path}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::process::Command;
    use std::thread;

    use super::*;

    fn said<T>(outcome: io::Result<T>) -> String {
        outcome.err().expect("it is refused").to_string()
    }

    #[test]
    fn a_directory_is_made_for_its_owner_alone_and_taken_again() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("lab");
        let mode = || fs::metadata(&path).unwrap().mode() & 0o777;
        directory(&path).unwrap();
        assert_eq!(mode(), 0o700);
        directory(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
        directory(&path).unwrap();
        assert_eq!(mode(), 0o700, "as an earlier version made it");
        fs::set_permissions(&path, Permissions::from_mode(0o777)).unwrap();
        let said = said(directory(&path));
        assert_eq!(said, format!("{}: other users can write to it (mode 777)", path.display()));
    }

    #[test]
    fn a_symbolic_link_is_no_directory_and_no_file() {
        let base = tempfile::tempdir().unwrap();
        let (link, target) = (base.path().join("link"), base.path().join("target"));
        directory(&target).unwrap();
        symlink(&target, &link).unwrap();
        assert!(said(directory(&link)).contains("link: it is not a directory"));
        assert!(said(expect_unspoilt(&link)).contains("link: it is not a directory"));
        fs::remove_file(&link).unwrap();
        let target = target.join("file");
        fs::write(&target, "kept").unwrap();
        symlink(&target, &link).unwrap();
        for outcome in [append(&link), replace(&link), read(&link).and_then(|_| File::open("/"))] {
            assert!(said(outcome).ends_with("link: it is a symbolic link"));
        }
        assert_eq!(create(&link).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&target).unwrap(), b"kept");
    }

    #[test]
    fn a_file_that_others_can_write_or_know_by_another_name_is_not_believed() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("nonces");
        write(&path, "content").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read(&path).unwrap(), b"content");
        write(&path, "new").unwrap();
        assert_eq!(read(&path).unwrap(), b"new");
        fs::hard_link(&path, base.path().join("second")).unwrap();
        assert!(said(read(&path)).contains("a second name"));
        fs::remove_file(base.path().join("second")).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o622)).unwrap();
        assert!(said(append(&path)).contains("other users can write to it (mode 622)"));
        assert_eq!(read(&base.path().join("none")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_named_pipe_of_ours_is_waited_for_and_a_file_is_no_socket() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reader = {
            let path = path.clone();
            thread::spawn(move || fs::read(path).unwrap())
        };
        let mut pipe = replace(&path).unwrap();
        pipe.write_all(b"packets").unwrap();
        drop(pipe);
        assert_eq!(reader.join().unwrap(), b"packets");
        assert!(said(remove_socket(&path)).ends_with("pipe: it is not a socket"));
        let path = base.path().join("file");
        write(&path, "kept").unwrap();
        assert!(said(remove_socket(&path)).ends_with("file: it is not a socket"));
        assert!(path.exists());
    }

    #[test]
    fn what_belongs_to_another_user_is_refused_by_the_users_number() {
        if !geteuid().is_root() {
            return; // Only root can give a file to another user.
        }
        let base = tempfile::tempdir().unwrap();
        let (directory_of_another, file) = (base.path().join("d"), base.path().join("f"));
        directory(&directory_of_another).unwrap();
        write(&file, "").unwrap();
        for path in [&directory_of_another, &file] {
            std::os::unix::fs::chown(path, Some(65534), None).unwrap();
        }
        let whose = "it belongs to user 65534, not to user 0";
        for said in [
            said(directory(&directory_of_another)),
            said(expect_unspoilt(&directory_of_another)),
            said(append(&file)),
            said(replace(&file)),
            said(read(&file)),
        ] {
            assert!(said.contains(whose), "{said}");
        }
    }

    #[test]
    fn a_fresh_directory_was_not_there_and_no_path_leads_out() {
        let base = tempfile::tempdir().unwrap();
        let first = fresh(&base.path().join("runs"), "g2").unwrap();
        let second = fresh(&base.path().join("runs"), "g2").unwrap();
        assert!(first.ends_with("runs/g2") && second.ends_with("runs/g2-2"));
        directory_below(base.path(), Path::new("lab/scenarios")).unwrap();
        assert!(base.path().join("lab/scenarios").is_dir());
        for out in ["../x", "/x", "lab/../../x"] {
            assert!(said(directory_below(base.path(), Path::new(out))).contains("leads out"));
        }
    }
}
