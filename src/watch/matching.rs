//! Finds the sent message that belongs to a received message, and the request that belongs to an
//! answer.

use std::collections::{BTreeMap, VecDeque};

use sha2::{Digest, Sha256};

use super::item::Message;

/// The maximum number of messages that are stored. If there are more, the oldest messages are
/// removed.
const REMEMBERED: usize = 4096;

/// The number of octets of a [`Key`]. It is so large that two messages do not have the same key by
/// chance.
const KEY_LEN: usize = 16;

/// A hash of the source, the destination and the octets of a message. The sent message and the
/// received message have the same hash. The hash is short, because each copy of the memory of a
/// page contains all keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key([u8; KEY_LEN]);

impl Key {
    /// The key of a message.
    pub(super) fn of(message: &Message) -> Self {
        let mut hash = Sha256::new();
        for part in [&message.source, &message.destination, &message.octets] {
            hash.update(part);
            hash.update([0]);
        }
        let mut key = Key([0; KEY_LEN]);
        key.0.copy_from_slice(&hash.finalize()[..KEY_LEN]);
        key
    }
}

/// The messages that were sent recently.
#[derive(Debug, Default)]
pub(super) struct Matching {
    /// The numbers of the sent messages that were not received yet.
    sent: BTreeMap<Key, VecDeque<u64>>,
    sent_order: VecDeque<Key>,
    /// For each nonce, the number of the first message with this nonce.
    asked: BTreeMap<String, Asked>,
    asked_order: VecDeque<String>,
}

#[derive(Debug)]
struct Asked {
    n: u64,
    /// The number of the latest answer with the nonce. If this answer is a Map-Notify, a
    /// Map-Notify-Ack answers it.
    answer: Option<u64>,
}

impl Matching {
    /// Whether a sent message with this key was not received yet.
    pub(super) fn has_sent(&self, key: &Key) -> bool {
        self.sent.get(key).is_some_and(|numbers| !numbers.is_empty())
    }

    /// Stores a sent message.
    pub(super) fn sent(&mut self, key: Key, nonce: Option<String>, n: u64) {
        self.sent.entry(key).or_default().push_back(n);
        self.sent_order.push_back(key);
        if self.sent_order.len() > REMEMBERED
            && let Some(oldest) = self.sent_order.pop_front()
            && let Some(numbers) = self.sent.get_mut(&oldest)
        {
            // The number may be missing, because it was removed when a router received the message.
            if numbers.front().is_some_and(|&number| number + REMEMBERED as u64 <= n) {
                numbers.pop_front();
            }
            if numbers.is_empty() {
                self.sent.remove(&oldest);
            }
        }
        let Some(nonce) = nonce else { return };
        match self.asked.get_mut(&nonce) {
            Some(asked) => asked.answer = Some(n),
            None => {
                self.asked.insert(nonce.clone(), Asked { n, answer: None });
                self.asked_order.push_back(nonce);
            }
        }
        if self.asked_order.len() > REMEMBERED
            && let Some(oldest) = self.asked_order.pop_front()
        {
            self.asked.remove(&oldest);
        }
    }

    /// Returns the number of the sent message that is received now: the oldest stored message with
    /// this key. Removes the number.
    pub(super) fn take_sent(&mut self, key: &Key) -> Option<u64> {
        let numbers = self.sent.get_mut(key)?;
        let n = numbers.pop_front();
        if numbers.is_empty() {
            self.sent.remove(key);
        }
        n
    }

    /// Returns the number of the message that `message` answers. This is the first message with the
    /// same nonce. For a Map-Notify-Ack, it is the Map-Notify with the same nonce.
    pub(super) fn answered_by(&self, message: &Message) -> Option<u64> {
        let asked = self.asked.get(message.nonce.as_ref()?)?;
        match message.name.as_str() {
            "Map-Reply" | "Map-Notify" => Some(asked.n),
            "Map-Notify-Ack" => asked.answer.or(Some(asked.n)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::item::{Direction, Transport};
    use super::*;

    fn message(name: &str, nonce: &str, octets: &str) -> Message {
        Message {
            node: "xTR1".to_owned(),
            direction: Direction::Sent,
            transport: Transport::Udp,
            source: "192.0.2.1:4342".to_owned(),
            destination: "192.0.2.2:4342".to_owned(),
            name: name.to_owned(),
            summary: String::new(),
            encapsulated: false,
            nonce: Some(nonce.to_owned()),
            octets: octets.to_owned(),
            sent: None,
            answers: None,
            reason: None,
        }
    }

    #[test]
    fn an_answer_names_its_request_and_an_ack_names_its_notify() {
        let mut matching = Matching::default();
        let register = message("Map-Register", "7", "03");
        let notify = message("Map-Notify", "7", "04");
        let ack = message("Map-Notify-Ack", "7", "05");
        matching.sent(Key::of(&register), register.nonce.clone(), 10);
        assert_eq!(matching.answered_by(&notify), Some(10));
        matching.sent(Key::of(&notify), notify.nonce.clone(), 11);
        assert_eq!(matching.answered_by(&ack), Some(11));
        assert_eq!(matching.answered_by(&register), None);
    }

    #[test]
    fn equal_messages_arrive_in_the_order_in_which_they_were_sent() {
        let mut matching = Matching::default();
        let register = message("Map-Register", "7", "03");
        let key = Key::of(&register);
        matching.sent(key, None, 1);
        matching.sent(key, None, 2);
        assert_eq!([(); 3].map(|()| matching.take_sent(&key)), [Some(1), Some(2), None]);
    }

    #[test]
    fn the_memory_of_messages_has_a_bound() {
        let mut matching = Matching::default();
        for n in 0..3 * REMEMBERED as u64 {
            let octets = format!("{n:08x}");
            let lost = message("Map-Request", &octets, &octets);
            matching.sent(Key::of(&lost), lost.nonce.clone(), n);
        }
        assert!(matching.sent.len() <= REMEMBERED + 1 && matching.asked.len() <= REMEMBERED);
    }
}
