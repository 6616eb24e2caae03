//! Whether a lab would come up in namespaces: its files, and the programs that this machine lacks.

use super::{environment, plan};
use crate::lab::Lab;
use crate::lab::check::{self, Finding};

/// The findings of [`check::check`], keys that only the simulator supports, and programs that are missing
/// here.
pub fn check(lab: &Lab) -> Vec<Finding> {
    let mut findings = check::check(lab);
    let refused = plan::up(lab, "eidway".as_ref(), plan::Options::default()).err();
    if let Some(of_file) = findings.iter_mut().find(|finding| finding.what == "lab.toml") {
        of_file.problem = refused.map(|error| error.to_string());
    }
    let missing = environment::missing(&lab.file);
    let missing = (!missing.is_empty()).then(|| missing.join("\n"));
    findings.push(Finding::new("this machine", missing));
    findings
}
