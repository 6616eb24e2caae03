//! The objects that a router asks its process to open, such as sockets, and their order.

use std::time::Duration;

use eidway::addr::Rloc;
use eidway::console::parse_config;
use eidway::rng::Seed;
use eidway::router::event::{Event, ProcessObjectChange};
use eidway::router::io::{
    Fragmentation, Input, KernelEvent, KernelObject, KernelRequest, LISP_DEVICE, Output,
    ProcessEvent, ProcessObject, ProcessRequest,
};
use eidway::router::{Router, Start};
use eidway::time::Time;

use crate::bench::{MSMR, RLOC_2, XTR2};

const TUNNEL: ProcessObject = ProcessObject::Tunnel;

fn rloc(text: &str) -> Rloc {
    Rloc(text.parse().unwrap())
}

fn sockets(fragmentation: Fragmentation) -> ProcessObject {
    ProcessObject::Sockets { rloc: rloc(RLOC_2), fragmentation }
}

/// A router that has just started, and its first outputs.
fn start(config: &str) -> (Router, Vec<Output>) {
    let config = parse_config("process.conf", config).unwrap();
    let (seed, now) = (Seed::from_number(1), Time::ZERO);
    let mut router = Router::new(Start { config, seed, wall_clock: 1000, now });
    let outputs = outputs(&mut router);
    (router, outputs)
}

/// The outputs of the router, without events about other subjects than process objects.
fn outputs(router: &mut Router) -> Vec<Output> {
    let outputs = std::iter::from_fn(|| router.poll_output());
    let is_about_it = |output: &Output| match output {
        Output::Event(event) => matches!(event, Event::ProcessObject { .. }),
        _ => true,
    };
    outputs.filter(is_about_it).collect()
}

fn handle(router: &mut Router, input: Input<'_>, now: Time) -> Vec<Output> {
    router.handle(input, now);
    outputs(router)
}

fn configure(router: &mut Router, text: &str) -> Vec<Output> {
    let config = Box::new(parse_config("process.conf", text).unwrap());
    handle(router, Input::Configure(config), Time::from_secs(1))
}

/// The requests to the process among the outputs.
fn requests(outputs: &[Output]) -> Vec<ProcessRequest> {
    let request = |output: &Output| match output {
        Output::Process(request) => Some(request.clone()),
        _ => None,
    };
    outputs.iter().filter_map(request).collect()
}

fn at(millis: u64) -> Time {
    Time::ZERO + Duration::from_millis(millis)
}

#[test]
fn the_first_outputs_open_what_the_others_leave_by() {
    let (_, outputs) = start(XTR2);
    let opened = [TUNNEL, sockets(Fragmentation::Never)].map(ProcessRequest::Open);
    let first = outputs.iter().take(2).cloned().collect::<Vec<_>>();
    assert_eq!(first, opened.map(Output::Process));
    assert_eq!(requests(&outputs).len(), 2);
    // A map-server has no `lisp0`, but it opens a TCP listener.
    let new = rloc("209.165.201.31");
    let opened = [
        ProcessObject::Sockets { rloc: new, fragmentation: Fragmentation::Never },
        ProcessObject::Listener(new),
    ];
    assert_eq!(requests(&start(MSMR).1), opened.map(ProcessRequest::Open));
}

#[test]
fn a_configuration_that_changes_nothing_of_it_asks_for_nothing() {
    let (mut router, _) = start(XTR2);
    let again = configure(&mut router, &XTR2.replace("hostname xTR2", "hostname other"));
    assert_eq!(requests(&again), []);
    let routes = format!("{XTR2}ip route 10.0.0.0 255.0.0.0 198.51.100.1\n");
    assert_eq!(requests(&configure(&mut router, &routes)), []);
}

#[test]
fn what_is_not_wanted_any_more_is_closed_behind_the_farewell_and_the_routes() {
    let (mut router, _) = start(XTR2);
    let (router_lisp, _) = XTR2.split_once("router lisp").unwrap();
    let last = configure(&mut router, router_lisp);
    let closed = [sockets(Fragmentation::Never), TUNNEL].map(ProcessRequest::Close);
    assert!(last.ends_with(&closed.map(Output::Process)), "{last:?}");
    let is_route = |output: &Output| {
        matches!(output, Output::Kernel(KernelRequest::Remove(KernelObject::Route { .. })))
    };
    assert!(last.iter().any(is_route), "{last:?}");
}

