//! A lab that is up during a test, and calls of the program.

use std::fs;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// The time limit for an event that must happen.
pub const LONG: Duration = Duration::from_secs(10);

/// A lab that is up. When this value is dropped, the lab is taken down.
pub struct Live {
    pub name: String,
}

impl Live {
    /// Brings `lab` up. Its name is made from `test`, which has a few letters.
    pub fn up(lab: &str, test: &str) -> Self {
        Live::up_in(lab, test, &[])
    }

    /// Brings `lab` up with routers that forward in one of the [`modes`].
    pub fn up_in(lab: &str, test: &str, mode: &[&str]) -> Self {
        let live = Live::named(test);
        expect_success(&eidway(&[&["lab", "up", lab, "--name", &live.name], mode].concat()));
        live
    }

    /// A lab that is not up yet.
    pub fn named(test: &str) -> Self {
        Live { name: format!("t-{test}-{}", std::process::id()) }
    }

    /// `eidway lab VERB LAB ARGS`.
    pub fn lab(&self, verb: &str, args: &[&str]) -> Output {
        eidway(&[&["lab", verb, &self.name], args].concat())
    }

    /// Calls a verb of `netns-scripts`, as a student would.
    pub fn verb(&self, verb: &str, args: &[&str]) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("netns-scripts").join(verb);
        expect_success(&run(Command::new(script).arg(&self.name).args(args)));
    }

    /// Returns the marks of a ping: `!!!!!`.
    pub fn ping(&self, from: &str, to: &str, options: &[&str]) -> String {
        let output = self.lab("ping", &[&[from, to], options].concat());
        let text = text(&output);
        let marks = |line: &&str| !line.is_empty() && line.chars().all(|c| "!.UM".contains(c));
        let found = text.lines().find(marks);
        found.unwrap_or_else(|| panic!("no marks: {text}{}", errors(&output))).to_owned()
    }

    /// Checks that every echo request is answered, including the first, for IPv4 and IPv6.
    pub fn expect_pings(&self, pairs: &[(&str, &str)]) {
        for (from, to) in pairs {
            for options in [&[][..], &["--ipv6"]] {
                let marks = self.ping(from, to, options);
                assert_eq!(marks, "!!!!!", "{from} to {to} {options:?}");
            }
        }
    }

    /// The output of a session on a router's console.
    pub fn console(&self, node: &str, commands: &[&str]) -> String {
        let mut args = vec!["console".to_owned(), format!("{}/{node}", self.name)];
        for command in commands {
            args.extend(["-c".to_owned(), (*command).to_owned()]);
        }
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let output = eidway(&args);
        expect_success(&output);
        text(&output)
    }

    /// The namespace of a node.
    pub fn namespace(&self, node: &str) -> String {
        format!("eidway-{}-{node}", self.name)
    }

    /// The output of a shell in a node's namespace.
    pub fn shell(&self, node: &str, script: &str) -> String {
        let namespace = self.namespace(node);
        let output =
            run(Command::new("ip").args(["netns", "exec", &namespace, "sh", "-c", script]));
        expect_success(&output);
        text(&output)
    }

    /// The processes that run in a node's namespace.
    pub fn processes(&self, node: &str) -> String {
        text(&run(Command::new("ip").args(["netns", "pids", &self.namespace(node)])))
    }

    /// Calls a function in a node's namespace. A socket that is made there stays there.
    pub fn inside<T: Send>(&self, node: &str, work: impl FnOnce() -> T + Send) -> T {
        inside(&self.namespace(node), work)
    }

    /// Returns the remaining parts of the lab: namespaces, files, processes.
    pub fn remains(&self) -> Vec<String> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/run/netns").into_iter().flatten().flatten() {
            let namespace = entry.file_name().to_string_lossy().into_owned();
            if namespace.starts_with(&format!("eidway-{}-", self.name)) {
                found.push(namespace);
            }
        }
        let run = format!("/run/eidway/{}", self.name);
        if Path::new(&run).exists() {
            found.push(run.clone());
        }
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let argv = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            let argv = String::from_utf8_lossy(&argv).replace('\0', " ");
            if argv.contains(&format!("{run}/")) {
                found.push(argv);
            }
        }
        found
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let output = self.lab("down", &[]);
        let remains = self.remains();
        if !std::thread::panicking() {
            expect_success(&output);
            assert!(remains.is_empty(), "left behind: {remains:?}");
        }
    }
}

pub fn eidway(args: &[&str]) -> Output {
    // The program runs outside of the source tree, so that it uses its built-in labs and verbs.
    run(Command::new(env!("CARGO_BIN_EXE_eidway")).args(args).current_dir("/"))
}

pub fn run(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn expect_success(output: &Output) {
    assert!(output.status.success(), "{}{}", text(output), errors(output));
}

/// Polls until `is_so` returns true. Fails after the time `limit`.
#[track_caller]
#[expect(clippy::disallowed_methods, reason = "real labs run on the real clock")]
pub fn until(limit: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < limit, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The modes of the data path, as options of `lab up`: in the processes of the routers, with the
/// kernel's segmentation offload and packet by packet, and in the kernel. The list is empty if the
/// tests cannot run.
pub fn modes() -> &'static [&'static [&'static str]] {
    const USER: &[&str] = &["--data-path", "user"];
    const NO_OFFLOAD: &[&str] = &["--data-path", "user", "--no-offload"];
    const KERNEL: &[&str] = &["--data-path", "kernel"];
    if can_run() { &[USER, NO_OFFLOAD, KERNEL] } else { &[] }
}

/// Whether the tests can run here. If they cannot, and this is not permitted, the test fails.
pub fn can_run() -> bool {
    let output = run(Command::new("id").arg("-u"));
    if text(&output).trim() == "0" {
        return true;
    }
    let allowed = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some_and(|value| value == "1");
    assert!(allowed, "namespace tests need root (EIDWAY_ALLOW_SKIP=1 skips them)");
    eprintln!("SKIPPED: namespace tests need root");
    false
}

/// Calls a function in a namespace. A socket that is made there stays there.
pub fn inside<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
    let file = fs::File::open(format!("/run/netns/{namespace}")).unwrap();
    let enter = move || {
        move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        work()
    };
    std::thread::scope(|scope| match scope.spawn(enter).join() {
        Ok(value) => value,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
