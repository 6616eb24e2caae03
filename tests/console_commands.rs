//! `src/console/COMMANDS.md` has the result of each command of IOS that configures LISP. This test
//! types all of them, writes the table of the results, and compares it with the file.
//! `EIDWAY_WRITE_COMMANDS=1 cargo test --test console_commands` writes the file.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fmt::Write;

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

Filters: `| begin`, `| count`, `| exclude`, `| include`, `| section` and `| json`, several in a row. `| redirect FILE`,
`| tee FILE` and `| append FILE` are refused: a session may belong to a user on another machine or to a program, and the
router has no files for them. `eidway console LAB/NODE -c 'COMMAND' > FILE` writes a file as the user who types it.

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

#[test]
fn the_table_of_the_commands_has_the_results_of_today() {
    let path = format!("{}/{FILE}", env!("CARGO_MANIFEST_DIR"));
    let table = table();
    if std::env::var_os("EIDWAY_WRITE_COMMANDS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let changed = table.lines().zip(written.lines()).find(|(one, other)| one != other);
    assert!(
        table == written,
        "{FILE} is not fresh: run this test with EIDWAY_WRITE_COMMANDS=1. First difference: {changed:?}"
    );
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
