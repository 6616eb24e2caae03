//! The error for a wrong script has the file, the line, and the expected text.

use std::path::Path;

use super::script::Script;

const HEAD: &str = "rule 9301 5.2 MUST probe-reply\nrouter xtr\n";

/// A line of a script, and its error.
const TYPOS: &[(&str, &str)] = &[
    ("rule 9301 probe-reply", "`rule 9301 probe-reply`: expected rule RFC SECTION LEVEL NAME"),
    ("+x nothing", "`+x`: seconds expected, as +0, +1.5 or +54..66"),
    ("+0 noting", "`noting`: expected < INPUT, > OUTPUT, nothing, show COMMAND => TEXT"),
    ("+0 > contol 1.1.1.1 > 2.2.2.2", "`contol` is not known here; expected: control, lisp0"),
    (
        "+0 > control 1.1.1.1 > 2.2.2.2: Map-Repy nonce 1",
        "`Map-Repy` is not known here; expected: Map-Request, Map-Reply",
    ),
    (
        "+0 > control 1.1.1.1 > 2.2.2.2: Map-Reply nonce 1 without prob",
        "Map-Reply: `prob` is not known here; expected: nonce, probe",
    ),
    ("+0 > control: Map-Reply nonce", "Map-Reply: a word must follow `nonce`"),
    ("+0 > control: Map-Reply probe probe", "Map-Reply: `probe` stands twice"),
    ("+0 > hold: 1.1.1.1 > 2.2.2.2", "nothing can stand in `hold`"),
    ("+0 > drop no-route {octet 1}", "`{octet 1}`: expected octet N = X"),
    ("+0 show ip lisp", "`=> TEXT` is missing"),
    ("+0 configure\nrouter lisp", "`end` is missing"),
];

/// Checks that the error for each typo has its file and line.
///
/// # Errors
/// The first typo whose error is wrong.
pub fn a_typo_is_told_with_its_place() -> Result<(), String> {
    for (line, expected) in TYPOS {
        let text = format!("{HEAD}\n# A comment.\n{line}\n");
        let fault = match Script::parse(Path::new("9301/typo.conform"), &text) {
            Ok(_) => return Err(format!("`{line}` was read")),
            Err(fault) => fault,
        };
        if !fault.starts_with(&format!("9301/typo.conform:5: {expected}")) {
            return Err(format!("`{line}`\nexpected: {expected}\n    seen: {fault}"));
        }
    }
    Ok(())
}
