//! Collects the events of all routers and kernels of a lab, and sends them to the pages.
//!
//! ```text
//!   router  ── Unix socket ─▶ router::watch ─┐
//!   kernels ── netlink, taps ─▶ Ground ──────┼─▶ Hub ─▶ a queue for each page ─▶ GET /events
//! ```
//!
//! One thread has the whole state. The length of each queue is limited: if a page reads too slowly,
//! it does not get all lines. A later line then has the number of the missing items.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::Duration;

use serde::Serialize;

use super::news::{News, Seen};
use super::state::State;
use super::watchers::Watchers;
use crate::driver::clock::Clock;
use crate::lab::Lab;
use crate::netns::running;
use crate::watch::item::{Alteration, Change, Kind};
use crate::watch::merge::Merger;
use crate::watch::stream::Told;
use crate::watch::{Item, Snapshot};

/// The time for which an item waits for earlier items of other routers.
const HELD: Duration = Duration::from_millis(15);
/// The time between two lines for the pages, if there are items.
const TURN: Duration = Duration::from_millis(10);
/// The longest time between two lines for the pages.
const HEARTBEAT: Duration = Duration::from_millis(500);
/// The time between two checks that the lab is still up.
const LOOKING: Duration = Duration::from_secs(1);
/// The maximum number of items of one line. If there are more items, the next lines contain them.
const ITEMS_A_LINE: usize = 500;
/// The maximum number of messages that the hub reads before it sends the next line to the pages.
const NEWS_A_TURN: usize = 2000;

/// A line for the pages.
#[derive(Default, Serialize)]
struct Line<'a> {
    now: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<Snapshot>,
    #[serde(skip_serializing_if = "<[Item]>::is_empty")]
    items: &'a [Item],
    #[serde(skip_serializing_if = "is_zero")]
    left_out: u64,
    /// The shares of the packets on links, if the items contain only a sample of these packets.
    #[serde(skip_serializing_if = "Option::is_none")]
    sampled: Option<Sampled>,
    /// The reason why this is the last line.
    #[serde(skip_serializing_if = "Option::is_none")]
    gone: Option<String>,
}

/// The shares of the packets on links that the items contain. The shares are sent while there are
/// more packets than the pages can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Sampled {
    /// Of this number of packets of hosts, one is shown.
    hosts: u32,
    /// Of this number of other packets, one is shown.
    control: u32,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl Line<'_> {
    fn text(&self) -> Arc<str> {
        let mut text = serde_json::to_string(self).expect("strings, numbers, lists, named fields");
        text.push('\n');
        text.into()
    }
}

/// A page that receives the lines.
struct Subscriber {
    lines: SyncSender<Arc<str>>,
    /// The number of items in lines that did not fit into the queue.
    left_out: u64,
}

/// The state of the lab, and the pages that receive this state.
pub struct Hub {
    lab: Lab,
    clock: Clock,
    state: State,
    merger: Merger,
    /// For each router, the time at which the clock of the router started, in microseconds on the
    /// common clock.
    began: Vec<i64>,
    /// The number of items that the hub itself has added.
    own_items: u64,
    items: Vec<Item>,
    sampled: Option<Sampled>,
    is_changed: bool,
    subscribers: Vec<Subscriber>,
    watchers: Watchers,
}

impl Hub {
    /// Makes a hub for a lab that is up. `clock` is the common clock of all items.
    pub fn new(lab: Lab, clock: Clock, watchers: Watchers) -> Self {
        let state = State::new(&lab);
        let began = vec![0; lab.file.routers().count()];
        Hub {
            lab,
            clock,
            state,
            merger: Merger::default(),
            began,
            own_items: 0,
            items: Vec::new(),
            sampled: None,
            is_changed: false,
            subscribers: Vec::new(),
            watchers,
        }
    }

