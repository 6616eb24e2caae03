//! Whether a lab can run in namespaces: checks its files and the programs of this machine.

use super::{environment, plan};
use crate::lab::Lab;
use crate::lab::check::{self, Finding};

/// The findings of [`check::check`], and also the keys that only the simulator supports and the
/// programs that are missing on this machine.
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
