//! The process that keeps the namespaces of a user while labs are up in them.
//!
//! The holder is process 1 of its PID namespace. It does not manage labs: it sends a greeting to
//! each verb that connects to its socket, and becomes the parent of each process whose parent has
//! ended. A verb is a process that runs a command of `eidway lab`. The holder ends when no verb is
//! connected and no node has a namespace.

use std::fs::{self, DirEntry, FileType};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::{MetadataExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::Mode;
use rustix::mount::{MountFlags, MountPropagationFlags};
use rustix::mount::{mount, mount_bind, mount_bind_recursive, mount_change};
use rustix::process::{WaitOptions, getpid, setsid, umask, wait};
use rustix::stdio::{dup2_stderr, dup2_stdout};
use signal_hook::consts::SIGCHLD;
use signal_hook::low_level::pipe;

use super::obstacle::{self, Operation};
use super::{COMMAND, GREETING, SOCKET};
use crate::driver::user_namespace;
use crate::lab::failure::Failure;
use crate::netns::interrupt::Interrupt;
use crate::netns::open::ORIGIN;
use crate::netns::paths::RUN;
use crate::netns::{environment, run};
use crate::private::{self, Lock};

/// The name of the holder's lock file, in the runtime directory of the user. While the lock is
/// taken, no second holder can run.
const LOCK: &str = ".holder";
/// The maximum number of attempts to take the lock. An attempt fails if another holder removes the
/// directory at the same moment.
const TRIES: usize = 100;
/// The entries of `/run` that the mount namespace of the holder does not take from the machine: the
/// directory with the namespaces of nodes, and the directory with the files of labs.
const OWN: [&str; 2] = ["netns", "eidway"];
/// The time between two checks whether the holder is still needed.
const TICK: Timespec = Timespec { tv_sec: 5, tv_nsec: 0 };
/// The longest time that the holder waits for a verb to read the greeting.
const GREETING_TIME: Duration = Duration::from_secs(1);

/// Makes the namespaces of this user, and starts this program as process 1 in them. Process 1 is
/// the holder. In process 1, this function returns when the holder ends. `directory` is the path of
/// the user's runtime directory outside the namespaces. The output of these processes is closed as
/// soon as verbs can enter the namespaces, or as soon as the holder has found another holder.
///
/// # Errors
/// The machine refuses an operation to this user. The error has the cause and the remedy.
pub fn run(directory: &Path) -> Result<(), Failure> {
    if getpid().is_init() {
        return hold(directory);
    }
    // The holder has no terminal, so Ctrl-C at the terminal of its user does not end it.
    setsid().map_err(|error| Failure::io("setsid")(error.into()))?;
    user_namespace::unshare().map_err(|error| obstacle::refused(Operation::Namespaces, &error))?;
    // The child of this process is the first process in the PID namespace.
    let mut holder = environment::program(&run::program()?.display().to_string())?;
    holder.arg(COMMAND).arg(directory).spawn().map_err(Failure::io("holder"))?;
    Ok(())
}

fn hold(directory: &Path) -> Result<(), Failure> {
    umask(Mode::RWXG | Mode::RWXO);
    let Some(lock) = take_lock(directory)? else { return Ok(()) };
    let served = cover(directory).and_then(|()| {
        remove_remains(directory)
            .and_then(|()| serve(directory))
            .map_err(Failure::io("the holder of namespaces"))
    });
    // The lock is removed last. Until then, no other holder can start. So the next holder finds no
    // old files.
    let removed = remove_remains(directory);
    lock.remove();
    // This fails if the directory still has entries of a simulated lab, or captures of a scenario.
    let _ = fs::remove_dir(directory);
    served.and(removed.map_err(Failure::io(directory.display())))
}

/// Takes the lock of the holder. Returns `None` if another holder has it.
fn take_lock(directory: &Path) -> Result<Option<Lock>, Failure> {
    let take = || {
        private::directory(directory)?;
        Lock::try_take(&directory.join(LOCK), "keeps the namespaces of this user")
    };
    let mut taken = take();
    for _ in 0..TRIES {
        match &taken {
            Err(error) if error.kind() == io::ErrorKind::NotFound => taken = take(),
            _ => break,
        }
    }
    taken.map(Result::ok).map_err(Failure::new)
}

/// Mounts a new `/run` and a new `/proc` in the namespaces of the holder.
fn cover(directory: &Path) -> Result<(), Failure> {
    let refused = |operation| move |error: io::Error| obstacle::refused(operation, &error);
    cover_run(directory).map_err(refused(Operation::Run))?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    let mounted = mount("proc", "/proc", "proc", flags, None);
    mounted.map_err(|error| refused(Operation::Processes)(error.into()))
}

fn cover_run(directory: &Path) -> io::Result<()> {
    // New mounts of the machine appear in this namespace too, but the mounts of this namespace do
    // not appear on the machine.
    mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC)?;
    let machine = fs::File::open("/run")?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    mount("tmpfs", "/run", "tmpfs", flags, c"mode=755")?;
    // The new mount hides the `/run` of the machine, but the descriptor `machine` still leads to
    // it. Programs of nodes may need its entries, such as the display of the user.
    let machine = PathBuf::from(format!("/proc/self/fd/{}", machine.as_raw_fd()));
    for entry in fs::read_dir(machine)? {
        let entry = entry?;
        if !OWN.iter().any(|own| entry.file_name() == *own) {
            // If this user cannot open an entry, `show` fails. The error is ignored, because the
            // programs of this user cannot use the entry outside the namespaces either.
            let _ = show(&entry, entry.file_type()?);
        }
    }
    private::directory(Path::new(RUN))?;
    Ok(mount_bind(directory, RUN)?)
}