#[test]
fn a_router_that_stops_says_farewell_cleans_up_and_closes_everything() {
    let (mut router, _) = start(XTR2);
    let connected =
        KernelEvent::Link { device: "et1-0".to_owned(), up: true, carrier: true, mtu: 1500 };
    handle(&mut router, Input::Kernel(connected), at(1));
    let last = handle(&mut router, Input::Stop, at(2));
    let closed = [sockets(Fragmentation::Never), TUNNEL].map(ProcessRequest::Close);
    assert!(last.ends_with(&closed.map(Output::Process)), "{last:?}");
}

#[test]
fn the_smallest_link_says_whether_packets_may_be_fragmented() {
    let (mut router, _) = start(XTR2);
    let mut link = |device: &str, mtu| {
        let event = KernelEvent::Link { device: device.to_owned(), up: true, carrier: true, mtu };
        requests(&handle(&mut router, Input::Kernel(event), at(1)))
    };
    // A packet of 1280 octets and 36 octets of headers do not fit into an MTU of 1315. The sockets
    // stay open.
    let always = ProcessRequest::Open(sockets(Fragmentation::Always));
    assert_eq!(link("et0-0", 1315), [always]);
    assert_eq!(link("et1-0", 1300), [], "no encapsulated packet leaves by it");
    assert_eq!(link("et0-0", 1316), [ProcessRequest::Open(sockets(Fragmentation::Never))]);
}

#[test]
fn an_object_that_is_refused_is_told_once_and_asked_for_again() {
    let (mut router, _) = start(XTR2);
    let object = sockets(Fragmentation::Never);
    let error = "Address in use".to_owned();
    let refused = || ProcessEvent::Refused { object: object.clone(), error: error.clone() };
    let told = handle(&mut router, Input::Process(refused()), at(0));
    let event = Event::ProcessObject {
        object: object.clone(),
        change: ProcessObjectChange::Refused(error.clone()),
    };
    assert_eq!(told, [Output::Event(event)]);
    let mut now = at(0);
    for tries in 1..=5 {
        let next = |router: &Router| router.poll_timeout().unwrap();
        let mut opened = Vec::new();
        while opened.is_empty() {
            now = next(&router).at.max(now);
            router.handle_timeout(now);
            opened = requests(&outputs(&mut router));
        }
        assert_eq!(opened, [ProcessRequest::Open(object.clone())]);
        let due = if tries <= 3 { 250 * tries } else { 750 + 30_000 * (tries - 3) };
        assert_eq!(now, at(due), "try {tries}");
        assert_eq!(handle(&mut router, Input::Process(refused()), now), [], "told once");
    }
    // The router does not request an object again after it no longer needs the object.
    let (router_lisp, _) = XTR2.split_once("router lisp").unwrap();
    configure(&mut router, router_lisp);
    assert_eq!(handle(&mut router, Input::Process(refused()), now), []);
    assert_eq!(router.poll_timeout().map(|next| next.why), Some("away entry expiry"));
}

#[test]
fn a_lisp0_that_somebody_deletes_is_made_again() {
    let (mut router, _) = start(XTR2);
    let lost = handle(&mut router, Input::Process(ProcessEvent::Lost(TUNNEL)), at(0));
    let event = Event::ProcessObject { object: TUNNEL, change: ProcessObjectChange::MadeAgain };
    let opened = Output::Process(ProcessRequest::Open(TUNNEL));
    assert_eq!(lost, [Output::Event(event), opened.clone()]);
    // Another device has the name `lisp0`. When this device disappears, the router requests its own
    // device immediately.
    let error = "Device or resource busy".to_owned();
    let refused = ProcessEvent::Refused { object: TUNNEL, error };
    handle(&mut router, Input::Process(refused), at(1));
    let gone = KernelEvent::LinkGone { device: LISP_DEVICE.to_owned() };
    let again = handle(&mut router, Input::Kernel(gone), at(2));
    assert!(again.contains(&opened), "{again:?}");
}
