//! The namespaces in which a user without privileges is root: a user namespace, a mount namespace
//! and a PID namespace.
//!
//! Only a process that has one thread can call [`unshare`] and [`Namespaces::enter`], because the
//! kernel does not move a process with more threads into a user namespace.

#![allow(
    unsafe_code,
    reason = "unshare is unsafe, and so is code that runs between fork and exec of a child"
)]

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Pid, Signal, chdir, getegid, geteuid, set_parent_process_death_signal};
use rustix::thread::{LinkNameSpaceType, UnshareFlags, move_into_link_name_space, unshare_unsafe};

/// Moves the calling process into a new user namespace and a new mount namespace. The next children
/// of the process are in a new PID namespace. The user of the process is root in all three
/// namespaces. No other user has a user ID in these namespaces.
///
/// # Errors
/// The kernel or a policy of the machine does not permit new namespaces to this user.
pub fn unshare() -> io::Result<()> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let namespaces = UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::NEWPID;
    // SAFETY: the threads of the process still share the table of open files.
    unsafe { unshare_unsafe(namespaces) }?;
    // The kernel permits a user to map a group only if the process can no longer change its list of
    // groups.
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))
}

/// The namespaces of another process of this user.
#[derive(Debug)]
pub struct Namespaces {
    user: File,
    mount: File,
    pid: File,
}

impl Namespaces {
    /// Opens the namespaces of a process.
    ///
    /// # Errors
    /// The process has ended, or it belongs to another user.
    pub fn of(process: Pid) -> io::Result<Self> {
        let open = |kind| File::open(format!("/proc/{}/ns/{kind}", process.as_raw_nonzero()));
        Ok(Namespaces { user: open("user")?, mount: open("mnt")?, pid: open("pid")? })
    }

    /// Moves this process into the user namespace. Prepares `command` so that its child enters all
    /// three namespaces and has the same working directory as this process. If this process is
    /// killed, the child is killed too.
    ///
    /// # Errors
    /// This process has more than one thread, or its working directory does not exist any more.
    pub fn enter(self, command: &mut Command) -> io::Result<()> {
        let here = CString::new(std::env::current_dir()?.as_os_str().as_bytes())?;
        // The user namespace must be the first, because only its root user may enter the other
        // namespaces.
        move_into_link_name_space(self.user.as_fd(), Some(LinkNameSpaceType::User))?;
        // A process cannot change its own PID namespace. Only the next children of the process are
        // in the new PID namespace.
        move_into_link_name_space(self.pid.as_fd(), Some(LinkNameSpaceType::ProcessID))?;
        let enter = move || {
            move_into_link_name_space(self.mount.as_fd(), Some(LinkNameSpaceType::Mount))?;
            chdir(here.as_c_str())?;
            set_parent_process_death_signal(Some(Signal::KILL))?;
            Ok(())
        };
        // SAFETY: between fork and exec, the closure makes only system calls. It allocates nothing
        // and takes no lock.
        unsafe { command.pre_exec(enter) };
        Ok(())
    }
}
