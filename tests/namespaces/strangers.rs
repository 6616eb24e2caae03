//! Attempts of another user of the machine to stop root's labs, to read their keys, or to make root
//! write to a place where this user cannot write. Each attempt really runs, and must fail. A
//! message must name the object of the attempt: the message of the attempt itself, or the message
//! of root's command.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use crate::live::*;

/// The UID of the user without privileges in Debian (base-passwd).
const STRANGER: u32 = 65534;
/// Another user beside root: the victim of the stranger.
const VICTIM: u32 = 65533;

/// A directory that the stranger and the victim can reach, with the program in it. It is removed
/// when this value is dropped.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = Place(tempfile::tempdir().unwrap());
        // The directory has the mode of /tmp: every user can make files there, and can remove only
        // their own files.
        fs::set_permissions(place.path(), Permissions::from_mode(0o1777)).unwrap();
        let program = place.path().join("eidway");
        fs::copy(env!("CARGO_BIN_EXE_eidway"), &program).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o755)).unwrap();
        place
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Returns the path of a file in this directory, as text.
    fn file(&self, name: &str) -> String {
        self.path().join(name).display().to_string()
    }

    /// Makes a shell of a user that runs `script` in this directory.
    fn shell(&self, user: u32, script: &str) -> Command {
        let mut shell = Command::new("setpriv");
        let user = user.to_string();
        shell.args(["--reuid", &user, "--regid", &user, "--clear-groups", "bash", "-c", script]);
        shell.current_dir(self.path()).env_clear().env("TMPDIR", self.path());
        shell.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        shell
    }

    /// Runs the stranger's preparation, which must succeed.
    fn prepare(&self, script: &str) {
        expect_success(&run(&mut self.shell(STRANGER, script)));
    }
}

/// Checks that an attempt failed, and that the message contains `words`.
#[track_caller]
fn expect_refusal(what: &str, output: &Output, words: &str) {
    let said = errors(output);
    assert!(!output.status.success(), "{what}: it succeeded: {}", text(output));
    assert!(said.contains(words), "{what}: {words:?} is not in {said:?}");
}

/// The stranger's attempts, each with a part of its message. `LAB` is a lab that is up, and `NEXT`
/// is a lab that is being brought up.
const ATTEMPTS: [(&str, &str, &str); 29] = [
    ("read the keys", "cat /run/eidway/LAB/lab/xTR1.conf", "lab/xTR1.conf: Permission denied"),
    ("read a record", "cat /run/eidway/LAB/xTR1.record", "xTR1.record: Permission denied"),
    ("read the nonces", "cat /run/eidway/LAB/MSMR.nonces", "MSMR.nonces: Permission denied"),
    ("read a file of flash:", "cat /run/eidway/LAB/xTR1.flash/x", "flash/x: Permission denied"),
    ("make a file of flash:", "ln -s /tmp /run/eidway/LAB/xTR1.flash/y", "xTR1.flash/y"),
    ("read a log", "cat /run/eidway/LAB/xTR1.log", "xTR1.log: Permission denied"),
    ("write into a log", "echo x >>/run/eidway/LAB/xTR1.log", "xTR1.log: Permission denied"),
    ("name another process", "echo 1 >/run/eidway/LAB/xTR1.pid", "xTR1.pid: Permission denied"),
    ("lead the lab elsewhere", "echo /tmp >/run/eidway/LAB/origin", "origin: Permission denied"),
    ("list a lab's files", "ls /run/eidway/LAB", "'/run/eidway/LAB': Permission denied"),
    ("remove a lab's files", "rm -r /run/eidway/LAB", "'/run/eidway/LAB'"),
    ("rename a lab's files", "mv /run/eidway/LAB /run/eidway/x", "'/run/eidway/LAB'"),
    ("a second name", "ln /run/eidway/LAB/xTR1.log x", "xTR1.log': Permission denied"),
    ("make the next lab's directory", "mkdir /run/eidway/NEXT", "/run/eidway/NEXT"),
    ("lead the next lab elsewhere", "ln -s /tmp /run/eidway/NEXT", "/run/eidway/NEXT"),
    (
        "make a scenario's directory",
        "mkdir -p /run/eidway/.scenarios/NEXT",
        "/run/eidway/.scenarios",
    ),
    ("hold the labs' lock", "flock /run/eidway/.lock true", "/run/eidway/.lock: Permission denied"),
    ("hold the directory", "flock /run/eidway true", "/run/eidway: Permission denied"),
    ("remove the labs' lock", "rm -f /run/eidway/.lock", "'/run/eidway/.lock': Permission denied"),
    ("hold a router's lock", "flock /run/eidway/.router-INODE true", ".router-INODE: Permission"),
    ("talk to a router", "./eidway console LAB/xTR1 -c 'show run'", "lab LAB belongs to root"),
    ("talk by the path", "./eidway console /run/eidway/LAB/xTR1.sock", "LAB/xTR1.sock: Permission"),
    ("end a router", "kill -TERM ROUTER", "(ROUTER) - Operation not permitted"),
    ("stop a router", "./eidway lab kill two-sites --name LAB xTR1", "/run/eidway/LAB/xTR1"),
    ("take the lab down", "./eidway lab down LAB", "lab LAB belongs to root"),
    ("end the process that brings the next lab up", "kill -KILL UP", "(UP)"),
    ("enter a node", "ip netns exec eidway-LAB-xTR1 true", "eidway-LAB-xTR1"),
    ("remove a node", "ip netns del eidway-LAB-A", "eidway-LAB-A\": Permission denied"),
    (
        "read the open files of a router",
        "ls /proc/ROUTER/fd/",
        "/proc/ROUTER/fd/': Permission denied",
    ),
];

