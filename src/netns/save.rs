//! Copies configurations of a running lab to the folder of the lab. The command `write memory` has
//! saved these configurations.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::{paths, text};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::private;

/// The result of `lab save` for one router.
#[derive(Debug)]
pub struct Saved {
    /// The name of the router.
    pub node: String,
    /// The path of the router's configuration file in the folder of the lab.
    pub path: PathBuf,
    /// The lines that are removed from the file.
    pub removed: Vec<String>,
    /// The lines that are added to the file.
    pub added: Vec<String>,
    /// Whether the router has written a configuration.
    pub is_written: bool,
}

impl fmt::Display for Saved {
    /// Writes a line about the router, and one line for each changed line of its file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (node, path) = (&self.node, self.path.display());
        if !self.is_written {
            let why = "the router has not written its configuration: type `write memory` on its \
                       console";
            return writeln!(f, "{node}: {why}");
        }
        if self.removed.is_empty() && self.added.is_empty() {
            return writeln!(f, "{node}: {path} has this configuration already");
        }
        writeln!(f, "{node}: {path}")?;
        let removed = self.removed.iter().map(|line| ('-', line));
        for (sign, line) in removed.chain(self.added.iter().map(|line| ('+', line))) {
            writeln!(f, "{sign} {line}")?;
        }
        Ok(())
    }
}

/// Replaces the configuration files in the folder of `lab` by the configurations that the routers
/// have written. If `only` is given, replaces only the file of this router. If `to` is given,
/// writes the files into this directory instead. If `dry_run` is true, changes no file.
///
/// # Errors
/// The lab has no folder and `to` is not given, the lab has no router `only`, or a file cannot be
/// read or written.
pub fn save(
    lab: &Lab,
    only: Option<&str>,
    to: Option<&Path>,
    dry_run: bool,
) -> Result<Vec<Saved>, Failure> {
    if let Some(node) = only {
        lab.expect_router(node)?;
    }
    paths::expect_own_sockets(&lab.name)?;
    let run = paths::run(lab);
    let own = lab.directory.as_deref().filter(|directory| !directory.starts_with(&run));
    let folder = to.or(own).ok_or_else(|| {
        let name = &lab.name;
        Failure::Other(format!(
            "lab {name} has no folder of its own: name a directory for the files, as in `eidway \
             lab save {name} --to DIR`"
        ))
    })?;
    let routers = lab.file.routers().filter(|(node, _)| only.is_none_or(|only| only == *node));
    let save = |(node, config): (&str, &str)| {
        let path = folder.join(config);
        let copy = paths::startup(lab, node);
        let mut saved = Saved {
            node: node.to_owned(),
            path: path.clone(),
            removed: Vec::new(),
            added: Vec::new(),
            is_written: copy.exists(),
        };
        if saved.is_written {
            let new = text::read(&copy).map_err(Failure::io(copy.display()))?;
            let old = if path.exists() { text::read(&path) } else { Ok(String::new()) };
            let old = old.map_err(Failure::io(path.display()))?;
            (saved.removed, saved.added) = changes(&old, &new);
            if old != new && !dry_run {
                private::exchange(&path, &new).map_err(Failure::new)?;
            }
        }
        Ok(saved)
    };
    routers.map(save).collect()
}

/// Returns the lines that only `old` has, and the lines that only `new` has. If a text has the same
/// line several times, each occurrence counts as a line.
fn changes(old: &str, new: &str) -> (Vec<String>, Vec<String>) {
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    for line in old.lines() {
        *left.entry(line).or_default() += 1;
    }
    let mut added = Vec::new();
    for line in new.lines() {
        match left.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => added.push(line.to_owned()),
        }
    }
    let mut removed = Vec::new();
    for line in old.lines() {
        if let Some(count) = left.get_mut(line).filter(|count| **count > 0) {
            *count -= 1;
            removed.push(line.to_owned());
        }
    }
    (removed, added)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_changes_are_the_lines_that_only_one_text_has() {
        let (removed, added) = changes("a\n!\nb\n!\n", "a\n!\nc\n!\n!\n");
        assert_eq!((removed, added), (vec!["b".to_owned()], vec!["c".to_owned(), "!".to_owned()]));
    }
}
