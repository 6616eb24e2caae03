//! Finding a lab: a directory, a name under `./lab`, a lab that is up, or one built into Eidway.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::paths::{self, FILES, RUN};
use super::text;
use crate::lab::Lab;
use crate::lab::built_in;
use crate::lab::failure::Failure;
use crate::lab::file::{LabFile, name};
use crate::lab::loaded::{SCENARIOS, Texts};
use crate::private;

/// The file in a running lab's directory with the path of the lab's directory.
const ORIGIN: &str = "origin";
/// The file in this directory with the arguments of `eidway lab up`.
const ASKED_FOR: &str = "asked-for";
/// The file in this directory that exists if the lab's routers forward packet by packet.
const NO_OFFLOAD: &str = "no-offload";

/// Finds the lab with the name or directory `what` and reads its files; `name` overrides its own
/// name.
///
/// The search order is: a directory, a name under `./lab`, a lab that is up, a built-in lab.
///
/// # Errors
/// No such lab, an incorrect lab file, or files in `/run` that another user may have changed.
pub fn open(what: &str, name: Option<&str>) -> Result<Lab, Failure> {
    if let Some(name) = name {
        name::lab(name).map_err(Failure::new)?;
    }
    // The files in this directory are trusted: they show which labs are up.
    private::expect_unspoilt(Path::new(RUN)).map_err(Failure::new)?;
    let mut lab = find(what)?;
    if let Some(name) = name {
        lab.name = name.to_owned();
    }
    // A lab that is up has this file.
    let remembered = text::read(&paths::run(&lab).join(ASKED_FOR)).ok();
    lab.asked_for = remembered.unwrap_or_else(|| match name {
        Some(name) if name != what => format!("{what} --name {name}"),
        _ => what.to_owned(),
    });
    Ok(lab)
}

fn find(what: &str) -> Result<Lab, Failure> {
    for directory in [PathBuf::from(what), Path::new("lab").join(what)] {
        if directory.join("lab.toml").is_file() {
            expect_meant(what, &directory)?;
            return read(&directory);
        }
    }
    if name::lab(what).is_ok()
        && let Ok(origin) = text::read(&Path::new(RUN).join(what).join(ORIGIN))
    {
        let mut lab = read(Path::new(origin.trim_end()))?;
        what.clone_into(&mut lab.name);
        return Ok(lab);
    }
    built_in::find(what).unwrap_or_else(|| {
        let known: Vec<_> = built_in::names().collect();
        Err(Failure::Other(format!(
            "no lab {what:?}: it is not a directory with a lab.toml, not a lab under ./lab, not a \
             lab that is up, and not a built-in lab ({})",
            known.join(", ")
        )))
    })
}

/// Reads the lab in a directory.
fn read(directory: &Path) -> Result<Lab, Failure> {
    let directory = directory.canonicalize().map_err(Failure::io(directory.display()))?;
    // A relative path is shorter to read.
    let here = std::env::current_dir().unwrap_or_default();
    let called = directory.strip_prefix(here).unwrap_or(&directory).to_owned();
    let path = called.join("lab.toml");
    let text = text::read(&directory.join("lab.toml")).map_err(Failure::io(path.display()))?;
    let file = LabFile::parse(&path.display().to_string(), &text)?;
    let scenarios = fs::read_dir(directory.join(SCENARIOS)).into_iter().flatten().flatten();
    let scenarios = scenarios.filter_map(|entry| entry.file_name().into_string().ok());
    let scenarios = scenarios.map(|name| format!("{SCENARIOS}/{name}"));
    let configs = file.routers().map(|(_, config)| config.to_owned());
    let texts: Texts = configs
        .chain(scenarios)
        .map(|file| {
            let text = text::read(&directory.join(&file));
            let named = |error| format!("{}: {error}", called.join(&file).display());
            let text = text.map_err(named);
            (file, text)
        })
        .collect();
    let mut lab = Lab::new(file, texts);
    (lab.directory, lab.called) = (Some(directory), called);
    Ok(lab)
}

