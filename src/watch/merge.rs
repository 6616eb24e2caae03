//! Merges the items of several routers into one sequence. Each router has its own clock.
//!
//! The items of one router arrive in the order in which they happened, but a little later. So each
//! item waits for a moment, and the waiting items are sorted by their times. Then each received
//! message gets the number of the sent message, and each answer gets the number of its request, as
//! on the simulator.

use std::collections::BTreeMap;

use super::collection::Watch;
use super::detail::Sort;
use super::item::{Direction, Item, Kind, Message};
use crate::time::Time;

/// The maximum number of items that wait. If there are more, the newest are left out.
const WAITING: usize = 20_000;
/// For each source, the maximum number of items in [`Merger::numbers`]. A later item may have one
/// of these items as its cause.
const REMEMBERED: usize = 4096;

/// The items of several sources.
#[derive(Debug, Default)]
pub struct Merger {
    /// The items that wait, each with the number of its source. The key is the time of the item,
    /// and a number that increases with each item that arrives.
    waiting: BTreeMap<(u64, u64), (usize, Item)>,
    arrived: u64,
    left_out: u64,
    merged: Watch,
    /// For each source, the earliest time that its next items may have.
    not_before: BTreeMap<usize, u64>,
    /// The number of each item in the merged sequence. The key is the number of the source, and the
    /// number that the item has at this source.
    numbers: BTreeMap<(usize, u64), u64>,
}

impl Merger {
    /// Adds an item of a source. The clock of the source started at the time `began`, in
    /// microseconds on the common clock. `began` may be negative.
    pub fn add(&mut self, source: usize, item: Item, began: i64) {
        if self.waiting.len() >= WAITING {
            self.left_out += 1;
            return;
        }
        let at = item.at.saturating_add_signed(began);
        self.arrived += 1;
        self.waiting.insert((at, self.arrived), (source, item));
    }

    /// Counts items that a source itself has left out.
    pub fn add_left_out(&mut self, count: u64) {
        self.left_out += count;
    }

    /// Returns the number of items that were left out since the last call.
    pub fn take_left_out(&mut self) -> u64 {
        std::mem::take(&mut self.left_out)
    }

    /// Returns the items up to the time `until`, in the order of their times. The items have the
    /// numbers of the merged sequence.
    pub fn take(&mut self, until: u64) -> Vec<Item> {
        while let Some(entry) = self.waiting.first_entry()
            && entry.key().0 <= until
        {
            let ((at, _), (source, item)) = entry.remove_entry();
            if let Some(sent_at) = self.sent_later(&item) {
                self.not_before.insert(source, sent_at);
            }
            let not_before = self.not_before.get(&source).copied().unwrap_or_default();
            if at < not_before {
                self.arrived += 1;
                self.waiting.insert((not_before, self.arrived), (source, item));
            } else {
                self.merge(at, source, item);
            }
        }
        self.merged.take()
    }

    /// Returns the time at which a received message was sent, if this time is later than the time
    /// at which the message was received. A router reads its clock once for several messages, so
    /// the time at which it received a message can be too early.
    fn sent_later(&self, item: &Item) -> Option<u64> {
        let Kind::Message(received) = &item.kind else { return None };
        if received.direction == Direction::Sent || self.merged.has_sent(received) {
            return None;
        }
        let is_same = |sent: &Message| {
            sent.direction == Direction::Sent
                && (&sent.source, &sent.destination) == (&received.source, &received.destination)
                && sent.octets == received.octets
        };
        let sent = self.waiting.iter().find(
            |(_, (_, item))| matches!(&item.kind, Kind::Message(message) if is_same(message)),
        );
        sent.map(|((at, _), _)| *at)
    }

