//! The things that a user does in the lab of the page.

use std::net::SocketAddrV4;
use std::time::Duration;

use eidway::addr::Family;
use eidway::host::PingId;
use eidway::host::ping::{Count, Outcome, Pace, PingRequest};
use eidway::lab::failure::Failure;
use eidway::lab::link_target::Target;
use eidway::lab::running::RunningLab;
use eidway::lab::scenario::stage::Stage;
use eidway::lab::scenario::{LinkChange, Place};
use eidway::lab::{lesson, ping};
use eidway::sim::sending::Sending;
use eidway::watch::answer::FlowState;
use eidway::watch::hand::Hand;
use eidway::watch::packet::octets;
use eidway::wire::CONTROL_PORT;

use crate::source::{Open, no_lesson};
use crate::student::Student;

/// The maximum number of pings and flows of a page, and of actions that send packets.
const MOST_FLOWS: usize = 100;
/// The outcomes of a flow that are kept, besides those that still wait.
const MARKS: usize = 100;

/// A ping or a flow.
pub(crate) struct Flow {
    from: String,
    to: String,
    ping: PingId,
}

impl Open {
    /// Does something in the lab.
    pub(crate) fn act(&mut self, hand: Hand) -> Result<(), Failure> {
        if let Some(student) = &mut self.lesson {
            student.acts(&self.lab, &hand);
        }
        match hand {
            Hand::Ping { name, from, to, count, size, ipv6 } => {
                let count = Count::Of(count);
                let request = PingRequest { count, size, ..self.request(&to, ipv6)? };
                self.ping(name, from, to, request)
            }
            Hand::Flow { name, from, to, every_us, ipv6 } => {
                let every = Duration::from_micros(every_us.max(1000));
                let request = self.request(&to, ipv6)?;
                let waiting = request.timeout.div_duration_f64(every) as usize + 1;
                let count = Count::Endless { kept: waiting + MARKS };
                let pace = Pace::Every(every);
                self.begin(name, from, to, PingRequest { count, pace, ..request })
            }
            Hand::End { name } => {
                let flow = self.flows.remove(&name);
                let missing = || Failure::Other(format!("there is no flow {name:?}"));
                let Flow { from, ping, .. } = flow.ok_or_else(missing)?;
                Ok(self.lab.sim_mut().with_host(&from, |host| host.stop_ping(ping)).map(drop)?)
            }
            Hand::Port { node, interface, up } => {
                let change = if up { LinkChange::Up } else { LinkChange::Down };
                self.lab.link(&Place { node, interface }, change)
            }
            Hand::Mtu { node, interface, mtu } => {
                self.lab.link(&Place { node, interface }, LinkChange::Mtu(mtu))
            }
            Hand::Address { host, address } => self.lab.address(&host, address),
            Hand::Send { node, packets, times, every_us } => {
                self.send(&node, &packets, times, every_us)
            }
            Hand::Connect { name, node, source, destination } => {
                let destination = SocketAddrV4::new(destination, CONTROL_PORT);
                self.lab.connect(&name, &node, source, destination)
            }
            Hand::Transmit { name, octets } => self.lab.transmit(&name, &octets_of(&octets)?),
            Hand::Move { host, to, how } => self.lab.move_host(&host, &to, how),
            Hand::Start { node } => self.lab.start(&node, &mut |_| ()),
            Hand::Stop { node } => self.lab.stop(&node, false, &mut |_| ()),
            Hand::Kill { node } => self.lab.stop(&node, true, &mut |_| ()),
            Hand::Lesson { name } => {
                let found = lesson::find(self.lab.lab(), &name)?;
                self.lesson = Some(Student::begin(found, &mut self.lab, self.seed)?);
                Ok(())
            }
            Hand::Hint => self.lesson.as_ref().map(|_| ()).ok_or_else(no_lesson),
            Hand::Check => self.lesson.as_mut().ok_or_else(no_lesson)?.check(&mut self.lab),
            Hand::Impair { link, direction, impairment } => {
                let target = Target::named(&self.lab.lab().file, &link, direction.as_deref());
                self.lab.impair(target.map_err(Failure::Other)?, &impairment)
            }
        }
    }

    /// Begins a ping from a host. A ping from another node ends before this function returns.
    fn ping(
        &mut self,
        name: String,
        from: String,
        to: String,
        request: PingRequest,
    ) -> Result<(), Failure> {
        if self.lab.lab().expect_host(&from).is_ok() {
            return self.begin(name, from, to, request);
        }
        Ok(self.lab.sim_mut().ping_from(&from, request).map(drop)?)
    }

    /// Begins to send packets. They are sent as time passes.
    fn send(
        &mut self,
        node: &str,
        packets: &[String],
        times: u32,
        every_us: u64,
    ) -> Result<(), Failure> {
        self.lab.lab().expect_node(node)?;
        if self.sendings.len() >= MOST_FLOWS {
            return Err(Failure::Other(format!("{MOST_FLOWS} nodes send already")));
        }
        let packets: Result<Vec<Vec<u8>>, Failure> =
            packets.iter().map(|packet| octets_of(packet)).collect();
        let (every, now) = (Duration::from_micros(every_us), self.lab.sim().now());
        let sending = Sending::new(node, packets?, times, every, now);
        self.sendings.extend(sending.due().is_some().then_some(sending));
        Ok(())
    }

    /// Returns the request for a ping to an address or a host.
    pub(crate) fn request(&self, to: &str, ipv6: bool) -> Result<PingRequest, Failure> {
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
            let problem = format!(
                "a flow with the name {name:?} runs already, or the maximum of {MOST_FLOWS} flows \
                 is reached"
            );
            return Err(Failure::Other(problem));
        }
        let ping = self.lab.sim_mut().with_host(&from, |host| host.start_ping(request))?;
        self.flows.insert(name, Flow { from, to, ping });
        Ok(())
    }

    /// Returns the pings and flows with their outcomes.
    pub(crate) fn flow_states(&self) -> Vec<FlowState> {
        let state = |(name, flow): (&String, &Flow)| {
            let report = self.lab.sim().host(&flow.from).ok()?.ping(flow.ping)?;
            let mark = |outcome: Outcome| match outcome {
                Outcome::Waiting => '?',
                outcome => outcome.mark(),
            };
            let marks: String = report.probes.iter().map(|probe| mark(probe.outcome)).collect();
            let waiting = marks.chars().filter(|mark| *mark == '?').count() as u64;
            let (sent, answered) = (report.sent(), report.answered());
            Some(FlowState {
                name: name.clone(),
                from: flow.from.clone(),
                to: flow.to.clone(),
                lost: sent - answered - waiting,
                sent,
                answered,
                last_sent: report.probes.back().map_or(0, |probe| probe.sent_at.0),
                marks,
            })
        };
        self.flows.iter().filter_map(state).collect()
    }
}

/// Reads octets in hexadecimal.
pub(crate) fn octets_of(hex: &str) -> Result<Vec<u8>, Failure> {
    let wrong = || Failure::new("the octets are not hexadecimal digits in pairs");
    octets(hex).ok_or_else(wrong)
}
