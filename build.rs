//! Builds the labs into the program: each folder of `lab` with a `lab.toml`, and the texts of its
//! files. `src/lab/built_in.rs` includes the written list.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of a lab, each with the endings of the files that belong to the lab.
const FOLDERS: [(&str, &[&str]); 3] =
    [("", &["conf"]), ("lessons", &["lesson"]), ("scenarios", &["scenario", "include"])];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=lab");
    let labs = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("lab");
    let mut list = String::from("[\n");
    for name in names(&labs)? {
        let lab = labs.join(&name);
        if !lab.join("lab.toml").is_file() {
            continue;
        }
        let files = files(&lab)?;
        writeln!(list, "BuiltIn {{ name: {name:?}, files: &[")?;
        for file in files {
            writeln!(list, "({file:?}, include_str!({:?})),", lab.join(&file))?;
        }
        list.push_str("] },\n");
    }
    list.push_str("]\n");
    fs::write(PathBuf::from(std::env::var("OUT_DIR")?).join("built_in_labs.rs"), list)?;
    Ok(())
}

/// The files of a lab, as paths in its folder. The first file is `lab.toml`.
fn files(lab: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut files = vec!["lab.toml".to_owned()];
    for (folder, endings) in FOLDERS {
        let directory = lab.join(folder);
        if !directory.is_dir() {
            continue;
        }
        let belongs = |name: &String| {
            endings.iter().any(|ending| Path::new(name).extension().is_some_and(|it| it == *ending))
        };
        let found = names(&directory)?.into_iter().filter(belongs);
        files.extend(found.map(|name| match folder {
            "" => name,
            _ => format!("{folder}/{name}"),
        }));
    }
    Ok(files)
}

/// The names in a directory, in order.
fn names(directory: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name().into_string();
        names.push(name.map_err(|name| format!("{}: not UTF-8", name.display()))?);
    }
    names.sort();
    Ok(names)
}
