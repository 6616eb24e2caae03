//! `lab explain` in namespaces, with the table of cases of the simulator. There is one lab. Each
//! fault is made in it and taken back.

#[path = "../explain_cases/mod.rs"]
mod explain_cases;

use eidway::lab::explain::explain;
use eidway::lab::explain::journey::Question;
use eidway::lab::running::RunningLab;
use eidway::netns::open::open;
use eidway::netns::stage::Namespaces;
use eidway::netns::time_limit::TimeLimit;

use crate::live::*;
use explain_cases::{CASES, Case, Change, Fault, LAB, SLOW};

fn set(live: &Live, lab: &mut Namespaces, fault: &Fault, on: bool) {
    match fault.set(lab, on) {
        Some(Change::Command(node, command)) => drop(live.shell(node, command)),
        Some(Change::Runs(node, runs)) => {
            lab.end_session(node);
            let verb = if runs { "start" } else { "stop" };
            expect_success(&live.lab(verb, &[node]));
        }
        None => {}
    }
}

/// Makes the faults of a case, and waits for the right explanation. Takes the faults back. Returns
/// the fault of the explanation.
fn play(live: &Live, lab: &mut Namespaces, case: &Case) -> Result<(), String> {
    case.faults.iter().for_each(|fault| set(live, lab, fault, true));
    let limit = TimeLimit::of(LONG);
    let mut journey = case.explain(lab);
    while !case.is_right(&journey) && limit.pause() {
        journey = case.explain(lab);
    }
    case.faults.iter().rev().for_each(|fault| set(live, lab, fault, false));
    match case.is_right(&journey) {
        true => Ok(()),
        false => Err(format!("{}: {:?}\n{journey}", case.name, journey.lost)),
    }
}

#[test]
fn each_way_to_lose_a_packet_is_explained_in_namespaces_too() {
    let live = Live::up(LAB, "expl");
    let mut lab = Namespaces::attach(open(&live.name, None).unwrap());
    let healthy = Question {
        from: "A".to_owned(),
        to: "192.168.0.22".parse().unwrap(),
        size: 100,
        df: false,
    };
    let mut wrong = Vec::new();
    let (quick, slow) = CASES.split_at(CASES.len() - SLOW);
    for case in quick {
        let limit = TimeLimit::of(LONG * 2);
        if let Err(error) = play(&live, &mut lab, case) {
            wrong.push(error);
        }
        let mut journey = explain(&mut lab, &healthy).unwrap();
        while !journey.returns && limit.pause() {
            journey = explain(&mut lab, &healthy).unwrap();
        }
        println!("{:45} {:.1} s", case.name, limit.spent().as_secs_f64());
        assert!(journey.returns, "after {}: {journey}", case.name);
    }
    assert_eq!(live.ping("A", "B", &[]), "!!!!!");
    // The ping has filled the map-caches. With a mapping, a router asks no map-resolver.
    for router in ["xTR1", "xTR2"] {
        lab.console(router, "clear ip lisp map-cache").unwrap();
    }
    wrong.extend(slow.iter().filter_map(|case| play(&live, &mut lab, case).err()));
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.join("\n\n"));
}
