//! The event loop's part of the process objects: `lisp0`, sockets, listeners and emulated hosts. It
//! opens or closes an object when the core requests this, and watches the open objects.

use std::io;
use std::os::fd::{AsRawFd, RawFd};

use log::debug;
use mio::Interest;

use super::data_path::DataPath;
use super::{EventLoop, Source};
use crate::addr::Rloc;
use crate::driver::tun::Tun;
use crate::driver::udp::RlocSockets;
use crate::driver::{Error, Options};
use crate::router::io::{HostWish, Input, ProcessEvent, ProcessObject, ProcessRequest};

impl EventLoop {
    pub(super) fn change_process(&mut self, request: ProcessRequest) {
        debug!("process: {request}");
        match request {
            ProcessRequest::Open(object) => {
                if let Err(error) = self.open(&object) {
                    let error = error.to_string();
                    let event = ProcessEvent::Refused { object, error };
                    self.router.handle(Input::Process(event), self.clock.now());
                }
            }
            ProcessRequest::Close(object) => self.close(&object),
        }
    }

    /// Opens an object. If the object is already open, changes its settings.
    pub(super) fn open(&mut self, object: &ProcessObject) -> Result<(), Error> {
        match object {
            ProcessObject::Tunnel => self.open_tunnel(),
            ProcessObject::Sockets { rloc, fragmentation } => {
                if self.udp.of(rloc.0).is_none() {
                    self.open_sockets(*rloc)?;
                }
                let sockets = self.udp.of_mut(rloc.0);
                let outcome = sockets.map_or(Ok(()), |it| it.set_fragmentation(*fragmentation));
                outcome.map_err(Error::during("setting fragmentation"))
            }
            ProcessObject::Listener(rloc) => {
                let during = Error::during(format!("listening on TCP at {rloc}"));
                self.listen_on(*rloc).map_err(during)
            }
            ProcessObject::Host(wish) => self.open_host(wish),
        }
    }

    fn close(&mut self, object: &ProcessObject) {
        match object {
            ProcessObject::Tunnel => {
                self.close_fast_path();
                self.tun = None;
            }
            ProcessObject::Sockets { rloc, .. } => self.udp.close(*rloc),
            ProcessObject::Listener(rloc) => self.tcp.stop_listening(*rloc),
            ProcessObject::Host(wish) => self.hosts.close(&wish.name),
        }
    }

    /// Handles the loss of `lisp0`: the device was deleted or renamed.
    pub(super) fn lose_tunnel(&mut self) {
        self.close_fast_path();
        self.tun = None;
        let event = ProcessEvent::Lost(ProcessObject::Tunnel);
        self.router.handle(Input::Process(event), self.clock.now());
        self.carry_out_outputs();
    }

    fn open_tunnel(&mut self) -> Result<(), Error> {
        if self.tun.is_none() {
            let tun = Tun::open(self.options.offload);
            let tun = tun.map_err(Error::during(
                "creating the device lisp0 (a namespace can have only one lisp0)",
            ))?;
            self.data_path = DataPath::new(tun.has_udp_offload());
            self.watch_fd(tun.as_raw_fd(), Source::Tun)?;
            self.tun = Some(tun);
            self.open_fast_path()?;
        }
        Ok(())
    }

    fn open_sockets(&mut self, rloc: Rloc) -> Result<(), Error> {
        let during = Error::during(format!("opening the sockets of {rloc}"));
        let Options { offload, udp_checksum, .. } = self.options;
        let sockets = RlocSockets::open(rloc, offload, udp_checksum).map_err(during)?;
        let (control, data) = (sockets.control_fd(), sockets.data_fd());
        let senders: Vec<RawFd> = sockets.sender_fds().collect();
        let slot = self.udp.insert(sockets);
        for sender in senders {
            // epoll reports errors on every watched descriptor. The interest is `PRIORITY` and not
            // `READABLE`, because the loop must not wake up for data. The loop ignores data that
            // arrives on a socket for sending.
            self.watch_fd_for(sender, Source::Errors(slot), Interest::PRIORITY)?;
        }
        self.watch_fd(control, Source::Control(slot))?;
        self.watch_fd(data, Source::Data(slot))
    }

    fn listen_on(&mut self, rloc: Rloc) -> io::Result<()> {
        if self.tcp.listens_on(rloc) {
            return Ok(());
        }
        let slot = self.tcp.listen(rloc)?;
        let Some(listener) = self.tcp.listener_mut(slot) else { return Ok(()) };
        let token = Source::Listener(slot).token();
        self.poll.registry().register(&mut listener.socket, token, Interest::READABLE)
    }

    fn open_host(&mut self, wish: &HostWish) -> Result<(), Error> {
        let during = Error::during(format!("making the emulated host {}", wish.name));
        let opened = self.hosts.open(wish, &self.hosts_seed, self.clock.now());
        match opened.map_err(during)? {
            Some((slot, device)) => self.watch_fd(device, Source::Host(slot)),
            None => Ok(()),
        }
    }
}
