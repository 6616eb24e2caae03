//! Finds the scenarios and overlays of a lab by their names.

use std::collections::BTreeMap;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Scenario, parse};
use crate::console::read_config;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::file::Host;
use crate::lab::file::name::LONGEST as LONGEST_NAME;
use crate::lab::loaded::SCENARIOS as DIRECTORY;
use crate::lab::roaming::{self, Site};
use crate::lab::texts::overlaid;

/// The end of the file name of a scenario.
pub const ENDING: &str = ".scenario";
/// The end of the name of a file that scenarios include.
pub const INCLUDE: &str = ".include";

/// Returns the names of a lab's scenarios.
pub fn names(lab: &Lab) -> Vec<&str> {
    let files = lab.files_in(DIRECTORY).into_iter();
    files.filter_map(|file| file.strip_suffix(ENDING)).collect()
}

/// A scenario in the list of a lab's scenarios.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "ListedScenario")]
pub struct Listed {
    /// The name of the scenario.
    pub name: String,
    /// The title. It is empty if the scenario has an error.
    pub title: String,
    /// The error in the scenario, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Returns the scenarios of a lab with their titles. A scenario with an error is in the list too.
pub fn scenarios(lab: &Lab) -> Vec<Listed> {
    let listed = |name: &str| {
        let (title, problem) = match read(lab, name) {
            Ok(scenario) => (scenario.title, None),
            Err(failure) => (String::new(), Some(failure.to_string())),
        };
        Listed { name: name.to_owned(), title, problem }
    };
    names(lab).into_iter().map(listed).collect()
}

/// Checks that a scenario also runs in namespaces. `path` is its file, for the message.
///
/// # Errors
/// The scenario runs only on the simulator.
pub fn expect_namespaces(scenario: &Scenario, path: &str) -> Result<(), Failure> {
    match scenario.only_simulated {
        true => Err(Failure::Other(format!(
            "{path} runs only on the simulator, because it waits for minutes: add --sim"
        ))),
        false => Ok(()),
    }
}

/// Returns the scenario of the lab for `name`. [`find_name`] describes the form of `name`.
///
/// # Errors
/// The errors of [`find_name`], or the scenario has an error.
pub fn find(lab: &Lab, name: &str) -> Result<Scenario, Failure> {
    read(lab, find_name(lab, name)?)
}

/// Returns the name of the scenario of the lab for `name`. `name` is a complete name, or the
/// beginning of exactly one name. The part before the first dash is enough: `x1` is the scenario
/// `x1-...` and not `x10-...`.
///
/// # Errors
/// There is no scenario for this name, or more than one.
pub fn find_name<'lab>(lab: &'lab Lab, name: &str) -> Result<&'lab str, Failure> {
    let advice = format!(
        "; for a scenario file outside the lab, give its path, for example ./{name}{ENDING}"
    );
    choose(lab, "scenario", &names(lab), name, &advice)
}

/// Returns the name among `names` that `name` is, or that begins with `name`, as for [`find_name`].
/// `kind` is the kind of the names, and `advice` ends the error about an unknown name.
///
/// # Errors
/// There is no such name, or more than one.
pub fn choose<'lab>(
    lab: &Lab,
    kind: &str,
    names: &[&'lab str],
    name: &str,
    advice: &str,
) -> Result<&'lab str, Failure> {
    match meant(names, name)[..] {
        [one] => Ok(one),
        [] => {
            let known = match names.is_empty() {
                true => format!("the lab has no {kind}s"),
                false => format!("the {kind}s of the lab are {}", names.join(", ")),
            };
            let lab = &lab.name;
            Err(Failure::Other(format!("lab {lab} has no {kind} {name:?}; {known}{advice}")))
        }
        ref fits => Err(Failure::Other(format!(
            "{name:?} is ambiguous: it is the beginning of {}",
            fits.join(" or ")
        ))),
    }
}

/// Returns the items of `names` for which `name` can stand, as [`find_name`] describes.
fn meant<'n>(names: &[&'n str], name: &str) -> Vec<&'n str> {
    let whole = format!("{name}-");
    let fits = |fit: &dyn Fn(&str) -> bool| -> Vec<&'n str> {
        names.iter().copied().filter(|known| fit(known)).collect()
    };
    match fits(&|known| known == name || known.starts_with(&whole)) {
        none if none.is_empty() => fits(&|known| known.starts_with(name)),
        some => some,
    }
}

/// Reads one scenario of a lab.
pub fn read(lab: &Lab, name: &str) -> Result<Scenario, Failure> {
    read_named(lab, &format!("{name}{ENDING}"))
}

