//! Linux under test, in a namespace. Its ports are TAP devices, so every frame passes through the
//! test.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use eidway::driver::netlink::Netlink;
use eidway::router::io::{KernelEvent, KernelObject, KernelRequest, LISP_DEVICE};
use eidway::wire::CONTROL_PORT;
use tun_tap::{Iface, Mode};

use crate::frames::{show_frame, show_packet};
use crate::machine::{Act, Machine, PORTS, Seen};

/// The time between two looks, as in the driver.
const LOOK_INTERVAL: Duration = Duration::from_millis(700);

static NAMESPACES: AtomicU32 = AtomicU32::new(0);

pub struct Real {
    netlink: Netlink,
    ports: Vec<(&'static str, Iface)>,
    lisp: Iface,
    told: Vec<KernelEvent>,
    /// The time since the last look for changes that the kernel does not report.
    unseen: Duration,
    _namespace: Namespace,
}

/// A namespace that is deleted at the end of its test, even if the test fails.
struct Namespace(String);

impl Drop for Namespace {
    fn drop(&mut self) {
        let gone = Command::new("ip").args(["netns", "del", &self.0]).status();
        if !gone.is_ok_and(|status| status.success()) {
            eprintln!("{} stays behind", self.0);
        }
    }
}

impl Real {
    /// Makes a namespace and moves the calling thread into it. The thread stays in the namespace.
    pub fn new() -> Self {
        let number = NAMESPACES.fetch_add(1, Ordering::Relaxed);
        let namespace = format!("eidway-kernels-{}-{number}", std::process::id());
        ip(&format!("netns add {namespace}"));
        let kept = Namespace(namespace.clone());
        let file = File::open(format!("/run/netns/{namespace}")).unwrap();
        rustix::thread::move_into_link_name_space(file.as_fd(), None).unwrap();
        ip("link set lo up");
        let mut netlink = Netlink::open().unwrap();
        netlink.prepare().unwrap();
        let ports = PORTS.map(|port| (port, open(port, Mode::Tap))).into();
        let lisp = open(LISP_DEVICE, Mode::Tun);
        let told = netlink.read_all().unwrap();
        Real { netlink, ports, lisp, told, unseen: Duration::ZERO, _namespace: kept }
    }

    fn port(&self, wanted: &str) -> &Iface {
        &self.ports.iter().find(|(name, _)| *name == wanted).unwrap().1
    }
}

impl Machine for Real {
    fn act(&mut self, act: &Act) {
        let word = |on: bool| if on { ("up", "on") } else { ("down", "off") };
        match act {
            Act::Want(request) => {
                let applied = self.netlink.apply(request);
                if let KernelRequest::Add(KernelObject::Link { device, up: true, .. }) = request {
                    wait_until_it_runs(&device.name());
                }
                if let Err(error) = applied {
                    let (request, error) = (*request, error.to_string());
                    self.told.push(KernelEvent::Refused { request, error });
                }
            }
            Act::Frame(port, frame) | Act::Meet(port, frame) => {
                self.port(port).send(frame).unwrap();
            }
            Act::Tunnel(packet) => {
                self.lisp.send(packet).unwrap();
            }
            Act::Udp(source, destination, len) => {
                let socket = UdpSocket::bind((*source, CONTROL_PORT)).unwrap();
                socket.send_to(&vec![0; *len], (*destination, CONTROL_PORT)).unwrap();
            }
            Act::Up(port, up) => {
                ip(&format!("link set {port} {}", word(*up).0));
                if *up {
                    wait_until_it_runs(port);
                }
            }
            Act::Carrier(port, on) => {
                ip(&format!("link set {port} carrier {}", word(*on).1));
            }
            Act::Hand(command) => {
                let (program, arguments) = command.split_once(' ').unwrap();
                run(program, arguments);
            }
            Act::Anew(LISP_DEVICE) => self.lisp = open(LISP_DEVICE, Mode::Tun),
            Act::Anew(wanted) => {
                let place = self.ports.iter_mut().find(|(name, _)| name == wanted).unwrap();
                place.1 = open(wanted, Mode::Tap);
            }
        }
    }

