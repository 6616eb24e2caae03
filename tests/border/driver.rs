//! The driver under test: its event loop runs in a namespace. The ports of the namespace are TAP
//! devices, so every frame passes through the test.

use std::fs::{self, File};
use std::io::Write;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use eidway::console::json_lines;
use eidway::console::parse_config;
use eidway::console::protocol::Request;
use eidway::driver::Options;
use eidway::driver::event_loop::EventLoop;
use tempfile::TempDir;
use tun_tap::{Iface, Mode};

use crate::cases::{CONFIG, PORTS};
use crate::play::World;

pub struct Driver {
    router: Option<EventLoop>,
    console: UnixStream,
    ports: Vec<(&'static str, Iface)>,
    files: TempDir,
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

impl Driver {
    /// Makes a namespace and moves the calling thread into it. The thread stays in the namespace.
    pub fn new() -> Self {
        let name = format!("eidway-border-{}", std::process::id());
        shell(&format!("ip netns add {name}"));
        let namespace = Namespace(name);
        let file = File::open(format!("/run/netns/{}", namespace.0)).unwrap();
        rustix::thread::move_into_link_name_space(file.as_fd(), None).unwrap();
        shell("ip link set lo up");
        let ports = PORTS.map(|port| {
            let device = Iface::without_packet_info(port, Mode::Tap).unwrap();
            device.set_non_blocking().unwrap();
            (port, device)
        });
        let files = tempfile::tempdir().unwrap();
        let socket = files.path().join("console");
        let record = Some(files.path().join("record"));
        let nonces = Some(files.path().join("nonces"));
        let options = Options { record, nonces, ..Options::default() };
        let config = parse_config("border.conf", CONFIG).unwrap();
        let router = EventLoop::start(config, Some(&socket), options).unwrap();
        let console = UnixStream::connect(&socket).unwrap();
        let (router, ports) = (Some(router), ports.into());
        Driver { router, console, ports, files, _namespace: namespace }
    }
}

fn shell(command: &str) {
    let (program, arguments) = command.split_once(' ').unwrap();
    let status = Command::new(program).args(arguments.split(' ')).status().unwrap();
    assert!(status.success(), "{command}");
}

impl World for Driver {
    fn frame(&mut self, port: &str, frame: &[u8]) {
        let (_, device) = self.ports.iter().find(|(name, _)| *name == port).unwrap();
        device.send(frame).unwrap();
    }

    fn hand(&mut self, command: &str) {
        shell(command);
    }

    fn console(&mut self, line: &str) {
        let request = json_lines::line(&Request::Line(line.to_owned()));
        writeln!(self.console, "{request}").unwrap();
    }

    fn stop(&mut self) {
        self.router.take().unwrap().stop();
    }

    fn run(&mut self) -> Vec<(&'static str, Vec<u8>)> {
        if let Some(router) = &mut self.router {
            router.turn(Some(Duration::from_millis(10))).unwrap();
        }
        let mut frames = Vec::new();
        let mut buffer = [0; 4096];
        for (name, device) in &self.ports {
            // An error means that no frame waits, or that the port is down.
            while let Ok(len) = device.recv(&mut buffer) {
                frames.push((*name, buffer[..len].to_vec()));
            }
        }
        frames
    }

    fn record(&self) -> Vec<u8> {
        fs::read(self.files.path().join("record")).unwrap()
    }
}
