//! Labs of an ordinary user: the program runs as a user without privileges, from outside and in the
//! namespaces of that user. Root looks on, and finds nothing left when the last lab is down.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::process::{Pid, Signal, kill_process};

use crate::captures::{Running, fields};
use crate::live::*;

/// The numbers of the users of these tests begin here. No account has them.
const FIRST: u32 = 64_100;
static NEXT: AtomicU32 = AtomicU32::new(FIRST);

/// A user with a home and a runtime directory. All processes of the user end with this value.
struct Ordinary {
    user: u32,
    place: tempfile::TempDir,
}

impl Ordinary {
    fn new() -> Self {
        let user = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
        for name in ["home", "runtime"] {
            let directory = place.path().join(name);
            fs::create_dir(&directory).unwrap();
            fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
            chown(&directory, Some(user), Some(user)).unwrap();
        }
        let program = place.path().join("eidway");
        fs::copy(env!("CARGO_BIN_EXE_eidway"), &program).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        Ordinary { user, place }
    }

    fn runtime(&self) -> PathBuf {
        self.place.path().join("runtime")
    }

    /// A call of `eidway` by this user. Root first runs `preparation`, in a mount namespace of its
    /// own, in which everybody may open the TUN device, as on most machines.
    fn command(&self, preparation: &str, args: &[&str]) -> Command {
        let script = format!(
            "mount -t tmpfs -o mode=755 none /dev/net; mknod -m 666 /dev/net/tun c 10 200\n\
             {preparation}\nexec setpriv --reuid {user} --regid {user} --clear-groups \"$@\"",
            user = self.user
        );
        let mut command = Command::new("unshare");
        command.args(["--mount", "bash", "-euc", &script, "bash"]);
        command.arg(self.place.path().join("eidway")).args(args);
        command.current_dir(self.place.path().join("home")).env_clear();
        // The programs of administrators are not in the path of a user of Debian.
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        command.env("XDG_RUNTIME_DIR", self.runtime()).env("HOME", self.place.path().join("home"));
        command
    }

    fn eidway(&self, args: &[&str]) -> Output {
        run(&mut self.command("", args))
    }

    /// Runs `eidway` and expects success. Returns the output.
    #[track_caller]
    fn does(&self, args: &[&str]) -> String {
        let output = self.eidway(args);
        assert!(output.status.success(), "{args:?}: {}{}", text(&output), errors(&output));
        text(&output)
    }

