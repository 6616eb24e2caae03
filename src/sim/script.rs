//! Plays a scenario on the simulator. Stores the actions of the scenario, so that the run can be
//! repeated.

use std::time::Duration;

use super::stage::{Options, Simulated};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::scenario::play::{Played, play_each};
use crate::lab::scenario::{Scenario, library};
use crate::rng::Seed;
use crate::watch::script::{Script, Statement};

/// Returns a lab and its scenario `name`. The overlays of the scenario are applied to the returned
/// lab.
///
/// # Errors
/// The lab has no scenario `name`, or the scenario has an error.
pub fn prepared(lab: &Lab, name: &str) -> Result<(Lab, Scenario), Failure> {
    let scenario = library::read(lab, name)?;
    let with_overlays = lab.with_overlay(&scenario.path, &scenario.overlays)?;
    Ok((with_overlays, scenario))
}

/// Plays a scenario in a lab that has just been switched on. A scenario that stops early is a
/// result and not an error: [`Script::stopped`] has the reason. To repeat the run, start the lab of
/// [`prepared`] with the same seed, and carry out the actions in [`Script::hands`].
///
/// # Errors
/// The lab has no scenario `name`, or the lab cannot be brought up.
pub fn script(lab: &Lab, name: &str, seed: Seed) -> Result<Script, Failure> {
    let (lab, scenario) = prepared(lab, name)?;
    let mut stage = Simulated::start(lab, Options::new(seed))?;
    stage.keep_deeds();
    stage.register()?;
    let began = stage.sim().now();
    let micros = |at: Duration| (began + at).0;
    let mut statements = Vec::new();
    let mut told = |played: Played<'_>| {
        statements.push(Statement {
            path: played.step.path.clone(),
            line: played.step.line,
            text: played.step.text.clone(),
            began: micros(played.began),
            ended: micros(played.ended),
            transcript: played.transcript,
        });
    };
    let stopped = play_each(&scenario, &mut stage, &mut told).err();
    Ok(Script {
        name: name.to_owned(),
        title: scenario.title,
        hands: stage.take_deeds(),
        statements,
        began: began.0,
        end: stage.sim().now().0,
        stopped: stopped.map(|stopped| stopped.to_string()),
    })
}
