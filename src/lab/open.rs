//! Finding a lab: a directory, a name under `./lab`, a lab that is up, or one built into Eidway.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::failure::Failure;
use super::file::LabFile;
use super::file::name::{self, SWITCH};
use super::text;
use crate::private;

/// Where running labs keep sockets, logs and process numbers: a directory each.
pub const RUN: &str = private::OF_ROOT;
/// The directory beside them where scenarios keep captures, and the evidence of a failed one. No lab's
/// name has a dot.
const KEPT: &str = ".scenarios";
/// The file in a running lab's directory that says where its lab file is.
const ORIGIN: &str = "origin";
/// The file in it with the words that brought it up.
const ASKED_FOR: &str = "asked-for";
/// The file in it that says that its routers forward packet by packet.
const NO_OFFLOAD: &str = "no-offload";

/// The directory in it with the lab's files, when they are not where a person has put them.
const FILES: &str = "lab";

/// Where a lab keeps its scenarios.
pub const SCENARIOS: &str = "scenarios";

/// Where a lab that is simulated in real time keeps its console sockets.
pub fn simulated_run(lab: &str) -> PathBuf {
    private::runtime().join(lab)
}

/// The directory with the console sockets of a lab, in namespaces or simulated.
pub fn sockets_of(lab: &str) -> PathBuf {
    let simulated = simulated_run(lab);
    if simulated.exists() { simulated } else { Path::new(RUN).join(lab) }
}

/// Refuses the directory with the console sockets of a lab when another user could have put one there,
/// and when it is another user's.
pub fn expect_own_sockets(lab: &str) -> Result<(), Failure> {
    let directory = sockets_of(lab);
    for directory in [directory.parent(), Some(&directory)].into_iter().flatten() {
        private::expect_unspoilt(directory).map_err(Failure::new)?;
    }
    let owner = fs::symlink_metadata(&directory).map(|found| found.uid());
    match owner {
        Ok(owner) if owner != rustix::process::geteuid().as_raw() => {
            let place = directory.display();
            Err(Failure::Other(format!(
                "lab {lab} is root's: use sudo ({place} is closed to others)"
            )))
        }
        _ => Ok(()),
    }
}

/// A directory of its own for a scenario that is played as `name`.
pub fn kept(name: &str) -> Result<PathBuf, Failure> {
    let base = private::make_runtime().map_err(Failure::new)?.join(KEPT);
    private::fresh(&base, name).map_err(Failure::new)
}

/// Whether the lab that runs as `name` was brought up so.
fn forwards_packet_by_packet(name: &str) -> bool {
    Path::new(RUN).join(name).join(NO_OFFLOAD).exists()
}

