//! The first words of the commands that open a mode. If the router refuses a line that begins with
//! these words, it still knows the block that the line opens.

use super::context::Mode;

/// A command that opens a mode.
struct Opener {
    modes: &'static [Mode],
    /// The first words of the command.
    words: &'static [&'static str],
    /// The mode that the command opens. `None` if this router does not have the mode.
    opens: Option<Mode>,
}

const fn opener(
    modes: &'static [Mode],
    words: &'static [&'static str],
    opens: Option<Mode>,
) -> Opener {
    Opener { modes, words, opens }
}

const CONFIG: &[Mode] = &[Mode::Config];
const LISP: &[Mode] = &[Mode::Lisp];

/// The commands that open a mode. If a line fits several rows, the first of these rows is used.
const OPENERS: &[Opener] = &[
    opener(CONFIG, &["interface"], Some(Mode::Interface)),
    opener(CONFIG, &["router", "lisp"], Some(Mode::Lisp)),
    opener(CONFIG, &["router"], None),
    opener(CONFIG, &["lisp", "site"], Some(Mode::Site)),
    opener(CONFIG, &["line"], Some(Mode::Line)),
    opener(CONFIG, &["vrf"], Some(Mode::Vrf)),
    opener(CONFIG, &["ip", "vrf"], Some(Mode::Vrf)),
    opener(&[Mode::Vrf], &["address-family"], Some(Mode::VrfFamily)),
    opener(LISP, &["locator-set"], Some(Mode::LocatorSet)),
    opener(LISP, &["eid-table"], Some(Mode::EidTable)),
    opener(LISP, &["instance-id"], Some(Mode::Instance)),
    opener(LISP, &["service"], Some(Mode::Service)),
    opener(LISP, &["site"], Some(Mode::Site)),
    opener(Mode::EID_TABLES, &["dynamic-eid"], Some(Mode::DynamicEid)),
    opener(&[Mode::Instance], &["service"], Some(Mode::InstanceService)),
];

/// The minimum number of letters in an abbreviation of a word of an opener.
const SHORTEST: usize = 3;

/// The mode that `line` opens in `mode`, also if the router refuses the line. The result is `None`
/// if the line opens no mode, and `Some(None)` if this router does not have the opened mode.
pub fn opened(mode: Mode, line: &str) -> Option<Option<Mode>> {
    let fits = |opener: &&Opener| {
        let mut words = line.split_whitespace();
        opener.modes.contains(&mode)
            && opener.words.iter().all(|word| words.next().is_some_and(|typed| fits(word, typed)))
    };
    OPENERS.iter().find(fits).map(|opener| opener.opens)
}

/// Whether the typed word is `word` or an abbreviation of `word`.
fn fits(word: &str, typed: &str) -> bool {
    let shortest = SHORTEST.min(word.len());
    let start = word.get(..typed.len());
    typed.len() >= shortest && start.is_some_and(|start| start.eq_ignore_ascii_case(typed))
}
