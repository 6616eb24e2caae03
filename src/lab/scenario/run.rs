//! Runs a scenario in namespaces or on the simulator: brings the lab up, plays the scenario and
//! reports whether it succeeded.

use std::io::Write;

use super::play::play_with;
use super::stage::{Evidence, Stage};
use super::{Scenario, recovery};
use crate::lab::failure::Failure;
use crate::lab::impairment::Impairment;
use crate::lab::{Lab, wiring};

/// The commands that run on each router if a scenario has failed.
const SHOWS: [&str; 12] = [
    "show running-config",
    "show ip route",
    "show ip lisp map-cache",
    "show ipv6 lisp map-cache",
    "show ip lisp database",
    "show ipv6 lisp database",
    "show ip lisp away",
    "show ipv6 lisp away",
    "show ip lisp smr",
    "show ip lisp statistics",
    "show lisp session",
    "show lisp site",
];

/// The way in which a scenario is played.
#[derive(Clone, Copy, Debug, Default)]
pub struct How<'a> {
    /// The router that is killed in the middle of the scenario.
    pub kill: Option<&'a str>,
    /// The impairment of all links of the lab. It replaces the impairments of the lab file.
    pub impairment: Option<Impairment>,
    /// Whether the transcript has the paths of each ping: the path of the packet and the path of
    /// its answer. The paths of a ping with an unexpected result are always in the transcript.
    pub explains: bool,
}

/// Plays `scenario` on `lab` with the overlays of the scenario, and writes the transcript to `out`.
/// `up` brings this lab up on a stage. When the stage is dropped, it takes the lab down. If
/// [`How::kill`] names a router, the scenario is played only to its middle. Then this router is
/// killed, and the recovery of the lab is checked ([`recovery`]). Returns true if all results were
/// as expected. If not, the stage keeps files that show the reason, and the transcript has the path
/// of their directory.
///
/// # Errors
/// The lab does not have the router to kill, the lab cannot be brought up, or `out` cannot be
/// written.
pub fn run<S: Stage>(
    lab: &Lab,
    scenario: &Scenario,
    how: How<'_>,
    up: impl FnOnce(Lab) -> Result<S, Failure>,
    out: &mut dyn Write,
) -> Result<bool, Failure> {
    how.kill.map(|node| lab.expect_router(node)).transpose()?;
    let mut lab = laid_out(lab, scenario)?;
    if let Some(impairment) = how.impairment {
        lab.file.impair(&impairment);
    }
    let failed = || Failure::io("standard output");
    writeln!(out, "== {}\n== lab {}", scenario.title, lab.name).map_err(failed())?;
    let mut stage = up(lab.clone())?;
    let played = match how.kill {
        None => play_with(scenario, how.explains, &mut stage, out),
        Some(node) => recovery::play(scenario, &lab.file, node, &mut stage, out),
    };
    match played {
        Ok(()) => {
            writeln!(out, "== as expected").map_err(failed())?;
            Ok(true)
        }
        Err(stopped) => {
            let shown = shows(&lab, &mut stage);
            let place = stage.keep(shown)?;
            writeln!(
                out,
                "== NOT AS EXPECTED\n{stopped}\n== the captures, logs and tables are \
                           kept in {place}"
            )
            .map_err(failed())?;
            Ok(false)
        }
    }
}

/// Returns the lab with the overlays of the scenario.
///
/// # Errors
/// The lab cannot be brought up with these overlays.
pub(super) fn laid_out(lab: &Lab, scenario: &Scenario) -> Result<Lab, Failure> {
    let lab = lab.with_overlay(&scenario.path, &scenario.overlays)?;
    wiring::expect(&lab)?;
    Ok(lab)
}

/// Returns the tables of all routers. There is one file for each router. If a router refuses to
/// show a table, the table is omitted.
fn shows(lab: &Lab, stage: &mut dyn Stage) -> Vec<Evidence> {
    let of = |(node, _): (&str, &str)| {
        stage.end_session(node);
        let mut shows = String::new();
        for command in SHOWS {
            if let Ok(reply) = stage.console(node, command)
                && reply.done.ok
            {
                shows.push_str(&format!("{node}#{command}\n{}\n", reply.text));
            }
        }
        (format!("{node}.show"), shows.into_bytes())
    };
    lab.file.routers().map(of).collect()
}