/// A lab that is part of the program: its files by name.
struct BuiltIn {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

macro_rules! built_in {
    ($lab:literal: $($file:literal),+ $(,)?) => {
        BuiltIn {
            name: $lab,
            files: &[$(($file, include_str!(concat!("../../lab/", $lab, "/", $file)))),+],
        }
    };
}

const BUILT_IN: [BuiltIn; 2] = [
    built_in!(
        "gsmr": "lab.toml", "xTR1.conf", "xTR2.conf", "NewMSMR.conf", "OldMSMR.conf", "PxTR1.conf",
        "scenarios/g1-deconfigured.scenario",
        "scenarios/g1b-idle-peer.scenario",
        "scenarios/g2-no-route.scenario",
        "scenarios/g2b-use-petr.scenario",
        "scenarios/g2c-expiry.scenario",
        "scenarios/g3-move.scenario",
        "scenarios/g4-overlapping.scenario",
        "scenarios/g4b-in-time.scenario",
        "scenarios/g4c-reject.scenario",
        "scenarios/k1-mask-changes.scenario",
        "scenarios/k2-mobility-in-use.scenario",
        "scenarios/r1-data-plane.scenario",
        "scenarios/r2-unreachable-locator.scenario",
        "scenarios/r3-udp-registration.scenario",
        "scenarios/r4-path-mtu.scenario",
        "scenarios/roaming-c.include",
        "scenarios/roaming.include",
        "scenarios/x1-uncached.scenario",
        "scenarios/x10-end-marker.scenario",
        "scenarios/x11-no-resolver.scenario",
        "scenarios/x12-replay.scenario",
        "scenarios/x13-late.scenario",
        "scenarios/x14-foreign-source.scenario",
        "scenarios/x15-replays.scenario",
        "scenarios/x16-names.scenario",
        "scenarios/x17-old-news.scenario",
        "scenarios/x2-flood.scenario",
        "scenarios/x3-more-specifics.scenario",
        "scenarios/x4-spoofed.scenario",
        "scenarios/x5-probe.scenario",
        "scenarios/x6-unsolicited-reply.scenario",
        "scenarios/x7-bad-key.scenario",
        "scenarios/x8-kill.scenario",
        "scenarios/x9-two-records.scenario",
    ),
    built_in!("two-sites": "lab.toml", "xTR1.conf", "xTR2.conf", "MSMR.conf"),
];

/// A lab with the name it runs under.
#[derive(Clone, Debug)]
pub struct Lab {
    /// The name that its namespaces bear: the lab file's, unless another was asked for.
    pub name: String,
    /// Where its configurations are; a built-in lab is put there when it is brought up.
    pub directory: PathBuf,
    /// Its lab file.
    pub file: LabFile,
    /// Its routers forward packet by packet, even if the kernel has segmentation offload. Of a lab
    /// that is up, what it was brought up with.
    pub no_offload: bool,
    /// The words with which a person named it: `gsmr`, or `DIRECTORY --name NAME`.
    asked_for: String,
    /// The files of a built-in lab, or of one with overlays, not yet in `directory`.
    unpacked: Vec<(String, String)>,
}

impl Lab {
    /// Finds the lab that `what` names and reads its lab file; `name` overrides the lab's own.
    ///
    /// A directory wins over a name under `./lab`, that over a lab that is up, that over a
    /// built-in one.
    pub fn open(what: &str, name: Option<&str>) -> Result<Lab, Failure> {
        if let Some(name) = name {
            name::lab(name).map_err(Failure::new)?;
        }
        // The files there say which labs are up, and are believed.
        private::expect_unspoilt(Path::new(RUN)).map_err(Failure::new)?;
        let asked_for = match name {
            Some(name) if name != what => format!("{what} --name {name}"),
            _ => what.to_owned(),
        };
        let lab = Lab::find(what, name)?;
        // One that is up remembers.
        let remembered = text::read(&lab.run().join(ASKED_FOR)).ok();
        let asked_for = remembered.unwrap_or(asked_for);
        Ok(Lab { asked_for, ..lab })
    }

    fn find(what: &str, name: Option<&str>) -> Result<Lab, Failure> {
        for directory in [PathBuf::from(what), Path::new("lab").join(what)] {
            if directory.join("lab.toml").is_file() {
                expect_meant(what, &directory)?;
                return Lab::read(&directory, name);
            }
        }
        if name::lab(what).is_ok()
            && let Ok(origin) = text::read(&Path::new(RUN).join(what).join(ORIGIN))
        {
            return Lab::read(Path::new(origin.trim_end()), name.or(Some(what)));
        }
        let Some(lab) = BUILT_IN.iter().find(|lab| lab.name == what) else {
            let known: Vec<_> = BUILT_IN.iter().map(|lab| lab.name).collect();
            return Err(Failure::Other(format!(
                "no lab {what:?}: neither a directory with a lab.toml, nor under ./lab, nor up, \
                 nor built in ({})",
                known.join(", ")
            )));
        };
        lab.open(name)
    }

    fn read(directory: &Path, name: Option<&str>) -> Result<Lab, Failure> {
        let directory = directory.canonicalize().map_err(Failure::io(directory.display()))?;
        let path = directory.join("lab.toml");
        let text = text::read(&path).map_err(Failure::io(path.display()))?;
        let file = LabFile::parse(&path.display().to_string(), &text)?;
        let name = name.unwrap_or(&file.name).to_owned();
        let no_offload = forwards_packet_by_packet(&name);
        let asked_for = String::new();
        Ok(Lab { name, directory, file, no_offload, asked_for, unpacked: Vec::new() })
    }

    /// The text of a file of the lab, such as a router's configuration.
    pub fn text(&self, file: &str) -> Result<String, Failure> {
        if let Some((_, text)) = self.unpacked.iter().find(|(name, _)| *name == file) {
            return Ok(text.clone());
        }
        let path = self.directory.join(file);
        text::read(&path).map_err(Failure::io(path.display()))
    }

    /// This lab with more configuration for its routers, by node. Its files are put into the running
    /// lab's directory when it is brought up: those that it was opened from stay as they are.
    /// `name` is what a person calls it.
    pub fn with_overlay(
        &self,
        name: &str,
        overlays: &BTreeMap<String, String>,
    ) -> Result<Lab, Failure> {
        let file = self.file.with_configs_beside()?;
        let mut unpacked = vec![("lab.toml".to_owned(), file.text.clone())];
        for ((node, from), (_, to)) in self.file.routers().zip(file.routers()) {
            let text = self.text(from)?;
            let text = match overlays.get(node) {
                Some(overlay) => overlaid(&text, overlay),
                None => text,
            };
            unpacked.push((to.to_owned(), text));
        }
        for name in self.files_in(SCENARIOS) {
            let file = format!("{SCENARIOS}/{name}");
            let text = self.text(&file)?;
            unpacked.push((file, text));
        }
        let directory = self.run().join(FILES);
        let asked_for = format!("{} --with {name}", self.asked_for);
        Ok(Lab { directory, file, unpacked, asked_for, ..self.clone() })
    }

