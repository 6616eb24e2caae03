//! The grammar of all commands, as tables. The grammar is the only definition of the commands: the
//! config file, the console, `?`, completion, abbreviations and `no` forms all use it.
//!
//! A [`Row`] is a command. It has the modes and the pattern of the command, the help of each word
//! of the pattern, the `no` form, and the function of the command. To add a command, add a row.
//!
//! # The notation of a pattern
//!
//! - `word`: this word, or an abbreviation of it. No other word at this position may have the same
//!   abbreviation.
//! - `<name:kind>`: a value of a kind (`address`, `prefix`, `word`, `0-255`, ...). The function of
//!   the command reads the value by its name.
//! - `[...]`: the part inside the brackets may be left out.
//! - `{one|other}`: the line has exactly one of the parts.
//!
//! A row has one help text for each word and each value of its pattern. Brackets, braces and bars
//! have no help text. This pattern has eight help texts:
//!
//! ```text
//! show {ip|ipv6} lisp [instance-id <instance:0-16777215>] smr [json]
//! SHOW  IP IPV6  LISP  OTHER        INSTANCE               "..."  JSON
//! ```
//!
//! The following lines are matched against this pattern:
//!
//! ```text
//! show ip lisp smr                          args.has("json") is false, args.has("ipv6") is false
//! show ipv6 lisp instance-id 7 smr json     both are true; args.optional("instance") is Some(7)
//! sh ipv li i 7 s j                         the same: each word fits only one keyword
//! show ip lisp instance-id smr              `smr` is no number: the caret stands under it
//! show ip lisp instance-id                  it cannot end here: "% Incomplete command."
//! ```
//!
//! [`Pattern`] compiles the notation into an automaton. The automaton has a position for each word:
//!
//! ```text
//!   show ─▶ ip ───▶ lisp ─▶ instance-id ─▶ <instance> ─▶ smr ─▶ json ─▶ end
//!     └───▶ ipv6 ────┘ └─────────────────────────────────┘ └──────────────┘
//! ```
//!
//! One lookup in a table gives the words that may follow a word. Matching, `?` and completion use
//! these words. An error of a config file also lists these words as the expected words.
//!
//! # The `no` form
//!
//! [`No::After`]`(3)` means that the line must have `no` and the first 3 words of the pattern. The
//! other words may be left out, as in `no ip address`. The function of the command reads
//! [`Args::negated`](super::args::Args::negated).

mod absent_shows;
mod accepted;
mod argument;
mod clear;
mod context;
mod debug;
mod dynamic_eid;
mod emulated_host;
mod exec;
mod exec_show;
mod files;
mod global;
mod interface;
mod key;
mod line;
mod lisp;
mod lisp_shows;
mod moves;
mod names;
mod old_style;
mod openers;
mod packet;
mod pattern;
mod probe;
mod route;
mod row;
mod service;
mod site;
mod tables;
mod terminal;
mod vrf;

use std::sync::LazyLock;

pub use accepted::{Accepted, Extent, ROWS as ACCEPTED, Treatment};
pub use context::{Context, Mode};
pub use lisp::LOCATOR_DEFAULT;
pub use openers::opened;
pub use pattern::{Pattern, Position, Word};
pub use row::{No, Row, Run};

/// A row that is compiled for one of its modes.
pub struct Command {
    /// The mode of the command.
    pub mode: Mode,
    /// The compiled pattern of the command.
    pub pattern: Pattern,
    /// The `no` form of the command.
    pub no: No,
    /// The function of the command.
    pub run: Run,
}

static COMMANDS: LazyLock<Vec<Command>> = LazyLock::new(compile);

/// The commands of a mode, in the order of the tables of the grammar.
pub fn commands(mode: Mode) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |command| command.mode == mode)
}

static ACCEPTED_COMMANDS: LazyLock<Vec<Command>> = LazyLock::new(|| {
    let of_row = |row: &'static Accepted| {
        row.modes.iter().map(move |&mode| Command {
            mode,
            pattern: Pattern::with_one_help(&[row.pattern, "[<rest:line>]"], row.reason),
            // All words of the pattern must follow `no`.
            no: No::After(usize::MAX),
            run: Run::Accept(row),
        })
    };
    ACCEPTED.iter().flat_map(of_row).collect()
});

/// The lines that a mode accepts, although the router does not carry them out.
pub fn accepted(mode: Mode) -> impl Iterator<Item = &'static Command> {
    ACCEPTED_COMMANDS.iter().filter(move |command| command.mode == mode)
}

