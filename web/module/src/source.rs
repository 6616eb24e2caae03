//! A simulated lab that answers the requests of the page.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use eidway::addr::Family;
use eidway::console::protocol;
use eidway::host::PingId;
use eidway::host::ping::{Outcome, Pace, PingRequest};
use eidway::lab::explain::explain;
use eidway::lab::explain::journey::Question;
use eidway::lab::failure::Failure;
use eidway::lab::file::{Impairment, LabFile, Node};
use eidway::lab::ping::{self, Echos};
use eidway::lab::running::{Plugging, RunningLab};
use eidway::lab::scenario::{LinkChange, Place};
use eidway::lab::verbs::host_console;
use eidway::lab::{Lab, lesson};
use eidway::rng::Seed;
use eidway::sim::stage::{Options, Simulated};
use eidway::time::Time;
use eidway::watch::answer::{ConsoleAnswer, Done, FlowState, Key};
use eidway::watch::hand::Hand;
use eidway::watch::packet::octets;
use eidway::watch::{Detail, Item, Stop, Watch, fields, tables};

use crate::request::{Answer, ITEMS, Of, Request, Run};
use crate::student::Student;

/// The virtual time within which a step ends, even if nothing of its kind happens.
const LONGEST_STEP: u64 = 24 * 3600 * 1_000_000;
/// The maximum number of pings and flows of a page.
const MOST_FLOWS: usize = 100;

/// A simulated lab, or none before [`Request::Open`].
#[derive(Default)]
pub struct Source(Option<Open>);

/// A lab that is open.
struct Open {
    lab: Simulated,
    watch: Watch,
    flows: BTreeMap<String, Flow>,
    lesson: Option<Student>,
}

