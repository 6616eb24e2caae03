//! `lab check`: whether a lab would come up: its file, its routers' configurations, the machine.

use super::environment;
use super::open::Lab;
use super::plan;
use crate::console::parse_config;

/// One thing that was looked at.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// What is wrong with it; absent when it is right.
    pub problem: Option<String>,
}

/// Looks at everything and finds all that is wrong, not only the first. The lab file is right
/// already, or there would be no [`Lab`].
pub fn check(lab: &Lab) -> Vec<Finding> {
    let finding = |what: &str, problem| Finding { what: what.to_owned(), problem };
    let refused = plan::up(lab, "eidway".as_ref(), false).err();
    let mut findings = vec![finding("lab.toml", refused.map(|error| error.to_string()))];
    for (_, file) in lab.file.routers() {
        findings.push(finding(file, config_problem(lab, file)));
    }
    let missing = environment::missing(&lab.file);
    let missing = (!missing.is_empty()).then(|| missing.join("\n"));
    findings.push(finding("this machine", missing));
    findings
}

fn config_problem(lab: &Lab, file: &str) -> Option<String> {
    let text = match lab.text(file) {
        Ok(text) => text,
        Err(error) => return Some(error.to_string()),
    };
    parse_config(file, &text).err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labs_of_the_project_have_nothing_wrong_in_their_files() {
        for name in ["gsmr", "two-sites"] {
            let lab = Lab::open(name, None).unwrap();
            for finding in check(&lab) {
                let machine = finding.what == "this machine";
                assert!(machine || finding.problem.is_none(), "{name}: {finding:?}");
            }
        }
    }

    #[test]
    fn a_link_that_the_configuration_does_not_name_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(directory.path().join(name), text).unwrap();
        };
        write(
            "lab.toml",
            "name = \"x\"\nnodes.r.kind = \"router\"\nnodes.r.config = \"r.conf\"\n\
             [[lans]]\nname = \"lan\"\nports = [\"r:Ethernet1/0\"]\n",
        );
        let problem = |what: &str| {
            let lab = Lab::open(directory.path().to_str().unwrap(), None).unwrap();
            check(&lab).into_iter().find(|finding| finding.what == what).unwrap().problem
        };
        assert!(problem("r.conf").unwrap().contains("r.conf"));
        write("r.conf", "hostname r\n");
        let found = problem("lab.toml").unwrap();
        assert!(found.starts_with("r has no interface Ethernet1/0\n"), "{found}");
        write("r.conf", "hostname r\ninterface Ethernet1/0\n");
        assert_eq!((problem("lab.toml"), problem("r.conf")), (None, None));
    }
}
