//! The lessons in the directory of a lab, and their names.

use schemars::JsonSchema;
use serde::Serialize;

use super::Lesson;
use super::parse::{ENDING, parse};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::loaded::LESSONS as DIRECTORY;
use crate::lab::scenario::library;

/// A lesson in the list of a lab's lessons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listed {
    /// The name of the lesson.
    pub name: String,
    /// The title. It is empty if the lesson has an error.
    pub title: String,
    /// The error in the lesson, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Returns the names of a lab's lessons.
pub fn names(lab: &Lab) -> Vec<&str> {
    let files = lab.files_in(DIRECTORY).into_iter();
    files.filter_map(|file| file.strip_suffix(ENDING)).collect()
}

/// Returns the lessons of a lab with their titles. A lesson with an error is in the list too.
pub fn lessons(lab: &Lab) -> Vec<Listed> {
    let listed = |name: &str| {
        let (title, problem) = match read(lab, name) {
            Ok(lesson) => (lesson.title, None),
            Err(failure) => (String::new(), Some(failure.to_string())),
        };
        Listed { name: name.to_owned(), title, problem }
    };
    names(lab).into_iter().map(listed).collect()
}

/// Returns the lesson of the lab for `name`. `name` is a complete name, or the beginning of exactly
/// one name, as for scenarios.
///
/// # Errors
/// There is no lesson for this name, or more than one, or the lesson has an error.
pub fn find(lab: &Lab, name: &str) -> Result<Lesson, Failure> {
    read(lab, library::choose(lab, "lesson", &names(lab), name, "")?)
}

/// Reads one lesson of a lab.
///
/// # Errors
/// The lab does not have this lesson, or the lesson has an error.
pub fn read(lab: &Lab, name: &str) -> Result<Lesson, Failure> {
    let file = format!("{DIRECTORY}/{name}{ENDING}");
    let beside = |included: &str| match lab.text(&format!("{DIRECTORY}/{included}")) {
        Ok(text) => Ok(text.to_owned()),
        Err(_) => library::beside(lab, included),
    };
    Ok(parse(&lab.path(&file), lab.text(&file)?, &lab.file, &beside)?)
}
