//! The unconfirmed Map-Notifies about local EIDs, and the questions to map-servers about these
//! Map-Notifies. [`super::confirm`] explains why a confirmation is necessary, and handles the
//! answers.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::deadlines::Deadlines;
use crate::addr::EidPrefix;
use crate::rng::{Rng, Seed};
use crate::time::Time;
use crate::wire::{MappingRecord, Nonce};

/// The time in which a map-server has to confirm its notification.
const ANSWER_WAIT: Duration = Duration::from_secs(3);
/// The minimum time between two lines in the log about map-servers that do not answer.
const LINES: Duration = Duration::from_secs(60);
/// The limit for the number of notifications that wait for a confirmation. If the table is full,
/// the oldest notification of the map-server with the most notifications is removed, and the router
/// ignores this notification.
const QUESTIONS: Limit =
    Limit { name: "Map-Notifies to be confirmed", capacity: 4096, idle: Duration::ZERO };

/// A map-server, and the prefix that its notification is about.
pub(super) type About = (IpAddr, EidPrefix);

/// A question to a map-server about its notification.
#[derive(Debug)]
pub(super) struct Question {
    nonce: Nonce,
    /// The record in the notification.
    pub told: MappingRecord,
    /// A record that the map-server sent after the question. The answer to the question may be
    /// older than this record, so the router asks the map-server once more.
    pub later: Option<MappingRecord>,
}

/// The notifications that wait for a confirmation.
#[derive(Debug)]
pub(super) struct News {
    questions: Bounded<About, Question, IpAddr>,
    nonces: BTreeMap<Nonce, About>,
    due: Deadlines<About>,
    /// The time of the latest line in the log about a map-server that does not answer.
    said_at: Option<Time>,
    rng: Rng,
}

impl News {
    pub(super) fn new(seed: &Seed) -> Self {
        News {
            questions: Bounded::new(QUESTIONS),
            nonces: BTreeMap::new(),
            due: Deadlines::default(),
            said_at: None,
            rng: Rng::new(seed, "news nonce"),
        }
    }

    /// The time at which the next question counts as not answered.
    pub(super) fn next_unanswered(&self) -> Option<Time> {
        self.due.next()
    }

    /// The fill level of the table of notifications.
    pub(super) fn fill(&self) -> Fill {
        self.questions.fill()
    }

    /// Begins a question about the record `told`, and returns the nonce of the question. If an
    /// earlier question to the map-server about the same prefix is not answered yet, stores `told`
    /// for the next question and returns `None`.
    pub(super) fn begin(&mut self, about: About, told: MappingRecord, now: Time) -> Option<Nonce> {
        if let Some(question) = self.questions.use_at(&about, now) {
            question.later = Some(told);
            return None;
        }
        let nonce = Nonce(self.rng.next_u64());
        let question = Question { nonce, told, later: None };
        if let Some((about, other)) = self.questions.insert(about, about.0, question, now).ok()? {
            self.forget(&about, &other);
        }
        self.nonces.insert(nonce, about);
        self.due.set(about, Some(now + ANSWER_WAIT));
        Some(nonce)
    }

    pub(super) fn end(&mut self, about: &About) -> Option<Question> {
        let question = self.questions.remove(about)?;
        self.forget(about, &question);
        Some(question)
    }

    /// The map-server and the prefix of the question with the nonce `nonce`. `None` if no question
    /// with this nonce waits for an answer.
    pub(super) fn asked(&self, nonce: Nonce) -> Option<About> {
        self.nonces.get(&nonce).copied()
    }

    /// Removes and returns the next question that was not answered in time.
    pub(super) fn unanswered(&mut self, now: Time) -> Option<(About, Question)> {
        let about = self.due.pop(now)?;
        Some((about, self.end(&about)?))
    }

    /// Decides whether to write a line to the log at `now` about a map-server that does not answer.
    /// There is at most one line a minute.
    pub(super) fn is_to_be_said(&mut self, now: Time) -> bool {
        let is_due = self.said_at.is_none_or(|at| now.since(at) >= LINES);
        self.said_at = if is_due { Some(now) } else { self.said_at };
        is_due
    }

    fn forget(&mut self, about: &About, question: &Question) {
        self.nonces.remove(&question.nonce);
        self.due.set(*about, None);
    }
}
