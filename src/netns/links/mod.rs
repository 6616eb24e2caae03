//! Impaired links of labs in namespaces.
//!
//! ```text
//!  node A                              forwarder of the lab                     node B
//!  eth0 ── egress: another protocol ──▶ impair7 (TAP) ──▶ queue until the arrival
//!  eth0 ◀── the forwarder's protocol ────────────────────── packet socket
//!   └───────────────────────────────── veth ───────────────────────────────────▶ eth0
//! ```
//!
//! A link without impairments is only a pair of `veth` devices. To impair the packets that a device
//! sends, the script `netns-scripts/link-impair` adds a filter of tc at the egress of the device.
//! This filter sends the packets to a TAP device. The [`forwarder`] of the lab reads the packets
//! from the TAP device. At the time at which a packet must arrive, the forwarder sends it on the
//! first device again. The kernel stores a special protocol number beside these packets, so another
//! filter lets them pass. A filter takes effect between two packets, so the link stays up.
//!
//! The filters are not rules of nftables, because the packets that the [fast
//! path](crate::driver::fast_path) sends do not pass through nftables.
//!
//! The kernel cuts super-packets into packets before they enter the TAP device. So each packet of a
//! TCP connection is lost or delayed separately.

pub mod forwarder;
mod request;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::paths;
use super::running::expect_up;
use super::time_limit::TimeLimit;
use super::verbs::{self, Call, Step};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::{Link, Port};
use crate::lab::impairment::{Counts, Impairment};
use crate::lab::link_target::Target;
use crate::lab::running::Sender;
use crate::private::Lock;
use request::{Reply, Request};

/// The name of the forwarder's files in the directory of a lab. No node has this name, because the
/// name of a node has no dash.
const NAME: &str = "link-forwarder";
/// The longest time to wait for a forwarder that has just been started.
const STARTING: Duration = Duration::from_secs(5);

/// The socket of the forwarder of a lab.
fn socket(lab: &Lab) -> PathBuf {
    paths::run(lab).join(format!("{NAME}.sock"))
}

/// Returns the call that impairs the packets that a port sends.
pub fn call(lab: &Lab, port: &Port, impairment: &Impairment, eidway: &Path) -> Call {
    let call = Call::new("link-impair", &lab.name).with(&port.node).with(&port.device);
    let words = impairment.to_string();
    words.split(' ').fold(call.with(eidway.display()), Call::with)
}

/// Returns the calls for the impairments of the lab file, in both directions of each link.
pub fn calls(lab: &Lab, eidway: &Path) -> Vec<Call> {
    let impaired = lab.file.links.iter().filter(|link| !link.impairment.is_none());
    let calls =
        |link: &Link| link.ends.each_ref().map(|port| call(lab, port, &link.impairment, eidway));
    impaired.flat_map(calls).collect()
}

/// Changes the impairment of a link, or of one direction of a link. The lab must be up. `eidway` is
/// the program that runs as the forwarder.
///
/// # Errors
/// `target` is one direction of a link and `impairment` has an MTU, the lab is not up, or a program
/// is missing.
pub fn impair(
    lab: &Lab,
    eidway: &Path,
    target: Target,
    impairment: &Impairment,
) -> Result<(), Failure> {
    let mtu = target.mtu(&lab.file, impairment).map_err(Failure::Other)?;
    expect_up(lab)?;
    let _lock = lock(lab)?;
    // If the forwarder was killed, `senders` returns an error. The error is ignored, because the
    // first call starts the forwarder again.
    let before = senders(lab).unwrap_or_default();
    let ends = &target.link(&lab.file).ends;
    let mtu_before = before.iter().find(|sender| sender.port == ends[0]);
    let mtu_before = mtu_before.and_then(|sender| sender.impairment.mtu);
    let senders = target.senders(&lab.file);
    let mut calls: Vec<Call> = senders.map(|port| call(lab, port, impairment, eidway)).collect();
    if mtu_before != impairment.mtu {
        let set = |mtu| ends.iter().map(move |port| mtu_call(lab, port, mtu));
        calls.extend(mtu.into_iter().flat_map(set));
    }
    verbs::run(&[Step::new("impair", calls)], |_| ())
}

fn mtu_call(lab: &Lab, port: &Port, mtu: u16) -> Call {
    Call::new("link-set", &lab.name).with(&port.node).with(&port.device).with("mtu").with(mtu)
}

/// Returns each end of each link of a lab that is up, with the impairment of the packets that this
/// end sends, and with the counts of these packets.
///
/// # Errors
/// Links were impaired, and the forwarder has ended.
pub fn senders(lab: &Lab) -> Result<Vec<Sender>, Failure> {
    let socket = socket(lab);
    let reports = match request::ask(&socket, &Request::Report) {
        Ok(Reply::Ports(ports)) => ports,
        Ok(_) => Vec::new(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            let name = &lab.name;
            return Err(Failure::Other(format!(
                "the forwarder of lab {name} has ended ({error}), so the impaired links carry no \
                 packets: impair each of them again, or run `eidway lab impair {name} LINK --clear`"
            )));
        }
    };
    let sender = |port: &Port| {
        let namespace = paths::namespace(lab, &port.node);
        let is_here = |report: &&request::PortReport| {
            report.namespace == namespace && report.device == port.device
        };
        let report = reports.iter().find(is_here);
        let (impairment, counts) = report
            .map_or((Impairment::default(), Counts::default()), |it| (it.impairment, it.counts));
        Sender { port: port.clone(), impairment, counts }
    };
    Ok(lab.file.links.iter().flat_map(|link| &link.ends).map(sender).collect())
}

/// Asks the forwarder at the socket `socket` to impair the packets that a device sends. If the
/// forwarder has just been started, waits until it answers. Returns the name of the TAP device for
/// the packets. Returns `None` if the packets are not impaired any more.
///
/// # Errors
/// The forwarder does not answer, the namespace has no device with the name `device`, or `words`
/// are not an impairment.
pub fn ask_to_impair(
    socket: &Path,
    namespace: &str,
    device: &str,
    words: &[String],
) -> Result<Option<String>, Failure> {
    let impairment = words.join(" ").parse::<Impairment>().map_err(Failure::Other)?;
    let (namespace, device) = (namespace.to_owned(), device.to_owned());
    let request = Request::Impair { namespace, device, impairment };
    let time_limit = TimeLimit::of(STARTING);
    loop {
        match request::ask(socket, &request) {
            Ok(Reply::Tap(tap)) => return Ok(tap),
            Ok(Reply::Error(error)) => return Err(Failure::Other(error)),
            Ok(Reply::Ports(_)) => return Err(Failure::new("the forwarder gave a wrong answer")),
            Err(error) if !time_limit.pause() => {
                return Err(Failure::io(socket.display())(error));
            }
            Err(_) => {}
        }
    }
}

/// Takes the lock for changes of the links of a lab. Waits until the lock is free.
fn lock(lab: &Lab) -> Result<Lock, Failure> {
    let path = paths::run(lab).join(format!(".{NAME}"));
    let time_limit = TimeLimit::of(Duration::MAX);
    loop {
        let taken = Lock::try_take(&path, &format!("impairs links of lab {}", lab.name));
        match taken.map_err(Failure::new)? {
            Ok(lock) => return Ok(lock),
            Err(_) => drop(time_limit.pause()),
        }
    }
}
