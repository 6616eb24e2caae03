//! Finding a lab's scenarios, and playing one in namespaces from bringing up to taking down.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use super::namespaces::Namespaces;
use super::play::play;
use super::{Scenario, parse, recovery};
use crate::console::parse_config;
use crate::lab::failure::Failure;
use crate::lab::file::Host;
use crate::lab::file::name::LONGEST as LONGEST_NAME;
use crate::lab::open::{self, Lab, SCENARIOS as DIRECTORY};
use crate::lab::roaming::{self, Site};
use crate::lab::{console, run, text};
use crate::private;

/// What the files of scenarios end with, and those that they include.
const ENDING: &str = ".scenario";
const INCLUDE: &str = ".include";
/// What a router is asked when a scenario has failed.
pub const SHOWS: [&str; 12] = [
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

/// The names of a lab's scenarios.
pub fn names(lab: &Lab) -> Vec<String> {
    let files = lab.files_in(DIRECTORY);
    files.iter().filter_map(|file| file.strip_suffix(ENDING)).map(str::to_owned).collect()
}

/// The scenario that `name` means: the path of a file, a name, or the only name that it begins. What
/// stands before the first dash is enough, so `x1` is not `x10-...`. A path has a slash, or ends with
/// `.scenario`.
pub fn find(lab: &Lab, name: &str) -> Result<Scenario, Failure> {
    if name.contains('/') || name.ends_with(ENDING) {
        return read_file(lab, Path::new(name));
    }
    let names = names(lab);
    let whole = format!("{name}-");
    let mut fits: Vec<&String> =
        names.iter().filter(|known| *known == name || known.starts_with(&whole)).collect();
    if fits.is_empty() {
        fits = names.iter().filter(|known| known.starts_with(name)).collect();
    }
    match fits[..] {
        [one] => read(lab, one),
        [] => Err(Failure::Other(format!(
            "lab {} has no scenario {name:?}: it has {}; a file elsewhere is named by its path, \
             ./{name}{ENDING}",
            lab.name,
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        ))),
        _ => {
            let fits: Vec<&str> = fits.iter().map(|name| name.as_str()).collect();
            Err(Failure::Other(format!("{name:?} may be {}", fits.join(" or "))))
        }
    }
}

/// Reads one scenario.
pub fn read(lab: &Lab, name: &str) -> Result<Scenario, Failure> {
    read_named(lab, &format!("{name}{ENDING}"))
}

fn read_named(lab: &Lab, name: &str) -> Result<Scenario, Failure> {
    let file = format!("{DIRECTORY}/{name}");
    let text = lab.text(&file)?;
    let path = lab.config(&file);
    // Shorter to read, and the same file.
    let here = std::env::current_dir().unwrap_or_default();
    let path = path.strip_prefix(here).unwrap_or(&path);
    let beside = |name: &str| lab.text(&format!("{DIRECTORY}/{name}"));
    Ok(parse(&path.display().to_string(), &text, &lab.file, &beside)?)
}

/// Reads a scenario for `lab` from any file. What it includes stands beside it, or beside the lab's own
/// scenarios.
pub fn read_file(lab: &Lab, path: &Path) -> Result<Scenario, Failure> {
    let text = text::read(path).map_err(Failure::io(path.display()))?;
    let beside = |name: &str| {
        let file = path.with_file_name(name);
        match file.exists() {
            true => text::read(&file).map_err(Failure::io(file.display())),
            false => lab.text(&format!("{DIRECTORY}/{name}")),
        }
    };
    Ok(parse(&path.display().to_string(), &text, &lab.file, &beside)?)
}

/// The configuration that `name` lays over a lab's: a file that scenarios include, by its name without
/// `.include` or by its path, or a scenario, as [`find`] knows it.
pub fn overlays(lab: &Lab, name: &str) -> Result<BTreeMap<String, String>, Failure> {
    let include = format!("{name}{INCLUDE}");
    let scenario = if name.ends_with(INCLUDE) {
        read_file(lab, Path::new(name))?
    } else if lab.files_in(DIRECTORY).contains(&include) {
        read_named(lab, &include)?
    } else {
        find(lab, name).map_err(|failure| {
            let files = lab.files_in(DIRECTORY);
            let known = files.iter().filter_map(|file| file.strip_suffix(INCLUDE));
            let known = known.collect::<Vec<_>>().join(", ");
            match known.is_empty() {
                true => failure,
                false => Failure::Other(format!("{failure}; to be laid over it, it has {known}")),
            }
        })?
    };
    match scenario.overlays.is_empty() {
        true => Err(Failure::Other(format!("{}: it has no overlay", scenario.path))),
        false => Ok(scenario.overlays),
    }
}

/// The name of an overlay that makes a port ready for a host, if the lab has one.
pub fn overlay_for(lab: &Lab, node: &str, site: &Site<'_>, host: &Host) -> Option<String> {
    let (_, file) = lab.file.routers().find(|(name, _)| *name == node)?;
    let text = lab.text(file).ok()?;
    let files = lab.files_in(DIRECTORY);
    let mut names = files.iter().filter_map(|file| file.strip_suffix(INCLUDE));
    let fits = |name: &&str| {
        let overlays = overlays(lab, name).unwrap_or_default();
        let laid = overlays.get(node).map(|overlay| open::overlaid(&text, overlay));
        let config = laid.and_then(|text| parse_config(file, &text).ok());
        config.is_some_and(|config| {
            roaming::strange(host, Site { config: &config, ..*site }).is_empty()
        })
    };
    names.find(fits).map(str::to_owned)
}

/// A name for the lab in which a scenario is played: its file's name, as far as a lab may be called
/// so, and `end`, which makes it the only one.
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

/// Brings `lab` up as `name` with the scenario's overlays, plays it, and takes it down; with `kill`,
/// it plays to the middle, kills that router and sees what becomes of the lab ([`recovery`]). The
/// transcript goes to `out`. True when all was as expected; otherwise what is needed to find out
/// why is kept in a directory that the transcript names.
pub fn run(
    lab: &Lab,
    scenario: &Scenario,
    name: &str,
    kill: Option<&str>,
    out: &mut dyn Write,
) -> Result<bool, Failure> {
    if scenario.only_simulated {
        let path = &scenario.path;
        return Err(Failure::Other(format!(
            "{path} waits too long for real time: it is only simulated, by lab run --sim"
        )));
    }
    kill.map(|node| lab.expect_router(node)).transpose()?;
    Namespaces::expect_programs()?;
    let mut lab = lab.clone();
    lab.name = name.to_owned();
    let lab = lab.with_overlay(&scenario.path, &scenario.overlays)?;
    let mut say = |text: &str| writeln!(out, "{text}").map_err(Failure::io("standard output"));
    say(&format!("== {}\n== lab {}", scenario.title, lab.name))?;
    run::up(&lab, false, false, &mut |_| ())?;
    let _down = Down(&lab.name);
    let directory = open::kept(name)?;
    let stage = Namespaces::new(&lab, directory.clone());
    let played = stage.map(|mut stage| match kill {
        None => play(scenario, &mut stage, out),
        Some(node) => recovery::play(scenario, &lab.file, node, &mut stage, out),
    });
    match played {
        Ok(Ok(())) => {
            fs::remove_dir_all(&directory).map_err(Failure::io(directory.display()))?;
            writeln!(out, "== as expected").map_err(Failure::io("standard output"))?;
            Ok(true)
        }
        Ok(Err(stopped)) => {
            keep(&lab, &directory);
            writeln!(out, "== NOT AS EXPECTED\n{stopped}\n== kept in {}", directory.display())
                .map_err(Failure::io("standard output"))?;
            Ok(false)
        }
        Err(failure) => Err(failure),
    }
}

/// Takes the lab down, whatever happens.
struct Down<'a>(&'a str);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        if let Err(failure) = run::down(self.0, &mut |_| ()) {
            log::error!("lab {}: {failure}", self.0);
        }
    }
}

/// The configuration of a router with the scenario's laid over it.
pub fn overlaid_text(
    lab: &Lab,
    scenario: &Scenario,
    node: &str,
    file: &str,
) -> Result<String, Failure> {
    let text = lab.text(file)?;
    Ok(match scenario.overlays.get(node) {
        Some(overlay) => open::overlaid(&text, overlay),
        None => text,
    })
}

/// Keeps the configuration, tables and log of each router. A file that cannot be had is left out.
fn keep(lab: &Lab, directory: &Path) {
    for (node, config) in lab.file.routers() {
        fs::copy(lab.config(config), directory.join(format!("{node}.conf"))).ok();
        fs::copy(lab.log(node), directory.join(format!("{node}.log"))).ok();
        let mut shows = String::new();
        for command in SHOWS {
            if let Ok(text) = console::ask(&lab.socket(node), command) {
                shows.push_str(&format!("{node}#{command}\n{text}\n"));
            }
        }
        private::write(&directory.join(format!("{node}.show")), shows).ok();
    }
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
