//! Labs in namespaces for an ordinary user.
//!
//! A user who is not root cannot make network namespaces, but can be root in a user namespace. For
//! each user, one process, the [`holder`], keeps a user namespace, a mount namespace and a PID
//! namespace. Each verb of `eidway lab` enters these namespaces with [`enter`] before it does
//! anything else. So the other modules of `netns` work in the same way for a user who is root on
//! the machine and for a user who is root only in the user namespace.
//!
//! In the mount namespace, `/run` is a new directory. It shows the entries of the machine's `/run`,
//! except that `/run/eidway` is the [runtime directory](private::runtime) of the user. So processes
//! outside the mount namespace can also open the sockets and logs of a lab. In the PID namespace,
//! the holder is process 1: if the holder ends for any reason, the kernel ends all routers, and no
//! namespace remains. Process numbers in files are those of the PID namespace.
//!
//! Only the nodes have network namespaces of their own. All other processes of the user stay in the
//! network namespace of the machine. So the telnet ports and the page of `lab web` are on the
//! loopback of the machine.

pub mod holder;
mod obstacle;

use std::env;
use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, Signal, geteuid, kill_process};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::Signals;

use super::time_limit::TimeLimit;
use super::{environment, run};
use crate::driver::user_namespace::Namespaces;
use crate::lab::failure::Failure;
use crate::private;

/// The name of the hidden command that becomes the holder.
pub const COMMAND: &str = "holder";
/// The socket of the holder, in the runtime directory of the user.
const SOCKET: &str = ".holder.sock";
/// The octet that the holder sends to a verb as its greeting.
const GREETING: u8 = b'.';
/// The longest time to wait for the holder. A holder needs some milliseconds to start.
const STARTING: Duration = Duration::from_secs(5);

/// Whether a verb of `eidway lab` must run in the namespaces of the user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// The verb needs no namespaces: it works on the files of labs or on the simulator.
    None,
    /// The verb works on labs that are up. It needs the namespaces only if they exist.
    IfUp,
    /// The verb brings a lab up. If the namespaces do not exist, they are made.
    Always,
}

/// Runs this program again in the namespaces of this user, with the same arguments. Returns the
/// exit code of this second process. Returns `None` if the calling process must do the work itself:
/// `need` is [`Need::None`], the user is root, or no lab of this user is up and the verb brings no
/// lab up. The calling process must have only one thread.
///
/// # Errors
/// The namespaces cannot be made on this machine (the error has the cause and the remedy), or the
/// runtime directory belongs to another user.
pub fn enter(need: Need) -> Result<Option<u8>, Failure> {
    if need == Need::None || geteuid().is_root() {
        return Ok(None);
    }
    let Some(holder) = reach(need)? else { return Ok(None) };
    let credentials = socket_peercred(&holder).map_err(|error| entering(error.into()))?;
    let program = run::program()?;
    let mut command = environment::program(&program.display().to_string())?;
    let mut arguments = env::args_os();
    command.arg0(arguments.next().unwrap_or_default()).args(arguments);
    Namespaces::of(credentials.pid)
        .and_then(|namespaces| namespaces.enter(&mut command))
        .map_err(entering)?;
    let code = follow(command).map_err(entering)?;
    if !is_open(&holder) {
        return Err(Failure::new(
            "the process that keeps the namespaces of this user has ended. All routers of the \
             user's labs have ended too. Start the labs again with `eidway lab up`",
        ));
    }
    Ok(Some(code))
}

/// Checks that this user can have namespaces: makes them, unless they exist. Does nothing if the
/// user is root.
///
/// # Errors
/// The errors of [`enter`].
pub fn expect_possible() -> Result<(), Failure> {
    if geteuid().is_root() {
        return Ok(());
    }
    reach(Need::Always).map(drop)
}

fn entering(error: io::Error) -> Failure {
    Failure::io("entering the namespaces of this user")(error)
}

/// Returns a connection to the holder. While the connection is open, the holder does not end. If
/// there is no holder, the value of `need` decides: for [`Need::Always`], a holder is started, and
/// for any other value, `None` is returned. If a holder was killed, a new holder is started in any
/// case. The new holder removes the files of the killed holder's labs.
fn reach(need: Need) -> Result<Option<UnixStream>, Failure> {
    let directory = private::runtime();
    match need {
        Need::Always => private::make_runtime().map(drop),
        Need::None | Need::IfUp => private::expect_unspoilt(&directory),
    }
    .map_err(Failure::new)?;
    let time_limit = TimeLimit::of(STARTING);
    loop {
        match greeted(&directory.join(SOCKET)) {
            Ok(holder) => return Ok(Some(holder)),
            Err(ErrorKind::NotFound) if need != Need::Always => return Ok(None),
            Err(_) => start()?,
        }
        if !time_limit.pause() {
            let place = directory.display();
            return Err(Failure::Other(format!(
                "the process that keeps the namespaces of this user does not answer at its socket \
                 in {place}"
            )));
        }
    }
}

/// Connects to the holder and waits for its greeting. A holder that ends just now closes the
/// connection instead.
fn greeted(socket: &Path) -> Result<UnixStream, ErrorKind> {
    let greeted = || {
        let mut holder = UnixStream::connect(socket)?;
        let user = socket_peercred(&holder)?.uid;
        if user != geteuid() {
            return Err(ErrorKind::PermissionDenied.into());
        }
        holder.set_read_timeout(Some(STARTING))?;
        holder.read_exact(&mut [0])?;
        Ok(holder)
    };
    greeted().map_err(|error: io::Error| error.kind())
}

/// Whether the connection to the holder is still open.
fn is_open(mut holder: &UnixStream) -> bool {
    let none_waits = holder.set_nonblocking(true).and_then(|()| holder.read(&mut [0]));
    none_waits.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
}

/// Starts a holder. Returns when the new holder accepts verbs, or when it has found another holder.
fn start() -> Result<(), Failure> {
    let directory = private::make_runtime().map_err(Failure::new)?;
    let mut holder = environment::program(&run::program()?.display().to_string())?;
    holder.arg(COMMAND).arg(&directory).current_dir("/");
    holder.stdin(Stdio::null());
    // The holder closes its output when it is ready.
    let output = holder.output().map_err(Failure::io("holder"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    match said.trim_end() {
        "" => Ok(()),
        said => {
            // This fails if the directory has entries of a simulated lab.
            let _ = fs::remove_dir(directory);
            Err(Failure::new(said))
        }
    }
}

/// Starts a command, passes signals on to it, and returns its exit code when it has ended. If a
/// signal has ended the command, the exit code is 128 plus the number of the signal, as in a shell.
fn follow(mut command: Command) -> io::Result<u8> {
    // From here on, this process catches the signals and passes them on to the command. This
    // includes a signal that arrives before the command starts. This process cannot start a thread,
    // because its children have another PID namespace.
    let mut signals = Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
    let mut child = command.spawn()?;
    loop {
        if let Some(status) = child.try_wait()? {
            let code = status.code().or(status.signal().map(|signal| 128 + signal));
            return Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX));
        }
        for signal in signals.wait().filter(|signal| *signal != SIGCHLD) {
            let signal = Signal::from_named_raw(signal).unwrap_or(Signal::TERM);
            // An error means that the command has just ended. Then the next turn of the loop
            // returns its exit code.
            let _ = kill_process(Pid::from_child(&child), signal);
        }
    }
}
