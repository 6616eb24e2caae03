//! `src/console/COMMANDS.md` has the result of each command of IOS that configures LISP. This test
//! types all of them, writes the table of the results, and compares it with the file.
//! `src/console/REFERENCE.md` has each command of the grammar. It is made of the grammar and compared
//! too. `EIDWAY_WRITE_COMMANDS=1 cargo test --test console_commands` writes both files.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;

use eidway::console::grammar::{
    ACCEPTED, Accepted, Mode, No, Pattern, Position, Row, Treatment, rows,
};
use eidway::console::problem::ProblemKind;
use eidway::console::read_config;
use eidway::console::show::xe::statistics::ALWAYS_ZERO;

const COMMANDS: &str = include_str!("commands/commands.txt");
const FILE: &str = "src/console/COMMANDS.md";

const HEAD: &str = "\
# The commands of IOS

The result of each command of IOS that configures LISP, and of the lines that usually stand near it:

- `done`: the router carries it out.
- `warning`: the router accepts it with a warning and ignores it. `eidway config check` lists the warnings.
- `kept`: the router accepts it with a warning, and `show running-config` keeps it as a comment.
- `refused`: the router refuses it, and the lines of its block.

Commands can be abbreviated. Most of them have a `no` and a `default` form.

Filters: `| begin`, `| count`, `| exclude`, `| include`, `| section` and `| json`, several in a row, and at the end
`| redirect FILE`, `| append FILE` or `| tee [/append] FILE`. The files are those of the router, `flash:NAME`: a name has no
directory. `dir`, `more`, `delete`, `copy` and `configure replace` work with them. A router has 64 files at most, of 1 MiB
each and 4 MiB together. Refused: `copy` from and to the network, directories, `write erase`.

`cargo test --test console_commands` types each of them and holds this file to the answers. Do not edit it.
";

const ZERO: &str = "
## Counters that are always zero

`show lisp instance-id N ipv4 statistics` and `show lisp service ipv4 statistics` print these lines for programs that
read the form of IOS-XE:

| counters | why |
|---|---|
";

/// The result of a line that is typed after the lines that lead to its mode.
fn result(before: &[&str], line: &str) -> (&'static str, String) {
    let text: String = before.iter().chain([&line]).map(|line| format!("{line}\n")).collect();
    let reading = read_config("typed", &text);
    let found = reading.report.problems.iter().find(|problem| {
        problem.line == before.len() + 1 && problem.kind != ProblemKind::Contradiction
    });
    match found {
        None => ("done", String::new()),
        Some(problem) => {
            let word = match problem.kind {
                ProblemKind::Refused => "refused",
                ProblemKind::NotSupported => "kept",
                ProblemKind::Ignored | ProblemKind::Warning => "warning",
                ProblemKind::Contradiction => "done",
            };
            let message = problem.message.strip_prefix(&format!("`{line}` "));
            (word, message.unwrap_or(&problem.message).replace('|', "\\|"))
        }
    }
}

/// The line that opened the mode after some lines.
fn opener<'a>(lines: &[&'a str]) -> Option<&'a str> {
    let mut open = Vec::new();
    for &line in lines {
        match line {
            "exit" => drop(open.pop()),
            line if line.starts_with("etr ") => {}
            line => open.push(line),
        }
    }
    open.pop()
}

fn table() -> String {
    let mut text = HEAD.to_owned();
    let mut before: Vec<&str> = Vec::new();
    for line in COMMANDS.lines().filter(|line| !line.is_empty() && !line.starts_with('%')) {
        if let Some(heading) = line.strip_prefix("# ") {
            before.clear();
            writeln!(text, "\n## {heading}\n\n| in | command | result | why |\n|---|---|---|---|")
                .unwrap();
        } else if let Some(lines) = line.strip_prefix('>') {
            before = lines.split(';').map(str::trim).filter(|line| !line.is_empty()).collect();
        } else {
            let place = opener(&before).map_or(String::new(), |opener| format!("`{opener}`"));
            let (word, why) = result(&before, line);
            writeln!(text, "| {place} | `{line}` | {word} | {why} |").unwrap();
        }
    }
    text += ZERO;
    for (why, groups) in ALWAYS_ZERO {
        let labels = groups.iter().copied().flatten().map(|label| format!("`{}`", label.trim()));
        writeln!(text, "| {} | {why} |", labels.collect::<Vec<_>>().join(", ")).unwrap();
    }
    text
}

