//! Moves a host in namespaces from one LAN to another.

use std::time::Duration;

use super::running::expect_up;
use super::time_limit::TimeLimit;
use super::verbs::{self, Call, Step};
use super::{console, emulated, paths, run};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::{Host, Lan};

/// The time for which a host is in both LANs with make-before-break. It must be long enough for the
/// new registration to take effect.
const IN_BOTH: Duration = Duration::from_secs(1);

/// Moves `host` to the LAN of `to`, which is a router or `ROUTER:INTERFACE`. If a router has
/// several LANs, the host moves to the LAN on which the lab file has the host.
pub fn move_host(lab: &Lab, host: &str, to: &str) -> Result<(), Failure> {
    let found = find(lab, host)?;
    let lan = lab.lan_of(host, to)?;
    if found.emulated {
        return hand_over(lab, host, (lan, to));
    }
    let device = &found.device;
    let call = Call::new("lan-move", &lab.name).with(&lan.name).with(host).with(device);
    verbs::run(&[Step::new("move", vec![call])], |_| ())
}

/// Moves an emulated host: removes it from its router, and creates it at another router with the
/// same addresses. The hardware address does not change either.
fn hand_over(lab: &Lab, host: &str, (lan, to): (&Lan, &str)) -> Result<(), Failure> {
    let (router, interface) = emulated::expect(lab, host)?;
    let next = to.split_once(':').map_or(to, |(router, _)| router);
    let port = lan.port_of(next)?;
    let eidway = run::program()?;
    // This request checks that the new router answers, before the host is removed from its old
    // router.
    console::ask(&paths::socket(lab, next), "show clock")?;
    let mut calls = vec![emulated::stop(lab, host, (&router, &interface), &eidway)];
    calls.extend(emulated::start(lab, host, (lan, port), &eidway));
    verbs::run(&[Step::new("move", calls)], |_| ())
}

/// Moves a host as [`move_host`] does, but the host joins the new LAN a moment before it leaves the
/// old LAN.
pub fn make_before_break(lab: &Lab, host: &str, to: &str) -> Result<(), Failure> {
    let found = find(lab, host)?;
    if found.emulated {
        return Err(Failure::Other(format!(
            "host {host} is emulated, and an emulated host cannot be in two LANs at the same time: \
             move it without --make-before-break"
        )));
    }
    let device = &found.device;
    let lan = lab.lan_of(host, to)?;
    let call = Call::new("lan-join", &lab.name).with(&lan.name).with(host).with(device);
    verbs::run(&[Step::new("make", vec![call])], |_| ())?;
    let time_limit = TimeLimit::of(IN_BOTH);
    while time_limit.pause() {}
    move_host(lab, host, to)
}

fn find<'a>(lab: &'a Lab, host: &str) -> Result<&'a Host, Failure> {
    lab.expect_node(host)?;
    expect_up(lab)?;
    lab.expect_host(host)
}
