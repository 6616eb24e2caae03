//! A router in a namespace. The test takes the parts of the site and of the core.
//!
//! ```text
//!   the test ── et1-0 ── router ── et0-0 ── the test
//!   (host A)             xTR1               (core: map-resolver and the other xTR)
//! ```

use std::fs;
use std::io::BufReader;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use eidway::console::client::Client;
use eidway::console::json_lines::JsonLines;
use eidway::host::frame::{HardwareAddress, ip_frame};
use serde_json::Value;
use tempfile::TempDir;

use crate::kernel_objects::Programs;
use crate::live::{LONG, expect_success, inside, run, until};
use crate::resolver::{self, Plan};
use crate::tap::{Cut, Tap};

/// The hardware addresses of the router's ports, of the core and of the host.
pub const CORE_PORT: HardwareAddress = [2, 0, 0, 0, 0, 0xc0];
pub const SITE_PORT: HardwareAddress = [2, 0, 0, 0, 0, 0x51];
pub const CORE: HardwareAddress = [2, 0, 0, 0, 0, 0x01];
pub const HOST: HardwareAddress = [2, 0, 0, 0, 0, 0x12];

/// The configuration of the router. It asks a map-resolver, and registers with no map-server.
pub const CONFIG: &str = "
hostname xTR1
interface Ethernet0/0
 mac-address 0200.0000.00c0
 ip address 203.0.113.11 255.255.255.0
 ipv6 address 2001:db8:c:1::11/64
interface Ethernet1/0
 mac-address 0200.0000.0051
 ip address 172.16.0.1 255.255.255.0
 ipv6 address 2001:db8:a::1/64
router lisp
 locator-set set1
  203.0.113.11 priority 1 weight 100
  2001:db8:c:1::11 priority 1 weight 100
 eid-table default instance-id 0
  database-mapping 172.16.0.0/24 locator-set set1
  database-mapping 2001:db8:a::/64 locator-set set1
 ipv4 itr map-resolver 209.165.201.31
 ipv4 itr
 ipv4 etr
 ipv6 itr map-resolver 209.165.201.31
 ipv6 itr
 ipv6 etr
ip route 0.0.0.0 0.0.0.0 203.0.113.1
ipv6 route ::/0 2001:db8:c:1::1
";

/// The neighbours of the router. The test does not answer ARP requests and solicitations.
const NEIGHBOURS: [(&str, &str, HardwareAddress); 4] = [
    ("et0-0", "203.0.113.1", CORE),
    ("et0-0", "2001:db8:c:1::1", CORE),
    ("et1-0", "172.16.0.12", HOST),
    ("et1-0", "2001:db8:a::12", HOST),
];

/// Settings of the namespace: no detection of duplicate addresses, and ICMP errors without a
/// limit.
const SETTINGS: [(&str, &str); 10] = [
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv4/icmp_msgs_per_sec", "1000000"),
    ("ipv4/icmp_msgs_burst", "100000"),
    ("ipv6/icmp/ratelimit", "0"),
    // Fragments that never become whole cause no error while the test runs.
    ("ipv4/ipfrag_time", "600"),
    ("ipv6/ip6frag_time", "600"),
];

static WORLDS: AtomicU32 = AtomicU32::new(0);

/// The way in which a router forwards packets: the value of `--data-path`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataPath {
    Kernel,
    User,
}

impl DataPath {
    fn word(self) -> &'static str {
        match self {
            DataPath::Kernel => "kernel",
            DataPath::User => "user",
        }
    }
}

/// A port of the router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    Site,
    Core,
}

impl Port {
    pub const ALL: [Port; 2] = [Port::Site, Port::Core];

    pub fn device(self) -> &'static str {
        match self {
            Port::Site => "et1-0",
            Port::Core => "et0-0",
        }
    }

    /// The frame in which a packet arrives at the port.
    pub fn frame(self, packet: Vec<u8>) -> Vec<u8> {
        match self {
            Port::Site => ip_frame(SITE_PORT, HOST, packet),
            Port::Core => ip_frame(CORE_PORT, CORE, packet),
        }
    }
}