/// Compares a text with its file. If the user asks for it, writes the file.
fn expect_file(file: &str, text: &str) {
    let path = format!("{}/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("EIDWAY_WRITE_COMMANDS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let changed = text.lines().zip(written.lines()).find(|(one, other)| one != other);
    assert!(
        text == written,
        "{file} is not fresh: run this test with EIDWAY_WRITE_COMMANDS=1. First difference: {changed:?}"
    );
}

#[test]
fn the_table_of_the_commands_has_the_results_of_today() {
    expect_file(FILE, &table());
}

const REFERENCE: &str = "src/console/REFERENCE.md";

const REFERENCE_HEAD: &str = "\
# The command reference

Each command of the grammar, by its mode. The part in `[...]` may be left out, of `{one|other}` the line has exactly one,
and `<name:kind>` is a value. Below each command stands the help of its words, as `?` prints it. `no`: the command has a
`no` and a `default` form. The commands of `Service` and `InstanceService` also stand in the modes around them, after `ipv4`
or `ipv6`. [COMMANDS.md](COMMANDS.md) has the result of each command of IOS.

`cargo test --test console_commands` makes this file of the grammar and holds it to it. Do not edit it.
";

/// The commands that stand in these modes alone, in the order of the tables.
fn write_mode(text: &mut String, modes: &'static [Mode]) {
    let names: Vec<String> = modes.iter().map(|mode| format!("{mode:?}")).collect();
    let title = if modes == Mode::CONFIGURATION {
        "all modes of the configuration".to_owned()
    } else {
        names.join(", ")
    };
    writeln!(text, "\n## {title}\n").unwrap();
    for Row { pattern, help, no, .. } in rows().filter(|row| row.modes == modes) {
        let negated = if *no == No::Never { "" } else { " (`no`)" };
        writeln!(text, "- `{pattern}`{negated}").unwrap();
        let compiled = Pattern::new(&[*pattern], help);
        let mut words: Vec<String> = Vec::new();
        let mut last = None;
        // The first word says no more than the command, and `json` means the same everywhere.
        let tells = |position: &&Position| position.index > 0 && position.help != "As JSON";
        for position in compiled.positions().iter().filter(tells) {
            let word = format!("`{}` {}", position.name, position.help);
            if last.replace(position.index) != Some(position.index) && !words.contains(&word) {
                words.push(word);
            }
        }
        if !words.is_empty() {
            writeln!(text, "  {}", words.join("; ")).unwrap();
        }
    }
}

fn reference() -> String {
    let mut text = REFERENCE_HEAD.to_owned();
    let mut seen: Vec<&[Mode]> = Vec::new();
    for row in rows() {
        if !seen.contains(&row.modes) {
            seen.push(row.modes);
            write_mode(&mut text, row.modes);
        }
    }
    text += "\n## Lines that are accepted, but not carried out\n\n\
             | in | first words | treatment | why |\n|---|---|---|---|\n";
    for Accepted { modes, pattern, treatment, reason, .. } in ACCEPTED {
        let modes: Vec<String> = modes.iter().map(|mode| format!("{mode:?}")).collect();
        let treatment = match treatment {
            Treatment::Silent => "no message",
            Treatment::Ignored => "warning",
            Treatment::Kept => "kept as a comment",
        };
        let pattern = pattern.replace('|', "\\|");
        writeln!(text, "| {} | `{pattern}` | {treatment} | {reason} |", modes.join(", ")).unwrap();
    }
    text
}

#[test]
fn the_command_reference_is_that_of_the_grammar() {
    expect_file(REFERENCE, &reference());
}

/// A command that is carried out has no remark, and every other command has a reason.
#[test]
fn each_command_that_is_not_carried_out_has_a_reason() {
    let mut wrong = Vec::new();
    let table = table();
    let commands = table.split("## Counters").next().unwrap_or_default();
    for row in commands.lines().filter(|line| line.starts_with("| ") && !line.contains("| in |")) {
        let cells: Vec<&str> = row.split(" | ").collect();
        let (word, why) = (cells[2], cells[3].trim_end_matches('|').trim());
        let is_bare = ["invalid input", "incomplete command", "ambiguous command"].contains(&why);
        if (word == "done") != why.is_empty() || is_bare {
            wrong.push(row.to_owned());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
