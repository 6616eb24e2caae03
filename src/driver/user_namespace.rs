//! The namespaces in which an ordinary user is root: the user namespace, the mount namespace and
//! the PID namespace of a process.
//!
//! Only a process with a single thread can call [`unshare`] and [`Namespaces::enter`], because the
//! kernel moves no other process into a user namespace.

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

/// Moves the calling process into a new user namespace and a new mount namespace, and its next
/// children into a new PID namespace. The user of the process is root in all three namespaces. No
/// other user has a user ID there.
///
/// # Errors
/// The kernel or a policy of the machine refuses this to the user.
pub fn unshare() -> io::Result<()> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    let namespaces = UnshareFlags::NEWUSER | UnshareFlags::NEWNS | UnshareFlags::NEWPID;
    // SAFETY: the table of open files stays shared.
    unsafe { unshare_unsafe(namespaces) }?;
    // A user may map their own group only after they give up the right to change the list of
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

    /// Moves this process into the user namespace. The child of `command` enters all three
    /// namespaces and has the same working directory. The child is killed if this process is
    /// killed.
    ///
    /// # Errors
    /// This process has a second thread, or no working directory.
    pub fn enter(self, command: &mut Command) -> io::Result<()> {
        let here = CString::new(std::env::current_dir()?.as_os_str().as_bytes())?;
        // The order matters: the user namespace gives the right to enter the others.
        move_into_link_name_space(self.user.as_fd(), Some(LinkNameSpaceType::User))?;
        // A process cannot change its own PID namespace: only its next children are in the new
        // namespace.
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
