//! The lines of the log: events of a router as text, with a limit for each kind of event.
//!
//! The core produces events without time and text. A driver has a [`Log`], which returns the lines
//! for each event. Most events have no line.

use std::collections::BTreeMap;
use std::mem;
use std::time::Duration;

use super::counters::ControlDrop;
use super::event::{
    Event, HostChange, KernelObjectChange, LocatorChange, MapServerChange, ProcessObjectChange,
    RegistrationChange, SiteRegistrationChange, Unreachable,
};
use super::explanations;
use super::interface_name::InterfaceName;
use super::io::{KernelObject, ProcessObject};
use super::rate::Rate;
use super::words::list;
use crate::addr::{Eid, Rloc};
use crate::time::Time;
use std::net::IpAddr;

/// The importance of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something is wrong, and the operator has to act.
    Warning,
    /// A normal change.
    Notice,
}

impl Severity {
    /// The name of the severity.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Notice => "notice",
        }
    }
}

impl From<Severity> for log::Level {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::Warning => log::Level::Warn,
            Severity::Notice => log::Level::Info,
        }
    }
}

/// A line of the log.
pub type Line = (Severity, String);

/// The maximum rate of lines for each kind of event. Unknown senders can cause events of about ten
/// kinds at any rate. With this limit, the log grows by at most a few hundred kilobytes an hour.
const RATE: Rate = Rate { burst: 100, interval: Duration::from_secs(10) };

/// The state of the limit [`RATE`] for each kind of event. With this limit, the log does not fill
/// the disk, even in a network in which hosts move or locators fail all the time.
#[derive(Debug, Default)]
pub struct Log {
    kinds: BTreeMap<&'static str, Kind>,
}

#[derive(Debug, Default)]
struct Kind {
    /// From this time on, a full burst of lines ([`RATE`]) can be written again.
    full_at: Option<Time>,
    /// The number of lines that were left out since the last written line.
    left_out: u64,
}

impl Log {
    /// Returns the lines for an event that happens at `now`. The value of `now` must not decrease
    /// from call to call.
    pub fn lines(&mut self, event: &Event, now: Time) -> Vec<Line> {
        if !has_line(event) {
            return Vec::new();
        }
        // The log does not limit lines about refused messages, because these lines are already
        // limited for each reason and source.
        let is_bounded = !matches!(event, Event::Refused { .. });
        let left_out = match is_bounded {
            true => self.admit(event.kind(), now),
            false => Some(0),
        };
        let Some(left_out) = left_out else { return Vec::new() };
        let Some((severity, line)) = line(event) else { return Vec::new() };
        let before = (left_out > 0).then(|| {
            (severity, format!("{left_out} lines of the same kind as the next line were left out"))
        });
        before.into_iter().chain([(severity, line)]).collect()
    }

    /// Decides whether one more line of a kind is written. If the line is written, returns the
    /// number of lines of this kind that were left out before it.
    fn admit(&mut self, kind: &'static str, now: Time) -> Option<u64> {
        let kind = self.kinds.entry(kind).or_default();
        let Some(full_at) = RATE.admit(kind.full_at, now) else {
            kind.left_out += 1;
            return None;
        };
        kind.full_at = Some(full_at);
        Some(mem::take(&mut kind.left_out))
    }
}

/// Whether [`line`] returns a line for an event. This function does not make the line.
fn has_line(event: &Event) -> bool {
    match event {
        Event::Mapping { .. }
        | Event::Away { .. }
        | Event::Database { .. }
        | Event::EtrSession { .. }
        | Event::Message(_)
        | Event::Packet(_)
        | Event::Locator { change: LocatorChange::Reachable(_), .. }
        | Event::Refused { is_logged: false, .. } => false,
        Event::Registration { change, .. } => matches!(change, RegistrationChange::Rejected(_)),
        Event::Host { change, .. } => !matches!(
            change,
            HostChange::Found { is_duplicate: true, .. }
                | HostChange::MovedAway { is_duplicate: true }
                | HostChange::Lost(_)
        ),
        Event::SiteRegistration { change, .. } => {
            matches!(change, SiteRegistrationChange::Duplicate { .. })
        }
        _ => true,
    }
}