#[test]
fn no_attempt_at_a_lab_that_is_up_or_coming_up_succeeds() {
    if !can_run() {
        return;
    }
    let place = Place::new();
    let (live, next) = (Live::named("strange"), Live::named("next"));
    expect_success(&eidway(&["lab", "up", "two-sites", "--name", &live.name, "--record"]));
    let console = format!("{}/xTR1", live.name);
    expect_success(&eidway(&["console", &console, "-c", "show run | redirect flash:x"]));
    let mut up = Up::start(&next);
    let file = |name: &str| format!("/run/eidway/{}/{name}", live.name);
    let router = fs::read_to_string(file("xTR1.pid")).unwrap();
    let node = format!("/run/netns/{}", live.namespace("xTR1"));
    let fill = |text: &str| {
        let text = text.replace("LAB", &live.name).replace("NEXT", &next.name);
        let text = text.replace("ROUTER", router.trim()).replace("UP", &up.0.id().to_string());
        text.replace("INODE", &fs::metadata(&node).unwrap().ino().to_string())
    };
    let attempts = ATTEMPTS.map(|(what, script, words)| (what, fill(script), fill(words)));
    // All attempts are repeated while the lab is brought up, and made once more when it is up.
    let (mut rounds, mut last) = (0, false);
    while !last {
        last = up.has_ended();
        for (what, script, words) in &attempts {
            expect_refusal(what, &run(&mut place.shell(STRANGER, script)), words);
        }
        rounds += 1;
    }
    up.expect_success();
    assert!(rounds >= 2, "no attempt was made while the lab came up");
    for lab in [&live, &next] {
        lab.expect_pings(&[("A", "B")]);
        expect_success(&lab.lab("status", &[]));
    }
    assert_eq!(fs::read_to_string(file("xTR1.pid")).unwrap(), router);
    let left: Vec<PathBuf> =
        fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(left, [place.path().join("eidway")], "an attempt has made something");
}

/// A running `lab up` of two-sites.
struct Up(Child);

impl Up {
    fn start(lab: &Live) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
        command.args(["lab", "up", "two-sites", "--name", &lab.name]).current_dir("/");
        Up(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    }

    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    fn expect_success(self) {
        expect_success(&self.0.wait_with_output().unwrap());
    }
}

