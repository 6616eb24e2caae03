//! Answers the requests of a page: tables, lines at a console, and actions.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::news::News;
use crate::addr::Family;
use crate::console::client::Answer;
use crate::console::protocol;
use crate::driver::clock::Clock;
use crate::lab::explain::explain;
use crate::lab::explain::journey::{Explained, Question};
use crate::lab::failure::Failure;
use crate::lab::file::Node;
use crate::lab::lesson::LessonAnswer;
use crate::lab::link_target::Target;
use crate::lab::ping::{self, Echos, Outcome};
use crate::lab::running::RunningLab;
use crate::lab::scenario::{LinkChange, Place};
use crate::lab::verbs::host_console;
use crate::lab::{Lab, lesson};
use crate::netns::console::Console;
use crate::netns::paths;
use crate::netns::stage::Namespaces;
use crate::watch::answer::{ConsoleAnswer, Done, FlowState, Key};
use crate::watch::hand::Hand;
use crate::watch::tables;

/// The maximum number of sessions at consoles. If one more session is opened, the session that was
/// opened first ends.
const MOST_SESSIONS: usize = 64;
/// The maximum number of pings and flows.
const MOST_FLOWS: usize = 20;
/// The maximum number of marks that a flow keeps. The oldest marks are removed.
const MOST_MARKS: usize = 100;
/// The shortest time between two echos of a flow. A shorter time is not possible, because the
/// server starts a program for each echo.
const SHORTEST_PACE: Duration = Duration::from_millis(100);
/// The longest time to wait for an answer of the hub.
const PATIENCE: Duration = Duration::from_secs(2);

/// A request of a page.
#[derive(Debug, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
enum Request {
    /// Return the state of the lab.
    Snapshot,
    /// Return the tables of a router.
    Tables { node: String },
    /// Carry out a line at the console of a node.
    Console {
        /// The page. Each page has its own sessions.
        #[serde(default)]
        page: String,
        node: String,
        line: String,
        #[serde(default)]
        key: Key,
    },
    /// Carry out an action in the lab.
    Act { hand: Hand },
    /// Explain the path of a packet from a node to a host or an address.
    Explain {
        from: String,
        to: String,
        /// Whether to use the IPv6 address of the host `to`.
        #[serde(default)]
        ipv6: bool,
    },
    /// Return the lessons of the lab.
    Lessons,
    /// Return a lesson that the user only reads. [`Hand::Lesson`] is the request to begin a lesson.
    Lesson { name: String },
    /// Return the pings and flows.
    Flows,
}

/// A session at the console of a router. A command may take long, so each session has its own lock.
type Session = Arc<Mutex<Console>>;

/// Answers requests about one lab. The threads of all connections share this value.
pub struct Requests {
    lab: Lab,
    clock: Clock,
    news: SyncSender<News>,
    /// The sessions. The key is the page and the node. Each session has a number, in the order in
    /// which the sessions were opened.
    sessions: Mutex<BTreeMap<(String, String), (u64, Session)>>,
    flows: Mutex<BTreeMap<String, Arc<Flow>>>,
}

