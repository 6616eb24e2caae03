//! The collection of the items of a lab.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::item::{self, Decision, Item, Kind, Reason};
use super::matching::{self, Matching};
use super::packet;
use crate::packet::IpHeader;
use crate::time::Time;

/// The maximum number of items that wait until they are taken. If there are more, the oldest items
/// are left out. A reader sees this as a gap in the numbers of the items.
const WAITING: usize = 200_000;

/// Collects the items of one lab. A clone is another handle of the same collection.
#[derive(Clone, Debug, Default)]
pub struct Watch(Rc<RefCell<Collected>>);

#[derive(Debug, Default)]
struct Collected {
    items: VecDeque<Item>,
    /// The number of the next item.
    next: u64,
    /// Finds the sent message for each message that is received later.
    matching: Matching,
    is_closed: bool,
}

impl Watch {
    /// Adds a packet that was put on a link.
    pub fn packet_on_link(&self, at: Time, hop: item::Hop) {
        self.add(at, Kind::Hop(hop));
    }

    /// Adds a packet that a kernel, a host or a link dropped.
    pub fn packet_dropped(&self, at: Time, node: &str, octets: &[u8], reason: Reason) {
        let summary = match IpHeader::parse(packet::innermost(octets)) {
            Ok(header) => format!("{} to {}", header.source, header.destination),
            Err(_) => "a damaged packet".to_owned(),
        };
        let decision = Decision {
            node: node.to_owned(),
            packet: Some(packet::name(octets)),
            summary,
            verdict: "drop".to_owned(),
            locator: None,
            line: None,
            reason,
        };
        self.add(at, Kind::Decision(decision));
    }

    /// Adds a line of the log of a router.
    pub fn log_line(&self, at: Time, node: &str, severity: &str, text: &str) {
        let (node, severity, text) = (node.to_owned(), severity.to_owned(), text.to_owned());
        self.add(at, Kind::Log(item::LogLine { node, severity, text }));
    }

    /// Ends the collection. From now on, its witnesses add nothing.
    pub fn close(&self) {
        self.0.borrow_mut().is_closed = true;
    }

    /// Whether the collection was ended.
    pub fn is_closed(&self) -> bool {
        self.0.borrow().is_closed
    }

    /// Returns the items since the last call, in the order in which they happened.
    pub fn take(&self) -> Vec<Item> {
        std::mem::take(&mut self.0.borrow_mut().items).into()
    }

    pub(super) fn add(&self, at: Time, kind: Kind) -> u64 {
        let mut collected = self.0.borrow_mut();
        let n = collected.next;
        collected.next += 1;
        if collected.items.len() == WAITING {
            collected.items.pop_front();
        }
        collected.items.push_back(Item { n, at: at.0, kind });
        n
    }

    /// Whether a received message was sent before.
    pub(super) fn has_sent(&self, received: &item::Message) -> bool {
        self.0.borrow().matching.has_sent(&matching::Key::of(received))
    }

    /// Adds a message that a router sent or received. Returns its number.
    pub(super) fn message(&self, at: Time, message: item::Message) -> u64 {
        match message.direction {
            item::Direction::Sent => self.sent(at, message),
            item::Direction::Received => self.received(at, message),
        }
    }

    fn sent(&self, at: Time, message: item::Message) -> u64 {
        let answered = self.0.borrow().matching.answered_by(&message);
        let key = matching::Key::of(&message);
        let nonce = message.nonce.clone();
        let n = self.add(at, Kind::Message(item::Message { answers: answered, ..message }));
        self.0.borrow_mut().matching.sent(key, nonce, n);
        n
    }

    fn received(&self, at: Time, message: item::Message) -> u64 {
        let (sent, answers) = {
            let matching = &mut self.0.borrow_mut().matching;
            (matching.take_sent(&matching::Key::of(&message)), matching.answered_by(&message))
        };
        self.add(at, Kind::Message(item::Message { sent, answers, ..message }))
    }
}
