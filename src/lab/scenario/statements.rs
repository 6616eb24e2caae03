//! Parses the statements that send or receive messages: `replay`, `send`, `connect` and `receive`.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use super::message;
use super::parse::Parser;
use super::stream::{End, Heard};
use super::words::{Fault, Words};
use super::{Action, Datagrams, Replay};
use crate::wire::{CONTROL_PORT, ReliableType};

impl Parser<'_> {
    /// Reads `CAPTURE "FILTER" at NODE [to ADDRESS] [times N every TIME]`.
    pub(super) fn replay(&self, words: &mut Words) -> Result<Action, Fault> {
        let capture = words.name()?;
        let filter = words.quoted("a filter")?;
        words.expect("at")?;
        let node = self.node(words, |_| true, "node")?;
        let to = words.take("to").then(|| words.parsed("an IPv4 address")).transpose()?;
        let (times, every) = repetition(words)?;
        Ok(Action::Replay { what: Replay { capture, filter, to, times, every }, node })
    }

    /// Reads `MESSAGE at NODE from ADDRESS to ADDRESS { FIELDS } [times N] [every TIME]`, or
    /// `MESSAGE on NAME { FIELDS }`.
    pub(super) fn send(&mut self, words: &mut Words) -> Result<Action, Fault> {
        let kind = words.next("a message")?;
        let number = self.line as u64;
        if words.take("on") {
            let name = words.name()?;
            let lines = self.lines(words)?;
            let octets = message::stream_octets(&kind, number, &lines)?;
            return Ok(Action::Transmit { name, octets });
        }
        words.expect("at")?;
        let node = self.node(words, |_| true, "node")?;
        words.expect("from")?;
        let source = endpoint(words)?;
        words.expect("to")?;
        let destination = endpoint(words)?;
        let lines = self.lines(words)?;
        let payloads = message::payloads(&kind, number, &lines)?;
        let (times, every) = repetition(words)?;
        Ok(Action::Send {
            node,
            datagrams: Datagrams { source, destination, payloads, times, every },
        })
    }

    /// Reads `NAME at NODE from ADDRESS to ADDRESS`.
    pub(super) fn connect(&self, words: &mut Words) -> Result<Action, Fault> {
        let name = words.name()?;
        words.expect("at")?;
        let node = self.node(words, |_| true, "node")?;
        words.expect("from")?;
        let source = words.parsed::<Ipv4Addr>("an IPv4 address")?;
        words.expect("to")?;
        Ok(Action::Connect { name, node, source, destination: endpoint(words)? })
    }

    /// Reads `NAME closed|reset|refused`, or `NAME MESSAGE [contains "TEXT"]`.
    pub(super) fn receive(words: &mut Words, within: Duration) -> Result<Action, Fault> {
        let name = words.name()?;
        let word = words.next("a message, `closed`, `reset` or `refused`")?;
        let expected = match word.text.as_str() {
            "closed" => Heard::End(None),
            "reset" => Heard::End(Some(End::Reset)),
            "refused" => Heard::End(Some(End::Refused)),
            other => {
                let mut types = ReliableType::ALL.into_iter();
                let found = types.find(|known| known.name().eq_ignore_ascii_case(other));
                let kind = found.ok_or_else(|| {
                    let known = ReliableType::ALL.map(|known| known.name().to_lowercase());
                    word.fault(&format!(
                        "`closed`, `reset`, `refused` or one of the messages {} is expected",
                        known.join(", ")
                    ))
                })?;
                let text = words.take("contains").then(|| words.quoted("the text")).transpose()?;
                Heard::Message(kind, text)
            }
        };
        Ok(Action::Receive { name, expected, within })
    }
}

/// Reads `ADDRESS:PORT`, or `ADDRESS` for an address with the control port.
fn endpoint(words: &mut Words) -> Result<SocketAddrV4, Fault> {
    let word = words.next("an address")?;
    let alone = word.text.parse().map(|address| SocketAddrV4::new(address, CONTROL_PORT));
    let endpoint = alone.or_else(|_| word.text.parse());
    endpoint.map_err(|_| word.fault("an IPv4 address, or ADDRESS:PORT, is expected"))
}

/// Reads `times N` and `every TIME`. Both are optional.
fn repetition(words: &mut Words) -> Result<(u32, Duration), Fault> {
    let times = if words.take("times") { words.number()? } else { 1 };
    let every = if words.take("every") { words.time()? } else { Duration::ZERO };
    Ok((times, every))
}