/// The frames that left the router since the last look.
type Seen = Arc<Mutex<Vec<(Port, Vec<u8>)>>>;

/// A namespace with a router.
pub struct World {
    pub path: DataPath,
    namespace: String,
    ports: Vec<(Port, Arc<Tap>)>,
    readers: Vec<JoinHandle<()>>,
    seen: Seen,
    router: Child,
    files: TempDir,
    console: Client<JsonLines<BufReader<UnixStream>, UnixStream>>,
}

impl World {
    /// Starts a router. The resolver of the core answers by `plan`.
    pub fn new(path: DataPath, plan: Plan) -> Self {
        World::with_options(path, plan, &[], &[])
    }

    /// Starts a router with options on its command line, and with variables in its environment.
    pub fn with_options(
        path: DataPath,
        plan: Plan,
        options: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("eidway-fast-{}-{number}", std::process::id());
        ip(&["netns", "add", &namespace]);
        let seen = Seen::default();
        let ports = inside(&namespace, make_ports);
        let readers = ports.iter().map(|(port, device)| {
            let (port, device, seen) = (*port, Arc::clone(device), Arc::clone(&seen));
            std::thread::spawn(move || read_port(port, &device, &seen, plan))
        });
        let readers = readers.collect();
        let files = tempfile::tempdir().unwrap();
        fs::write(files.path().join("conf"), CONFIG).unwrap();
        let router = start_router(
            &namespace,
            &files,
            &[&["--data-path", path.word()], options].concat(),
            environment,
        );
        let console = open_console(&files);
        for (device, address, mac) in NEIGHBOURS {
            let mac = mac.map(|octet| format!("{octet:02x}")).join(":");
            let neighbour = ["neigh", "replace", address, "lladdr", &mac, "dev", device];
            let all = [&["-n", &namespace][..], &neighbour, &["nud", "permanent"]].concat();
            until(LONG, "a neighbour", || run(Command::new("ip").args(&all)).status.success());
        }
        World { path, namespace, ports, readers, seen, router, files, console }
    }

    /// Sends a frame to a port of the router.
    pub fn send(&self, port: Port, frame: &[u8]) {
        self.device(port).send(frame).unwrap();
    }

    /// Sends a super-packet to a port of the router.
    pub fn send_uncut(&self, port: Port, frame: &[u8], cut: Cut) {
        self.device(port).send_uncut(frame, cut).unwrap();
    }

    fn device(&self, port: Port) -> &Tap {
        &self.ports.iter().find(|(name, _)| *name == port).unwrap().1
    }

    /// Whether a frame with these octets has left the router since the last take.
    pub fn has_seen(&self, octets: &[u8]) -> bool {
        let seen = self.seen.lock().unwrap();
        seen.iter().rev().any(|(_, frame)| frame.windows(octets.len()).any(|part| part == octets))
    }

    /// Takes the frames that have left the router since the last take.
    pub fn take_seen(&self) -> Vec<(Port, Vec<u8>)> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    /// Puts back frames that were taken too early.
    pub fn put_back(&self, frames: Vec<(Port, Vec<u8>)>) {
        self.seen.lock().unwrap().splice(0..0, frames);
    }

    /// The programs of the router in the kernel.
    pub fn programs(&self) -> Programs {
        Programs::of_process(self.router.id())
    }

    /// The number of the router's process.
    pub fn pid(&self) -> u32 {
        self.router.id()
    }

    /// A program in the namespace that carries out the commands of `ip` that it reads.
    pub fn batch(&self) -> Child {
        let arguments = ["-n", &self.namespace, "-batch", "-"];
        Command::new("ip").args(arguments).stdin(Stdio::piped()).spawn().unwrap()
    }

    /// The answer to a line at the console.
    pub fn console(&mut self, line: &str) -> String {
        let answer = self.console.command(line).unwrap();
        assert!(answer.done.ok, "{line}: {answer:?}");
        answer.text
    }

