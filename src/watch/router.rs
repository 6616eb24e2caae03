//! The witness of one router: makes items from the inputs and outputs of the router.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::change;
use super::collection::Watch;
use super::detail::Sort;
use super::item::{Decision, Direction, Kind, Line, Message, Reason, Transport};
use super::packet::{self, hex};
use crate::router::event::Event;
use crate::router::io::{
    Connection, ControlDatagram, Inbound, Input, Outbound, Output, TcpEvent, TcpRequest,
};
use crate::router::logging::Log;
use crate::router::packet_event::{Fate, PacketEvent};
use crate::router::session::SessionView;
use crate::router::witness::{Call, Witness};
use crate::time::Time;
use crate::wire::{self, CONTROL_PORT, FrameReader, ReliableFrame};

/// For each router, the maximum number of TCP connections whose frames are read.
const CONNECTIONS: usize = 1024;

/// The witness of one router.
#[derive(Debug)]
pub struct RouterWatch {
    node: String,
    watch: Watch,
    now: Time,
    /// The first octets of the packet that the router decides about. They are empty if the router
    /// is not deciding about a packet. The name of the packet is computed only for a reported
    /// decision, because most decisions are not reported.
    packet: Vec<u8>,
    connections: BTreeMap<Connection, Stream>,
    /// Limits the number of log lines for each kind of event.
    log: Log,
}

/// A TCP connection of the reliable transport.
#[derive(Debug)]
struct Stream {
    local: SocketAddr,
    peer: SocketAddr,
    received: FrameReader,
    sent: FrameReader,
}

/// The direction, the transport, the source and the destination of a message.
struct Way {
    direction: Direction,
    transport: Transport,
    source: SocketAddr,
    destination: SocketAddr,
}

impl RouterWatch {
    /// Makes a witness of the router `node`. The witness adds the items of this router to `watch`.
    pub fn new(node: &str, watch: Watch) -> Self {
        RouterWatch {
            node: node.to_owned(),
            watch,
            now: Time::ZERO,
            packet: Vec::new(),
            connections: BTreeMap::new(),
            log: Log::default(),
        }
    }

    /// Adds the sessions that were up before the router was watched. Without this, the witness
    /// would ignore the octets of these sessions.
    pub fn with_sessions(mut self, sessions: &[SessionView]) -> Self {
        for session in sessions {
            if let (Some(connection), Some(local)) = (session.connection, session.local) {
                self.open(connection, local, session.peer);
            }
        }
        self
    }

    fn message(&self, way: &Way, name: String, summary: String, octets: &[u8]) -> Message {
        Message {
            node: self.node.clone(),
            direction: way.direction,
            transport: way.transport,
            source: way.source.to_string(),
            destination: way.destination.to_string(),
            name,
            summary,
            encapsulated: false,
            nonce: None,
            octets: hex(octets),
            sent: None,
            answers: None,
            reason: None,
        }
    }

    fn datagram(&self, way: &Way, octets: &[u8], reason: Option<Reason>) {
        let message = match wire::Message::parse(octets) {
            Ok(message) => {
                let (inner, encapsulated) = opened(&message);
                let shown = inner.as_ref().unwrap_or(&message);
                let nonce = nonce(shown).map(|nonce| nonce.to_string());
                let made = self.message(way, name(shown), shown.to_string(), octets);
                Message { encapsulated, nonce, reason, ..made }
            }
            Err(error) => {
                self.message(way, "damaged message".to_owned(), error.to_string(), octets)
            }
        };
        self.tell(message);
    }

    fn tell(&self, message: Message) {
        self.watch.message(self.now, message);
    }

    fn received_datagram(&self, datagram: &ControlDatagram<'_>) {
        let way = Way {
            direction: Direction::Received,
            transport: Transport::Udp,
            source: datagram.source,
            destination: SocketAddr::new(datagram.destination, CONTROL_PORT),
        };
        self.datagram(&way, datagram.payload, None);
    }

    fn tcp_event(&mut self, event: &TcpEvent<'_>) {
        match *event {
            TcpEvent::Connected { connection, local } => {
                if let Some(stream) = self.connections.get_mut(&connection) {
                    stream.local = local;
                }
            }
            TcpEvent::Accepted { connection, peer, local } => {
                self.open(connection, SocketAddr::new(local, CONTROL_PORT), peer);
            }
            TcpEvent::Bytes(connection, octets) => {
                self.stream(connection, octets, Direction::Received, None);
            }
            TcpEvent::Closed(connection) | TcpEvent::Refused(connection) => {
                self.connections.remove(&connection);
            }
        }
    }

    fn tcp_request(&mut self, request: &TcpRequest) {
        match request {
            TcpRequest::Connect { connection, source, destination } => {
                let peer = SocketAddr::new(destination.0, CONTROL_PORT);
                self.open(*connection, SocketAddr::new(source.0, 0), peer);
            }
            TcpRequest::Send(connection, octets, reason) => {
                let reason = Some(Reason::of(reason));
                self.stream(*connection, octets, Direction::Sent, reason);
            }
            TcpRequest::Close(connection) => {
                self.connections.remove(connection);
            }
        }
    }

    fn open(&mut self, connection: Connection, local: SocketAddr, peer: SocketAddr) {
        if self.connections.len() >= CONNECTIONS {
            self.connections.pop_first();
        }
        let (received, sent) = (FrameReader::new(), FrameReader::new());
        self.connections.insert(connection, Stream { local, peer, received, sent });
    }