/// Returns the line for an event, or `None`: most events have no line.
pub fn line(event: &Event) -> Option<Line> {
    Some(match event {
        Event::Host { eid, port, change } => return host_line(eid, port, *change),
        Event::MapServer { map_server, change } => map_server_line(map_server, change),
        Event::KernelObject { object, change } => object_line(object, change),
        Event::ProcessObject { object, change } => process_line(object, change),
        Event::Locator { rloc, change } => return locator_line(rloc, *change),
        Event::Registration { eid_prefix, map_server, change } => {
            let RegistrationChange::Rejected(reason) = change else { return None };
            warning(format!(
                "map-server {map_server} rejects the registration of {eid_prefix}: {reason}; see \
                 `show lisp refusals` on the map-server"
            ))
        }
        Event::SiteRegistration { eid_prefix, site, change, .. } => {
            let SiteRegistrationChange::Duplicate { by: (newer, older), changes, seconds } = change
            else {
                return None;
            };
            let newer = newer.map(|newer| newer.to_string()).unwrap_or_default();
            warning(format!(
                "duplicate EID {eid_prefix} of site {site}: {newer} and {older} registered the EID \
                 alternately, more than {changes} times in {seconds} s; give one of the two hosts \
                 another address"
            ))
        }
        Event::MessageRefused { peer, message_type, message_id, error } => warning(format!(
            "{peer} refuses a message of this router: type {message_type}, Message ID \
             {message_id}, {error}; capture the session, and compare the software versions of both \
             ends"
        )),
        Event::IcmpDisbelieved { rloc, reporter, kind, why, count } => warning(format!(
            "this router ignores the ICMP error \"{}\" of {reporter} about locator {rloc} ({count} \
             ignored ICMP errors so far): {}",
            kind.describe(),
            why.describe(),
        )),
        Event::Refused { source, reason, explanation, .. } => {
            let line = explanation.line(*source);
            if reason.is_everyday() { notice(line) } else { warning(line) }
        }
        Event::RefusedMore(reasons) => warning(refused_more(reasons)),
        Event::ClockBehind { by } => notice(format!(
            "the clock of this router is {by} s behind the time in the last nonce that this router \
             sent in a Map-Register: the next nonces begin after that nonce; correct the clock"
        )),
        Event::PortSetByHand { port, device, is_up } => port_line(port, device, *is_up),
        Event::PutBack(objects) => notice(format!(
            "these objects disappeared from the kernel, and this router added them again: {}",
            list(objects)
        )),
        Event::KernelRefused(text) => warning(text.clone()),
        Event::Mapping { .. }
        | Event::Away { .. }
        | Event::Database { .. }
        | Event::EtrSession { .. }
        | Event::Message(_)
        | Event::Packet(_) => return None,
    })
}

fn warning(line: String) -> Line {
    (Severity::Warning, line)
}

fn notice(line: String) -> Line {
    (Severity::Notice, line)
}

fn host_line(eid: &Eid, port: &InterfaceName, change: HostChange) -> Option<Line> {
    Some(match change {
        HostChange::Found { .. } => notice(format!("{eid} found on {port}")),
        HostChange::Confirmed => {
            notice(format!("{eid} is still at this router, and the router registers it again"))
        }
        HostChange::Silent => notice(format!("{eid} does not answer any more on {port}")),
        HostChange::MovedAway { .. } => notice(format!("{eid} has moved away from {port}")),
        HostChange::Lost(_) => return None,
        HostChange::Duplicate { changes, seconds, wait } => warning(format!(
            "duplicate EID {eid}: it was found alternately on {port} of this router and at another \
             xTR, more than {changes} times in {seconds} s; give one of the two hosts another \
             address; after each loss of the EID, this router waits {wait} s before it claims the \
             EID again"
        )),
        HostChange::TurnedAway { times, hosts } => warning(format!(
            "{eid} on {port} is refused ({times} refusals in total): this router already has \
             {hosts} hosts; look in `show lisp dynamic-eid summary` for hosts that do not exist"
        )),
    })
}

fn map_server_line(server: &IpAddr, change: &MapServerChange) -> Line {
    match change {
        MapServerChange::SessionUp(_) => notice(format!("reliable session with {server} is up")),
        MapServerChange::SessionDown(_) => {
            notice(format!("reliable session with {server} is down"))
        }
        MapServerChange::RefusesTcp { again_in } => notice(format!(
            "map-server {server} refuses TCP: this router registers by UDP, and asks for a \
             reliable session again in {again_in} minutes"
        )),
        MapServerChange::AnswersNoOffer { again_in } => notice(format!(
            "map-server {server} does not answer a Map-Register that asks for a reliable session \
             (bit 18): this router registers without bit 18 for {again_in} minutes; `no \
             reliable-registration` turns bit 18 off permanently"
        )),
        MapServerChange::Unanswered { registers, raised_by, again_after } => warning(format!(
            "map-server {server} has answered none of {registers} Map-Registers: check that the \
             map-server can be reached and that the key is right; if both are right, the clock of \
             this router may have been set back, and the map-server expects greater nonces; this \
             router now raises its nonces by {raised_by} minutes; after every {again_after} \
             further Map-Registers without an answer, it raises them again, by twice as much as \
             before; to store the nonces for the next start, use `eidway router --nonces FILE`"
        )),
        MapServerChange::NoLocator => warning(format!(
            "not registered with map-server {server}: this router has no locator of the same \
             address family; configure a locator of this family in a `locator-set`"
        )),
        MapServerChange::Unconfirmed { eid_prefix, locators, minutes } => {
            let place = explanations::place(locators);
            warning(format!(
                "map-server {server} reported that {eid_prefix} is {place}, but does not answer \
                 the Map-Request that checks this report: this router believes the report for \
                 {minutes} minutes and then asks again; check that {server} can be reached and \
                 answers Map-Requests"
            ))
        }
    }
}

