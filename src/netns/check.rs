//! Checks whether a lab can run in namespaces. It checks the files of the lab and the programs of
//! this machine.

use super::{environment, plan, user};
use crate::lab::Lab;
use crate::lab::check::{self, Finding};

/// Returns the findings of [`check::check`], and one more finding about this machine. That finding
/// lists the programs and devices that are missing. If this machine refuses namespaces to this
/// user, it also has the reason.
pub fn check(lab: &Lab) -> Vec<Finding> {
    let mut findings = check::check(lab);
    let refused = plan::up(lab, "eidway".as_ref(), plan::Options::default()).err();
    if let Some(of_file) = findings.iter_mut().find(|finding| finding.what == "lab.toml") {
        of_file.problem = refused.map(|error| error.to_string());
    }
    let mut missing = environment::missing(&lab.file);
    missing.extend(user::expect_possible().err().map(|error| error.to_string()));
    let missing = (!missing.is_empty()).then(|| missing.join("\n"));
    findings.push(Finding::new("this machine", missing));
    findings
}
