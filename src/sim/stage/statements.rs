//! Carries out the statements of scenarios on virtual time: captures, sent packets, TCP connections
//! and addresses of hosts.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use ipnet::IpNet;

use super::Simulated;
use crate::lab::failure::Failure;
use crate::lab::file::Port;
use crate::lab::scenario::expect::Packet;
use crate::lab::scenario::stage::{Evidence, Stage};
use crate::lab::scenario::stream::Arrived;
use crate::lab::scenario::{Datagrams, Place, Replay, replay};
use crate::router::io::Connection;
use crate::watch::hand::Hand;
use crate::watch::packet::hex;

impl Stage for Simulated {
    fn capture(&mut self, name: &str, port: &Place) -> Result<(), Failure> {
        let device = self.lab.device(&port.node, &port.interface)?;
        let of_node = |known: &&Port| known.node == port.node;
        let ports: Vec<Port> = match device.as_str() {
            "any" => self.lab.file.ports().filter(of_node).cloned().collect(),
            _ => vec![Port { node: port.node.clone(), interface: device.clone(), device }],
        };
        self.capture_at(name, &ports)
    }

    fn end_capture(&mut self, name: &str) -> Result<(), Failure> {
        self.finished(name).map(drop)
    }

    fn packets(&mut self, name: &str, filter: &str, field: &str) -> Result<Vec<Packet>, Failure> {
        let until_now;
        let capture = match self.captured.contains_key(name) {
            true => self.finished(name)?,
            false => {
                until_now = self.until_now(name)?;
                &until_now
            }
        };
        Packet::select(capture, filter, field)
    }

    fn flaws(&mut self) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        let names: Vec<String> = self.captures.keys().cloned().collect();
        let flaws = names.into_iter().map(|name| {
            let found = self.finished(&name)?.flaws();
            let lines = found.map(|(frame, flaw)| format!("{name}: {frame} {flaw}")).collect();
            Ok((name, lines))
        });
        flaws.collect()
    }

    fn replay(&mut self, what: &Replay, node: &str) -> Result<(), Failure> {
        let packet = replay::captured(self.finished(&what.capture)?, what)?;
        self.send_packets(node, vec![packet], what.times, what.every)
    }

    fn send(&mut self, node: &str, datagrams: &Datagrams) -> Result<(), Failure> {
        let packets = replay::datagrams(datagrams)?;
        self.send_packets(node, packets, datagrams.times, datagrams.every)
    }

    fn connect(
        &mut self,
        name: &str,
        node: &str,
        source: Ipv4Addr,
        destination: SocketAddrV4,
    ) -> Result<(), Failure> {
        self.hand(|| Hand::Connect {
            name: name.to_owned(),
            node: node.to_owned(),
            source,
            destination: *destination.ip(),
        });
        let connection = Connection(self.connections);
        self.connections += 1;
        self.clients.insert(name.to_owned(), (node.to_owned(), connection));
        Ok(self.sim.connect_client(node, connection, source, *destination.ip())?)
    }

    fn transmit(&mut self, name: &str, octets: &[u8]) -> Result<(), Failure> {
        self.hand(|| Hand::Transmit { name: name.to_owned(), octets: hex(octets) });
        let (node, connection) = self.client(name)?;
        Ok(self.sim.send_octets(&node, connection, octets)?)
    }

    fn arrived(&mut self, name: &str) -> Result<Arrived, Failure> {
        let (node, connection) = self.client(name)?;
        Ok(self.sim.arrived(&node, connection)?)
    }

    fn address(&mut self, host: &str, address: IpNet) -> Result<(), Failure> {
        self.hand(|| Hand::Address { host: host.to_owned(), address });
        Ok(self.sim.add_host_address(host, address)?)
    }

    fn keep(&mut self, shown: Vec<Evidence>) -> Result<String, Failure> {
        let mut files = shown;
        for name in self.captures.keys() {
            files.push((format!("{name}.pcap"), self.pcap(name)?));
        }
        (self.keep)(&files)
    }
}
