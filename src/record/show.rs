//! Shows a step of a record as text: one line for the call, and one or more lines for each output.

use std::fmt::{self, Display, Formatter};
use std::num::NonZeroU16;

use super::step::{Call, Outcome, Step, Verdict};
use crate::packet::IpHeader;
use crate::router::descriptors::Descriptors;
use crate::router::io::{Encapsulation, Output, TcpEvent, TcpRequest};
use crate::router::kept::{KeptNonce, NonceRequest};
use crate::router::logging::{self, Severity};
use crate::router::{debug, event::Event};
use crate::wire::data_header::DATA_HEADER_LEN;
use crate::wire::{FrameReader, Message, Nonce};

/// Returns the lines for a step, with its number and its outcome.
pub fn step(number: u64, Step { at, call }: &Step<'_>, outcome: &Outcome) -> String {
    let mut text = format!("{number:>6} {:>12} {call}", at.to_string());
    if outcome.verdict != Verdict::None {
        text.push_str(&format!(" => {}", outcome.verdict));
    }
    text.push('\n');
    for output in &outcome.outputs {
        for line in lines(output) {
            text.push_str(&format!("{:>22} {line}\n", "->"));
        }
    }
    text
}

/// Returns the lines for an output. An output has one line, except for some events. For such an
/// event, these are the lines that debugging writes.
fn lines(output: &Output) -> Vec<String> {
    let Output::Event(event) = output else { return vec![Shown(output).to_string()] };
    match logging::line(event) {
        Some((Severity::Warning, line)) => vec![format!("log warning: {line}")],
        Some((Severity::Notice, line)) => vec![format!("log: {line}")],
        None => match event {
            Event::Message(_) | Event::Packet(_) => {
                debug::lines(event).iter().map(|line| format!("debug {line}")).collect()
            }
            event => vec![format!("event {event}")],
        },
    }
}

impl Display for Call<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Call::Start { eidway, wall_clock, config, .. } => {
                let (seconds, lines) = (wall_clock / 1_000_000, config.lines().count());
                write!(f, "start of Eidway {eidway} at Unix time {seconds}, {lines} lines of ")?;
                f.write_str("configuration")
            }
            Call::Control(datagram) => {
                write!(f, "from {} to {}: ", datagram.source, datagram.destination)?;
                message(f, datagram.payload)
            }
            Call::Kernel(event) => write!(f, "kernel: {event}"),
            Call::Process(event) => write!(f, "process: {event}"),
            Call::Tcp(TcpEvent::Bytes(connection, octets)) => {
                write!(f, "tcp {}: {} octets", connection.0, octets.len())?;
                frames(f, octets)
            }
            Call::Tcp(event) => write!(f, "tcp: {event}"),
            Call::Path(event) => write!(f, "path: {event}"),
            Call::Configure(text) => write!(f, "configure, {} lines", text.lines().count()),
            Call::Command(command) => write!(f, "command {command}"),
            Call::Descriptors(Descriptors { limit, ran_out }) => {
                write!(f, "limit of {limit} file descriptors, reached {ran_out} times")
            }
            Call::Nonces(kept) => {
                write!(f, "{} nonces from before the start", kept.len())?;
                let sent =
                    kept.sent().map(|sent| format!(", and {} as the last sent", Nonce(sent)));
                f.write_str(&sent.unwrap_or_default())
            }
            Call::Stop => f.write_str("stop"),
            Call::Timeout => f.write_str("timeout"),
            Call::Encapsulate { packet, segment_size, .. } => {
                f.write_str("lisp0 ")?;
                ip(f, packet, *segment_size)
            }
            Call::Decapsulate { outer, datagram, segment_size } => {
                write!(f, "data from {} to {}: ", outer.source, outer.destination)?;
                ip(f, datagram.get(DATA_HEADER_LEN..).unwrap_or_default(), *segment_size)
            }
        }
    }
}

impl Display for Verdict {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::None => f.write_str("nothing"),
            Verdict::Outbound(verdict) => verdict.fmt(f),
            Verdict::Inbound(verdict) => verdict.fmt(f),
        }
    }
}

/// Displays an output as one line.
pub struct Shown<'a>(pub &'a Output);

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            Output::Control { source, destination, payload, .. } => {
                write!(f, "from {source} to {destination}: ")?;
                message(f, payload)
            }
            Output::Encapsulate(Encapsulation { source, destination, .. }, packet) => {
                write!(f, "data from {} to {}: ", source.0, destination.0)?;
                ip(f, &packet.bytes, packet.segment_size)
            }
            Output::Native(_, packet) => {
                f.write_str("lisp0 ")?;
                ip(f, &packet.bytes, packet.segment_size)
            }
            Output::Tcp(TcpRequest::Send(connection, octets, _)) => {
                write!(f, "tcp {}: {} octets", connection.0, octets.len())?;
                frames(f, octets)
            }
            Output::Tcp(request) => write!(f, "tcp: {request}"),
            Output::Kernel(request) => write!(f, "kernel: {request}"),
            Output::Process(request) => write!(f, "process: {request}"),
            Output::Nonce(NonceRequest::Keep(KeptNonce { owner, nonce })) => {
                write!(f, "keep nonce {} of {}", Nonce(*nonce), owner.sender)
            }
            Output::Nonce(NonceRequest::Forget(owner)) => {
                write!(f, "forget the nonce of {}", owner.sender)
            }
            Output::Nonce(NonceRequest::Sent(nonce)) => {
                write!(f, "keep nonce {} as the last sent", Nonce(*nonce))
            }
            Output::Event(event) => event.fmt(f),
        }
    }
}

fn message(f: &mut Formatter<'_>, payload: &[u8]) -> fmt::Result {
    match Message::parse(payload) {
        Ok(message) => message.fmt(f),
        Err(error) => write!(f, "{} octets, {error}", payload.len()),
    }
}

/// Shows the frames of reliable transport in a part of a stream. Only complete frames are shown.
/// The part must begin with a frame.
fn frames(f: &mut Formatter<'_>, octets: &[u8]) -> fmt::Result {
    let mut reader = FrameReader::new();
    reader.push(octets);
    while let Some(Ok(frame)) = reader.next() {
        write!(f, ", {frame}")?;
    }
    Ok(())
}

fn ip(f: &mut Formatter<'_>, packet: &[u8], segment_size: Option<NonZeroU16>) -> fmt::Result {
    match IpHeader::parse(packet) {
        Ok(header) => write!(f, "{} > {}, ", header.source, header.destination)?,
        Err(error) => write!(f, "{error}, ")?,
    }
    write!(f, "{} octets", packet.len())?;
    segment_size.map_or(Ok(()), |size| write!(f, " in segments of {size}"))
}