/// Shows an entry of the machine's `/run` in the new `/run`.
fn show(entry: &DirEntry, kind: FileType) -> io::Result<()> {
    let place = Path::new("/run").join(entry.file_name());
    if kind.is_symlink() {
        return symlink(fs::read_link(entry.path())?, place);
    }
    if kind.is_dir() {
        private::directory(&place)?;
    } else {
        private::create(&place)?;
    }
    Ok(mount_bind_recursive(entry.path(), place)?)
}

/// Removes the files of labs in namespaces, and the files of the holder except its lock file. When
/// a holder starts, these are the files that a killed holder has left. When a holder ends, these
/// are the files of its own labs. The sockets of simulated labs and the captures of scenarios are
/// not removed.
fn remove_remains(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.join(ORIGIN).exists() {
            fs::remove_dir_all(path)?;
        } else if path.is_dir() {
            // This removes the directory for the captures of scenarios only if it has no captures.
            let _ = fs::remove_dir(path);
        } else if name.starts_with('.') && name != LOCK {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Closes the output of this process. The process that has started the holder waits until this
/// output is closed.
fn close_output() -> io::Result<()> {
    let nowhere = fs::File::open("/dev/null")?;
    dup2_stdout(&nowhere)?;
    Ok(dup2_stderr(&nowhere)?)
}

/// Accepts the connections of verbs, and sends the greeting to each. Returns in each of these
/// cases:
///
/// - No verb is connected, and no node has a namespace.
/// - This process has received the signal INT or TERM.
/// - The lock file was removed. Without its files, no verb can find the holder. For example, a
///   machine removes the runtime directory of a user when the user logs out.
fn serve(directory: &Path) -> io::Result<()> {
    // The kernel delivers a signal to process 1 only if process 1 has a handler for it.
    let ends = Interrupt::watch().map_err(io::Error::other)?;
    let (mut children, ended) = UnixStream::pair()?;
    children.set_nonblocking(true)?;
    pipe::register(SIGCHLD, ended)?;
    let listener = UnixListener::bind(directory.join(SOCKET))?;
    listener.set_nonblocking(true)?;
    close_output()?;
    let lock = directory.join(LOCK);
    let number = fs::metadata(&lock)?.ino();
    let mut verbs: Vec<UnixStream> = Vec::new();
    loop {
        let may_be_idle = wait_for_change(&listener, &children, &mut verbs)?;
        while children.read(&mut [0; 64]).is_ok_and(|read| read > 0) {}
        while wait(WaitOptions::NOHANG).is_ok_and(|ended| ended.is_some()) {}
        let is_found = fs::metadata(&lock).is_ok_and(|found| found.ino() == number);
        let is_idle = may_be_idle && verbs.is_empty() && !holds_nodes();
        if ends.has_come() || !is_found || is_idle {
            return Ok(());
        }
    }
}

/// Waits until a verb connects or ends, a process ends, a signal comes, or [`TICK`] is over.
/// Returns true if a verb has ended, or if nothing has happened for the time [`TICK`].
fn wait_for_change(
    listener: &UnixListener,
    children: &UnixStream,
    verbs: &mut Vec<UnixStream>,
) -> io::Result<bool> {
    let fds = [listener.as_fd(), children.as_fd()].into_iter();
    let fds = fds.chain(verbs.iter().map(AsFd::as_fd));
    let mut fds: Vec<_> = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
    let ready = match poll(&mut fds, Some(&TICK)) {
        Err(rustix::io::Errno::INTR) => return Ok(false),
        ready => ready?,
    };
    // A verb sends nothing. If its connection can be read, the verb has closed the connection.
    let gone: Vec<bool> = fds[2..].iter().map(|fd| !fd.revents().is_empty()).collect();
    let mut next = gone.iter();
    verbs.retain(|_| next.next() != Some(&true));
    while let Ok((mut verb, _)) = listener.accept() {
        verb.set_write_timeout(Some(GREETING_TIME))?;
        if verb.write_all(&[GREETING]).is_ok() {
            verbs.push(verb);
        }
    }
    Ok(ready == 0 || gone.contains(&true))
}

/// Whether a node of a lab has a namespace.
fn holds_nodes() -> bool {
    fs::read_dir("/run/netns").is_ok_and(|mut nodes| nodes.next().is_some())
}
