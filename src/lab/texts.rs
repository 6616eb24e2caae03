//! The texts of the files of a lab.

use std::collections::BTreeMap;

/// The text of each file, or the reason why it cannot be read. The key is the file's path in the
/// directory of the lab.
pub type Texts = BTreeMap<String, Result<String, String>>;

/// Returns a configuration with an overlay added at its end.
pub fn overlaid(text: &str, overlay: &str) -> String {
    let base = text.trim_end();
    // Only a whole line `end` at the end of a configuration is removed, and not the end of
    // "hostname friend".
    let base = base.strip_suffix("\nend").unwrap_or(base);
    format!("{base}\n{overlay}end\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_stands_on_lines_of_its_own_before_the_end() {
        for base in ["hostname friend\n", "hostname friend", "hostname friend\nend\n"] {
            assert_eq!(overlaid(base, "ip routing\n"), "hostname friend\nip routing\nend\n");
        }
    }
}
