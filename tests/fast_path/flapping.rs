//! Handovers under many events. Each event begins a new epoch, so that the flows go up to the router
//! and return to the kernel all the time.

use std::io::Write;
use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use eidway::console::client::{Channel, Client};

use crate::cases::PLAN;
use crate::live::{LONG, can_run, until};
use crate::numbered::{Fate, Numbered, note_all};
use crate::world::{DataPath, World};

/// The number of events of a run, and the longest time for them on a slow machine.
const EVENTS: u32 = 4000;
const LONGEST_RUN: Duration = Duration::from_secs(40);
/// The time between two events of one of the two sources.
const EVENT_INTERVAL: Duration = Duration::from_millis(2);
/// The number of packets of a flow that follow each other closely, the time between them, and the
/// time between two such bursts.
const BURST: usize = 6;
const GAP: Duration = Duration::from_micros(100);
const PAUSE: Duration = Duration::from_millis(4);

/// The results of a run.
struct Run {
    fates: Vec<Fate>,
    events: u32,
    epochs: u64,
    hits: u64,
}

#[test]
fn under_a_thousand_events_a_second_the_kernel_loses_and_reorders_no_more_than_user_space() {
    if !can_run() {
        return;
    }
    let [user, kernel] = [DataPath::User, DataPath::Kernel].map(run);
    for (name, run) in [("user", &user), ("kernel", &kernel)] {
        let Run { fates, events, epochs, hits } = run;
        eprintln!("{name}: {events} events, {epochs} epochs, {hits} hits, {fates:?}");
    }
    assert!(kernel.events >= EVENTS, "only {} events", kernel.events);
    assert!(kernel.epochs >= u64::from(kernel.events) / 4, "only {} epochs", kernel.epochs);
    assert!(kernel.hits >= 100, "the kernel forwards only {} packets", kernel.hits);
    for (number, (kernel, user)) in kernel.fates.iter().zip(&user.fates).enumerate() {
        assert!(kernel.sent >= 1000, "flow {number}: {kernel:?}");
        assert!(kernel.lost <= user.lost, "flow {number}: kernel {kernel:?}, user {user:?}");
        assert!(kernel.overtaken <= user.overtaken, "flow {number}: {kernel:?}, user {user:?}");
        assert_eq!(kernel.doubled, 0, "flow {number}");
    }
}

/// Sends the packets of four flows through a router with many events.
#[expect(clippy::disallowed_methods, reason = "real routers run on the real clock")]
fn run(path: DataPath) -> Run {
    let world = World::new(path, PLAN);
    let mut flows = Numbered::four();
    // The mappings are learned first.
    flows.iter_mut().for_each(|flow| flow.send(&world));
    until(LONG, "the first packets", || {
        note_all(&mut flows, &world);
        flows.iter().all(|flow| flow.arrived() == flow.sent())
    });
    let programs = world.programs();
    let counters = || match path {
        DataPath::Kernel => (programs.epoch(), programs.hits().iter().sum()),
        DataPath::User => (0, 0),
    };
    let before = counters();
    let (ended, events) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| configure(world.open_console(), &ended, &events));
        scope.spawn(|| change_routes(world.batch(), &ended, &events));
        let start = Instant::now();
        while events.load(Ordering::Relaxed) < EVENTS && start.elapsed() < LONGEST_RUN {
            for _ in 0..BURST {
                flows.iter_mut().for_each(|flow| flow.send(&world));
                std::thread::sleep(GAP);
            }
            std::thread::sleep(PAUSE);
        }
        ended.store(true, Ordering::Relaxed);
    });
    // The run ends when nothing arrives any more.
    loop {
        std::thread::sleep(Duration::from_millis(300));
        if note_all(&mut flows, &world) == 0 {
            break;
        }
    }
    let after = counters();
    Run {
        fates: flows.iter().map(Numbered::fate).collect(),
        events: events.into_inner(),
        epochs: after.0 - before.0,
        hits: after.1 - before.1,
    }
}

/// Adds an entry to the map-cache and removes it, again and again. No flow uses it.
fn configure<C: Channel>(mut console: Client<C>, ended: &AtomicBool, events: &AtomicU32) {
    let mut line = |text: &str| {
        let answer = console.command(text).unwrap();
        assert!(answer.done.ok, "{text}: {answer:?}");
    };
    line("configure terminal");
    line("router lisp");
    line("eid-table default instance-id 0");
    paced(ended, events, |is_even| match is_even {
        true => line("map-cache 10.99.0.0/16 map-request"),
        false => line("no map-cache 10.99.0.0/16 map-request"),
    });
}

/// Adds a route to the core and removes it, again and again. No flow uses it.
fn change_routes(mut batch: Child, ended: &AtomicBool, events: &AtomicU32) {
    let mut input = batch.stdin.take().unwrap();
    paced(ended, events, |is_even| {
        let verb = if is_even { "replace" } else { "del" };
        writeln!(input, "route {verb} 10.98.0.0/16 via 203.0.113.1 dev et0-0").unwrap();
        input.flush().unwrap();
    });
    drop(input);
    assert!(batch.wait().unwrap().success());
}

/// Does an event in each interval, as far as there is time for it.
#[expect(clippy::disallowed_methods, reason = "real routers run on the real clock")]
fn paced(ended: &AtomicBool, events: &AtomicU32, mut event: impl FnMut(bool)) {
    let start = Instant::now();
    let mut done = 0;
    while !ended.load(Ordering::Relaxed) {
        event(done % 2 == 0);
        done += 1;
        events.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep((EVENT_INTERVAL * done).saturating_sub(start.elapsed()));
    }
}
