//! The rules for the names of labs, nodes and devices. These names become parts of paths, of the
//! names of namespaces and of commands. `check_names` in `netns-scripts/lib.sh` has the same rules.

/// The name of the namespace that contains the bridges of a lab. No node may have this name.
pub const SWITCH: &str = "switch";
/// The length of the longest name of a Linux device: IFNAMSIZ minus 1, because the name ends with a
/// zero octet.
const LONGEST_DEVICE: usize = 15;
/// The length of the longest name of a lab or node. With this limit, the path of a socket fits into
/// the 108 octets that Linux allows.
pub const LONGEST: usize = 24;
/// Names that have another meaning for the kernel or for a capture.
const RESERVED: [&str; 6] = [".", "..", "all", "any", "default", "lo"];

/// Checks that a lab may have this name. If not, returns an error with the reason.
pub fn lab(name: &str) -> Result<(), String> {
    one_of("lab", name, true)
}

/// Checks that a node may have this name. If not, returns an error with the reason.
pub fn node(name: &str) -> Result<(), String> {
    one_of("node", name, false)
}

/// Checks that a device of a lab may have this name. `what` is the description of the device in an
/// error.
pub fn device(name: &str, what: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let length = name.len();
    if name.is_empty() || !name.chars().all(fits) || name.starts_with('-') {
        Err(format!("{name:?} is not a valid name for {what}: use letters, digits, _ . and -"))
    } else if RESERVED.contains(&name) {
        Err(format!(
            "{name:?} is not a valid name for {what}: Linux uses this name for something else"
        ))
    } else if length > LONGEST_DEVICE {
        Err(format!(
            "{name:?} is not a valid name for {what}: it has {length} characters, and Linux allows \
             {LONGEST_DEVICE}"
        ))
    } else {
        Ok(())
    }
}

/// Checks the name of a lab or a node. The name of a lab may have dashes, the name of a node may
/// not. So the last dash of `eidway-LAB-NODE` separates the two names, and a lab never removes the
/// nodes of another lab.
fn one_of(what: &str, name: &str, dashes: bool) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (dashes && c == '-');
    if name.is_empty() || !name.chars().all(fits) || name.starts_with('-') {
        let dash = if dashes { ", -" } else { "" };
        Err(format!("{name:?} is not a valid name for a {what}: use letters, digits, _{dash}"))
    } else if name.len() > LONGEST {
        Err(format!(
            "{name:?} is not a valid name for a {what}: it is longer than {LONGEST} characters"
        ))
    } else if name == SWITCH {
        Err(format!(
            "{SWITCH:?} is not a valid name for a {what}: the namespace with the LANs of the lab \
             has this name"
        ))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    const LIBRARY: &str = include_str!("../../../netns-scripts/lib.sh");

    /// Each row has a name. The three values say whether a lab, a node and a device may have this
    /// name.
    const NAMES: [(&str, [bool; 3]); 22] = [
        ("xTR1", [true, true, true]),
        ("et0-0", [true, false, true]),
        ("A.eth0", [false, false, true]),
        ("_", [true, true, true]),
        ("exactly-fifteen", [true, false, true]),
        ("more_than_fifteen", [true, true, false]),
        ("a_name_of_24_characters_", [true, true, false]),
        ("a_name_of_25_characters__", [false, false, false]),
        ("", [false, false, false]),
        (".", [false, false, false]),
        ("..", [false, false, false]),
        ("../../x", [false, false, false]),
        ("a/b", [false, false, false]),
        ("-a", [false, false, false]),
        ("a b", [false, false, false]),
        ("a\nb", [false, false, false]),
        ("eth%d", [false, false, false]),
        ("a\"b", [false, false, false]),
        ("é", [false, false, false]),
        ("lo", [true, true, false]),
        ("all", [true, true, false]),
        ("default", [true, true, false]),
    ];

    #[test]
    fn each_kind_of_name_has_its_letters_and_its_length() {
        for (name, expected) in NAMES {
            let found = [lab(name), node(name), device(name, "a device")];
            assert_eq!(found.clone().map(|found| found.is_ok()), expected, "{name:?}: {found:?}");
            let named = |why: &String| why.contains(&format!("{name:?}"));
            assert!(found.iter().filter_map(|found| found.as_ref().err()).all(named), "{found:?}");
        }
        assert!(lab(SWITCH).is_err() && node(SWITCH).is_err());
    }

    #[test]
    fn the_scripts_say_the_same_of_every_name() {
        for (name, expected) in NAMES {
            for (kind, expected) in ["lab", "node", "new-device"].into_iter().zip(expected) {
                let script = format!("set -eu\n{LIBRARY}\ncheck_names \"$@\"\n");
                let output = Command::new("bash").args(["-c", &script, "x", kind, name]).output();
                let output = output.unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert_eq!(output.status.success(), expected, "{kind} {name:?}: {said}");
                assert!(
                    expected || said.contains("is not a valid name for a"),
                    "{kind} {name:?}: {said}"
                );
            }
        }
    }
}
