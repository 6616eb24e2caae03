//! `eidway lab page`: writes the page of a lab.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use eidway::lab::failure::Failure;
use eidway::lab::page::{index, page};
use eidway::netns::open;
use eidway::private;

use super::super::Outcome;
use super::laid_over;

/// The environment variable with the path of the template.
const TEMPLATE: &str = "EIDWAY_PAGE";

/// The arguments of `lab page`.
#[derive(Args)]
pub struct PageCommand {
    /// The directory of a lab, or the name of a lab that is under ./lab or built in
    #[arg(required_unless_present = "all")]
    lab: Option<String>,
    /// Add this overlay to the configurations of the lab. OVERLAY is the name of a scenario, or the
    /// name of a file that scenarios include. The option may be repeated
    #[arg(long, value_name = "OVERLAY", conflicts_with = "all")]
    with: Vec<String>,
    /// Write the page to this file, by default LAB.html
    #[arg(short, long, value_name = "FILE", conflicts_with = "all")]
    output: Option<PathBuf>,
    /// Write the page of each lab that can be brought up, and an index, into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "lab")]
    all: Option<PathBuf>,
}

impl PageCommand {
    /// Runs the command.
    pub fn run(self) -> Outcome {
        let template = template()?;
        if let Some(directory) = &self.all {
            return Ok(write_all(&template, directory)?);
        }
        let lab = open::open(self.lab.as_deref().unwrap_or_default(), None)?;
        let lab = laid_over(lab, &self.with)?;
        let file = self.output.unwrap_or_else(|| format!("{}.html", lab.name).into());
        write(&file, &page(&template, &lab)?)?;
        Ok(true)
    }
}

/// Writes the pages of all labs, and their index.
fn write_all(template: &str, directory: &Path) -> Result<bool, Failure> {
    private::directory(directory).map_err(Failure::new)?;
    let mut labs = Vec::new();
    for (name, title) in open::available() {
        let lab = open::open(&name, None)?;
        let file = format!("{}.html", lab.name);
        write(&directory.join(&file), &page(template, &lab)?)?;
        labs.push((lab.name.clone(), title, file));
    }
    write(&directory.join("index.html"), &index(&labs))?;
    Ok(true)
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    private::write(file, text).map_err(Failure::new)?;
    println!("{}: {} KiB", file.display(), text.len().div_ceil(1024));
    Ok(())
}

/// Reads the template, which is the page without a lab. The function tries three paths: the path in
/// the environment variable `EIDWAY_PAGE`, `../web/page.html` from the folder of the program, and
/// `/usr/share/eidway/page.html`, which is in the Debian package.
pub fn template() -> Result<String, Failure> {
    let beside = env::current_exe().ok().and_then(|program| {
        let profile = program.parent()?.parent()?;
        Some(profile.join("web/page.html"))
    });
    let set = env::var_os(TEMPLATE).map(PathBuf::from);
    let places = [set, beside, Some("/usr/share/eidway/page.html".into())];
    let places: Vec<PathBuf> = places.into_iter().flatten().collect();
    let found = places.iter().find_map(|place| fs::read_to_string(place).ok());
    found.ok_or_else(|| {
        let places: Vec<String> = places.iter().map(|place| place.display().to_string()).collect();
        Failure::Other(format!(
            "the page is not built: run web/build in the folder of Eidway's sources, or set {TEMPLATE} to \
             a page.html. The program has searched for the page in {}",
            places.join(", ")
        ))
    })
}