/// The rows of all tables. The order of the tables is the order in which `?` lists the commands.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    let tables = [
        exec::ROWS,
        probe::ROWS,
        exec_show::ROWS,
        absent_shows::ROWS,
        clear::ROWS,
        files::ROWS,
        moves::ROWS,
        lisp_shows::ROWS,
        packet::ROWS,
        debug::ROWS,
        terminal::ROWS,
        global::ROWS,
        old_style::ROWS,
        names::ROWS,
        route::ROWS,
        vrf::ROWS,
        interface::ROWS,
        line::ROWS,
        emulated_host::ROWS,
        lisp::ROWS,
        tables::ROWS,
        dynamic_eid::ROWS,
        site::ROWS,
        service::ROWS,
        exec::LEAVING,
    ];
    tables.into_iter().flatten()
}

/// Compiles every row for each of its modes. A command of a `service` block is also compiled for
/// the modes that contain this block. In these modes, the command begins with the word `ipv4` or
/// `ipv6`. In the global configuration, the commands of a service and of an EID-table begin with
/// `ip lisp` or `ipv6 lisp`.
fn compile() -> Vec<Command> {
    let mut commands = Vec::new();
    for row in rows() {
        for &mode in row.modes {
            commands.push(Command {
                mode,
                pattern: Pattern::new(&[row.pattern], row.help),
                no: row.no,
                run: row.run,
            });
        }
    }
    let old_style = (old_style::HERE, old_style::FAMILY, old_style::FAMILY_HELP);
    for (rows, (modes, family, family_help)) in [
        (service::ROWS, (service::AROUND, service::FAMILY, service::FAMILY_HELP)),
        (service::ROWS, old_style),
        (tables::ROWS, old_style),
    ] {
        for (row, &mode) in rows.iter().flat_map(|row| modes.iter().map(move |mode| (row, mode))) {
            commands.push(Command {
                mode,
                pattern: Pattern::new(&[family, row.pattern], &[family_help, row.help].concat()),
                no: match row.no {
                    No::After(words) => No::After(words + family_help.len()),
                    No::Never => No::Never,
                },
                run: row.run,
            });
        }
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{Family, InstanceId};
    use crate::console::edit::Editor;
    use crate::console::grammar::argument::Kind;
    use crate::console::parse::{Mismatch, match_line};
    use crate::router::config::Config;

    fn sample(word: &Word) -> String {
        let Word::Argument(kind) = word else {
            let Word::Keyword(keyword) = word else { unreachable!() };
            return (*keyword).to_owned();
        };
        match kind {
            Kind::Ipv4 | Kind::Address => "10.0.0.1",
            Kind::Ipv6 => "2001:db8::1",
            Kind::Prefix4 | Kind::Prefix => "10.0.0.1/24",
            Kind::Prefix6 => "2001:db8::1/64",
            Kind::Mask => "255.0.0.0",
            Kind::Mac => "0200.5e00.0101",
            Kind::Number(low, _) => return low.to_string(),
            Kind::Word | Kind::Line => "word",
            Kind::Interface => "Ethernet1/0",
            Kind::LispInterface => "LISP0",
            Kind::VirtualInterface => "Tunnel0",
            Kind::InterfaceNumber(_) => "1",
        }
        .to_owned()
    }

    fn context(mode: Mode) -> Context {
        let id = InstanceId::DEFAULT;
        match mode {
            Mode::Exec => Context::Exec,
            Mode::Config => Context::Config,
            Mode::Interface => Context::Interface("e1/0".parse().unwrap()),
            Mode::Vrf => Context::Vrf("word".to_owned()),
            Mode::VrfFamily => Context::VrfFamily("word".to_owned(), Family::Ipv4),
            Mode::Line => Context::Line { is_vty: true },
            Mode::Lisp => Context::Lisp,
            Mode::LocatorSet => Context::LocatorSet("word".to_owned()),
            Mode::EidTable => Context::EidTable(id),
            Mode::DynamicEid => Context::DynamicEid {
                within: Box::new(Context::EidTable(id)),
                name: "word".to_owned(),
            },
            Mode::Site => Context::Site("word".to_owned()),
            Mode::Service => Context::Service(Family::Ipv4),
            Mode::Instance => Context::Instance(id),
            Mode::InstanceService => Context::InstanceService(id, Family::Ipv4),
        }
    }

    /// Returns the shortest line that fits the pattern and has the word at position `through`.
    fn line_through(pattern: &Pattern, through: usize) -> String {
        let reach = |from: &[usize], done: &dyn Fn(usize) -> bool| {
            let mut ways: Vec<Vec<usize>> = from.iter().map(|&at| vec![at]).collect();
            let mut seen = std::collections::BTreeSet::new();
            loop {
                let mut longer = Vec::new();
                for way in ways {
                    let last = way[way.len() - 1];
                    if done(last) {
                        return way;
                    }
                    if seen.insert(last) {
                        let next = pattern.next(Some(last)).iter();
                        longer.extend(next.map(|&at| [way.as_slice(), &[at]].concat()));
                    }
                }
                assert!(!longer.is_empty(), "position {through} cannot be reached or left");
                ways = longer;
            }
        };
        let mut way = reach(pattern.next(None), &|at| at == through);
        if !pattern.ends_at(through) {
            way.extend(reach(pattern.next(Some(through)), &|at| pattern.ends_at(at)));
        }
        let words = way.into_iter().map(|at| sample(&pattern.positions()[at].word));
        words.collect::<Vec<_>>().join(" ")
    }

    fn a_configuration() -> Config {
        let text = "interface e1/0\n ip address 192.0.2.1/24\nrouter lisp\n locator-set word\n";
        crate::console::parse_config("sample", text).unwrap()
    }

    #[test]
    fn every_word_of_every_command_can_be_typed_and_its_handler_finds_its_arguments() {
        for mode in Mode::ALL {
            for command in commands(mode) {
                for at in 0..command.pattern.positions().len() {
                    let line = line_through(&command.pattern, at);
                    let matched = match match_line(&context(mode), &line) {
                        Ok(matched) => matched,
                        Err(mismatch) => panic!("{mode:?} {line}: {mismatch:?}"),
                    };
                    let mut editor = Editor::at(a_configuration(), context(mode));
                    let fault = match matched.run {
                        Run::Edit(edit) => edit(&mut editor, &matched.args).err(),
                        Run::Exec(run) => run(&matched.args, &editor.config).err(),
                        Run::Accept(_) => None,
                    };
                    let message = fault.map(|fault| fault.message).unwrap_or_default();
                    assert!(!message.contains("is missing"), "{mode:?} {line}: {message}");
                    assert!(!message.contains("is selected"), "{mode:?} {line}: {message}");
                }
            }
        }
    }

    #[test]
    fn every_command_that_enters_a_mode_is_known_as_an_opener() {
        let mut found = 0;
        for mode in Mode::ALL {
            for command in commands(mode) {
                let Run::Edit(edit) = command.run else { continue };
                let line = line_through(&command.pattern, command.pattern.next(None)[0]);
                let Ok(matched) = match_line(&context(mode), &line) else { continue };
                let mut editor = Editor::at(a_configuration(), context(mode));
                let outer = std::iter::successors(Some(context(mode)), Context::outer);
                if edit(&mut editor, &matched.args).is_err()
                    || outer.into_iter().any(|outer| outer == editor.context)
                {
                    continue;
                }
                found += 1;
                let opens = opened(mode, &line).unwrap_or_else(|| panic!("{mode:?} {line}"));
                assert_eq!(opens, Some(editor.context.mode()), "{mode:?} {line}");
            }
        }
        assert!(found >= 15, "{found}");
    }

    /// Checks the example in the head of this file.
    #[test]
    fn the_notation_is_as_its_example_says() {
        let asked = |line: &str| {
            let matched = match_line(&Context::Exec, line).unwrap_or_else(|it| panic!("{it:?}"));
            let args = matched.args;
            (args.has("json"), args.has("ipv6"), args.optional::<u32>("instance"))
        };
        assert_eq!(asked("show ip lisp smr"), (false, false, None));
        for line in ["show ipv6 lisp instance-id 7 smr json", "sh ipv li i 7 s j"] {
            assert_eq!(asked(line), (true, true, Some(7)), "{line}");
        }
        let wrong = |line: &str| match match_line(&Context::Exec, line) {
            Err(mismatch) => mismatch,
            Ok(_) => panic!("{line} is no command"),
        };
        match wrong("show ip lisp instance-id smr") {
            Mismatch::Invalid { span, .. } => assert_eq!(span, 25..28),
            other => panic!("{other:?}"),
        }
        assert!(matches!(wrong("show ip lisp instance-id"), Mismatch::Incomplete { .. }));
    }

    #[test]
    fn every_accepted_line_has_a_mode_and_a_reason() {
        assert!(ACCEPTED_COMMANDS.len() > ACCEPTED.len());
        for row in ACCEPTED {
            assert!(!row.modes.is_empty() && !row.reason.is_empty(), "{}", row.pattern);
        }
    }

    #[test]
    fn every_word_has_help() {
        for row in rows() {
            assert!(!row.modes.is_empty(), "{}", row.pattern);
            assert!(row.help.iter().all(|help| !help.is_empty()), "{}", row.pattern);
        }
    }

    #[test]
    fn a_no_form_is_there_exactly_where_there_is_something_to_undo() {
        for mode in Mode::ALL {
            for command in commands(mode) {
                let words = &command.pattern.positions();
                match command.no {
                    No::Never => assert!(!matches!(command.run, Run::Accept(_))),
                    No::After(least) => {
                        let position = words.iter().position(|word| word.index + 1 == least);
                        let at = position.unwrap_or_else(|| panic!("{mode:?} {words:?}"));
                        let line = format!("no {}", line_through(&command.pattern, at));
                        assert!(match_line(&context(mode), &line).is_ok(), "{mode:?} {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_mode_can_be_left() {
        for mode in Mode::ALL {
            assert!(match_line(&context(mode), "exit").is_ok(), "{mode:?}");
        }
    }
}
