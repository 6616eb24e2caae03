//! The simulator under test: a router with a kernel, but without a lab.

use std::time::Duration;

use eidway::console::hosts::NoHosts;
use eidway::console::protocol::Request;
use eidway::console::{Session, parse_config};
use eidway::rng::Seed;
use eidway::router::Start;
use eidway::router::kept::KeptNonces;
use eidway::sim::kernel::{DeviceKind, Kernel};
use eidway::sim::node::NodeOutput;
use eidway::sim::router_node::{Observers, RouterNode};
use eidway::time::Time;

use crate::buffer::Buffer;
use crate::cases::{CONFIG, PORTS};
use crate::play::World;

pub struct Simulated {
    router: Option<RouterNode>,
    session: Session,
    now: Time,
    record: Buffer,
}

impl Simulated {
    pub fn new() -> Self {
        let mut kernel = Kernel::new();
        for port in PORTS {
            let id = kernel.add_device(port, DeviceKind::Port, 1500);
            kernel.set_carrier(id, true);
        }
        let (record, now) = (Buffer::default(), Time::from_secs(1));
        let config = parse_config("border.conf", CONFIG).unwrap();
        let start = Start { config, seed: Seed::from_number(1), wall_clock: 1000, now };
        let to = Box::new(record.clone());
        let observers = Observers { record: Some(to), witness: None };
        let router = RouterNode::start(kernel, KeptNonces::default(), start, observers);
        Simulated { router: Some(router), session: Session::new(), now, record }
    }
}

impl World for Simulated {
    fn frame(&mut self, port: &str, frame: &[u8]) {
        let Some(router) = &mut self.router else { return };
        let id = router.kernel().device_id(port).unwrap();
        router.kernel_mut().receive_frame(id, frame);
    }

    fn hand(&mut self, command: &str) {
        self.router.as_mut().unwrap().kernel_mut().by_hand(command).unwrap();
    }

    fn console(&mut self, line: &str) {
        let router = self.router.as_mut().unwrap().router_mut();
        let request = Request::Line(line.to_owned());
        self.session.handle(request, router, &mut NoHosts, self.now);
    }

    fn stop(&mut self) {
        self.router.take().unwrap().stop(self.now);
    }

    fn run(&mut self) -> Vec<(&'static str, Vec<u8>)> {
        let Some(router) = &mut self.router else { return Vec::new() };
        self.now = self.now + Duration::from_millis(10);
        router.kernel_mut().set_time(self.now);
        router.handle_timeout(self.now);
        let mut frames = Vec::new();
        while let Some(output) = router.poll_output(self.now) {
            match output {
                NodeOutput::Transmit { device, frame } => {
                    let name = &router.kernel().device(device).name;
                    frames
                        .extend(PORTS.iter().find(|port| *port == name).map(|port| (*port, frame)));
                }
                NodeOutput::Process(what) => router.process(what, self.now),
            }
        }
        frames
    }

    fn record(&self) -> Vec<u8> {
        self.record.octets()
    }
}