    fn merge(&mut self, at: u64, source: usize, item: Item) {
        let (own, sort) = (item.n, item.sort());
        let at = Time(at);
        let n = match item.kind {
            Kind::Message(mut message) => {
                (message.sent, message.answers) = (None, None);
                self.merged.message(at, message)
            }
            Kind::Change(mut change) => {
                let cause = change.cause.and_then(|n| self.numbers.get(&(source, n)));
                change.cause = cause.copied();
                self.merged.add(at, Sort::Change, || Kind::Change(change))
            }
            kind => self.merged.add(at, sort, || kind),
        };
        self.numbers.insert((source, own), n);
        if let Some(old) = own.checked_sub(REMEMBERED as u64) {
            self.numbers.remove(&(source, old));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::item::{Alteration, Change, LogLine, Transport};

    fn message(n: u64, at: u64, direction: Direction) -> Item {
        let message = Message {
            node: "r".to_owned(),
            direction,
            transport: Transport::Udp,
            source: "192.0.2.1:4342".to_owned(),
            destination: "192.0.2.2:4342".to_owned(),
            name: "Map-Request".to_owned(),
            summary: String::new(),
            encapsulated: false,
            nonce: Some("1".to_owned()),
            octets: "00".to_owned(),
            sent: None,
            answers: None,
            reason: None,
        };
        Item { n, at, kind: Kind::Message(message) }
    }

    fn log(n: u64, at: u64) -> Item {
        let (node, severity) = ("r".to_owned(), "notice".to_owned());
        Item { n, at, kind: Kind::Log(LogLine { node, severity, text: String::new() }) }
    }

    #[test]
    fn a_message_that_arrives_before_its_sender_tells_of_it_is_matched_by_the_common_clock() {
        let mut merger = Merger::default();
        merger.add(1, message(0, 50, Direction::Received), 1000);
        merger.add(0, message(0, 5040, Direction::Sent), -4000);
        assert_eq!(merger.take(1039), []);
        let items = merger.take(1050);
        let seen: Vec<(u64, u64)> = items.iter().map(|item| (item.n, item.at)).collect();
        assert_eq!(seen, [(0, 1040), (1, 1050)]);
        let Kind::Message(received) = &items[1].kind else { panic!("a message") };
        assert_eq!(received.sent, Some(0));
    }

    #[test]
    fn a_message_that_was_received_before_it_was_sent_comes_after_it_with_all_that_follows() {
        let mut merger = Merger::default();
        merger.add(1, message(0, 10, Direction::Received), 0);
        merger.add(1, log(1, 11), 0);
        merger.add(0, message(0, 12, Direction::Sent), 0);
        assert_eq!(merger.take(11), []);
        let items = merger.take(12);
        assert_eq!(items.iter().map(|item| item.at).collect::<Vec<_>>(), [12, 12, 12]);
        let Kind::Message(received) = &items[1].kind else { panic!("a message: {items:?}") };
        assert_eq!(received.sent, Some(0));
        assert!(matches!(items[2].kind, Kind::Log(_)), "{items:?}");
    }

    #[test]
    fn the_cause_of_a_change_is_the_merged_number_of_the_message_at_the_same_router() {
        let mut merger = Merger::default();
        merger.add(0, message(0, 1, Direction::Received), 0);
        merger.add(1, message(0, 2, Direction::Received), 0);
        let change = Change {
            node: "r".to_owned(),
            table: "map-cache".to_owned(),
            key: "192.0.2.0/24".to_owned(),
            change: Alteration::Added,
            text: String::new(),
            reason: None,
            cause: Some(0),
        };
        merger.add(1, Item { n: 1, at: 3, kind: Kind::Change(change) }, 0);
        let items = merger.take(9);
        let Kind::Change(change) = &items[2].kind else { panic!("a change") };
        assert_eq!(change.cause, Some(1));
    }

    #[test]
    fn more_items_than_can_wait_are_counted() {
        let mut merger = Merger::default();
        for n in 0..WAITING as u64 + 3 {
            merger.add(0, message(n, n, Direction::Sent), 0);
        }
        assert_eq!(merger.take(u64::MAX).len(), WAITING);
        assert_eq!((merger.take_left_out(), merger.take_left_out()), (3, 0));
        assert!(merger.numbers.len() <= REMEMBERED);
    }
}
