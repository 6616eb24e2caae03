//! Finds a lab: a directory, a name under `./lab`, a lab that is up, or a built-in lab.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::paths::{self, FILES, RUN};
use super::plan::Options;
use super::text;
use crate::lab::Lab;
use crate::lab::built_in;
use crate::lab::failure::Failure;
use crate::lab::file::{LabFile, name};
use crate::lab::loaded::{LESSONS, SCENARIOS};
use crate::lab::texts::Texts;
use crate::private;

/// A file in the directory of a running lab. It contains the path of the directory with the lab's
/// files.
pub(super) const ORIGIN: &str = "origin";
/// A file in the directory of a running lab. It contains the arguments of the `eidway lab up` that
/// has started the lab.
const ASKED_FOR: &str = "asked-for";
/// A file in the directory of a running lab. It exists if the lab's routers forward each packet
/// separately, without segmentation offload.
const NO_OFFLOAD: &str = "no-offload";
/// A file in the directory of a running lab. It contains the data path that was chosen for the
/// lab's routers.
const DATA_PATH: &str = "data-path";

/// Finds the lab that has the name `what` or is in the directory `what`, and reads its files. If
/// `name` is given, the lab gets this name.
///
/// `what` is searched in these places, in this order: a directory, a name under `./lab`, a lab that
/// is up, a built-in lab.
///
/// # Errors
/// The lab is in none of these places, the lab file is incorrect, or another user may have changed
/// files in `/run`.
pub fn open(what: &str, name: Option<&str>) -> Result<Lab, Failure> {
    if let Some(name) = name {
        name::lab(name).map_err(Failure::new)?;
    }
    // The files in `/run` show which labs are up. So they are not used if another user could have
    // changed them.
    private::expect_unspoilt(Path::new(RUN)).map_err(Failure::new)?;
    let mut lab = find(what, name.is_none_or(|name| name == what))?;
    if let Some(name) = name {
        lab.name = name.to_owned();
    }
    // This file exists if the lab is up.
    let remembered = text::read(&paths::run(&lab).join(ASKED_FOR)).ok();
    lab.asked_for = remembered.unwrap_or_else(|| match name {
        Some(name) if name != what => format!("{what} --name {name}"),
        _ => what.to_owned(),
    });
    Ok(lab)
}

/// Finds the lab for `what`. If a lab with the name `what` is up, `is_meant` says whether the
/// caller wants this running lab. If `is_meant` is false, only the files of the running lab are
/// used, and only if no built-in lab has the name `what`. Files in the directory of the running lab
/// are then read into memory as texts: the running lab removes these files when it ends, so another
/// lab must not depend on them.
fn find(what: &str, is_meant: bool) -> Result<Lab, Failure> {
    for directory in [PathBuf::from(what), Path::new("lab").join(what)] {
        if directory.join("lab.toml").is_file() {
            expect_meant(what, &directory)?;
            return read(&directory);
        }
    }
    let up = name::lab(what)
        .ok()
        .and_then(|()| text::read(&Path::new(RUN).join(what).join(ORIGIN)).ok());
    if is_meant && let Some(origin) = &up {
        let mut lab = read(Path::new(origin.trim_end()))?;
        what.clone_into(&mut lab.name);
        return Ok(lab);
    }
    if let (None, Some(origin)) = (built_in::find(what), &up) {
        let mut lab = read(Path::new(origin.trim_end()))?;
        lab.directory = lab.directory.filter(|directory| !directory.starts_with(RUN));
        lab.set_text("lab.toml", lab.file.text.clone());
        return Ok(lab);
    }
    built_in::find(what).unwrap_or_else(|| {
        let known: Vec<_> = built_in::names().collect();
        Err(Failure::Other(format!(
            "there is no lab {what:?}: give a directory with a lab.toml, or the name of a lab \
             under ./lab, of a lab that is up, or of a built-in lab ({})",
            known.join(", ")
        )))
    })
}