fn process_line(object: &ProcessObject, change: &ProcessObjectChange) -> Line {
    warning(match change {
        ProcessObjectChange::MadeAgain => {
            format!("{object} was deleted: this router makes it again")
        }
        ProcessObjectChange::Vanishes => format!(
            "{object} disappears again and again: find the program that deletes it; from now on \
             this router makes {object} again only every 30 s"
        ),
        ProcessObjectChange::Refused(error) => {
            format!("{object} cannot be opened, and this router tries again: {error}")
        }
    })
}

fn object_line(object: &KernelObject, change: &KernelObjectChange) -> Line {
    match change {
        KernelObjectChange::Vanishes => warning(format!(
            "{object} disappears from the kernel again and again: find the program that removes \
             {object}; from now on this router adds {object} again only every 30 s"
        )),
        KernelObjectChange::WaitsForLink(error) => {
            notice(format!("this router adds {object} when the link exists: {error}"))
        }
        KernelObjectChange::Refused(error) => {
            warning(format!("the kernel refused {object}, and this router tries again: {error}"))
        }
    }
}

fn locator_line(rloc: &Rloc, change: LocatorChange) -> Option<Line> {
    Some(notice(match change {
        LocatorChange::Reachable(_) => return None,
        LocatorChange::Unreachable(why) => {
            format!("locator {rloc} cannot be reached: {}", unreachable(why))
        }
        LocatorChange::PathMtu { mtu, reporter } => {
            format!("{reporter} reports that the path to locator {rloc} has an MTU of {mtu} octets")
        }
    }))
}

fn port_line(port: &str, device: &str, is_up: bool) -> Line {
    match is_up {
        true => notice(format!("another program has set {device} up again")),
        false => warning(format!(
            "another program has set {port} down, and this router leaves it down: \
             `ip link set {device} up` sets it up again"
        )),
    }
}

fn unreachable(why: Unreachable) -> String {
    match why {
        Unreachable::NoRoute => "there is no route".to_owned(),
        Unreachable::Icmp { reporter, kind } => format!("{reporter} reports {}", kind.describe()),
        Unreachable::NoEcho => "the locator does not echo nonces".to_owned(),
    }
}

fn refused_more(reasons: &[(ControlDrop, u64)]) -> String {
    let sum: u64 = reasons.iter().map(|(_, count)| count).sum();
    let reasons = reasons
        .iter()
        .map(|(reason, count)| format!("{count} for {}", reason.describe().to_lowercase()));
    let reasons: Vec<String> = reasons.collect();
    format!(
        "refused {sum} more messages in one minute: {}; see `show lisp refusals`",
        reasons.join(", ")
    )
}
#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "host-found";

    #[test]
    fn a_kind_of_line_is_written_so_often_and_then_counted() {
        let mut log = Log::default();
        let mut admit = |now: Time| log.admit(KIND, now);
        let begin = Time::ZERO + Duration::from_secs(1);
        let admitted = (0..1000).filter(|_| admit(begin).is_some()).count();
        assert_eq!(admitted, RATE.burst as usize);
        assert_eq!(admit(begin + RATE.interval), Some(1000 - u64::from(RATE.burst)));
        assert_eq!(admit(begin + RATE.interval), None);
        assert_eq!(admit(begin + RATE.interval * 2), Some(1), "the omitted lines are told once");
        let later = begin + RATE.interval * 1000;
        assert_eq!((0..1000).filter(|_| admit(later).is_some()).count(), RATE.burst as usize);
    }

    #[test]
    fn kinds_do_not_take_each_others_share() {
        let mut log = Log::default();
        let of_one = (0..1000).filter(|_| log.admit(KIND, Time::ZERO).is_some()).count();
        assert_eq!(of_one, RATE.burst as usize);
        assert_eq!(log.admit("host-silent", Time::ZERO), Some(0), "another kind");
    }
}