    /// The words after `eidway lab up` that bring it up.
    pub fn asked_for(&self) -> &str {
        &self.asked_for
    }

    /// The names of the files in a directory of the lab, in order; none when it has no such.
    pub fn files_in(&self, directory: &str) -> Vec<String> {
        let built_in = self.unpacked.iter().filter_map(|(name, _)| {
            name.strip_prefix(directory)?.strip_prefix('/').map(str::to_owned)
        });
        let read = fs::read_dir(self.directory.join(directory)).into_iter().flatten().flatten();
        let read = read.filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = built_in.chain(read).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Makes the running lab's directory, notes in it where the lab file is and how its routers
    /// forward, and puts a built-in lab's files there.
    pub fn settle(&self) -> Result<(), Failure> {
        let run = self.run();
        let settle = || {
            private::make_runtime()?;
            private::directory(&run)?;
            for (name, text) in &self.unpacked {
                let path = Path::new(FILES).join(name);
                private::directory_below(&run, path.parent().unwrap_or(Path::new("")))?;
                private::write(&run.join(path), text)?;
            }
            if self.no_offload {
                private::write(&run.join(NO_OFFLOAD), "")?;
            }
            private::write(&run.join(ASKED_FOR), &self.asked_for)?;
            private::write(&run.join(ORIGIN), format!("{}\n", self.directory.display()))
        };
        settle().map_err(Failure::new)
    }

    /// `/run/eidway/LAB`.
    pub fn run(&self) -> PathBuf {
        Path::new(RUN).join(&self.name)
    }

    /// The console socket of a router.
    pub fn socket(&self, node: &str) -> PathBuf {
        self.run().join(format!("{node}.sock"))
    }

    /// The log of a router.
    pub fn log(&self, node: &str) -> PathBuf {
        self.run().join(format!("{node}.log"))
    }

    /// A router's configuration file.
    pub fn config(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    /// The namespace of a node: `eidway-LAB-NODE`.
    pub fn namespace(&self, node: &str) -> String {
        format!("eidway-{}-{node}", self.name)
    }

    /// Refuses a node that the lab does not have.
    pub fn expect_node(&self, node: &str) -> Result<(), Failure> {
        if self.file.nodes.contains_key(node) {
            return Ok(());
        }
        let nodes: Vec<_> = self.file.nodes.keys().map(String::as_str).collect();
        Err(Failure::Other(format!(
            "lab {} has no node {node:?}: it has {}",
            self.name,
            nodes.join(", ")
        )))
    }

    /// Refuses a lab that is not up in namespaces, and says how it comes up.
    pub fn expect_up(&self) -> Result<(), Failure> {
        let switch = std::iter::once(SWITCH);
        let mut nodes = self.file.nodes.keys().map(String::as_str).chain(switch);
        if nodes.any(|node| self.has_namespace(node)) {
            return Ok(());
        }
        let name = &self.name;
        let sockets = sockets_of(name);
        if self.file.routers().any(|(node, _)| sockets.join(format!("{node}.sock")).exists()) {
            return Err(Failure::Other(format!(
                "lab {name} is up on the simulator and has no namespaces: only eidway console works \
                 with it"
            )));
        }
        let others = running();
        let others = match others.is_empty() {
            true => String::new(),
            false => format!("; up is {}", others.join(", ")),
        };
        Err(Failure::Other(format!(
            "lab {name} is not up: eidway lab up {}{others}",
            self.asked_for
        )))
    }

    /// Refuses a node that has no namespace, and says how it gets one.
    pub fn expect_namespace(&self, node: &str) -> Result<(), Failure> {
        self.expect_up()?;
        if self.has_namespace(node) {
            return Ok(());
        }
        let (name, asked_for) = (&self.name, &self.asked_for);
        Err(Failure::Other(format!(
            "lab {name} is only half there: {node} has no namespace. eidway lab up {asked_for} makes \
             it anew, once eidway lab down {name} has removed the rest"
        )))
    }

    fn has_namespace(&self, node: &str) -> bool {
        Path::new("/run/netns").join(self.namespace(node)).exists()
    }

    /// The configuration file of a router; an error for any other node.
    pub fn expect_router(&self, node: &str) -> Result<&str, Failure> {
        self.expect_node(node)?;
        let mut routers = self.file.routers();
        let found = routers.find(|(name, _)| *name == node);
        found
            .map(|(_, config)| config)
            .ok_or_else(|| Failure::Other(format!("{node} is no router")))
    }
}

impl BuiltIn {
    fn open(&self, name: Option<&str>) -> Result<Lab, Failure> {
        let (_, text) = self.files[0];
        let file = LabFile::parse(&format!("(built in) {}/lab.toml", self.name), text)?;
        let name = name.unwrap_or(&file.name).to_owned();
        Ok(Lab {
            directory: Path::new(RUN).join(&name).join(FILES),
            no_offload: forwards_packet_by_packet(&name),
            name,
            file,
            asked_for: String::new(),
            unpacked: owned(self.files),
        })
    }
}

fn owned(files: &[(&str, &str)]) -> Vec<(String, String)> {
    files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// The names of the files of a built-in lab.
#[cfg(test)]
pub(super) fn built_in_files(name: &str) -> impl Iterator<Item = &'static str> {
    let lab = BUILT_IN.iter().find(|lab| lab.name == name);
    lab.into_iter().flat_map(|lab| lab.files).map(|(file, _)| *file)
}

/// The name under which the lab that `what` names would run, also when its file is broken by
/// this time: what is up must come down.
pub fn name_of(what: &str, name: Option<&str>) -> Result<String, Failure> {
    match (Lab::open(what, name), name) {
        (Ok(lab), _) => Ok(lab.name),
        (Err(_), Some(name)) => name::lab(name).map(|()| name.to_owned()).map_err(Failure::new),
        (Err(_), None) => name::lab(what).map(|()| what.to_owned()).map_err(Failure::new),
    }
}

/// Refuses a directory that has the name of a lab and is here by another user's hand: root would bring up
/// the lab of that user instead of the one that is meant. Whose directory this is, is known to root.
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
            "{what:?} is the directory {place} of user {user} here: ./{place} says that it is meant"
        )))
    })
}