    /// The answer to a `show ... json` command.
    pub fn json(&mut self, line: &str) -> Value {
        serde_json::from_str(&self.console(line)).unwrap()
    }

    /// Another session at the console.
    pub fn open_console(&self) -> Client<JsonLines<BufReader<UnixStream>, UnixStream>> {
        open_console(&self.files)
    }

    /// Kills the router, without a chance to remove anything.
    pub fn kill(&mut self) {
        self.router.kill().unwrap();
        self.router.wait().unwrap();
    }

    /// Starts the router again after its end.
    pub fn restart(&mut self, environment: &[(&str, &str)]) {
        self.router = start_router(
            &self.namespace,
            &self.files,
            &["--data-path", self.path.word()],
            environment,
        );
        self.console = open_console(&self.files);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = fs::read_to_string(self.files.path().join("log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(20)..];
            eprintln!("the log of the router in {}:\n{}", self.path.word(), last.join("\n"));
        }
        let _ = self.router.kill();
        let _ = self.router.wait();
        // The threads that read end with the devices, and the namespace with the last of its files.
        for (port, _) in &self.ports {
            let link = ["-n", &self.namespace, "link", "del", port.device()];
            let _ = Command::new("ip").args(link).status();
        }
        self.ports.clear();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        let gone = Command::new("ip").args(["netns", "del", &self.namespace]).status();
        if !gone.is_ok_and(|status| status.success()) {
            eprintln!("{} stays behind", self.namespace);
        }
    }
}

fn ip(arguments: &[&str]) {
    expect_success(&run(Command::new("ip").args(arguments)));
}

/// Prepares the namespace of the calling thread, and makes the ports there.
fn make_ports() -> Vec<(Port, Arc<Tap>)> {
    for (name, value) in SETTINGS {
        // An older kernel does not have all of them.
        let _ = fs::write(format!("/proc/sys/net/{name}"), value);
    }
    expect_success(&run(Command::new("ip").args(["link", "set", "lo", "up"])));
    let make = |port: Port| {
        let device = Tap::open(port.device()).unwrap();
        let queue = ["link", "set", port.device(), "txqueuelen", "20000"];
        expect_success(&run(Command::new("ip").args(queue)));
        (port, Arc::new(device))
    };
    Port::ALL.map(make).into()
}

/// Collects the frames of a port until the device is gone. The core answers the router's questions.
fn read_port(port: Port, device: &Tap, seen: &Seen, plan: Plan) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match device.receive(&mut buffer) {
            Ok(len) => {
                let frame = &buffer[..len];
                if port == Port::Core
                    && let Some(answer) = resolver::answer(frame, plan)
                {
                    let _ = device.send(&answer);
                }
                seen.lock().unwrap().push((port, frame.to_vec()));
            }
            // The error is EIO: the router has not set the port up yet.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(_) => return,
        }
    }
}

fn start_router(
    namespace: &str,
    files: &TempDir,
    options: &[&str],
    environment: &[(&str, &str)],
) -> Child {
    let file = |name: &str| -> PathBuf { files.path().join(name) };
    let _ = fs::remove_file(file("console"));
    Command::new("nsenter")
        .arg(format!("--net=/run/netns/{namespace}"))
        .args([env!("CARGO_BIN_EXE_eidway"), "router"])
        .arg(file("conf"))
        .args(options)
        .arg("--console")
        .arg(file("console"))
        .arg("--log")
        .arg(file("log"))
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

fn open_console(files: &TempDir) -> Client<JsonLines<BufReader<UnixStream>, UnixStream>> {
    let socket = files.path().join("console");
    let mut stream = None;
    until(LONG, "the console answers", || {
        stream = UnixStream::connect(&socket).ok();
        stream.is_some()
    });
    let stream = stream.unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    let lines = JsonLines::new(BufReader::new(stream.try_clone().unwrap()), stream);
    Client::new(lines)
}
