//! The kernel of the simulator under test.

use std::net::SocketAddr;
use std::time::Duration;

use eidway::router::io::{Fragmentation, LISP_DEVICE};
use eidway::sim::kernel::udp::Outgoing;
use eidway::sim::kernel::{DeviceKind, Kernel, KernelOutput};
use eidway::time::Time;
use eidway::wire::CONTROL_PORT;

use crate::frames::{show_frame, show_packet};
use crate::machine::{Act, Machine, PORTS, Seen};

pub struct Simulated {
    kernel: Kernel,
    now: Time,
}

impl Simulated {
    pub fn new() -> Self {
        let mut kernel = Kernel::new();
        for port in PORTS {
            let id = kernel.add_device(port, DeviceKind::Port, 1500);
            kernel.set_carrier(id, true);
        }
        kernel.add_device(LISP_DEVICE, DeviceKind::Tunnel, 1500);
        kernel.announce();
        Simulated { kernel, now: Time::from_secs(1) }
    }
}

impl Machine for Simulated {
    fn act(&mut self, act: &Act) {
        self.kernel.set_time(self.now);
        let id = |kernel: &Kernel, port: &str| kernel.device_id(port).unwrap();
        match act {
            Act::Want(request) => self.kernel.apply(*request),
            Act::Frame(port, frame) | Act::Meet(port, frame) => {
                let id = id(&self.kernel, port);
                self.kernel.receive_frame(id, frame);
            }
            Act::Tunnel(packet) => self.kernel.write_tunnel(packet.clone()),
            Act::Udp(source, destination, len) => {
                let _ = self.kernel.send_udp(&Outgoing {
                    source: SocketAddr::new(*source, CONTROL_PORT),
                    destination: SocketAddr::new(*destination, CONTROL_PORT),
                    ttl: 64,
                    tos: 0,
                    checksum: true,
                    fragmentation: Fragmentation::ByPath,
                    payload: &vec![0; *len],
                });
            }
            Act::Up(port, up) => {
                let id = id(&self.kernel, port);
                self.kernel.set_up(id, *up);
            }
            Act::Carrier(port, carrier) => {
                let id = id(&self.kernel, port);
                self.kernel.set_carrier(id, *carrier);
            }
            Act::Hand(command) => {
                let done = self.kernel.by_hand(command);
                done.unwrap_or_else(|error| panic!("{command}: {error}"));
            }
            Act::Anew(LISP_DEVICE) => {
                self.kernel.add_device(LISP_DEVICE, DeviceKind::Tunnel, 1500);
            }
            Act::Anew(port) => {
                let id = self.kernel.add_device(port, DeviceKind::Port, 1500);
                self.kernel.set_carrier(id, true);
            }
        }
    }

    fn observe(&mut self, wait: Duration) -> Seen {
        self.now = self.now + wait;
        self.kernel.handle_timeout(self.now);
        let mut seen = Seen::default();
        while let Some(output) = self.kernel.poll_output() {
            seen.lines.extend(match output {
                KernelOutput::Transmit { device, frame } => {
                    show_frame(&self.kernel.device(device).name, &frame)
                }
                KernelOutput::Tunnel(packet) => {
                    show_packet(&packet).map(|packet| format!("lisp0: {packet}"))
                }
                KernelOutput::Datagram(_)
                | KernelOutput::Segment(_)
                | KernelOutput::Error(_)
                | KernelOutput::Icmp(_) => None,
            });
        }
        seen.events.extend(std::iter::from_fn(|| self.kernel.poll_event()));
        seen
    }

    fn state(&mut self) -> Vec<String> {
        self.kernel.state()
    }
}
