//! The news that wait for their confirmation: messages of map-servers about local EIDs by Map-Notify, and
//! the questions about them. [`super::confirm`] says why, and handles the answer.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::bounded::{Bounded, Fill, Limit};
use super::deadlines::Deadlines;
use crate::addr::EidPrefix;
use crate::rng::{Rng, Seed};
use crate::time::Time;
use crate::wire::{MappingRecord, Nonce};

/// How long a map-server has to confirm its news.
const ANSWER_WAIT: Duration = Duration::from_secs(3);
/// Between two lines about a map-server that does not answer.
const LINES: Duration = Duration::from_secs(60);
/// News that wait for their confirmation: of the map-server that has the most, the oldest give way, and
/// are not believed.
const QUESTIONS: Limit =
    Limit { name: "News to be confirmed", capacity: 4096, idle: Duration::ZERO };

/// A map-server, and the prefix that it told of.
pub(super) type About = (IpAddr, EidPrefix);

/// A map-server is asked about its news.
#[derive(Debug)]
pub(super) struct Question {
    nonce: Nonce,
    /// The record that it told.
    pub told: MappingRecord,
    /// A record that it told after it was asked: the answer may be older, so that it is asked once more.
    pub later: Option<MappingRecord>,
}

/// The news that wait for their confirmation.
#[derive(Debug)]
pub(super) struct News {
    questions: Bounded<About, Question, IpAddr>,
    nonces: BTreeMap<Nonce, About>,
    due: Deadlines<About>,
    /// When a line last said that a map-server does not answer.
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

    /// When a map-server has had its time to confirm.
    pub(super) fn next_unanswered(&self) -> Option<Time> {
        self.due.next()
    }

    /// How full the table is.
    pub(super) fn fill(&self) -> Fill {
        self.questions.fill()
    }

    /// Begins a question and returns its nonce; none when one is under way that is to be answered first.
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

    /// The subject of a message with this nonce, if its question is under way.
    pub(super) fn asked(&self, nonce: Nonce) -> Option<About> {
        self.nonces.get(&nonce).copied()
    }

    /// The next question that has had no answer in time.
    pub(super) fn unanswered(&mut self, now: Time) -> Option<(About, Question)> {
        let about = self.due.pop(now)?;
        Some((about, self.end(&about)?))
    }

    /// Whether a line is to say now that a map-server does not answer: one a minute does.
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