/// A configuration with another one laid over it.
pub fn overlaid(text: &str, overlay: &str) -> String {
    let base = text.trim_end();
    // The last line of a whole configuration, which "hostname friend" is not.
    let base = base.strip_suffix("\nend").unwrap_or(base);
    format!("{base}\n{overlay}end\n")
}

/// The names of the labs of which something is there: a namespace or a directory in `/run`.
pub fn running() -> Vec<String> {
    let entries = |path: &str| {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok())
    };
    let mut labs: Vec<String> = entries("/run/netns")
        .filter_map(|namespace| {
            let (lab, _node) = namespace.strip_prefix("eidway-")?.rsplit_once('-')?;
            Some(lab.to_owned())
        })
        .chain(entries(RUN))
        .filter(|name| name::lab(name).is_ok())
        .collect();
    labs.sort();
    labs.dedup();
    labs
}

/// The labs that could be brought up from here by name, with their titles.
pub fn available() -> Vec<(String, String)> {
    let here = fs::read_dir("lab").into_iter().flatten().flatten();
    let mut names: Vec<String> = here
        .filter(|entry| entry.path().join("lab.toml").is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .chain(BUILT_IN.iter().map(|lab| lab.name.to_owned()))
        .collect();
    names.sort();
    names.dedup();
    let title = |name: &str| match Lab::open(name, None) {
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
        let lab = Lab::open(own.path().to_str().unwrap(), None).unwrap();
        assert_eq!(lab.name, "mine");
        let lab = Lab::open(own.path().to_str().unwrap(), Some("other")).unwrap();
        assert_eq!(lab.namespace("A"), "eidway-other-A");
        assert!(Lab::open("gsmr", Some("no/name")).is_err());
        assert!(Lab::open("no-such-lab", None).is_err());
    }

    #[test]
    fn every_built_in_lab_has_the_files_that_it_names() {
        for lab in &BUILT_IN {
            let lab = lab.open(None).unwrap();
            for (router, config) in lab.file.routers() {
                let text = lab.text(config).unwrap();
                assert!(text.starts_with(&format!("hostname {router}\n")), "{config}");
            }
        }
    }

    #[test]
    fn an_overlay_stands_on_lines_of_its_own_before_the_end() {
        for base in ["hostname friend\n", "hostname friend", "hostname friend\nend\n"] {
            assert_eq!(overlaid(base, "ip routing\n"), "hostname friend\nip routing\nend\n");
        }
    }

    #[test]
    fn a_lab_can_come_down_when_its_file_is_gone() {
        assert_eq!(name_of("was-here-once", None).unwrap(), "was-here-once");
        assert!(name_of("../etc", None).is_err());
    }
}