/// Whether the routers of the lab that runs as `name` forward packet by packet.
pub fn forwards_packet_by_packet(name: &str) -> bool {
    Path::new(RUN).join(name).join(NO_OFFLOAD).exists()
}

/// Makes the running lab's directory. Writes into it the path of the lab's directory and whether
/// the routers forward packet by packet (`no_offload`). Copies the lab's files into it if no other
/// directory has them.
pub fn settle(lab: &Lab, no_offload: bool) -> Result<(), Failure> {
    let run = paths::run(lab);
    let settle = || {
        private::make_runtime()?;
        private::directory(&run)?;
        let copies = lab.directory.is_none().then(|| lab.texts());
        for (name, text) in copies.into_iter().flatten() {
            let path = Path::new(FILES).join(name);
            private::directory_below(&run, path.parent().unwrap_or(Path::new("")))?;
            private::write(&run.join(path), text)?;
        }
        if no_offload {
            private::write(&run.join(NO_OFFLOAD), "")?;
        }
        private::write(&run.join(ASKED_FOR), &lab.asked_for)?;
        private::write(&run.join(ORIGIN), format!("{}\n", paths::files(lab).display()))
    };
    settle().map_err(Failure::new)
}

/// The name at run time of the lab `what`, even if its file was broken after the lab came up: it
/// must be possible to take down a lab that is up.
pub fn name_of(what: &str, name: Option<&str>) -> Result<String, Failure> {
    match (open(what, name), name) {
        (Ok(lab), _) => Ok(lab.name),
        (Err(_), Some(name)) => name::lab(name).map(|()| name.to_owned()).map_err(Failure::new),
        (Err(_), None) => name::lab(what).map(|()| what.to_owned()).map_err(Failure::new),
    }
}

/// Refuses a directory with the name of a lab if it belongs to another user: root would bring up
/// the lab of that user instead of the intended lab. For users other than root this is not a risk.
fn expect_meant(what: &str, directory: &Path) -> Result<(), Failure> {
    if what.contains('/') || !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let owner = |path: &Path| fs::metadata(path).map(|found| found.uid());
    let owners = [directory, &directory.join("lab.toml")].map(owner);
    let here = owner(Path::new(".")).unwrap_or_default();
    let stranger = owners.into_iter().flatten().find(|&owner| owner != 0 && owner != here);
    stranger.map_or(Ok(()), |user| {
        let place = directory.display();
        Err(Failure::Other(format!(
            "{what:?} is also the directory {place} of user {user}: write ./{place} to use this \
             directory"
        )))
    })
}

/// The labs that can be brought up from the current directory by name, with their titles.
pub fn available() -> Vec<(String, String)> {
    let here = fs::read_dir("lab").into_iter().flatten().flatten();
    let mut names: Vec<String> = here
        .filter(|entry| entry.path().join("lab.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .chain(built_in::names().map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    let title = |name: &str| match open(name, None) {
        Ok(lab) => lab.file.title.unwrap_or_default(),
        Err(error) => error.to_string(),
    };
    names.into_iter().map(|name| (name.clone(), title(&name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_wins_over_a_built_in_lab_and_a_name_overrides_the_files() {
        let own = tempfile::tempdir().unwrap();
        fs::write(own.path().join("lab.toml"), "name = \"mine\"").unwrap();
        let lab = open(own.path().to_str().unwrap(), None).unwrap();
        assert_eq!(lab.name, "mine");
        let lab = open(own.path().to_str().unwrap(), Some("other")).unwrap();
        assert_eq!(paths::namespace(&lab, "A"), "eidway-other-A");
        assert!(open("gsmr", Some("no/name")).is_err());
        assert!(open("no-such-lab", None).is_err());
    }

    #[test]
    fn a_lab_can_come_down_when_its_file_is_gone() {
        assert_eq!(name_of("was-here-once", None).unwrap(), "was-here-once");
        assert!(name_of("../etc", None).is_err());
    }
}
