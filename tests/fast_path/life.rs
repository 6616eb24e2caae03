//! The end of a router, and a router that stands still.

use std::time::{Duration, Instant};

use aya::util::KernelVersion;
use rustix::process::{Pid, Signal, kill_process};

use crate::cases::PLAN;
use crate::kernel_objects::Programs;
use crate::live::{LONG, Live, can_run, expect_success, until};
use crate::numbered::{Numbered, note_all};
use crate::world::{DataPath, World};

/// The environment of the router for both ways in which the kernel attaches programs: as links of
/// the process (TCX), and by netlink, as before Linux 6.6.
const ATTACHMENTS: [&[(&str, &str)]; 2] = [&[], &[("EIDWAY_TC_NETLINK", "1")]];
/// The kernel attaches programs as links of a process since this version.
const TCX: KernelVersion = KernelVersion::new(6, 6, 0);
/// The time for which the programs may work on after the last turn of the router.
const ALIVE_FOR: Duration = Duration::from_secs(3);
/// The time between two packets of a flow.
const INTERVAL: Duration = Duration::from_millis(50);

/// Sends packets until the kernel forwards all flows.
fn warm_up(flows: &mut [Numbered], world: &World) {
    let programs = world.programs();
    assert!(!programs.is_empty(), "no programs");
    until(LONG, "the kernel forwards the flows", || {
        let before = programs.hits();
        flows.iter_mut().for_each(|flow| flow.send(world));
        std::thread::sleep(Duration::from_millis(20));
        note_all(flows, world);
        let hits = programs.hits();
        [hits[0] - before[0], hits[1] - before[1]] == [2, 2]
    });
}

#[test]
fn a_killed_router_leaves_no_program_that_forwards_and_the_next_router_removes_the_rest() {
    if !can_run() {
        return;
    }
    for environment in ATTACHMENTS {
        let mut world = World::with_options(DataPath::Kernel, PLAN, &[], environment);
        let mut flows = Numbered::four();
        warm_up(&mut flows, &world);
        let programs = world.programs();
        world.kill();
        note_all(&mut flows, &world);
        for _ in 0..(ALIVE_FOR + Duration::from_millis(500)).as_millis() / INTERVAL.as_millis() {
            flows.iter_mut().for_each(|flow| flow.send(&world));
            std::thread::sleep(INTERVAL);
            assert_eq!(note_all(&mut flows, &world), 0, "{environment:?}: forwarded");
        }
        let remains = programs.remains();
        eprintln!("{environment:?}: {remains:?} after the death");
        let by_process = environment == ATTACHMENTS[0] && KernelVersion::current().unwrap() >= TCX;
        assert!(remains.is_empty() || !by_process, "{remains:?}");
        // The programs that are left do nothing: the kernel itself refuses the packets.
        flows.iter_mut().for_each(|flow| flow.send(&world));
        until(LONG, "port unreachable", || {
            let refuses = |frame: &[u8]| frame.get(14 + 20..14 + 22) == Some(&[3, 3]);
            world.take_seen().iter().any(|(_, frame)| refuses(frame))
        });
        world.restart(environment);
        let mut flows = Numbered::four();
        warm_up(&mut flows, &world);
        until(LONG, "the programs of the killed router are gone", || programs.remains().is_empty());
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real routers run on the real clock")]
fn the_kernel_forwards_for_three_seconds_at_most_when_the_router_stands_still() {
    if !can_run() {
        return;
    }
    let world = World::new(DataPath::Kernel, PLAN);
    let mut flows = Numbered::four();
    warm_up(&mut flows, &world);
    let pid = Pid::from_raw(world.pid() as i32).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    let start = Instant::now();
    let (mut early, mut latest) = (0, Duration::ZERO);
    while start.elapsed() < ALIVE_FOR * 2 {
        flows.iter_mut().for_each(|flow| flow.send(&world));
        std::thread::sleep(INTERVAL);
        let noted = note_all(&mut flows, &world);
        early += noted;
        if noted > 0 {
            latest = start.elapsed();
        }
    }
    eprintln!("{early} packets in {latest:?}");
    assert!(early > 0, "the kernel forwards while the router lives");
    assert!(latest <= ALIVE_FOR + INTERVAL * 2, "forwarded {latest:?} after the stop");
    kill_process(pid, Signal::CONT).unwrap();
    // The other packets have waited for the router. They go first.
    warm_up(&mut flows, &world);
    until(LONG, "all packets", || {
        note_all(&mut flows, &world);
        flows.iter().all(|flow| flow.arrived() == flow.sent())
    });
    for flow in &flows {
        let fate = flow.fate();
        assert_eq!((fate.lost, fate.overtaken, fate.doubled), (0, 0, 0), "{fate:?}");
    }
}

#[test]
fn a_lab_that_is_down_leaves_no_program_and_no_map() {
    if !can_run() {
        return;
    }
    let live = Live::up("two-sites", "fast");
    live.expect_pings(&[("A", "B")]);
    let programs = ["xTR1", "xTR2"].map(|router| {
        let programs = Programs::of_process(live.processes(router).trim().parse().unwrap());
        assert!(!programs.is_empty(), "{router} has no programs");
        programs
    });
    expect_success(&live.lab("down", &[]));
    for programs in programs {
        until(LONG, "the end of the programs", || programs.remains().is_empty());
    }
}