    fn starts(&self, args: &[&str]) -> Child {
        let mut command = self.command("", args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The processes of this user: their numbers, and their arguments. A process that has ended has
    /// none.
    fn processes(&self) -> Vec<(i32, String)> {
        let processes = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| {
            let process = entry.file_name().to_str()?.parse().ok()?;
            let is_ours = entry.metadata().ok()?.uid() == self.user;
            let argv = fs::read(entry.path().join("cmdline")).ok().filter(|_| is_ours)?;
            Some((process, String::from_utf8_lossy(&argv).replace('\0', " ")))
        });
        processes.filter(|(_, argv)| !argv.is_empty()).collect()
    }

    /// The number of the process that holds the namespaces.
    fn holder(&self) -> Pid {
        let found = self.processes().into_iter().find(|(_, argv)| argv.contains("eidway holder "));
        Pid::from_raw(found.expect("a holder").0).unwrap()
    }

    /// Expects that no process and no file of this user is left.
    #[track_caller]
    fn expect_nothing(&self) {
        // The kernel ends the processes after the last command.
        until(LONG, "all processes have ended", || self.processes().is_empty());
        for name in ["home", "runtime"] {
            let files = fs::read_dir(self.place.path().join(name)).unwrap();
            let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
            assert!(files.is_empty(), "{files:?}");
        }
    }
}

impl Drop for Ordinary {
    fn drop(&mut self) {
        for (process, _) in self.processes() {
            let _ = kill_process(Pid::from_raw(process).unwrap(), Signal::KILL);
        }
    }
}

#[test]
fn an_ordinary_user_has_a_lab_with_real_ping_and_nothing_is_left() {
    if !can_run() {
        return;
    }
    let user = Ordinary::new();
    let said = user.eidway(&["lab", "status", "gsmr"]);
    assert!(!said.status.success() && user.processes().is_empty(), "no lab needs no holder");

    user.does(&["lab", "up", "gsmr", "--telnet", "23401"]);
    for options in [&[][..], &["--ipv6"]] {
        let said = user.does(&[&["lab", "ping", "gsmr", "B", "A"], options].concat());
        assert!(said.contains("!!!!!"), "{said}");
    }
    assert!(user.does(&["lab", "list"]).contains("gsmr                     up"));
    // The files and sockets are seen from outside, and the telnet ports too.
    let own = user.runtime().join("eidway/gsmr");
    assert_eq!(fs::metadata(own.join("xTR1.sock")).unwrap().uid(), user.user);
    let clock = user.does(&["console", "gsmr/xTR1", "-c", "show clock"]);
    assert!(clock.contains("UTC"), "{clock}");
    std::net::TcpStream::connect("127.0.0.1:23401").unwrap();
    // Root's labs and those of the user do not see each other.
    assert!(!text(&eidway(&["lab", "list"])).contains("gsmr                     up"));
    assert!(!fs::exists("/run/netns/eidway-gsmr-xTR1").unwrap());

    let places = ["lab", "capture", "gsmr", "xTR2", "NewMSMR"];
    let mut capture = user.command("", &[&places[..], &["-w", "some.pcapng"]].concat());
    let capture = Running::start(&mut capture);
    user.does(&["console", "gsmr/xTR2", "-c", "clear ip lisp map-cache"]);
    user.does(&["lab", "ping", "gsmr", "B", "A"]);
    // The command passes the signal on to the process in the namespaces.
    capture.signal(Signal::INT);
    let said = capture.ends();
    assert!(said.contains(" packets captured, 0 lost"), "{said}");
    let file = user.place.path().join("home/some.pcapng");
    assert_eq!(fs::metadata(&file).unwrap().uid(), user.user);
    let fields = fields(&file.display().to_string(), "lisp.type == 8", &["frame.comment"]);
    assert!(fields.concat().concat().contains("xTR2 sent this Map-Request: "), "{fields:?}");
    fs::remove_file(file).unwrap();
    user.does(&["lab", "impair", "gsmr", "Core1:Core2", "--delay", "20ms", "--duplicate", "100%"]);
    let said = user.does(&["lab", "ping", "gsmr", "B", "A", "--json", "-c", "2"]);
    let tally: serde_json::Value = serde_json::from_str(&said).unwrap();
    let times = tally["round_trips_us"].as_array().unwrap();
    assert!(times.len() == 2 && times.iter().all(|time| time.as_u64() >= Some(40_000)), "{said}");
    user.does(&["lab", "kill", "gsmr", "xTR1"]);
    user.does(&["lab", "start", "gsmr", "xTR1"]);
    let code = user.eidway(&["lab", "exec", "gsmr", "A", "--", "sh", "-c", "exit 7"]);
    assert_eq!(code.status.code(), Some(7), "{}", errors(&code));

    user.does(&["lab", "down", "gsmr"]);
    user.expect_nothing();
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let own = user.place.path().display().to_string();
    assert!(!mounts.contains(&own) && !mounts.contains("eidway-gsmr-"), "{mounts}");
}

#[test]
fn the_programs_of_a_host_of_an_ordinary_user_end_with_the_lab() {
    if !can_run() {
        return;
    }
    let user = Ordinary::new();
    user.does(&["lab", "new", "mine"]);
    let labs = user.place.path().join("home/lab");
    let file = labs.join("mine/lab.toml");
    let text = fs::read_to_string(&file).unwrap();
    let host = "H1 = { kind = \"host\", ";
    assert!(text.contains(host), "{text}");
    fs::write(&file, text.replace(host, &format!("{host}run = [\"sleep 7171\"], "))).unwrap();
    user.does(&["lab", "up", "mine"]);
    let table = user.does(&["lab", "status", "mine"]);
    assert!(table.contains("runs `sleep 7171` as "), "{table}");
    let runs = || user.processes().iter().any(|(_, argv)| argv.contains("sleep 7171"));
    assert!(runs(), "{:?}", user.processes());
    user.does(&["lab", "down", "mine"]);
    fs::remove_dir_all(labs).unwrap();
    user.expect_nothing();
}

#[test]
fn an_ordinary_user_plays_a_scenario_whose_packets_are_captured() {
    if !can_run() {
        return;
    }
    let user = Ordinary::new();
    user.does(&["lab", "run", "gsmr", "x9"]);
    user.expect_nothing();
}

#[test]
fn two_ups_at_once_give_one_lab_and_one_clear_refusal() {
    if !can_run() {
        return;
    }
    let user = Ordinary::new();
    let both = [(); 2].map(|()| user.starts(&["lab", "up", "two-sites", "--name", "first"]));
    let both = both.map(|up| up.wait_with_output().unwrap());
    let (up, refused): (Vec<_>, Vec<_>) = both.iter().partition(|up| up.status.success());
    assert_eq!((up.len(), refused.len()), (1, 1), "{}", both.each_ref().map(errors).concat());
    assert!(errors(refused[0]).contains("lab first is already up"), "{}", errors(refused[0]));
    assert!(user.does(&["lab", "ping", "first", "A", "B"]).contains("!!!!!"));
    user.does(&["lab", "up", "two-sites", "--name", "second"]);
    user.does(&["lab", "down", "first"]);
    assert!(user.does(&["lab", "ping", "second", "A", "B"]).contains("!!!!!"), "the last one");
    user.does(&["lab", "down", "second"]);
    user.expect_nothing();
}

#[test]
fn a_killed_holder_takes_all_processes_along_and_the_next_command_removes_the_files() {
    if !can_run() {
        return;
    }
    let user = Ordinary::new();
    user.does(&["lab", "up", "two-sites"]);
    let shell = user.starts(&["lab", "exec", "two-sites", "A", "--", "sleep", "600"]);
    until(LONG, "it sleeps", || user.processes().iter().any(|(_, argv)| argv == "sleep 600 "));
    kill_process(user.holder(), Signal::KILL).unwrap();
    let said = errors(&shell.wait_with_output().unwrap());
    let ended = "the process that keeps the namespaces of this user has ended";
    assert!(said.contains(ended), "{said}");
    until(LONG, "all processes have ended", || user.processes().is_empty());
    let said = user.eidway(&["lab", "status", "two-sites", "--json"]);
    assert!(!said.status.success());
    user.expect_nothing();
    user.does(&["lab", "up", "two-sites"]);
    // Without its files, no command would find the holder.
    fs::remove_dir_all(user.runtime().join("eidway")).unwrap();
    user.expect_nothing();
}

#[test]
fn a_command_that_is_killed_takes_its_work_along() {
    if !can_run() {
        return;
    }
    let user = Ordinary::new();
    user.does(&["lab", "up", "two-sites"]);
    let mut exec = user.starts(&["lab", "exec", "two-sites", "A", "--", "sleep", "600"]);
    let sleeps = || user.processes().iter().any(|(_, argv)| argv == "sleep 600 ");
    until(LONG, "it sleeps", sleeps);
    kill_process(Pid::from_child(&exec), Signal::TERM).unwrap();
    assert_eq!(exec.wait().unwrap().code(), Some(128 + 15));
    assert!(!sleeps(), "the signal is passed on");
    let mut exec = user.starts(&["lab", "exec", "two-sites", "A", "--", "sleep", "600"]);
    until(LONG, "it sleeps", sleeps);
    exec.kill().unwrap();
    exec.wait().unwrap();
    until(LONG, "it is killed too", || !sleeps());
    user.does(&["lab", "down", "two-sites"]);
    user.expect_nothing();
}

/// A preparation of root after which the machine refuses labs to the user, and words of the cause and
/// of the remedy.
const REFUSALS: [(&str, [&str; 2]); 3] = [
    ("chmod 600 /dev/net/tun", ["this user cannot open /dev/net/tun", "chmod 666 /dev/net/tun"]),
    ("rm /dev/net/tun", ["/dev/net/tun: No such file", "modprobe tun"]),
    ("mount --bind /dev/null /proc/cpuinfo", ["mounting /proc: Operation", "unmask=ALL"]),
];

#[test]
fn what_the_machine_refuses_is_named_with_its_remedy() {
    if !can_run() {
        return;
    }
    let user = Ordinary::new();
    for (preparation, words) in REFUSALS {
        for verb in ["up", "check"] {
            let output = run(&mut user.command(preparation, &["lab", verb, "two-sites"]));
            let said = text(&output) + &errors(&output);
            assert_eq!(output.status.code(), Some(1), "{preparation}: {said}");
            for words in words {
                assert!(said.contains(words), "{preparation}, {verb}: no {words:?} in {said}");
            }
        }
        user.expect_nothing();
    }
}

/// The limit of user namespaces is set for a user namespace, so the machine's own is not touched.
#[test]
fn a_limit_of_no_user_namespaces_is_named_with_its_setting() {
    if !can_run() {
        return;
    }
    let user = Ordinary::new();
    let number = user.user;
    let up = user.place.path().join("eidway").display().to_string();
    let script = format!(
        "unshare --user sleep 5 & sleeper=$!
         until echo '0 0 65536' 2>/dev/null >/proc/$sleeper/uid_map; do sleep 0.01; done
         echo '0 0 65536' >/proc/$sleeper/gid_map
         nsenter --target $sleeper --user bash -c '
             echo 0 >/proc/sys/user/max_user_namespaces
             setpriv --reuid {number} --regid {number} --clear-groups {up} lab up two-sites'
         status=$?; kill $sleeper; exit $status"
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).env("XDG_RUNTIME_DIR", user.runtime()).current_dir("/");
    let output = run(&mut bash);
    let said = errors(&output);
    let words = "the setting user.max_user_namespaces is 0: run `sysctl user.max_user_namespaces=";
    assert!(!output.status.success() && said.contains(words), "{said}");
    user.expect_nothing();
}

#[test]
fn a_runtime_directory_of_another_user_is_refused() {
    if !can_run() {
        return;
    }
    let (user, other) = (Ordinary::new(), Ordinary::new());
    let mut command = user.command("", &["lab", "up", "two-sites"]);
    let output = run(command.env("XDG_RUNTIME_DIR", other.runtime()));
    let said = errors(&output);
    let words = format!("it belongs to user {}, not to user {}", other.user, user.user);
    assert!(!output.status.success() && said.contains(&words), "{said}");
    // Without this variable, the directory is in the one for temporary files.
    let shared = user.place.path().join("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o1777)).unwrap();
    let own = shared.join(format!("eidway-{}", user.user));
    let with = |user: &Ordinary, args: &[&str]| {
        let mut command = user.command("", args);
        run(command.env_remove("XDG_RUNTIME_DIR").env("TMPDIR", &shared))
    };
    expect_success(&with(&user, &["lab", "up", "two-sites"]));
    assert!(own.join("two-sites/xTR1.sock").exists());
    // The console of this lab is closed to the other user.
    let socket = own.join("two-sites/xTR1.sock").display().to_string();
    let output = with(&other, &["console", &socket, "-c", "show clock"]);
    assert!(errors(&output).contains("Permission denied"), "{}", errors(&output));
    expect_success(&with(&user, &["lab", "down", "two-sites"]));
    user.expect_nothing();
    assert!(!Path::new(&own).exists());
}