#[test]
fn a_process_that_calls_itself_a_router_is_none() {
    if !can_run() {
        return;
    }
    let place = Place::new();
    let live = Live::up("two-sites", "argv");
    expect_success(&live.lab("kill", &["xTR1"]));
    // A rare coincidence, which a stranger can only wait for: the stranger's process gets the
    // process number of the router that has ended.
    let socket = format!("/run/eidway/{}/xTR1.sock", live.name);
    let claim = format!("exec -a {socket} sleep 600");
    let mut pretender = place.shell(STRANGER, &claim).spawn().unwrap();
    let pid = pretender.id().to_string();
    until(LONG, "it calls itself so", || {
        fs::read(format!("/proc/{pid}/cmdline")).unwrap().starts_with(socket.as_bytes())
    });
    fs::write(format!("/run/eidway/{}/xTR1.pid", live.name), &pid).unwrap();
    expect_refusal("status", &eidway(&["lab", "status", &live.name]), "");
    let state = text(&live.lab("status", &[]));
    assert!(state.contains("xTR1         router  stopped"), "{state}");
    expect_success(&live.lab("stop", &["xTR1"]));
    assert!(pretender.try_wait().unwrap().is_none(), "root has ended a process of another user");
    expect_success(&live.lab("start", &["xTR1"]));
    live.expect_pings(&[("A", "B")]);
    pretender.kill().unwrap();
    pretender.wait().unwrap();
}

#[test]
fn root_does_not_take_a_lab_that_another_user_has_put_in_the_way() {
    if !can_run() {
        return;
    }
    let place = Place::new();
    let live = Live::named("plant");
    let toml = r#"name = "two-sites"\nnodes.Evil.kind = "node"\n"#;
    place
        .prepare(&format!("mkdir -p two-sites lab/gsmr; printf '{toml}' | tee two-sites/lab.toml"));
    place.prepare("cp two-sites/lab.toml lab/gsmr");
    let up = |lab: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eidway"));
        run(command.args(["lab", "up", lab, "--name", &live.name]).current_dir(place.path()))
    };
    for (lab, directory) in [("two-sites", "two-sites"), ("gsmr", "lab/gsmr")] {
        let words = format!("\"{lab}\" is also the directory {directory} of user {STRANGER}");
        expect_refusal("a planted lab", &up(lab), &words);
    }
    assert!(live.remains().is_empty(), "{:?}", live.remains());
    expect_success(&up("./two-sites"));
}

#[test]
fn names_that_lead_elsewhere_are_refused_where_they_are_read_and_in_the_scripts() {
    if !can_run() {
        return;
    }
    let place = Place::new();
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("netns-scripts");
    let victim = place.path().join("kept");
    fs::create_dir(&victim).unwrap();
    let out = format!("../..{}", victim.display());
    for args in [
        &["lab-down", &out][..],
        &["node-add", "t-name", "a/b", "node"],
        &["node-del", "t-name", "../x"],
        &["router-start", "t-name", "../x", "x.conf"],
        &["router-stop", &out, "x"],
        &["telnet-start", &out, "eidway", "2001", "x"],
        &["telnet-start", "t-name", "eidway", "2001", "../x"],
        &["link-add", "t-name", "A", "lo", "B", "eth0"],
        &["link-add", "t-name", "A", "eth%d", "B", "eth0"],
        &["lan-add", "t-name", "a\nb"],
        &["link-loss", "t-name", "A", "x\" drop", "1"],
        &["link-impair", "t-name", "A", "x\" drop", "eidway", "none"],
    ] {
        let output = run(Command::new(scripts.join(args[0])).args(&args[1..]));
        expect_refusal(&args.join(" "), &output, "is not a valid name for a");
    }
    for name in [&out, "..", "/etc", "a\nb"] {
        expect_refusal(name, &eidway(&["lab", "down", name]), "is not a valid name for a lab");
        let output = eidway(&["lab", "up", "two-sites", "--name", name]);
        expect_refusal(name, &output, "is not a valid name for a lab");
    }
    assert!(victim.is_dir());
    for device in ["lo", "eth%d", "a\\nb", "default", "..", "a/b", "-x"] {
        let toml = format!(
            "name = \"t\"\nnodes.a.kind = \"node\"\nnodes.b.kind = \"node\"\n\
             [[links]]\nendpoints = [\"a:{device}\", \"b:eth0\"]\n"
        );
        fs::write(place.path().join("lab.toml"), toml).unwrap();
        let output = eidway(&["lab", "up", &place.path().display().to_string()]);
        let words = format!("\"{device}\" is not a valid name for a device");
        expect_refusal(device, &output, &words);
    }
}

