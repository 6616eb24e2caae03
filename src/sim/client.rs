//! A node without LISP that has TCP clients. A scenario uses a TCP client to send any octets to a
//! map-server.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::drops::{ProcessDrop, SimDrop};
use super::error::wrong_kind;
use super::kernel::Kernel;
use super::node::{Node, NodeOutput};
use super::tcp::Tcp;
use super::{Sim, SimError};
use crate::addr::Rloc;
use crate::lab::scenario::stream::{Arrived, End};
use crate::router::io::{Connection, TcpEvent, TcpRequest};
use crate::time::{Deadline, Time};

/// The time within which the other end must answer a SYN.
const CONNECTING: Duration = Duration::from_secs(3);

/// A node with a kernel and TCP clients.
pub struct ClientNode {
    /// The kernel.
    pub kernel: Kernel,
    tcp: Tcp,
    connections: BTreeMap<Connection, Heard>,
}

/// The state of a connection, as the client of the connection knows it.
#[derive(Debug, Default)]
struct Heard {
    stands: bool,
    arrived: Arrived,
}

impl ClientNode {
    /// Receives an IP packet with a TCP segment.
    pub(super) fn receive_segment(&mut self, packet: &[u8], now: Time) {
        if !self.tcp.receive(packet, now) {
            self.kernel.dropped.note(SimDrop::Process(ProcessDrop::QueueFull), packet);
        }
    }

    /// Does the work that is due now.
    pub(super) fn handle_timeout(&mut self, now: Time) {
        self.kernel.handle_timeout(now);
        self.tcp.poll(now);
    }

    /// Returns the next time at which [`ClientNode::handle_timeout`] has work.
    pub(super) fn poll_timeout(&mut self, now: Time) -> Option<Deadline> {
        Deadline::earliest([self.kernel.poll_timeout(), self.tcp.poll_timeout(now)])
    }

    /// Returns the next output of the node.
    pub(super) fn poll_output(&mut self, now: Time) -> Option<NodeOutput> {
        while self.kernel.poll_event().is_some() {}
        loop {
            if let Some(packet) = self.tcp.poll_output() {
                self.kernel.send_segment(packet);
            } else if let Some(event) = self.tcp.poll_event(now) {
                hear(&mut self.connections, &event);
            } else {
                return self.kernel.poll_output().map(NodeOutput::from_kernel);
            }
        }
    }
}

fn hear(connections: &mut BTreeMap<Connection, Heard>, event: &TcpEvent<'_>) {
    match *event {
        TcpEvent::Connected { connection, .. } => {
            connections.entry(connection).or_default().stands = true;
        }
        TcpEvent::Bytes(connection, octets) => {
            connections.entry(connection).or_default().arrived.octets.extend(octets);
        }
        TcpEvent::Closed(connection) | TcpEvent::Refused(connection) => {
            let heard = connections.entry(connection).or_default();
            heard.arrived.end = Some(if heard.stands { End::Closed } else { End::Refused });
        }
        TcpEvent::Accepted { .. } => {}
    }
}

impl Sim {
    /// Connects a node without LISP to TCP port 4342 of `destination`. Virtual time passes until
    /// the result is known. [`Sim::arrived`] returns the result.
    ///
    /// # Errors
    /// An error if no node has this name, or if the node is a LISP router or a host.
    pub fn connect_client(
        &mut self,
        name: &str,
        connection: Connection,
        source: Ipv4Addr,
        destination: Ipv4Addr,
    ) -> Result<(), SimError> {
        self.make_client(name)?;
        let ends = (Rloc(source.into()), Rloc(destination.into()));
        let request = TcpRequest::Connect { connection, source: ends.0, destination: ends.1 };
        self.with_client(name, |client, now| {
            client.connections.insert(connection, Heard::default());
            client.tcp.request(request, now);
        })?;
        let known = |sim: &Sim| {
            let heard = sim.client(name).and_then(|client| client.connections.get(&connection));
            heard.is_none_or(|heard| heard.stands || heard.arrived.end.is_some())
        };
        if !self.run_while_not(self.now() + CONNECTING, known) {
            self.with_client(name, |client, now| {
                client.tcp.request(TcpRequest::Close(connection), now);
                client.connections.entry(connection).or_default().arrived.end = Some(End::Refused);
            })?;
        }
        Ok(())
    }

    /// Sends octets on a connection. If the connection has ended, the octets are lost.
    ///
    /// # Errors
    /// An error if the node has no TCP clients.
    pub fn send_octets(
        &mut self,
        name: &str,
        connection: Connection,
        octets: &[u8],
    ) -> Result<(), SimError> {
        self.with_client(name, |client, now| {
            client.tcp.send(connection, octets, now);
        })
    }

    /// Returns the octets that arrived on a connection since the last call.
    ///
    /// # Errors
    /// An error if the node has no TCP clients.
    pub fn arrived(&mut self, name: &str, connection: Connection) -> Result<Arrived, SimError> {
        self.with_client(name, |client, _| {
            let arrived = &mut client.connections.entry(connection).or_default().arrived;
            Arrived { octets: std::mem::take(&mut arrived.octets), end: arrived.end }
        })
    }

    fn make_client(&mut self, name: &str) -> Result<(), SimError> {
        let (id, now) = (self.find(name)?, self.now);
        let tcp = Tcp::new(&self.seed.fork(&format!("client {name}")), now);
        match &mut self.nodes[id.0].node {
            Node::Client(_) => Ok(()),
            Node::Forwarder(kernel) => {
                let mut kernel = std::mem::take(&mut **kernel);
                kernel.open_tcp();
                let client = ClientNode { kernel, tcp, connections: BTreeMap::new() };
                self.nodes[id.0].node = Node::Client(Box::new(client));
                Ok(())
            }
            _ => Err(wrong_kind(name, "plain node")),
        }
    }

    fn client(&self, name: &str) -> Option<&ClientNode> {
        match &self.nodes[self.find(name).ok()?.0].node {
            Node::Client(client) => Some(client),
            _ => None,
        }
    }

    fn with_client<T>(
        &mut self,
        name: &str,
        act: impl FnOnce(&mut ClientNode, Time) -> T,
    ) -> Result<T, SimError> {
        let (id, now) = (self.find(name)?, self.now);
        let Node::Client(client) = self.clock(id) else {
            return Err(wrong_kind(name, "node with TCP clients"));
        };
        let result = act(client, now);
        self.settle(id);
        Ok(result)
    }
}
