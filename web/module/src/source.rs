//! A simulated lab that answers the requests of the page.

use std::collections::BTreeMap;
use std::path::PathBuf;

use eidway::console::protocol;
use eidway::lab::explain::explain;
use eidway::lab::explain::journey::Question;
use eidway::lab::failure::Failure;
use eidway::lab::file::{LabFile, Node};
use eidway::lab::lesson::LessonAnswer;
use eidway::lab::ping::Echos;
use eidway::lab::running::RunningLab;
use eidway::lab::scenario::library;
use eidway::lab::verbs::host_console;
use eidway::lab::{Lab, lesson};
use eidway::rng::Seed;
use eidway::sim::script::{prepared, script};
use eidway::sim::sending::Sending;
use eidway::sim::stage::{Options, Simulated};
use eidway::time::Time;
use eidway::watch::answer::{ConsoleAnswer, Done, Key};
use eidway::watch::{Detail, Item, Stop, Watch, fields, tables};

use crate::hands::{Flow, octets_of};
use crate::request::{Answer, ITEMS, Of, Request, Run};
use crate::student::Student;

/// The virtual time within which a step ends, even if nothing of its kind happens.
const LONGEST_STEP: u64 = 24 * 3600 * 1_000_000;

/// A simulated lab, or none before [`Request::Open`].
#[derive(Default)]
pub struct Source(Option<Open>);

/// A lab that is open.
pub(crate) struct Open {
    /// The lab without the overlays of a scenario.
    base: Lab,
    pub lab: Simulated,
    pub seed: u64,
    watch: Watch,
    pub flows: BTreeMap<String, Flow>,
    /// The packets that hands are about to send.
    pub sendings: Vec<Sending>,
    pub lesson: Option<Student>,
}

impl Source {
    /// Answers a request in JSON. The answer is `{"ok":..}` or `{"error":".."}`.
    pub fn answer(&mut self, request: &[u8]) -> String {
        let answer = serde_json::from_slice(request)
            .map_err(|error| format!("the request cannot be read: {error}"))
            .and_then(|request| self.carry_out(request));
        let text = match &answer {
            Ok(answer) => serde_json::to_string(answer).map(|text| format!("{{\"ok\":{text}}}")),
            Err(error) => serde_json::to_string(error).map(|text| format!("{{\"error\":{text}}}")),
        };
        text.unwrap_or_else(|error| {
            format!("{{\"error\":\"the answer cannot be written: {error}\"}}")
        })
    }

    fn carry_out(&mut self, request: Request) -> Result<Answer, String> {
        if let Request::Open { files, seed, scenario } = request {
            let open =
                Open::new(files, seed, scenario.as_deref()).map_err(|error| error.to_string())?;
            let snapshot = open.snapshot();
            self.0 = Some(open);
            return Ok(snapshot);
        }
        if let Request::Dissect { octets, of } = request {
            return dissection(&octets, of);
        }
        let open = self.0.as_mut().ok_or("no lab is open")?;
        open.carry_out(request).map_err(|error| error.to_string())
    }
}

impl Open {
    fn new(
        files: BTreeMap<String, String>,
        seed: u64,
        scenario: Option<&str>,
    ) -> Result<Self, Failure> {
        let text = files.get("lab.toml");
        let text = text.ok_or_else(|| Failure::Other("there is no lab.toml".to_owned()))?;
        let file = LabFile::parse("lab.toml", text)?;
        let texts = files.into_iter().map(|(path, text)| (path, Ok(text))).collect();
        let mut lab = Lab::new(file, texts);
        lab.called = PathBuf::new();
        let watch = Watch::default();
        let options =
            Options { watch: Some(watch.clone()), ..Options::new(Seed::from_number(seed)) };
        let prepared = match scenario {
            Some(name) => prepared(&lab, name)?.0,
            None => lab.clone(),
        };
        let (base, lab) = (lab, Simulated::start(prepared, options)?);
        let (flows, sendings) = (BTreeMap::new(), Vec::new());
        Ok(Open { base, lab, seed, watch, flows, sendings, lesson: None })
    }

    fn carry_out(&mut self, request: Request) -> Result<Answer, Failure> {
        Ok(match request {
            Request::Open { .. } | Request::Dissect { .. } => {
                unreachable!("the caller carries out a request that needs no open lab")
            }
            Request::Snapshot => self.snapshot(),
            Request::Run { until, limit, steps, stop_at, detail } => {
                let steps = steps.unwrap_or(u64::MAX);
                let limit = limit.clamp(1, 10 * ITEMS);
                Answer::Run(self.run(until, (limit, steps), &stop_at, detail))
            }
            Request::Step { to } => {
                let until = self.lab.sim().now().0.saturating_add(LONGEST_STEP);
                Answer::Run(self.run(until, (ITEMS, u64::MAX), &[to], Detail::All))
            }
            Request::Tables { node } => {
                self.lab.lab().expect_router(&node)?;
                Answer::Tables(tables::of(&mut self.lab, &node)?)
            }
            Request::Console { node, line, key } => {
                Answer::Console(self.console(&node, &line, key)?)
            }
            Request::Act { hand } => {
                let command = hand.command(&self.lab.lab().name);
                self.act(hand)?;
                Answer::Done(Done { command, items: self.watch.take() })
            }
            Request::Explain { from, to, ipv6 } => {
                let to = self.request(&to, ipv6)?.destination;
                let size = Echos::default().size;
                let question = Question { from, to, size, df: false };
                Answer::Explained(explain(&mut self.lab, &question)?.into())
            }
            Request::Lessons => Answer::Lessons(lesson::lessons(self.lab.lab())),
            Request::Lesson { name, check } => {
                let found = lesson::find(self.lab.lab(), &name)?;
                let student = self.lesson.as_mut().filter(|student| student.is_at(&name));
                Answer::Lesson(Box::new(match student {
                    Some(student) => student.answer(&mut self.lab, check),
                    None => LessonAnswer::unbegun(&found),
                }))
            }
            Request::Scenarios => Answer::Scenarios(library::scenarios(&self.base)),
            Request::Scenario { name } => {
                let seed = Seed::from_number(self.seed);
                Answer::Script(Box::new(script(&self.base, &name, seed)?))
            }
            Request::HandIn => {
                let student = self.lesson.as_ref().ok_or_else(no_lesson)?;
                Answer::HandIn(student.hand_in())
            }
            Request::Flows => Answer::Flows(self.flow_states()),
        })
    }