#[test]
fn root_does_not_write_through_a_link_nor_believe_a_file_of_another_user() {
    if !can_run() {
        return;
    }
    let place = Place::new();
    let live = Live::up("two-sites", "link");
    let victim = place.path().join("victim");
    fs::write(&victim, "kept").unwrap();
    fs::set_permissions(&victim, Permissions::from_mode(0o600)).unwrap();
    place.prepare("ln -s victim capture; ln -s victim log; ln -s victim nonces; echo 1 >believed");
    place.prepare("mkfifo -m 666 pipe; echo x >socket");
    fs::write(place.path().join("r.conf"), "hostname r\n").unwrap();
    let link = "it is a symbolic link";
    let output = live.lab("capture", &["Core", "-c", "1", "-w", &place.file("capture")]);
    expect_refusal("capture", &output, &format!("{}: {link}", place.file("capture")));
    let stranger = format!("it belongs to user {STRANGER}, not to user 0");
    let output = live.lab("capture", &["Core", "-c", "1", "-w", &place.file("pipe")]);
    expect_refusal(
        "a pipe without a reader",
        &output,
        &format!("{}: {stranger}", place.file("pipe")),
    );
    for (option, file, why) in [
        ("--log", "log", link),
        ("--log", "pipe", &stranger),
        ("--nonces", "nonces", link),
        ("--nonces", "believed", &stranger),
        ("--nonces", "pipe", &stranger),
        ("--console", "socket", &stranger),
    ] {
        let mut router = Command::new("unshare");
        router.args(["--net", env!("CARGO_BIN_EXE_eidway"), "router", &place.file("r.conf")]);
        let output = run(router.args([option, &place.file(file)]));
        expect_refusal(option, &output, &format!("{}: {why}", place.file(file)));
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    // A record is always a new file. The link of the stranger is renamed, and nothing is written
    // through it.
    symlink(&victim, place.path().join("r.record")).unwrap();
    let mut router = Command::new("unshare");
    router.args(["--net", env!("CARGO_BIN_EXE_eidway"), "router", &place.file("r.conf")]);
    let (record, console) = (place.file("r.record"), place.file("r.sock"));
    let mut router = router.args(["--record", &record, "--console", &console]).spawn().unwrap();
    // After that, the program also receives the signal, and leaves nothing behind.
    until(LONG, "it answers", || {
        eidway(&["console", &console, "-c", "show clock"]).status.success()
    });
    assert!(fs::symlink_metadata(&record).unwrap().is_file());
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&router),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    router.wait().unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "kept");
    assert_eq!(fs::metadata(&record).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_configuration_outside_of_its_lab_is_copied_and_never_written() {
    if !can_run() {
        return;
    }
    let place = Place::new();
    let directory = place.path().join("lab");
    fs::create_dir(&directory).unwrap();
    let outside = place.path().join("outside.conf");
    fs::write(&outside, "hostname r\n").unwrap();
    let text = format!(
        "name = \"x\"\n[nodes.r]\nkind = \"router\"\nconfig = \"{}\"\n\
         [nodes.s]\nkind = \"router\"\nconfig = '../outside.conf'\n",
        outside.display()
    );
    fs::write(directory.join("lab.toml"), text).unwrap();
    let scenario = directory.join("one.scenario");
    let overlay = "title \"one\"\noverlay r {\nip route 10.0.0.0 255.0.0.0 Null0\n}\n";
    fs::write(&scenario, overlay).unwrap();
    let (directory, scenario) = (directory.display().to_string(), scenario.display().to_string());
    let live = Live::named("outside");
    let with = ["lab", "up", &directory, "--name", &live.name, "--with", &scenario];
    expect_success(&eidway(&with));
    assert!(live.console("r", &["show running-config"]).contains("Null0"));
    expect_success(&live.lab("restart", &["r"]));
    assert!(live.console("r", &["show running-config"]).contains("Null0"), "the copy counts");
    assert!(!live.console("s", &["show running-config"]).contains("Null0"));
    let copy = format!("/run/eidway/{}/lab/r.conf", live.name);
    assert_eq!(fs::metadata(copy).unwrap().mode() & 0o777, 0o600);
    expect_success(&live.lab("down", &[]));
    expect_success(&eidway(&["lab", "run", &directory, &scenario, "--name", &live.name]));
    assert_eq!(fs::read_to_string(&outside).unwrap(), "hostname r\n");
}

#[test]
fn a_directory_of_another_user_is_nobodys_runtime_directory() {
    if !can_run() {
        return;
    }
    let place = Place::new();
    let up = "./eidway lab up two-sites --sim --name t-victim";
    let stranger = format!("belongs to user {STRANGER}, not to user {VICTIM}");
    // If the victim has no directory yet, the stranger can guess the name of the next directory.
    place.prepare(&format!("mkdir -m 777 eidway-{VICTIM} own; mkdir -m 700 own/eidway"));
    let output = run(&mut place.shell(VICTIM, up));
    let words = format!("{}: it {stranger}", place.file(&format!("eidway-{VICTIM}")));
    expect_refusal("a directory made first", &output, &words);
    let output = run(place.shell(VICTIM, up).env("XDG_RUNTIME_DIR", place.file("own")));
    expect_refusal("XDG_RUNTIME_DIR", &output, &format!("{}: it {stranger}", place.file("own")));
    let console = "./eidway console t-victim/xTR1 -c 'show clock'";
    place.prepare(&format!("mkdir eidway-{VICTIM}/t-victim"));
    let output = run(&mut place.shell(VICTIM, console));
    expect_refusal("a console of another user", &output, &words);
}

#[test]
fn a_run_directory_that_others_have_made_or_can_write_in_is_refused() {
    if !can_run() {
        return;
    }
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("netns-scripts");
    // A command that makes the directory unsafe, the message of the program, and the message of a
    // script that checks this too.
    let spoilt = "/run/eidway belongs to another user, or other users can write to it";
    for (made, why, of_script) in [
        ("install -d -o 65534 /run/eidway", "belongs to user 65534, not to user 0", Some(spoilt)),
        ("mkdir -m 1777 /run/eidway", "other users can write to it (mode 1777)", Some(spoilt)),
        ("mkdir /run/x; ln -s x /run/eidway", "it is not a directory", Some(spoilt)),
        ("chmod 777 /run; mkdir /run/eidway", "other users can rename /run/eidway", None),
        ("install -D -m 666 /dev/null /run/eidway/.lock", "can write to it (mode 666)", None),
        ("install -D -m 644 /dev/null /run/eidway/.lock", "hold this lock (mode 644)", None),
    ] {
        // The commands have their own /run, so they do not change the real one.
        let script = format!("mount -t tmpfs -o mode=755 tmpfs /run; {made}; exec \"$@\"");
        let aside = |command: &[&str]| {
            let mut unshare = Command::new("unshare");
            unshare.args(["--mount", "--net", "bash", "-ec", &script, "x"]);
            run(unshare.args(command).current_dir("/"))
        };
        let program = env!("CARGO_BIN_EXE_eidway");
        let output = aside(&[program, "lab", "up", "two-sites", "--name", "t-run"]);
        expect_refusal(made, &output, why);
        if let Some(words) = of_script {
            let start = scripts.join("router-start").display().to_string();
            expect_refusal(made, &aside(&[&start, "t-run", "xTR1", "/x.conf"]), words);
        }
    }
}
