//! Moves a host in namespaces from one LAN to another.

use super::running::expect_up;
use super::time_limit::TimeLimit;
use super::verbs::{self, Call, Step};
use super::{console, emulated, paths, run};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::{Host, Lan};
use crate::lab::plugging::Plugging;

/// Moves `host` to another LAN. `to` is a router on this LAN, or `ROUTER:INTERFACE`. If the router
/// is on several LANs, the host moves to the LAN to which the lab file connects the host.
///
/// # Errors
/// The lab is not up, the lab has no host `host`, no LAN fits `to`, or an emulated host would be in
/// two LANs at the same time.
pub fn move_host(lab: &Lab, host: &str, to: &str, how: Plugging) -> Result<(), Failure> {
    let found = find(lab, host)?;
    let lan = lab.lan_of(host, to)?;
    if found.emulated {
        return hand_over(lab, host, (lan, to), how);
    }
    let call = |verb| Call::new(verb, &lab.name);
    let device = &found.device;
    let first = match how {
        Plugging::Atomic => None,
        Plugging::MakeBeforeBreak => Some(("make", call("lan-join").with(&lan.name))),
        Plugging::BreakBeforeMake => Some(("break", call("lan-leave"))),
    };
    if let Some((name, first)) = first {
        verbs::run(&[Step::new(name, vec![first.with(host).with(device)])], |_| ())?;
        pause();
    }
    let join = call("lan-move").with(&lan.name).with(host).with(device);
    verbs::run(&[Step::new("move", vec![join])], |_| ())
}

/// Waits for the time between the two steps of a move: [`Plugging::BETWEEN`].
fn pause() {
    let time_limit = TimeLimit::of(Plugging::BETWEEN);
    while time_limit.pause() {}
}

/// Moves an emulated host: removes the host from its router, and creates it at another router with
/// the same IP addresses and the same hardware address.
fn hand_over(lab: &Lab, host: &str, (lan, to): (&Lan, &str), how: Plugging) -> Result<(), Failure> {
    if how == Plugging::MakeBeforeBreak {
        return Err(Failure::Other(format!(
            "host {host} is emulated, and an emulated host cannot be in two LANs at the same time: \
             move it without --make-before-break"
        )));
    }
    let (router, interface) = emulated::expect(lab, host)?;
    let next = to.split_once(':').map_or(to, |(router, _)| router);
    let port = lan.port_of(next)?;
    let eidway = run::program()?;
    // This request checks that the new router answers, before the host is removed from its old
    // router.
    console::ask(&paths::socket(lab, next), "show clock")?;
    let stop = emulated::stop(lab, host, (&router, &interface), &eidway);
    let start = emulated::start(lab, host, (lan, port), &eidway);
    if how == Plugging::BreakBeforeMake {
        verbs::run(&[Step::new("break", vec![stop])], |_| ())?;
        pause();
        return verbs::run(&[Step::new("move", start.into_iter().collect())], |_| ());
    }
    let calls = [stop].into_iter().chain(start).collect();
    verbs::run(&[Step::new("move", calls)], |_| ())
}

fn find<'a>(lab: &'a Lab, host: &str) -> Result<&'a Host, Failure> {
    lab.expect_node(host)?;
    expect_up(lab)?;
    lab.expect_host(host)
}
