//! Network namespaces for tests. Each namespace belongs to one thread, and no other thread uses it.
//! The namespace is removed when its thread ends.

#![allow(unsafe_code, reason = "unshare is unsafe for flags other than the one used here")]

use std::process::Command;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Runs a test in a new thread. The thread has a new namespace.
///
/// Only root can create a namespace. Without root, the test fails. But if the environment variable
/// `EIDWAY_ALLOW_SKIP` is set, the test is skipped and prints a line about this.
pub fn in_namespace(test: impl FnOnce() + Send + 'static) {
    if !rustix::process::geteuid().is_root() {
        let skip = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some();
        assert!(skip, "network namespaces need root; EIDWAY_ALLOW_SKIP=1 skips this test");
        eprintln!("SKIPPED: network namespaces need root");
        return;
    }
    if let Err(panic) = spawn_in_namespace(test).join() {
        std::panic::resume_unwind(panic);
    }
}

/// Starts a thread in a new namespace, for tests that need a second namespace.
pub fn spawn_in_namespace<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> JoinHandle<T> {
    thread::spawn(|| {
        // SAFETY: only the network namespace of this thread changes. The memory and the files of
        // other threads do not change.
        unsafe { unshare_unsafe(UnshareFlags::NEWNET) }.expect("a network namespace");
        ip("link set lo up");
        work()
    })
}

/// Returns the path of the calling thread's namespace, for `ip link set DEVICE netns PATH`.
pub fn path() -> String {
    let (process, thread) = (rustix::process::getpid(), rustix::thread::gettid());
    format!("/proc/{process}/task/{thread}/ns/net")
}

/// Runs `ip` in the namespace and returns its output.
pub fn ip(arguments: &str) -> String {
    let output = Command::new("ip")
        .args(arguments.split_whitespace())
        .output()
        .expect("iproute2 is installed");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "ip {arguments}: {complaint}");
    String::from_utf8(output.stdout).expect("ip prints text")
}

/// Returns the rules and routes as `ip` prints them, in alphabetical order. Leaves out the rules
/// and routes that the kernel adds by itself, because the time at which the kernel adds them is not
/// fixed.
pub fn rules_and_routes() -> String {
    let views = ["-4 rule", "-6 rule", "-4 route show table all", "-6 route show table all"];
    let text = views.map(ip).concat();
    let mut lines: Vec<&str> = text.lines().filter(|line| !line.contains("proto kernel")).collect();
    lines.sort();
    lines.join("\n")
}

/// Waits until `state` returns true, for at most two seconds.
///
/// There are two reasons to wait. The kernel does some of its work later. Also, another test may
/// just have forked a child process, and this child still has the open file of a device. Then the
/// device exists until the child closes the file.
pub fn wait_until(what: &str, mut state: impl FnMut() -> bool) {
    #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
    let end = Instant::now() + Duration::from_secs(2);
    while !state() {
        #[allow(clippy::disallowed_methods, reason = "the deadline of a test")]
        let now = Instant::now();
        assert!(now < end, "{what}: not within two seconds");
    }
}

/// A second namespace in which a test runs programs. The namespace is removed when this value is
/// dropped.
#[derive(Debug)]
pub struct Host {
    path: String,
    over: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    /// Creates a namespace with only the device `lo`.
    pub fn start() -> Self {
        let (tell_path, hear_path) = mpsc::channel();
        let (over, wait) = mpsc::channel::<()>();
        let thread = spawn_in_namespace(move || {
            tell_path.send(path()).expect("the test waits for the path");
            let _ = wait.recv();
        });
        let path = hear_path.recv().expect("the thread sends its path immediately");
        Host { path, over: Some(over), thread: Some(thread) }
    }

    /// Returns the path of this namespace, for `ip link set DEVICE netns PATH`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Runs a program in the namespace. Returns true if the program succeeded, and the output of
    /// the program.
    pub fn try_run(&self, command: &str) -> (bool, String) {
        let output = Command::new("nsenter")
            .arg(format!("--net={}", self.path))
            .args(command.split_whitespace())
            .output()
            .expect("nsenter is installed");
        let mut printed = String::from_utf8_lossy(&output.stdout).into_owned();
        printed += &String::from_utf8_lossy(&output.stderr);
        (output.status.success(), printed)
    }

    /// Runs a program in the namespace and returns its output. Panics if the program fails.
    pub fn run(&self, command: &str) -> String {
        let (success, printed) = self.try_run(command);
        assert!(success, "{command}: {printed}");
        printed
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.over = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