struct Flow {
    from: String,
    to: String,
    ping: PingId,
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
        if let Request::Open { files, seed } = request {
            let open = Open::new(files, seed).map_err(|error| error.to_string())?;
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
    fn new(files: BTreeMap<String, String>, seed: u64) -> Result<Self, Failure> {
        let text = files.get("lab.toml");
        let text = text.ok_or_else(|| Failure::Other("there is no lab.toml".to_owned()))?;
        let file = LabFile::parse("lab.toml", text)?;
        let texts = files.into_iter().map(|(path, text)| (path, Ok(text))).collect();
        let mut lab = Lab::new(file, texts);
        lab.called = PathBuf::new();
        let watch = Watch::default();
        let seed = Seed::from_number(seed);
        let options = Options { watch: Some(watch.clone()), ..Options::new(seed) };
        let lab = Simulated::start(lab, options)?;
        Ok(Open { lab, watch, flows: BTreeMap::new(), lesson: None })
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
                    Some(student) => student.answer(&mut self.lab, check)?,
                    None => Student::new(found).unbegun(),
                }))
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
        let sim = self.lab.sim_mut();
        let mut items: Vec<Item> = self.watch.take();
        items.retain(|item| detail.has(item.sort()));
        self.watch.want(detail, stops);
        let mut stopped = None;
        let mut left = steps.max(1);
        while stopped.is_none() && items.len() < limit {
            let Some(next) = sim.next_at().filter(|at| at.0 <= until) else {
                sim.run_until(Time(until));
                break;
            };
            if left == 0 && next > sim.now() {
                break;
            }
            left = left.saturating_sub(1);
            sim.step();
            let new = self.watch.take();
            let met = new.iter().find(|item| stops.iter().any(|stop| stop.is_met_by(item)));
            stopped = met.map(|item| item.n);
            let has = |item: &Item| detail.has(item.sort()) || Some(item.n) == stopped;
            items.extend(new.into_iter().filter(has));
        }
        self.watch.want(Detail::All, &[]);
        let next = sim.next_at().map(|at| at.0);
        let is_full = items.len() >= limit;
        let more = stopped.is_none() && is_full && next.is_some_and(|at| at <= until);
        Run { now: sim.now().0, next, items, stopped, more }
    }

    fn console(&mut self, node: &str, line: &str, key: Key) -> Result<ConsoleAnswer, Failure> {
        self.lab.lab().expect_node(node)?;
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

    fn act(&mut self, hand: Hand) -> Result<(), Failure> {
        match hand {
            Hand::Ping { name, from, to, count, size, ipv6 } => {
                let request = PingRequest { count, size, ..self.request(&to, ipv6)? };
                self.begin(name, from, to, request)
            }
            Hand::Flow { name, from, to, every_us, ipv6 } => {
                let pace = Pace::Every(Duration::from_micros(every_us.max(1000)));
                let request = PingRequest { count: u16::MAX, pace, ..self.request(&to, ipv6)? };
                self.begin(name, from, to, request)
            }
            Hand::End { name } => {
                let flow = self.flows.remove(&name);
                let missing = || Failure::Other(format!("there is no flow {name:?}"));
                let Flow { from, ping, .. } = flow.ok_or_else(missing)?;
                self.lab.sim_mut().with_host(&from, |host| host.stop_ping(ping))?;
                Ok(())
            }
            Hand::Port { node, interface, up } => {
                let change = if up { LinkChange::Up } else { LinkChange::Down };
                self.lab.link(&Place { node, interface }, change)
            }
            Hand::Move { host, to, make_before_break } => {
                let how = match make_before_break {
                    true => Plugging::MakeBeforeBreak,
                    false => Plugging::Atomic,
                };
                self.lab.move_host(&host, &to, how)
            }
            Hand::Start { node } => self.lab.start(&node, &mut |_| ()),
            Hand::Stop { node } => self.lab.stop(&node, false, &mut |_| ()),
            Hand::Kill { node } => self.lab.stop(&node, true, &mut |_| ()),
            Hand::Lesson { name } => {
                let found = lesson::find(self.lab.lab(), &name)?;
                self.lesson = Some(Student::begin(found, &mut self.lab)?);
                Ok(())
            }
            Hand::Check => {
                let missing = || Failure::Other("no lesson has begun".to_owned());
                self.lesson.as_mut().ok_or_else(missing)?.check(&mut self.lab)
            }
            Hand::Link { segment, delay_us, loss } => {
                if !(0.0..=100.0).contains(&loss) {
                    return Err(Failure::Other(format!("{loss} is not a percentage")));
                }
                let delay = Duration::from_micros(delay_us.min(10_000_000));
                let impairment = Impairment { delay, loss, ..Impairment::default() };
                Ok(self.lab.sim_mut().impair(&segment, impairment)?)
            }
        }
    }

    fn request(&self, to: &str, ipv6: bool) -> Result<PingRequest, Failure> {
        let family = if ipv6 { Family::Ipv6 } else { Family::Ipv4 };
        let address = ping::address(self.lab.lab(), to, Some(family))?;
        Ok(PingRequest::new(address))
    }

    fn begin(
        &mut self,
        name: String,
        from: String,
        to: String,
        request: PingRequest,
    ) -> Result<(), Failure> {
        if self.flows.contains_key(&name) || self.flows.len() >= MOST_FLOWS {
            let problem = format!("flow {name:?} runs already, or {MOST_FLOWS} flows run");
            return Err(Failure::Other(problem));
        }
        let ping = self.lab.sim_mut().with_host(&from, |host| host.start_ping(request))?;
        self.flows.insert(name, Flow { from, to, ping });
        Ok(())
    }

    fn flow_states(&self) -> Vec<FlowState> {
        let state = |(name, flow): (&String, &Flow)| {
            let report = self.lab.sim().host(&flow.from).ok()?.ping(flow.ping)?;
            let mark = |outcome: Outcome| match outcome {
                Outcome::Waiting => '?',
                outcome => outcome.mark(),
            };
            let marks: String = report.probes.iter().map(|probe| mark(probe.outcome)).collect();
            Some(FlowState {
                name: name.clone(),
                from: flow.from.clone(),
                to: flow.to.clone(),
                lost: marks.chars().filter(|mark| !"!?".contains(*mark)).count(),
                last_sent: report.probes.last().map_or(0, |probe| probe.sent_at.0),
                marks,
            })
        };
        self.flows.iter().filter_map(state).collect()
    }
}

fn dissection(hex: &str, of: Of) -> Result<Answer, String> {
    let octets = octets(hex).ok_or("the octets are not hexadecimal digits in pairs")?;
    Ok(Answer::Dissection(match of {
        Of::Message => fields::of_message(&octets),
        Of::Packet => fields::of_packet(&octets),
    }))
}