    fn stream(
        &mut self,
        connection: Connection,
        octets: &[u8],
        direction: Direction,
        reason: Option<Reason>,
    ) {
        let Some(stream) = self.connections.get_mut(&connection) else { return };
        let (reader, source, destination) = match direction {
            Direction::Sent => (&mut stream.sent, stream.local, stream.peer),
            Direction::Received => (&mut stream.received, stream.peer, stream.local),
        };
        reader.push(octets);
        let frames: Vec<ReliableFrame> = reader.filter_map(Result::ok).collect();
        let way = Way { direction, transport: Transport::Tcp, source, destination };
        for frame in frames {
            let name = frame.message.message_type().name().to_owned();
            let message = self.message(&way, name, frame.to_string(), &frame.emit());
            self.tell(Message { reason: reason.clone(), ..message });
        }
    }

    fn decision(&self, event: &PacketEvent) {
        let PacketEvent { source, destination, because, fate, .. } = event;
        let (verdict, locator) = match fate {
            Fate::Encapsulated(rloc) => ("encapsulate", Some(rloc)),
            Fate::Native => ("native", None),
            Fate::Delivered => ("deliver", None),
            Fate::SentOn(rloc) => ("forward", Some(rloc)),
            Fate::Held => ("hold", None),
            Fate::Dropped(_) => ("drop", None),
        };
        let decision = || Decision {
            node: self.node.clone(),
            packet: (!self.packet.is_empty()).then(|| packet::name(&self.packet)),
            summary: format!("{} to {}", source.address, destination.address),
            verdict: verdict.to_owned(),
            locator: locator.map(ToString::to_string),
            line: because.line.map(|line| Line {
                table: line.table.describe().to_owned(),
                prefix: line.prefix.to_string(),
            }),
            reason: Reason {
                text: because.rule.describe().to_owned(),
                section: Some(because.rule.section().to_owned()),
            },
        };
        let sort = Sort::of_decision(matches!(fate, Fate::Dropped(_)));
        self.watch.add(self.now, sort, || Kind::Decision(decision()));
    }
}

impl Witness for RouterWatch {
    fn call(&mut self, call: Call<'_>, now: Time) {
        self.now = now;
        self.packet.clear();
        match call {
            Call::Handle(Input::Control(datagram)) => self.received_datagram(datagram),
            Call::Handle(Input::Tcp(event)) => self.tcp_event(event),
            Call::Handle(_) | Call::Timeout => {}
            Call::Encapsulate { packet, .. } => self.packet.extend(packet::head(packet)),
            Call::Decapsulate { datagram, .. } => {
                let inner = datagram.get(wire::data_header::DATA_HEADER_LEN..).unwrap_or_default();
                self.packet.extend(packet::head(inner));
            }
        }
    }

    fn outbound(&mut self, _: Outbound, _: &[u8]) {}

    fn inbound(&mut self, _: Inbound, _: &[u8]) {}

    fn has_ended(&self) -> bool {
        self.watch.is_closed()
    }

    fn output(&mut self, output: Option<&Output>) {
        match output {
            Some(Output::Control { source, destination, payload, reason }) => {
                let way = Way {
                    direction: Direction::Sent,
                    transport: Transport::Udp,
                    source: *source,
                    destination: *destination,
                };
                self.datagram(&way, payload, Some(Reason::of(reason)));
            }
            Some(Output::Tcp(request)) => self.tcp_request(request),
            Some(Output::Event(Event::Packet(event))) => self.decision(event),
            Some(Output::Event(event)) => {
                if let Some(change) = change::of(&self.node, event) {
                    self.watch.add(self.now, Sort::Change, || Kind::Change(change));
                }
                for (severity, line) in self.log.lines(event, self.now) {
                    self.watch.log_line(self.now, &self.node, severity.name(), &line);
                }
            }
            _ => {}
        }
    }
}

/// Returns the message in an Encapsulated Control Message, and whether `message` is an Encapsulated
/// Control Message.
fn opened(message: &wire::Message) -> (Option<wire::Message>, bool) {
    match message {
        wire::Message::Encapsulated(outer) => (wire::Message::parse(&outer.message).ok(), true),
        _ => (None, false),
    }
}

fn nonce(message: &wire::Message) -> Option<wire::Nonce> {
    Some(match message {
        wire::Message::MapRequest(message) => message.nonce,
        wire::Message::MapReply(message) => message.nonce,
        wire::Message::MapRegister(message) => message.nonce,
        wire::Message::MapNotify(message) => message.nonce,
        wire::Message::MapNotifyAck(message) => message.0.nonce,
        wire::Message::Info(_) | wire::Message::Encapsulated(_) => return None,
    })
}

/// Returns the name of a message. The name of a Map-Request shows whether it is an SMR or a probe.
fn name(message: &wire::Message) -> String {
    let name = match message {
        wire::Message::MapRequest(request) if request.smr => "SMR",
        wire::Message::MapRequest(request) if request.probe => "RLOC-probe",
        wire::Message::MapRequest(_) => "Map-Request",
        wire::Message::MapReply(_) => "Map-Reply",
        wire::Message::MapRegister(_) => "Map-Register",
        wire::Message::MapNotify(_) => "Map-Notify",
        wire::Message::MapNotifyAck(_) => "Map-Notify-Ack",
        wire::Message::Info(_) => "Info",
        wire::Message::Encapsulated(_) => "Encapsulated Control Message",
    };
    name.to_owned()
}
