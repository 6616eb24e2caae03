//! `lab copy`: the texts of a lab under another name.

use super::file::LabFile;

/// The word that begins a command of this program, also in the names of namespaces and in paths.
const PROGRAM: &str = "eidway";

/// Returns the text of a lab file in which the lab has the name `new`.
pub fn lab_file(file: &LabFile, new: &str) -> String {
    let mut text = file.text.clone();
    text.replace_range(file.places.name(), &format!("\"{new}\""));
    in_commands(&text, &file.name, new)
}

/// Replaces the name `old` of a lab in the commands, paths and namespaces of a text. There, the
/// word `eidway` is before the name on the same line. In other places the name stays, because it
/// can also be a word of the language.
pub fn in_commands(text: &str, old: &str, new: &str) -> String {
    let mut renamed = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let first = line.find(PROGRAM).unwrap_or(line.len());
        let mut kept = 0;
        for at in words(line, old).filter(|at| *at > first) {
            renamed.push_str(&line[kept..at]);
            renamed.push_str(new);
            kept = at + old.len();
        }
        renamed.push_str(&line[kept..]);
    }
    renamed
}

/// The numbers of the lines, from 1, that have a name as a word.
pub fn lines_with(text: &str, name: &str) -> Vec<usize> {
    let lines = (1..).zip(text.lines());
    lines.filter(|(_, line)| words(line, name).next().is_some()).map(|(number, _)| number).collect()
}

/// Returns the places of a name in a line. A longer word that contains the name is not such a
/// place. But in the name of a namespace, `eidway-LAB-NODE`, the name of the lab is one.
fn words<'a>(line: &'a str, name: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    line.match_indices(name).map(|(at, _)| at).filter(move |at| {
        let (before, after) = (&line[..*at], &line[at + name.len()..]);
        let is_namespace = before.ends_with("eidway-") && after.starts_with('-');
        is_namespace || !(before.ends_with(is_part) || after.starts_with(is_part))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_in_commands_and_found_in_prose() {
        let text = "In ring a packet waits.\n# eidway lab up ring; eidway console ring/x\n\
                    eidway lab ping rings A\nip netns exec eidway-ring-A ls /run/eidway/ring\n";
        let renamed = in_commands(text, "ring", "star");
        assert_eq!(
            renamed,
            "In ring a packet waits.\n# eidway lab up star; eidway console star/x\n\
             eidway lab ping rings A\nip netns exec eidway-star-A ls /run/eidway/star\n"
        );
        assert_eq!(lines_with(&renamed, "ring"), [1]);
    }

    #[test]
    fn the_lab_file_gets_the_name_and_nothing_else_changes() {
        let text = "# eidway lab up x\ntitle = \"x\"\nname = 'x'   # x\n";
        let file = LabFile::parse("lab.toml", text).unwrap();
        let expected = "# eidway lab up y\ntitle = \"x\"\nname = \"y\"   # x\n";
        assert_eq!(lab_file(&file, "y"), expected);
    }
}
