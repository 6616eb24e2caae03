//! The labs that are built into the program, with the texts of their files.

use super::Lab;
use super::failure::Failure;
use super::file::LabFile;

/// A built-in lab. It has the name and the text of each file. The first file is `lab.toml`.
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

const ALL: [BuiltIn; 2] = [
    built_in!(
        "gsmr": "lab.toml", "xTR1.conf", "xTR2.conf", "NewMSMR.conf", "OldMSMR.conf", "PxTR1.conf",
        "lessons/first-packet.lesson",
        "lessons/g1-deconfigured.lesson",
        "lessons/g2-no-route.lesson",
        "lessons/g3-move.lesson",
        "lessons/g4-overlapping.lesson",
        "lessons/trust.lesson",
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

/// The names of the built-in labs.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|lab| lab.name)
}

/// Returns the built-in lab with this name, or `None` if there is no such lab.
pub fn find(name: &str) -> Option<Result<Lab, Failure>> {
    ALL.iter().find(|lab| lab.name == name).map(BuiltIn::load)
}

impl BuiltIn {
    fn load(&self) -> Result<Lab, Failure> {
        let (_, text) = self.files[0];
        let file = LabFile::parse(&format!("(built in) {}/lab.toml", self.name), text)?;
        let texts = self.files.iter().map(|(name, text)| ((*name).into(), Ok((*text).into())));
        Ok(Lab::new(file, texts.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_lab_has_the_files_that_it_names() {
        for lab in &ALL {
            let lab = lab.load().unwrap();
            for (router, config) in lab.file.routers() {
                let text = lab.text(config).unwrap();
                assert!(text.starts_with(&format!("hostname {router}\n")), "{config}");
            }
        }
    }
}