/// Reads the lab in this directory.
fn read(directory: &Path) -> Result<Lab, Failure> {
    let directory = directory.canonicalize().map_err(Failure::io(directory.display()))?;
    // Messages are shorter with a relative path.
    let here = std::env::current_dir().unwrap_or_default();
    let called = directory.strip_prefix(here).unwrap_or(&directory).to_owned();
    let path = called.join("lab.toml");
    let text = text::read(&directory.join("lab.toml")).map_err(Failure::io(path.display()))?;
    let file = LabFile::parse(&path.display().to_string(), &text)?;
    let files_in = |folder: &'static str| {
        let entries = fs::read_dir(directory.join(folder)).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        names.map(move |name| format!("{folder}/{name}"))
    };
    let configs = file.routers().map(|(_, config)| config.to_owned());
    let texts: Texts = configs
        .chain(files_in(SCENARIOS))
        .chain(files_in(LESSONS))
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

/// Returns the options for the data path with which the routers of the running lab `name` were
/// started.
pub fn data_path_options(name: &str) -> Options {
    let run = Path::new(RUN).join(name);
    let data_path = text::read(&run.join(DATA_PATH)).ok();
    Options {
        no_offload: run.join(NO_OFFLOAD).exists(),
        data_path: data_path.and_then(|word| word.parse().ok()).unwrap_or_default(),
        ..Options::default()
    }
}

/// Creates the directory of a running lab. Writes into it the path of the directory with the lab's
/// files, the arguments of `eidway lab up`, and the options for the data path of the routers. If
/// the lab has no directory of its own, its files are copied into the directory of the running lab.
pub fn settle(lab: &Lab, options: Options) -> Result<(), Failure> {
    let run = paths::run(lab);
    let settle = || {
        private::make_runtime()?;
        private::directory(&run)?;
        let copies = lab.directory.is_none().then(|| lab.texts());
        for (name, text) in copies.into_iter().flatten() {
            copy(&run, &Path::new(FILES).join(name), text)?;
        }
        for (node, config) in lab.file.routers() {
            copy_completed(lab, node, config)?;
        }
        if options.no_offload {
            private::write(&run.join(NO_OFFLOAD), "")?;
        }
        private::write(&run.join(DATA_PATH), options.data_path.to_string())?;
        private::write(&run.join(ASKED_FOR), &lab.asked_for)?;
        private::write(&run.join(ORIGIN), format!("{}\n", paths::files(lab).display()))
    };
    settle().map_err(Failure::new)
}

/// If `core = "auto"` has added lines to the configurations of a lab, writes the longer
/// configuration of a router into the directory of the running lab.
///
/// # Errors
/// The file cannot be written.
pub fn copy_completed(lab: &Lab, node: &str, config: &str) -> std::io::Result<()> {
    match lab.text(config) {
        Ok(text) if lab.directory.is_some() && lab.chosen.has_changed_configs => {
            copy(&paths::run(lab), &paths::completed(node), text)
        }
        _ => Ok(()),
    }
}

/// Writes a file below the directory of a running lab.
fn copy(run: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    private::directory_below(run, path.parent().unwrap_or(Path::new("")))?;
    private::write(&run.join(path), text)
}

/// Returns the name under which the lab `what` runs. This works even if the lab file has an error
/// now, because a lab that is up can always be taken down.
pub fn name_of(what: &str, name: Option<&str>) -> Result<String, Failure> {
    match (open(what, name), name) {
        (Ok(lab), _) => Ok(lab.name),
        (Err(_), Some(name)) => name::lab(name).map(|()| name.to_owned()).map_err(Failure::new),
        (Err(_), None) => name::lab(what).map(|()| what.to_owned()).map_err(Failure::new),
    }
}

/// Returns an error if root may have named the directory of another user by mistake. This is so if
/// `what` has no slash, and if `directory` or its lab file belongs neither to root nor to the owner
/// of the current directory. Root would then bring up the lab of that user and not the intended
/// lab. Only root needs this check.
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

/// Returns the names of the labs that can be brought up by name from the current directory. Each
/// name has the title of the lab, or the error if the lab cannot be read.
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