    fn snapshot(&self) -> Answer {
        let lab = self.lab.lab();
        Answer::Snapshot(Box::new(self.lab.sim().snapshot(&lab.file, &lab.name)))
    }

    /// Lets time pass. The answer has at most about `limit` items, and the simulator makes at most
    /// `steps` and the rest of an instant.
    fn run(
        &mut self,
        until: u64,
        (limit, steps): (usize, u64),
        stops: &[Stop],
        detail: Detail,
    ) -> Run {
        let mut items: Vec<Item> = self.watch.take();
        items.retain(|item| detail.has(item.sort()));
        self.watch.want(detail, stops);
        let mut stopped = None;
        let mut left = steps.max(1);
        while stopped.is_none() && items.len() < limit {
            let Some(next) = self.next_at().filter(|at| at.0 <= until) else {
                self.lab.sim_mut().run_until(Time(until));
                break;
            };
            if left == 0 && next > self.lab.sim().now() {
                break;
            }
            left = left.saturating_sub(1);
            self.step();
            let new = self.watch.take();
            let met = new.iter().find(|item| stops.iter().any(|stop| stop.is_met_by(item)));
            stopped = met.map(|item| item.n);
            let has = |item: &Item| detail.has(item.sort()) || Some(item.n) == stopped;
            items.extend(new.into_iter().filter(has));
        }
        self.watch.want(Detail::All, &[]);
        let next = self.next_at().map(|at| at.0);
        let is_full = items.len() >= limit;
        let more = stopped.is_none() && is_full && next.is_some_and(|at| at <= until);
        Run { now: self.lab.sim().now().0, next, items, stopped, more }
    }

    /// Returns the time of the next event, or of the next packet of a hand.
    fn next_at(&self) -> Option<Time> {
        let packets = self.sendings.iter().filter_map(Sending::due);
        packets.chain(self.lab.sim().next_at()).min()
    }

    /// Carries out the next event. If there is none before the next packet of a hand is due, sends
    /// this packet.
    fn step(&mut self) {
        let event = self.lab.sim().next_at();
        let first = self.sendings.iter_mut().min_by_key(|sending| sending.due());
        let is_next = |sending: &&mut Sending| {
            sending.due().is_some_and(|due| event.is_none_or(|at| at > due))
        };
        match first.filter(is_next) {
            Some(sending) => {
                // The node exists since the hand began.
                let _ = sending.send_next(self.lab.sim_mut());
                self.sendings.retain(|sending| sending.due().is_some());
            }
            None => {
                self.lab.sim_mut().step();
            }
        }
    }

    fn console(&mut self, node: &str, line: &str, key: Key) -> Result<ConsoleAnswer, Failure> {
        self.lab.lab().expect_node(node)?;
        if let Some(student) = &mut self.lesson
            && key == Key::Enter
        {
            student.typed(&self.lab, node, line);
        }
        let mut shown = ConsoleAnswer::default();
        match (&self.lab.lab().file.nodes[node], key) {
            (Node::Router { .. }, key) => {
                let line = line.to_owned();
                let request = match key {
                    Key::Enter => protocol::Request::Line(line),
                    Key::Help => protocol::Request::Help(line),
                    Key::Tab => protocol::Request::Complete(line),
                };
                let answer = self.lab.ask(node, request)?;
                shown.text = answer.text + &answer.error.unwrap_or_default();
                shown.completions = answer.completions;
                shown.prompt = answer.done.prompt;
                (shown.ok, shown.closed) = (answer.done.ok, answer.done.closed);
                if shown.closed {
                    self.lab.end_session(node);
                }
                let debug = self.lab.sim_mut().take_debug(node)?;
                shown.debug = debug.into_iter().map(|(_, line)| line).collect();
            }
            (Node::Host(_), Key::Enter) => {
                (shown.text, shown.ok) = host_console::line(&mut self.lab, node, line);
            }
            (Node::Host(_), Key::Help) => {
                (shown.text, shown.ok) = host_console::line(&mut self.lab, node, "?");
            }
            (Node::Host(_), Key::Tab) => shown.ok = true,
            (Node::Forwarder { .. }, _) => {
                return Err(Failure::Other(format!("{node} has no console: it is a plain router")));
            }
        }
        if shown.prompt.is_empty() {
            shown.prompt = format!("{node}> ");
        }
        shown.now = self.lab.sim().now().0;
        shown.items = self.watch.take();
        Ok(shown)
    }
}

/// The error if a request needs a lesson that has not begun.
pub(crate) fn no_lesson() -> Failure {
    Failure::Other("no lesson has begun".to_owned())
}

fn dissection(hex: &str, of: Of) -> Result<Answer, String> {
    let octets = octets_of(hex).map_err(|failure| failure.to_string())?;
    Ok(Answer::Dissection(match of {
        Of::Message => fields::of_message(&octets),
        Of::Packet => fields::of_packet(&octets),
    }))
}