/// A ping in the background.
struct Flow {
    state: Mutex<FlowState>,
    ends: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Requests {
    /// Makes the value that answers the requests about a lab.
    pub fn new(lab: Lab, clock: Clock, news: SyncSender<News>) -> Self {
        let (sessions, flows) = (Mutex::default(), Mutex::default());
        Requests { lab, clock, news, sessions, flows }
    }

    /// Answers a request in JSON. The answer is `{"ok":..}` or `{"error":".."}`.
    pub fn answer(&self, request: &[u8]) -> String {
        let answer = serde_json::from_slice(request)
            .map_err(|error| format!("the request cannot be read: {error}"))
            .and_then(|request| self.carry_out(request).map_err(|error| error.to_string()));
        match answer {
            Ok(answer) => json!({ "ok": answer }).to_string(),
            Err(error) => json!({ "error": error }).to_string(),
        }
    }

    fn carry_out(&self, request: Request) -> Result<Value, Failure> {
        let answer = match request {
            Request::Snapshot => {
                let (sender, answer) = sync_channel(1);
                let gone = || Failure::new("the lab is down");
                self.news.send(News::Snapshot(sender)).map_err(|_| gone())?;
                serde_json::to_value(answer.recv_timeout(PATIENCE).map_err(|_| gone())?)
            }
            Request::Tables { node } => {
                self.lab.expect_router(&node)?;
                serde_json::to_value(tables::of(&mut self.stage(), &node)?)
            }
            Request::Console { page, node, line, key } => {
                serde_json::to_value(self.console(page, &node, line, key)?)
            }
            Request::Act { hand } => {
                let command = hand.command(&self.lab.name);
                self.act(hand)?;
                serde_json::to_value(Done { command, items: Vec::new() })
            }
            Request::Explain { from, to, ipv6 } => {
                let to = ping::address(&self.lab, &to, ipv6.then_some(Family::Ipv6))?;
                let question = Question { from, to, size: Echos::default().size, df: false };
                let journey = explain(&mut self.stage(), &question)?;
                serde_json::to_value(Explained::from(journey))
            }
            Request::Lessons => serde_json::to_value(lesson::lessons(&self.lab)),
            Request::Lesson { name } => {
                serde_json::to_value(LessonAnswer::unbegun(&lesson::find(&self.lab, &name)?))
            }
            Request::Flows => {
                let flows = locked(&self.flows);
                let states = flows.values().map(|flow| locked(&flow.state).clone());
                serde_json::to_value(states.collect::<Vec<FlowState>>())
            }
        };
        answer.map_err(Failure::new)
    }

    fn stage(&self) -> Namespaces {
        Namespaces::attach(self.lab.clone())
    }

    fn console(
        &self,
        page: String,
        node: &str,
        line: String,
        key: Key,
    ) -> Result<ConsoleAnswer, Failure> {
        self.lab.expect_node(node)?;
        let mut shown = ConsoleAnswer::default();
        match (&self.lab.file.nodes[node], key) {
            (Node::Router { .. }, key) => self.router_console(page, node, line, key, &mut shown)?,
            (Node::Host(_), Key::Tab) => shown.ok = true,
            (Node::Host(_), key) => {
                let line = if key == Key::Help { "?" } else { &line };
                (shown.text, shown.ok) = host_console::line(&mut self.stage(), node, line);
            }
            (Node::Forwarder { .. }, _) => {
                return Err(Failure::Other(format!("{node} has no console: it is a plain router")));
            }
        }
        if shown.prompt.is_empty() {
            shown.prompt = format!("{node}> ");
        }
        shown.now = self.clock.now().0;
        Ok(shown)
    }

    fn router_console(
        &self,
        page: String,
        node: &str,
        line: String,
        key: Key,
        shown: &mut ConsoleAnswer,
    ) -> Result<(), Failure> {
        let request = match key {
            Key::Enter => protocol::Request::Line(line),
            Key::Help => protocol::Request::Help(line),
            Key::Tab => protocol::Request::Complete(line),
        };
        let place = (page, node.to_owned());
        let session = self.session(&place)?;
        let asked = locked(&session).request(request);
        if asked.is_err() {
            // The router may have been restarted: the next line opens a new session.
            locked(&self.sessions).remove(&place);
        }
        let (answer, debug) = asked?;
        let Answer { text, completions, error, done, .. } = answer;
        shown.text = text + &error.unwrap_or_default();
        (shown.completions, shown.prompt, shown.debug) = (completions, done.prompt, debug);
        (shown.ok, shown.closed) = (done.ok, done.closed);
        if shown.closed {
            locked(&self.sessions).remove(&place);
        }
        Ok(())
    }

    fn session(&self, place: &(String, String)) -> Result<Session, Failure> {
        let mut sessions = locked(&self.sessions);
        if let Some((_, session)) = sessions.get(place) {
            return Ok(Arc::clone(session));
        }
        if sessions.len() >= MOST_SESSIONS {
            let first = sessions.iter().min_by_key(|(_, (opened, _))| *opened);
            let first = first.map(|(place, _)| place.clone());
            first.and_then(|place| sessions.remove(&place));
        }
        let opened = sessions.values().map(|(opened, _)| opened + 1).max().unwrap_or(0);
        let console = Console::connect(&paths::socket(&self.lab, &place.1))?;
        let session = Arc::new(Mutex::new(console));
        sessions.insert(place.clone(), (opened, Arc::clone(&session)));
        Ok(session)
    }

    fn act(&self, hand: Hand) -> Result<(), Failure> {
        let mut stage = self.stage();
        match hand {
            Hand::Ping { name, from, to, count, size, ipv6 } => {
                let echos = Echos { count: count.into(), size, ..Echos::default() };
                self.begin(name, from, to, ipv6, Some(echos), Duration::ZERO)
            }
            Hand::Flow { name, from, to, every_us, ipv6 } => {
                let every = Duration::from_micros(every_us).max(SHORTEST_PACE);
                self.begin(name, from, to, ipv6, None, every)
            }
            Hand::End { name } => {
                let flow = locked(&self.flows).remove(&name);
                let flow = flow.ok_or_else(|| no_flow(&name))?;
                flow.ends.store(true, Ordering::Relaxed);
                Ok(())
            }
            Hand::Port { node, interface, up } => {
                let change = if up { LinkChange::Up } else { LinkChange::Down };
                stage.link(&Place { node, interface }, change)
            }
            Hand::Move { host, to, how } => {
                self.lab.expect_host(&host)?;
                stage.move_host(&host, &to, how)
            }
            Hand::Start { node } => stage.start(&node, &mut |_| ()),
            Hand::Stop { node } => stage.stop(&node, false, &mut |_| ()),
            Hand::Kill { node } => stage.stop(&node, true, &mut |_| ()),
            Hand::Mtu { node, interface, mtu } => {
                stage.link(&Place { node, interface }, LinkChange::Mtu(mtu))
            }
            Hand::Send { .. }
            | Hand::Connect { .. }
            | Hand::Transmit { .. }
            | Hand::Address { .. } => Err(Failure::new(
                "in a lab in namespaces, only a scenario can do this: use eidway lab run",
            )),
            // A lesson needs a lab of its own, with its own configuration and with captures of all
            // packets. Users may change the lab of a live page for other purposes during the
            // lesson.
            Hand::Lesson { name } => Err(Failure::Other(format!(
                "the page cannot run a lesson in namespaces, because a lesson has a lab of its own: use \
                 eidway lab learn {lab} {name}, or eidway lab page {lab}",
                lab = self.lab.file.name
            ))),
            Hand::Hint | Hand::Check => Err(Failure::new("no lesson has begun")),
            Hand::Impair { link, direction, impairment } => {
                let target = Target::named(&self.lab.file, &link, direction.as_deref());
                stage.impair(target.map_err(Failure::Other)?, &impairment)
            }
        }
    }

    /// Begins a ping in a thread of its own. If `echos` is `None`, the ping goes on until a request
    /// ends it.
    fn begin(
        &self,
        name: String,
        from: String,
        to: String,
        ipv6: bool,
        echos: Option<Echos>,
        every: Duration,
    ) -> Result<(), Failure> {
        self.lab.expect_node(&from)?;
        let family = if ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        let target = ping::address(&self.lab, &to, Some(family))?;
        let mut stage = self.stage();
        stage.expect_ping(&from)?;
        let state = FlowState {
            name: name.clone(),
            from: from.clone(),
            to,
            marks: String::new(),
            sent: 0,
            answered: 0,
            lost: 0,
            last_sent: 0,
        };
        let flow = Arc::new(Flow { state: Mutex::new(state), ends: AtomicBool::new(false) });
        let mut flows = locked(&self.flows);
        flows.retain(|_, flow| !flow.ends.load(Ordering::Relaxed));
        if flows.contains_key(&name) || flows.len() >= MOST_FLOWS {
            let problem = format!(
                "a flow with the name {name:?} runs already, or the maximum of {MOST_FLOWS} flows \
                 is reached"
            );
            return Err(Failure::Other(problem));
        }
        flows.insert(name, Arc::clone(&flow));
        drop(flows);
        let clock = self.clock;
        let one = Echos { count: 1, ..echos.unwrap_or_default() };
        thread::spawn(move || {
            let mut left = echos.map(|echos| echos.count);
            while left != Some(0) && !flow.ends.load(Ordering::Relaxed) {
                let sent_at = clock.now();
                let mut seen = |outcome| flow.note(outcome, sent_at.0);
                if stage.ping(&from, target, one, &mut seen).is_err() {
                    flow.ends.store(true, Ordering::Relaxed);
                }
                left = left.map(|left| left - 1);
                thread::sleep(every.saturating_sub(clock.now().since(sent_at)));
            }
        });
        Ok(())
    }
}

impl Flow {
    fn note(&self, outcome: Outcome, sent_at: u64) {
        let mut state = locked(&self.state);
        if state.marks.len() >= MOST_MARKS {
            state.marks.remove(0);
        }
        state.marks.push(outcome.mark());
        let is_answered = outcome.mark() == '!';
        state.sent += 1;
        state.answered += u64::from(is_answered);
        state.lost += u64::from(!is_answered);
        state.last_sent = sent_at;
    }
}

fn no_flow(name: &str) -> Failure {
    Failure::Other(format!("there is no flow {name:?}"))
}

impl Drop for Requests {
    fn drop(&mut self) {
        for flow in locked(&self.flows).values() {
            flow.ends.store(true, Ordering::Relaxed);
        }
    }
}
