//! The comments on captured packets. The comment on a LISP message is the reason for which a router
//! sent the message. The comments on a packet of EIDs are the decisions of routers about the
//! packet.

use std::collections::{BTreeMap, VecDeque};

use super::item::{Class, Decision, Direction, Kind, Message, Reason};
use super::packet::{class, hex, name};

/// The maximum number of reasons. If there are more, the oldest reasons are removed.
const MOST: usize = 200_000;

/// A reason as the text of a comment.
#[derive(Debug)]
struct Comment {
    at: u64,
    text: String,
    is_drop: bool,
}

/// The subject of a reason.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Subject {
    /// A packet of EIDs, identified by its [`name`].
    Packet(String),
    /// A sent message, identified by its octets in hexadecimal.
    Message(String),
}

/// The reasons of all routers of a lab. The key is the message or the packet that a reason
/// explains.
#[derive(Debug, Default)]
pub struct Reasons {
    comments: BTreeMap<Subject, VecDeque<Comment>>,
    /// The time and the subject of each reason, in the order in which the reasons were added.
    order: VecDeque<(u64, Subject)>,
}

impl Reasons {
    /// Adds the reason for which the router `node` made a decision or sent a message. Does nothing
    /// for any other item. `at` is the time of the item in microseconds. This time and the times of
    /// the captured packets come from the same clock.
    pub fn note(&mut self, node: &str, at: u64, kind: &Kind) {
        let (subject, text, is_drop) = match kind {
            Kind::Decision(decision) => {
                let Some(packet) = &decision.packet else { return };
                let is_drop = decision.verdict == "drop";
                (Subject::Packet(packet.clone()), decided(node, decision), is_drop)
            }
            Kind::Message(Message {
                direction: Direction::Sent,
                reason: Some(reason),
                name,
                octets,
                ..
            }) => {
                let text = format!("{node} sent this {name}: {}", sentence(reason));
                (Subject::Message(octets.clone()), text, false)
            }
            _ => return,
        };
        if self.order.len() >= MOST {
            self.forget_oldest();
        }
        self.order.push_back((at, subject.clone()));
        self.comments.entry(subject).or_default().push_back(Comment { at, text, is_drop });
    }

    /// Removes the reasons that are older than the time `at`.
    pub fn forget_before(&mut self, at: u64) {
        while self.order.front().is_some_and(|(noted, _)| *noted < at) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        let Some((_, subject)) = self.order.pop_front() else { return };
        if let Some(comments) = self.comments.get_mut(&subject) {
            comments.pop_front();
            if comments.is_empty() {
                self.comments.remove(&subject);
            }
        }
    }

    /// Returns the comments on an IP packet that was on a link at the time `at`. `messages` has the
    /// octets of each control message whose last octet is in the packet. The comment on a message
    /// is the reason for which a router sent the message. The comment on a packet of EIDs is the
    /// latest decision about this packet before `at`. If the first decision after `at` drops the
    /// packet, this decision is a comment too.
    pub fn of_packet(&self, at: u64, packet: &[u8], messages: &[Vec<u8>]) -> Vec<String> {
        if self.comments.is_empty() {
            return Vec::new();
        }
        match class(packet) {
            Class::Neighbour => Vec::new(),
            Class::Control | Class::Tcp => {
                messages.iter().filter_map(|octets| self.sent(at, hex(octets))).collect()
            }
            Class::Data | Class::Native => self.decided(at, name(packet)),
        }
    }

    fn sent(&self, at: u64, octets: String) -> Option<String> {
        let sent = self.comments.get(&Subject::Message(octets))?;
        let last = sent.iter().filter(|sent| sent.at <= at).max_by_key(|sent| sent.at);
        last.map(|sent| sent.text.clone())
    }

    fn decided(&self, at: u64, packet: String) -> Vec<String> {
        let Some(decisions) = self.comments.get(&Subject::Packet(packet)) else {
            return Vec::new();
        };
        let (before, after): (Vec<_>, Vec<_>) = decisions.iter().partition(|it| it.at <= at);
        let before = before.into_iter().max_by_key(|it| it.at);
        let after = after.into_iter().min_by_key(|it| it.at).filter(|it| it.is_drop);
        before.into_iter().chain(after).map(|it| it.text.clone()).collect()
    }
}

