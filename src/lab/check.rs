//! `lab check`: checks each file of a lab, and checks that the files fit together.

use schemars::JsonSchema;

use super::lesson::{ENDING, lessons};
use super::loaded::LESSONS;
use super::{Lab, wiring};
use crate::console::{ProblemKind, read_config};

/// One checked part of a lab.
#[derive(Clone, Debug, serde::Serialize, JsonSchema)]
#[schemars(rename = "LabFinding")]
pub struct Finding {
    /// The part of the lab that was checked.
    pub what: String,
    /// The error in this part. It is absent if the part is correct.
    pub problem: Option<String>,
}

impl Finding {
    /// Creates a finding.
    pub fn new(what: &str, problem: Option<String>) -> Self {
        Finding { what: what.to_owned(), problem }
    }
}

/// Checks all parts of a lab and returns all findings, not only the first error. The lab file
/// itself is always correct, because a [`Lab`] exists only with a correct lab file.
pub fn check(lab: &Lab) -> Vec<Finding> {
    let unfit = wiring::expect(lab).err();
    let mut findings = vec![Finding::new("lab.toml", unfit.map(|error| error.to_string()))];
    for (_, file) in lab.file.routers() {
        findings.push(Finding::new(file, config_problem(lab, file)));
    }
    for lesson in lessons(lab) {
        let file = format!("{LESSONS}/{}{ENDING}", lesson.name);
        findings.push(Finding::new(&file, lesson.problem));
    }
    findings
}

fn config_problem(lab: &Lab, file: &str) -> Option<String> {
    let text = match lab.text(file) {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    // A configuration may have lines without a meaning in a lab, and lines for LISP functions that
    // the router does not have. These lines are no fault of the lab.
    let mut report = read_config(file, text).report;
    let is_fault = |kind| matches!(kind, ProblemKind::Refused | ProblemKind::Contradiction);
    report.problems.retain(|problem| is_fault(problem.kind));
    (!report.is_empty()).then(|| report.to_string())
}

/// Returns the errors in the routers' configurations as lines of text, for the user who brings up
/// the lab. A router also logs its errors, and starts with the other lines of its configuration.
pub fn config_warnings(lab: &Lab) -> Vec<String> {
    let read = |file| lab.text(file).ok().map(|text| read_config(&lab.path(file), text).report);
    let reports = lab.file.routers().filter_map(|(_, file)| read(file));
    reports.flat_map(|report| report.log_lines()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::built_in;
    use crate::lab::file::LabFile;

    #[test]
    fn the_labs_of_the_project_have_nothing_wrong_in_their_files() {
        for name in built_in::names() {
            let lab = built_in::find(name).unwrap().unwrap();
            for finding in check(&lab) {
                assert!(finding.problem.is_none(), "{name}: {finding:?}");
            }
        }
    }

    #[test]
    fn a_link_that_the_configuration_does_not_name_is_found() {
        let text = "name = \"x\"\nnodes.r.kind = \"router\"\nnodes.r.config = \"r.conf\"\n\
             [[lans]]\nname = \"lan\"\nports = [\"r:Ethernet1/0\"]\n";
        let file = LabFile::parse("lab.toml", text).unwrap();
        let problem = |what: &str, config: Result<&str, &str>| {
            let config = config.map(str::to_owned).map_err(str::to_owned);
            let lab = Lab::new(file.clone(), [("r.conf".to_owned(), config)].into());
            check(&lab).into_iter().find(|finding| finding.what == what).unwrap().problem
        };
        assert!(problem("r.conf", Err("r.conf: no such file")).unwrap().contains("r.conf"));
        let found = problem("lab.toml", Ok("hostname r\n")).unwrap();
        assert!(found.starts_with("r has no interface Ethernet1/0\n"), "{found}");
        let right = Ok("hostname r\ninterface Ethernet1/0\n");
        assert_eq!((problem("lab.toml", right), problem("r.conf", right)), (None, None));
    }
}