    /// Reads the messages from `news` and sends lines to the pages, until the lab is down or all
    /// senders of messages are dropped.
    pub fn run(mut self, news: &Receiver<News>) {
        let (mut told_at, mut looked_at) = (self.clock.now(), self.clock.now());
        loop {
            match news.recv_timeout(TURN) {
                Ok(first) => {
                    self.take(first);
                    news.try_iter().take(NEWS_A_TURN).for_each(|next| self.take(next));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            let now = self.clock.now();
            if now.since(looked_at) >= LOOKING {
                looked_at = now;
                if running::expect_up(&self.lab).is_err() {
                    return self.end();
                }
                // No message tells the hub that a link was impaired.
                self.is_changed |=
                    !self.subscribers.is_empty() && self.state.refresh_segments(&self.lab);
            }
            let is_due = now.since(told_at) >= TURN;
            if is_due && self.tell(now.since(told_at) >= HEARTBEAT) {
                told_at = now;
            }
        }
    }

    /// Sends the last line to the pages. It says that the lab is down.
    fn end(&mut self) {
        let gone = Some(format!("lab {} is down", self.lab.name));
        let line = Line { now: self.clock.now().0, gone, ..Line::default() }.text();
        for subscriber in &self.subscribers {
            // If the queue of a page is full, the page does not get this line. Then only the closed
            // connection shows the end to the page.
            let _ = subscriber.lines.try_send(Arc::clone(&line));
        }
    }

    fn take(&mut self, news: News) {
        match news {
            News::Told { source, told } => self.told(source, told),
            News::Runs { source, runs } => self.runs(source, runs),
            News::Links { node, links } => {
                for (place, port, text) in self.state.set_links(&self.lab, &node, links) {
                    self.change(&place, "ports", &port, text);
                }
                self.is_changed = true;
            }
            News::Seen(seen) => self.seen(&seen),
            News::LeftOut(count) => self.merger.add_left_out(count),
            News::Sampled(hosts, control) => {
                let sampled = Sampled { hosts, control };
                self.sampled = (sampled != Sampled { hosts: 1, control: 1 }).then_some(sampled);
            }
            News::Subscribe(lines) => self.subscribe(lines),
            News::Snapshot(answer) => {
                // The sender of the request may have ended before this answer.
                let _ = answer.try_send(self.snapshot());
            }
            News::Alive => {}
        }
    }

    fn told(&mut self, source: usize, told: Told) {
        match told {
            Told::Began(wall_clock) => {
                self.began[source] = self.on_common_clock(wall_clock);
            }
            Told::Item(mut item) => {
                self.state.name_node(source, &mut item);
                self.merger.add(source, *item, self.began[source]);
            }
            Told::LeftOut(count) => self.merger.add_left_out(count),
            Told::State(state) => {
                self.state.set_router(source, state);
                self.is_changed = true;
            }
        }
    }

    fn runs(&mut self, source: usize, runs: bool) {
        if let Some(node) = self.state.set_runs(source, runs) {
            let text = format!("{node} {}", if runs { "runs" } else { "does not run" });
            self.change(&node.clone(), "process", &node, text);
            self.is_changed = true;
        }
    }

    /// Converts a time of the wall clock to a time of the common clock, both in microseconds. The
    /// result is negative if the time is before the start of the common clock.
    fn on_common_clock(&self, wall_clock: u64) -> i64 {
        let began = Clock::wall_clock_micros().wrapping_sub(self.clock.now().0);
        wall_clock.wrapping_sub(began).cast_signed()
    }

    /// Adds a change that the hub itself has found.
    fn change(&mut self, node: &str, table: &str, key: &str, text: String) {
        let change = Change {
            node: node.to_owned(),
            table: table.to_owned(),
            key: key.to_owned(),
            change: Alteration::Changed,
            text,
            reason: None,
            cause: None,
        };
        self.add(self.clock.now().0, Kind::Change(change));
    }

    fn seen(&mut self, seen: &Seen) {
        let at = u64::try_from(self.on_common_clock(seen.sent_us)).unwrap_or(0);
        if let Some(hop) = self.state.hop(&self.lab, seen, at) {
            self.add(at, Kind::Hop(hop));
        }
    }

    fn add(&mut self, at: u64, kind: Kind) {
        self.own_items += 1;
        let item = Item { n: self.own_items, at, kind };
        self.merger.add(self.began.len(), item, 0);
    }

    fn subscribe(&mut self, lines: SyncSender<Arc<str>>) {
        for (source, (node, _)) in self.lab.file.routers().enumerate() {
            self.state.set_runs(source, running::pid(&self.lab, node).is_some());
        }
        let snapshot = Some(self.snapshot());
        let (now, sampled) = (self.clock.now().0, self.sampled);
        let line = Line { now, snapshot, sampled, ..Line::default() }.text();
        if lines.try_send(line).is_ok() {
            self.subscribers.push(Subscriber { lines, left_out: 0 });
            self.watchers.set(self.subscribers.len());
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot::of(&self.lab.file, &self.lab.name, &self.state, self.clock.now().0)
    }

    /// Sends a line to the pages if there are items, if the state has changed, or if `is_heartbeat`
    /// is true. Returns whether a line was sent.
    fn tell(&mut self, is_heartbeat: bool) -> bool {
        let now = self.clock.now();
        self.items.extend(self.merger.take(now.0.saturating_sub(HELD.as_micros() as u64)));
        if self.subscribers.is_empty() {
            self.items.clear();
            self.merger.take_left_out();
            return false;
        }
        if self.items.is_empty() && !self.is_changed && !is_heartbeat {
            return false;
        }
        let items: Vec<Item> = self.items.drain(..self.items.len().min(ITEMS_A_LINE)).collect();
        let left_out = self.merger.take_left_out();
        let snapshot = std::mem::take(&mut self.is_changed).then(|| self.snapshot());
        let had_snapshot = snapshot.is_some();
        let sampled = self.sampled;
        let line =
            Line { now: now.0, snapshot, items: &items, left_out, sampled, gone: None }.text();
        let missed = items.len() as u64 + left_out;
        self.subscribers.retain_mut(|subscriber| {
            if subscriber.left_out > 0 {
                let left_out = subscriber.left_out;
                let line = Line { now: now.0, left_out, sampled, ..Line::default() };
                if subscriber.lines.try_send(line.text()).is_ok() {
                    subscriber.left_out = 0;
                }
            }
            match subscriber.lines.try_send(Arc::clone(&line)) {
                Ok(()) => true,
                Err(TrySendError::Full(_)) => {
                    subscriber.left_out += missed;
                    // This page did not get the line with the state, so a later line must have the
                    // state again.
                    self.is_changed |= had_snapshot;
                    true
                }
                Err(TrySendError::Disconnected(_)) => false,
            }
        });
        self.watchers.set(self.subscribers.len());
        true
    }
}