fn read_named(lab: &Lab, name: &str) -> Result<Scenario, Failure> {
    let file = format!("{DIRECTORY}/{name}");
    let text = lab.text(&file)?;
    Ok(parse(&lab.path(&file), text, &lab.file, &|name| beside(lab, name))?)
}

/// Returns the text of a file that a scenario of the lab includes.
pub fn beside(lab: &Lab, name: &str) -> Result<String, Failure> {
    lab.text(&format!("{DIRECTORY}/{name}")).map(str::to_owned)
}

/// Returns the overlays for `name`. `name` is the name of a file that scenarios include, without
/// `.include`, or the name of a scenario as in [`find`].
///
/// # Errors
/// The errors of [`find`], or the scenario has no overlay.
pub fn overlays(lab: &Lab, name: &str) -> Result<BTreeMap<String, String>, Failure> {
    let files = lab.files_in(DIRECTORY);
    let include = format!("{name}{INCLUDE}");
    if files.contains(&include.as_str()) {
        return overlays_of(read_named(lab, &include)?);
    }
    let scenario = find(lab, name).map_err(|failure| {
        let known = files.iter().filter_map(|file| file.strip_suffix(INCLUDE));
        let known = known.collect::<Vec<_>>().join(", ");
        match known.is_empty() {
            true => failure,
            false => Failure::Other(format!("{failure}; the lab has the overlays {known}")),
        }
    })?;
    overlays_of(scenario)
}

/// Returns the overlays of a scenario. Returns an error if it has none.
pub fn overlays_of(scenario: Scenario) -> Result<BTreeMap<String, String>, Failure> {
    match scenario.overlays.is_empty() {
        true => Err(Failure::Other(format!("{}: this scenario has no overlay", scenario.path))),
        false => Ok(scenario.overlays),
    }
}

/// Looks for an overlay of the lab that adds the missing configuration of a port for a host.
/// Returns the name of the overlay, or `None` if no overlay does this.
pub fn overlay_for(lab: &Lab, node: &str, site: &Site<'_>, host: &Host) -> Option<String> {
    let (_, file) = lab.file.routers().find(|(name, _)| *name == node)?;
    let text = lab.text(file).ok()?;
    let mut names =
        lab.files_in(DIRECTORY).into_iter().filter_map(|file| file.strip_suffix(INCLUDE));
    let fits = |name: &&str| {
        let overlays = overlays(lab, name).unwrap_or_default();
        let laid = overlays.get(node).map(|overlay| overlaid(text, overlay));
        let config = laid.map(|text| read_config(file, &text).config);
        config.is_some_and(|config| {
            roaming::strange(host, Site { config: &config, ..*site }).is_empty()
        })
    };
    names.find(fits).map(str::to_owned)
}

/// Makes a name for the lab in which a scenario runs: the name of the scenario's file, a dash, and
/// `end`. `end` makes the name unique. Characters that a lab's name may not have are replaced. A
/// name that is too long is shortened before the dash.
pub fn lab_name_for(scenario: &Scenario, end: &str) -> String {
    let stem = Path::new(&scenario.path).file_stem().unwrap_or_default().to_string_lossy();
    let fits = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let stem: String = stem.chars().map(fits).collect();
    let room = LONGEST_NAME.saturating_sub(end.len() + 1);
    let stem = stem.trim_matches('-');
    let stem = stem.get(..room).unwrap_or(stem).trim_end_matches('-');
    let stem = if stem.is_empty() { "scenario" } else { stem };
    format!("{stem}-{end}")
}

/// Returns the configuration of a router with the scenario's overlay added.
pub fn overlaid_text(
    lab: &Lab,
    scenario: &Scenario,
    node: &str,
    file: &str,
) -> Result<String, Failure> {
    let text = lab.text(file)?;
    Ok(match scenario.overlays.get(node) {
        Some(overlay) => overlaid(text, overlay),
        None => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lab_is_named_after_its_scenario_as_far_as_names_go() {
        let named = |path: &str| {
            let scenario = Scenario { path: path.to_owned(), ..Scenario::default() };
            lab_name_for(&scenario, "1234567")
        };
        assert_eq!(named("lab/gsmr/scenarios/g3-move.scenario"), "g3-move-1234567");
        assert_eq!(named("x6-unsolicited-reply.scenario"), "x6-unsolicited-r-1234567");
        assert_eq!(named("/tmp/my (new) one.scenario"), "my--new--one-1234567");
        for path in ["", "-.scenario", "Überall.scenario", "x3-more-specifics-and.scenario"] {
            let name = named(path);
            assert!(crate::lab::file::name::lab(&name).is_ok(), "{path}: {name}");
        }
    }
}