/// Returns a decision as a sentence.
fn decided(node: &str, decision: &Decision) -> String {
    let Decision { verdict, locator, line, reason, .. } = decision;
    let to = locator.as_ref().map_or(String::new(), |locator| format!(" to {locator}"));
    let line =
        line.as_ref().map_or(String::new(), |line| format!(" ({}, {})", line.table, line.prefix));
    format!("{node}: {verdict}{to}{line}: {}", sentence(reason))
}

fn sentence(Reason { text, section }: &Reason) -> String {
    let section = section.as_ref().map_or(String::new(), |section| format!(" [{section}]"));
    format!("{text}{section}")
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;

    fn reason(text: &str) -> Reason {
        Reason { text: text.to_owned(), section: Some("RFC 9301 section 6.1".to_owned()) }
    }

    fn packet(port: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = Vec::new();
        let ip = PacketBuilder::ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64);
        ip.udp(port, port).write(&mut packet, payload).unwrap();
        packet
    }

    fn decision(packet: &[u8], verdict: &str) -> Kind {
        Kind::Decision(Decision {
            node: "r1.example".to_owned(),
            packet: Some(name(packet)),
            summary: String::new(),
            verdict: verdict.to_owned(),
            locator: None,
            line: None,
            reason: reason("why"),
        })
    }

    fn message(octets: &[u8], text: &str) -> Kind {
        Kind::Message(Message {
            node: "r1.example".to_owned(),
            direction: Direction::Sent,
            transport: crate::watch::item::Transport::Udp,
            source: String::new(),
            destination: String::new(),
            name: "SMR".to_owned(),
            summary: String::new(),
            encapsulated: false,
            nonce: None,
            octets: hex(octets),
            sent: None,
            answers: None,
            reason: Some(reason(text)),
        })
    }

    #[test]
    fn a_message_has_the_reason_for_which_it_was_last_sent() {
        let mut reasons = Reasons::default();
        reasons.note("R1", 10, &message(b"one", "first"));
        reasons.note("R1", 20, &message(b"one", "again"));
        reasons.note("R1", 20, &message(b"other", "not this"));
        let packet = packet(4342, b"one");
        let of = |reasons: &Reasons, at| reasons.of_packet(at, &packet, &[b"one".to_vec()]);
        assert_eq!(of(&reasons, 9), [""; 0]);
        assert_eq!(of(&reasons, 15), ["R1 sent this SMR: first [RFC 9301 section 6.1]"]);
        assert_eq!(of(&reasons, 99), ["R1 sent this SMR: again [RFC 9301 section 6.1]"]);
        reasons.forget_before(20);
        assert_eq!(of(&reasons, 15), [""; 0]);
        assert_eq!(of(&reasons, 99).len(), 1);
    }

    #[test]
    fn a_packet_has_the_decision_before_it_and_the_drop_after_it() {
        let mut reasons = Reasons::default();
        let packet = packet(7, b"data");
        // The items of two routers do not arrive in the order of their times.
        reasons.note("R2", 30, &decision(&packet, "drop"));
        reasons.note("R1", 10, &decision(&packet, "encapsulate"));
        let first = |at| reasons.of_packet(at, &packet, &[]);
        let words = |at| first(at).iter().map(|text| text[..6].to_owned()).collect::<Vec<_>>();
        assert_eq!(words(5), [""; 0]);
        assert_eq!(words(20), ["R1: en", "R2: dr"]);
        assert_eq!(words(40), ["R2: dr"]);
    }

    #[test]
    fn the_memory_of_reasons_has_a_bound() {
        let mut reasons = Reasons::default();
        for n in 0..MOST as u64 + 10 {
            reasons.note("R1", n, &message(&n.to_be_bytes(), "one"));
        }
        assert_eq!((reasons.order.len(), reasons.comments.len()), (MOST, MOST));
    }
}
