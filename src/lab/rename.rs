//! `lab copy`: the texts of a lab under another name.

use super::file::LabFile;

/// The first word of each command of this program. The names of namespaces and paths contain the
/// same word.
const PROGRAM: &str = "eidway";

/// Returns the text of a lab file in which the lab has the name `new`.
pub fn lab_file(file: &LabFile, new: &str) -> String {
    let mut text = file.text.clone();
    text.replace_range(file.places.name(), &format!("\"{new}\""));
    in_commands(&text, &file.name, new)
}

/// Replaces the name `old` of a lab by `new` in a text, but only if the word `eidway` is before the
/// name on the same line. There, the name is a part of a command, a path or a namespace. In other
/// places the name stays, because it can also be an ordinary word.
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

/// Returns the numbers of the lines, from 1, in which `name` is a word.
pub fn lines_with(text: &str, name: &str) -> Vec<usize> {
    let lines = (1..).zip(text.lines());
    lines.filter(|(_, line)| words(line, name).next().is_some()).map(|(number, _)| number).collect()
}

/// Returns the positions at which `name` is a word of a line. A part of a longer word does not
/// count. There is one exception: in the name of a namespace, `eidway-LAB-NODE`, the name of the
/// lab counts.
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