    fn observe(&mut self, wait: Duration) -> Seen {
        // The test sleeps, because there is no event for the fact that nothing arrives.
        std::thread::sleep(wait);
        let mut seen = Seen { lines: Vec::new(), events: std::mem::take(&mut self.told) };
        let mut buffer = [0; 4096];
        for (name, port) in &self.ports {
            while let Some(len) = read(port, &mut buffer) {
                seen.lines.extend(show_frame(name, &buffer[..len]));
            }
        }
        while let Some(len) = read(&self.lisp, &mut buffer) {
            let packet = show_packet(&buffer[..len]);
            seen.lines.extend(packet.map(|packet| format!("lisp0: {packet}")));
        }
        let (events, _) = self.netlink.read_events(64).unwrap();
        seen.events.extend(events);
        self.unseen += wait;
        if self.unseen >= LOOK_INTERVAL {
            self.unseen = Duration::ZERO;
            seen.events.extend(self.netlink.look().unwrap());
        }
        seen
    }

    fn state(&mut self) -> Vec<String> {
        let tables = "rule\nroute show table main\nroute show table 4341\n";
        let mut state = batch("-4", &format!("address\nlink\n{tables}"));
        state += &batch("-6", &format!("address\n{tables}"));
        let mut lines: Vec<String> = state.lines().map(without_index).collect();
        for device in ["all", "default", LISP_DEVICE].iter().chain(&PORTS) {
            for family in ["ipv4/conf", "ipv4/neigh", "ipv6/conf", "ipv6/neigh"] {
                lines.extend(settings(&format!("/proc/sys/net/{family}/{device}")));
            }
        }
        lines.extend(std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward"));
        lines.sort();
        lines
    }
}

/// The output of commands of `ip`, one line for each object.
fn batch(family: &str, commands: &str) -> String {
    let mut ip = Command::new("ip");
    let ip = ip.args(["-o", "-d", family, "-batch", "-"]);
    let mut child = ip.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(commands.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// The readable settings in a directory.
fn settings(directory: &str) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name() != "stable_secret")
        .filter_map(|entry| {
            let value = std::fs::read_to_string(entry.path()).ok()?;
            Some(format!("{} {}", entry.path().display(), value.trim()))
        })
        .collect()
}

/// A line of `ip -o` without the numbers that change if a device is made again.
fn without_index(line: &str) -> String {
    let line = match line.split_once(": ") {
        Some((index, rest)) if index.parse::<u32>().is_ok() && !rest.starts_with("from") => rest,
        _ => line,
    };
    let words = line.split_whitespace();
    words.filter(|word| !word.ends_with("numtxqueues")).collect::<Vec<_>>().join(" ")
}

fn open(name: &str, mode: Mode) -> Iface {
    let device = Iface::without_packet_info(name, mode).unwrap();
    device.set_non_blocking().unwrap();
    device
}

fn read(device: &Iface, buffer: &mut [u8]) -> Option<usize> {
    match device.recv(buffer) {
        Ok(len) => Some(len),
        Err(error) if error.kind() == ErrorKind::WouldBlock => None,
        // The error is EIO: the device is down, and no packet leaves it.
        Err(_) => None,
    }
}

/// Waits until the kernel has detected the carrier, which takes up to a second. Until then the
/// device has no queue, and IPv6 sends nothing on it.
fn wait_until_it_runs(device: &str) {
    for _ in 0..400 {
        if !ip(&format!("link show dev {device}")).contains("qdisc noop") {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{device} does not run after two seconds");
}

fn ip(arguments: &str) -> String {
    run("ip", arguments)
}

fn run(program: &str, arguments: &str) -> String {
    let output = Command::new(program).args(arguments.split_whitespace()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}
