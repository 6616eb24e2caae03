//! The labs that are built into the program, with the texts of their files.

use super::Lab;
use super::failure::Failure;
use super::file::LabFile;

/// A built-in lab. It has the name and the text of each file. The first file is `lab.toml`.
struct BuiltIn {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
}

/// All built-in labs: the folders of `lab` that have a `lab.toml`. `build.rs` writes this list.
const ALL: &[BuiltIn] = &include!(concat!(env!("OUT_DIR"), "/built_in_labs.rs"));

/// Returns the names of the built-in labs.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|lab| lab.name)
}

/// Returns the built-in lab with this name, or `None` if no built-in lab has this name.
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
        for lab in ALL {
            let lab = lab.load().unwrap();
            for (router, config) in lab.file.routers() {
                let text = lab.text(config).unwrap();
                assert!(text.starts_with(&format!("hostname {router}\n")), "{config}");
            }
        }
    }
}
