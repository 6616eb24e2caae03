//! Makes a failing plan smaller: removes events, then parts of the topology, as long as the same
//! rule is violated.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::plan::Plan;
use crate::run::run;
use crate::topology::Topology;
use crate::watch::Violation;

/// The maximum number of runs to make a plan smaller.
const RUNS: usize = 400;

/// Returns the violation of a plan. A panic of a router is a violation too.
pub fn violation(plan: &Plan) -> Option<Violation> {
    match catch_unwind(AssertUnwindSafe(|| run(plan, None))) {
        Ok(outcome) => outcome.err(),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words =
                words.or_else(|| panic.downcast_ref::<&str>().map(|&words| words.to_owned()));
            Some(Violation {
                claim: "nothing panics",
                at: eidway::time::Time::ZERO,
                detail: words.unwrap_or_default(),
            })
        }
    }
}

/// Returns the smallest plan that was found to violate the same rule.
pub fn shrink(plan: &Plan, claim: &'static str) -> Plan {
    let mut least = plan.clone();
    let mut runs = 0;
    let mut fails = |plan: &Plan| {
        runs += 1;
        runs <= RUNS && violation(plan).is_some_and(|violation| violation.claim == claim)
    };
    loop {
        let before = least.clone();
        drop_events(&mut least, &mut fails);
        while let Some(smaller) = smaller(&least).into_iter().find(|plan| fails(plan)) {
            least = smaller;
        }
        if least == before {
            return least;
        }
    }
}

/// Removes groups of successive events: first half of the events, at the end single events.
fn drop_events(plan: &mut Plan, fails: &mut impl FnMut(&Plan) -> bool) {
    let mut len = plan.events.len();
    while len > 0 {
        let mut at = 0;
        while at < plan.events.len() {
            let mut without = plan.clone();
            without.events.drain(at..(at + len).min(plan.events.len()));
            if fails(&without) {
                *plan = without;
            } else {
                at += len;
            }
        }
        len /= 2;
    }
}

/// Returns plans that each have one part of the topology less. Events about missing parts do
/// nothing.
fn smaller(plan: &Plan) -> Vec<Plan> {
    let mut topologies = Vec::new();
    let mut less = |change: &dyn Fn(&mut Topology)| {
        let mut topology = plan.topology.clone();
        change(&mut topology);
        topologies.push(topology);
    };
    let topology = &plan.topology;
    if topology.proxy {
        less(&|topology| topology.proxy = false);
    }
    if topology.overlap {
        less(&|topology| topology.overlap = false);
    }
    if topology.roamers > 0 {
        less(&|topology| topology.roamers -= 1);
    }
    if topology.sites() > 2 {
        less(&|topology| {
            topology.lans.pop();
        });
    }
    if topology.servers.len() > 1 {
        less(&|topology| {
            topology.servers.pop();
        });
        less(&|topology| {
            topology.servers.remove(0);
        });
    }
    if topology.cores > 1 {
        less(&|topology| topology.cores -= 1);
    }
    for site in 0..topology.sites() {
        if topology.lans[site] > 1 {
            less(&|topology| topology.lans[site] -= 1);
        }
    }
    if topology.delay_ms > 0 {
        less(&|topology| topology.delay_ms = 0);
    }
    // Overlapping prefixes need reliable registration, with every map-server that is asked.
    topologies.retain(Topology::is_sound);
    let plans = topologies.into_iter().map(|topology| {
        let sites = topology.sites();
        let roamers_at = plan.roamers_at.iter().take(topology.roamers).map(|&at| at % sites);
        Plan { roamers_at: roamers_at.collect(), topology, ..plan.clone() }
    });
    plans.collect()
}
