//! The collection of the items of a lab.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use super::detail::{Detail, Sort};
use super::item::{self, Decision, Hop, Item, Kind, Reason};
use super::matching::{self, Matching};
use super::packet;
use super::stop::Stop;
use crate::packet::IpHeader;
use crate::time::Time;

/// The maximum number of items that wait until they are taken. If there are more, the oldest items
/// are left out. Then the numbers of the items have a gap.
const WAITING: usize = 200_000;

/// Collects the items of one lab. A clone is another handle of the same collection.
#[derive(Clone, Debug, Default)]
pub struct Watch(Rc<RefCell<Collected>>);

#[derive(Debug, Default)]
struct Collected {
    items: VecDeque<Item>,
    /// The number of the next item.
    next: u64,
    /// Selects the wanted items. Items at which a run may stop are also wanted.
    detail: Detail,
    stops: Vec<Stop>,
    /// Finds the sent message for each message that is received later.
    matching: Matching,
    is_closed: bool,
}

impl Watch {
    /// From now on, keeps only the items that `detail` selects, and the items whose sort may meet
    /// one of the conditions `stops`. Every item has a number, even if it is not kept. So the
    /// numbers do not depend on `detail` and `stops`. Before the first call of this function, all
    /// items are kept.
    pub fn want(&self, detail: Detail, stops: &[Stop]) {
        let mut collected = self.0.borrow_mut();
        collected.detail = detail;
        collected.stops = stops.to_vec();
    }

    /// Adds a packet that a node put on a link. `sort` is the sort of the item. If the item is
    /// wanted, `hop` makes it.
    pub fn packet_on_link(&self, at: Time, sort: Sort, hop: impl FnOnce() -> Hop) {
        self.add(at, sort, || Kind::Hop(hop()));
    }

    /// Adds a packet that a kernel, a host or a link dropped.
    pub fn packet_dropped(&self, at: Time, node: &str, octets: &[u8], reason: Reason) {
        let decision = || Decision {
            node: node.to_owned(),
            packet: Some(packet::name(octets)),
            summary: match IpHeader::parse(packet::innermost(octets)) {
                Ok(header) => format!("{} to {}", header.source, header.destination),
                Err(_) => "a damaged packet".to_owned(),
            },
            verdict: "drop".to_owned(),
            locator: None,
            line: None,
            reason,
        };
        self.add(at, Sort::Drop, || Kind::Decision(decision()));
    }

    /// Adds a line of the log of a router.
    pub fn log_line(&self, at: Time, node: &str, severity: &str, text: &str) {
        let line = || item::LogLine {
            node: node.to_owned(),
            severity: severity.to_owned(),
            text: text.to_owned(),
        };
        self.add(at, Sort::Log, || Kind::Log(line()));
    }

    /// Ends the collection. From now on, the witnesses of the routers add no items to it.
    pub fn close(&self) {
        self.0.borrow_mut().is_closed = true;
    }

    /// Whether the collection was ended.
    pub fn is_closed(&self) -> bool {
        self.0.borrow().is_closed
    }

    /// Returns the items that were added since the last call, in the order in which they happened.
    pub fn take(&self) -> Vec<Item> {
        std::mem::take(&mut self.0.borrow_mut().items).into()
    }

    /// Adds an item of the sort `sort` if the item is wanted. In this case, `make` makes the item.
    /// Returns the number of the item, even if it is not wanted.
    pub(super) fn add(&self, at: Time, sort: Sort, make: impl FnOnce() -> Kind) -> u64 {
        let mut collected = self.0.borrow_mut();
        let n = collected.next;
        collected.next += 1;
        if collected.wants(sort) {
            if collected.items.len() == WAITING {
                collected.items.pop_front();
            }
            collected.items.push_back(Item { n, at: at.0, kind: make() });
        }
        n
    }

    /// Whether the sent message for `received` was already added.
    pub(super) fn has_sent(&self, received: &item::Message) -> bool {
        self.0.borrow().matching.has_sent(&matching::Key::of(received))
    }

    /// Adds a message that a router sent or received. Returns the number of the message. A message
    /// is always made, even if it is not wanted, because a later message may answer it. This needs
    /// little time, because there are few messages.
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
        let message = item::Message { answers: answered, ..message };
        let n = self.add(at, Sort::Message, || Kind::Message(message));
        self.0.borrow_mut().matching.sent(key, nonce, n);
        n
    }

    fn received(&self, at: Time, message: item::Message) -> u64 {
        let (sent, answers) = {
            let matching = &mut self.0.borrow_mut().matching;
            (matching.take_sent(&matching::Key::of(&message)), matching.answered_by(&message))
        };
        let message = item::Message { sent, answers, ..message };
        self.add(at, Sort::Message, || Kind::Message(message))
    }
}

impl Collected {
    fn wants(&self, sort: Sort) -> bool {
        self.detail.has(sort) || self.stops.iter().any(|stop| stop.concerns(sort))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(watch: &Watch, sort: Sort) -> u64 {
        let line = || item::LogLine {
            node: "r".to_owned(),
            severity: "notice".to_owned(),
            text: format!("{sort:?}"),
        };
        watch.add(Time::ZERO, sort, || Kind::Log(line()))
    }

    fn taken(watch: &Watch) -> Vec<u64> {
        watch.take().iter().map(|item| item.n).collect()
    }

    #[test]
    fn an_item_that_is_not_wanted_has_a_number_and_is_not_made() {
        let watch = Watch::default();
        assert_eq!(add(&watch, Sort::Data), 0);
        watch.want(Detail::Events, &[]);
        let n = watch.add(Time::ZERO, Sort::Data, || panic!("an item that is not wanted"));
        assert_eq!(n, 1);
        assert_eq!(add(&watch, Sort::Control), 2);
        assert_eq!(taken(&watch), [0, 2]);
        watch.want(Detail::None, &[Stop::Drop { node: None }]);
        add(&watch, Sort::Message);
        add(&watch, Sort::Drop);
        assert_eq!(taken(&watch), [4]);
        watch.want(Detail::None, &[Stop::Any]);
        add(&watch, Sort::Data);
        assert_eq!(taken(&watch), [5]);
    }
}
