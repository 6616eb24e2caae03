//! The requirements of the RFCs, and for each requirement the scripts that show it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::script::{Rule, Script};

/// The command that writes the table again.
const WRITE: &str = "cargo test --test conformance -- --write-coverage";

/// The level of a requirement that no RFC has: the router accepts a message although no RFC
/// requires this.
const TAKES: &str = "takes";
/// The heading of the list of these requirements in README.md.
const SLOPPY_SENDERS: &str = "## Sloppy senders";

/// The content of `requirements.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirements {
    requirement: Vec<Requirement>,
}

/// A requirement of an RFC: a MUST, a SHOULD or a RECOMMENDED.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    rfc: u32,
    section: String,
    /// The keyword of the RFC.
    level: String,
    name: String,
    /// The requirement, in the words of this project.
    says: String,
    /// The reason why no script shows the requirement. For example, the requirement is not met, it
    /// cannot be seen at a router, or it is about other systems.
    #[serde(default)]
    not_covered: Option<String>,
}

impl Requirement {
    fn is_of(&self, rule: &Rule) -> bool {
        self.rfc == rule.rfc
            && self.section == rule.section
            && self.level == rule.level
            && self.name == rule.name
    }

    fn place(&self) -> String {
        format!("rule {} {} {} {}", self.rfc, self.section, self.level, self.name)
    }
}

/// The requirements in the order of the file, and the scripts that name each requirement.
pub struct Coverage {
    requirements: Vec<Requirement>,
    scripts: BTreeMap<String, Vec<String>>,
}

impl Coverage {
    /// Finds the scripts of each requirement.
    ///
    /// # Errors
    /// There are four errors: a script names an unknown requirement, a requirement has no script
    /// and no reason, a requirement has a script and also a reason, or two requirements have one
    /// name.
    pub fn of(directory: &Path, scripts: &[Script]) -> Result<Self, String> {
        let file = directory.join("requirements.toml");
        let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
        let Requirements { requirement: requirements } =
            toml::from_str(&text).map_err(|error| format!("requirements.toml: {error}"))?;
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for requirement in &requirements {
            if by_name.insert(requirement.name.clone(), Vec::new()).is_some() {
                return Err(format!("requirements.toml: two are named {}", requirement.name));
            }
        }
        for script in scripts {
            for rule in &script.rules {
                let known = requirements.iter().any(|requirement| requirement.is_of(rule));
                let named = requirements.iter().find(|each| each.name == rule.name);
                if !known {
                    let hint = named.map_or("there is none of that name".to_owned(), |named| {
                        format!("it says `{}`", named.place())
                    });
                    let at = format!("{}.conform:{}", script.name, rule.line);
                    return Err(format!("{at}: not in requirements.toml: {hint}"));
                }
                by_name.entry(rule.name.clone()).or_default().push(script.name.clone());
            }
        }
        let coverage = Coverage { requirements, scripts: by_name };
        coverage.each_has_a_script_or_a_reason()?;
        Ok(coverage)
    }

    fn each_has_a_script_or_a_reason(&self) -> Result<(), String> {
        for requirement in &self.requirements {
            let name = &requirement.name;
            match (self.scripts[name].is_empty(), &requirement.not_covered) {
                (true, None) => {
                    return Err(format!("requirements.toml: {name}: neither script nor reason"));
                }
                (false, Some(_)) => {
                    return Err(format!(
                        "requirements.toml: {name}: a script and a reason why not"
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn is_covered(&self, requirement: &Requirement) -> bool {
        !self.scripts[&requirement.name].is_empty()
    }

    /// The text of COVERAGE.md.
    pub fn table(&self) -> String {
        let mut out = String::new();
        let covered = self.requirements.iter().filter(|each| self.is_covered(each)).count();
        let all = self.requirements.len();
        let _ = write!(
            out,
            "# Conformance\n\nThe requirements of RFC 9300 and RFC 9301, and for each the script that shows \
             it.\nGenerated from `requirements.toml` and the scripts by\n\
             `{WRITE}`.\n\n{all} requirements: {covered} are covered by scripts, {} are not, for \
             the reasons given.\n",
            all - covered,
        );
        for rfc in [9300, 9301] {
            let _ = write!(
                out,
                "\n## RFC {rfc}\n\n| section | level | requirement | in short | scripts |\n\
                 |---|---|---|---|---|\n"
            );
            for requirement in self.requirements.iter().filter(|each| each.rfc == rfc) {
                let Requirement { section, level, name, says, .. } = requirement;
                let by = self.by(requirement);
                let _ = writeln!(out, "| {section} | {level} | {name} | {says} | {by} |");
            }
        }
        out
    }

    fn by(&self, requirement: &Requirement) -> String {
        match &requirement.not_covered {
            Some(reason) => format!("*not covered:* {reason}"),
            None => {
                let link = |name: &String| {
                    let short = name.rsplit('/').next().unwrap_or(name);
                    format!("[{short}]({name}.conform)")
                };
                self.scripts[&requirement.name].iter().map(link).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// Checks that COVERAGE.md equals the generated text.
    ///
    /// # Errors
    /// The number of the first line that differs, and the command that writes the file again.
    pub fn check(&self, directory: &Path) -> Result<(), String> {
        let written = fs::read_to_string(directory.join("COVERAGE.md")).unwrap_or_default();
        let table = self.table();
        if written == table {
            return Ok(());
        }
        let same = written.lines().zip(table.lines()).take_while(|(a, b)| a == b).count();
        Err(format!("COVERAGE.md:{}: not the generated text; run `{WRITE}`", same + 1))
    }

    /// Checks the list of sloppy senders in README.md. Each name in the list must be a requirement,
    /// and each requirement of level [`TAKES`] must be in the list.
    ///
    /// # Errors
    /// The first name that is not a requirement, or that is missing in the list.
    pub fn check_sloppy_senders(&self, directory: &Path) -> Result<(), String> {
        let readme = fs::read_to_string(directory.join("README.md")).unwrap_or_default();
        let (_, list) = readme.split_once(SLOPPY_SENDERS).ok_or("README.md has no such list")?;
        let rows = list.lines().filter(|line| line.starts_with("| "));
        let cells = rows.filter_map(|row| row.trim_end_matches(" |").rsplit(" | ").next());
        let named: BTreeSet<&str> =
            cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
        if let Some(name) = named.iter().find(|name| !self.scripts.contains_key(**name)) {
            return Err(format!("README.md: `{name}` is not in requirements.toml"));
        }
        let takes = self.requirements.iter().filter(|each| each.level == TAKES);
        match takes.map(|each| each.name.as_str()).find(|name| !named.contains(name)) {
            Some(name) => Err(format!("README.md: `{name}` is not in the list of sloppy senders")),
            None => Ok(()),
        }
    }

    /// Writes COVERAGE.md.
    ///
    /// # Errors
    /// An error of the operating system.
    pub fn write(&self, directory: &Path) -> Result<(), String> {
        fs::write(directory.join("COVERAGE.md"), self.table()).map_err(|error| error.to_string())
    }
}
