//! The words that may come next in a line, for `?` and for completion.

use super::filter::{self, FILTERS};
use super::grammar::{Context, Mode};
use super::parse::{Mismatch, Next, begin, tokens};

/// The text that `?` prints after the user has typed `line`.
pub fn help(context: &Context, line: &str) -> Result<String, String> {
    let (head, partial) = split(line);
    let candidates = candidates(context, head, partial).map_err(|mismatch| match mismatch {
        Mismatch::Ambiguous { .. } => format!("% Ambiguous command:  \"{}\"\n", line.trim_end()),
        _ => "% Unrecognized command\n".to_owned(),
    })?;
    if candidates.is_empty() {
        return Err("% Unrecognized command\n".to_owned());
    }
    let keywords: Vec<&str> = words(&candidates);
    if !partial.is_empty() && !keywords.is_empty() {
        return Ok(format!("{}\n\n", keywords.join("  ")));
    }
    let width = candidates.iter().map(|next| next.word.len()).max().unwrap_or(0);
    let lines = candidates.iter().map(|next| {
        let line = format!("  {:width$}  {}", next.word, next.help);
        format!("{}\n", line.trim_end())
    });
    let title = match line.trim().is_empty() {
        true => format!("{} commands:\n", title(context.mode())),
        false => String::new(),
    };
    Ok(title + &lines.collect::<String>() + "\n")
}

/// The title of a mode, as IOS prints it above the list of all commands of the mode.
fn title(mode: Mode) -> &'static str {
    match mode {
        Mode::Exec => "Exec",
        Mode::Config => "Configure",
        Mode::Interface => "Interface configuration",
        Mode::Vrf => "VRF configuration",
        Mode::VrfFamily => "IP VPN Routing/Forwarding instance address family configuration",
        Mode::Line => "Line configuration",
        Mode::Lisp => "Router LISP configuration",
        Mode::LocatorSet => "LISP locator-set configuration",
        Mode::EidTable => "LISP EID-table configuration",
        Mode::DynamicEid => "LISP dynamic-EID configuration",
        Mode::Site => "LISP site configuration",
        Mode::Service | Mode::InstanceService => "LISP service configuration",
        Mode::Instance => "LISP instance configuration",
    }
}

/// The keywords that complete the last word of `line`.
pub fn complete(context: &Context, line: &str) -> Vec<String> {
    let (head, partial) = split(line);
    let candidates = candidates(context, head, partial).unwrap_or_default();
    words(&candidates).into_iter().map(str::to_owned).collect()
}

fn words(candidates: &[Next]) -> Vec<&str> {
    let keywords = candidates.iter().filter(|next| next.keyword);
    keywords.map(|next| next.word.as_str()).collect()
}

/// Splits a line into its complete words and its last word, which is unfinished.
fn split(line: &str) -> (&str, &str) {
    let start = line
        .rfind(char::is_whitespace)
        .map_or(0, |blank| blank + line[blank..].chars().next().map_or(1, char::len_utf8));
    line.split_at(start)
}

/// The words that may follow `head` and begin with `partial`. The values come first, then the
/// keywords in alphabetical order, then `<cr>`.
fn candidates(context: &Context, head: &str, partial: &str) -> Result<Vec<Next>, Mismatch> {
    let mut all = if let Some((command, rest)) = head.split_once('|') {
        if context != &Context::Exec && !begins_with_do(command) {
            return Ok(Vec::new());
        }
        after_bar(rest)
    } else if *context != Context::Exec && begins_with_do(head) {
        let rest = &head[tokens(head)[0].end..];
        return candidates(&Context::Exec, rest, partial);
    } else {
        following(context, head)?
    };
    let start = partial.to_ascii_lowercase();
    all.retain(|next| match next.keyword {
        true => next.word.to_ascii_lowercase().starts_with(&start),
        false => partial.is_empty() || next.word != "<cr>",
    });
    all.sort_by_key(|next| (next.word == "<cr>", next.keyword, next.word.clone()));
    Ok(all)
}

fn begins_with_do(line: &str) -> bool {
    tokens(line).first().is_some_and(|first| &line[first.clone()] == "do")
}

/// The words that may follow the text after a bar: a filter, or the argument of the filter.
fn after_bar(text: &str) -> Vec<Next> {
    // Only the text after the last bar matters.
    let last = text.rsplit('|').next().unwrap_or_default();
    match last.split_whitespace().next() {
        None => FILTERS.iter().map(|&(word, help)| keyword(word, help)).collect(),
        Some(name) => {
            let argument = filter::argument(name).into_iter();
            argument
                .map(|(word, help)| Next { word: word.to_owned(), help, keyword: false })
                .collect()
        }
    }
}

fn keyword(word: &str, help: &'static str) -> Next {
    Next { word: word.to_owned(), help, keyword: true }
}

/// The words that may follow `head` in the mode of `context`. If this mode does not accept `head`,
/// the function uses the nearest outer mode that accepts `head`.
fn following(context: &Context, head: &str) -> Result<Vec<Next>, Mismatch> {
    let mut here = context.clone();
    let mut first_error = None;
    loop {
        match follow_in(&here, head) {
            Ok(found) => return Ok(found),
            Err(error) => first_error = first_error.or(Some(error)),
        }
        match here.outer() {
            Some(outer) if outer != Context::Exec => here = outer,
            _ => break,
        }
    }
    first_error.map_or(Ok(Vec::new()), Err)
}

fn follow_in(context: &Context, head: &str) -> Result<Vec<Next>, Mismatch> {
    let (mut matching, words) = begin(context, head);
    for span in words {
        matching.step(head, span)?;
    }
    let mut all = matching.expected();
    if *context == Context::Exec && head.trim().is_empty() {
        all.push(keyword("no", "Disable debugging functions"));
    }
    if *context != Context::Exec && head.trim().is_empty() {
        all.push(keyword("no", "Negate a command or set its defaults"));
        all.push(keyword("default", "Set a command to its defaults"));
        all.push(keyword("do", "To run exec commands in config mode"));
    }
    if matching.may_end() && *context == Context::Exec {
        all.push(keyword("|", "Output modifiers"));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_lists_the_next_words_in_two_columns() {
        let expected = "  map-cache   Delete the mappings that were learned from other sites
  statistics  Counters of messages and packets, of both families

";
        assert_eq!(help(&Context::Exec, "clear ip lisp ").unwrap(), expected);
        let expected = "  memory    From the startup configuration
  network   From a network file
  replace   Replace the running configuration
  terminal  Configure from the terminal
  |         Output modifiers
  <cr>

";
        assert_eq!(help(&Context::Exec, "conf ").unwrap(), expected);
        let last = help(&Context::Exec, "show version ").unwrap();
        assert_eq!(last, "  json  As JSON\n  |     Output modifiers\n  <cr>\n\n");
    }

    #[test]
    fn help_on_a_beginning_lists_the_words_that_it_may_become() {
        assert_eq!(help(&Context::Exec, "sh").unwrap(), "show\n\n");
        assert_eq!(help(&Context::Exec, "e").unwrap(), "enable  erase  exit\n\n");
        let all = help(&Context::Exec, "").unwrap();
        assert!(all.starts_with("Exec commands:\n  cd "), "{all}");
        let all = help(&Context::Lisp, " ").unwrap();
        assert!(all.starts_with("Router LISP configuration commands:\n"), "{all}");
        assert!(help(&Context::Exec, "xyz").is_err());
        assert!(help(&Context::Exec, "show i l").is_err());
    }

    #[test]
    fn help_works_behind_no_do_and_a_bar() {
        let no = help(&Context::Lisp, "no ipv4 ").unwrap();
        assert!(no.contains("  use-petr "), "{no}");
        assert_eq!(help(&Context::Lisp, "do show ip li").unwrap(), "lisp\n\n");
        let bar = help(&Context::Exec, "show ip lisp | ").unwrap();
        assert!(bar.contains("  include   Include lines that match\n"), "{bar}");
        assert_eq!(complete(&Context::Exec, "show ip lisp | inc"), ["include"]);
        let after = |line| help(&Context::Exec, line).unwrap();
        assert_eq!(after("show ip lisp | inc "), "  LINE  Regular Expression\n\n");
        assert!(after("show ip lisp | inc x | red ").starts_with("  WORD  Name of a file"));
        assert!(
            after("show ip lisp | inc x | ").contains("  redirect  Write the output to a file\n")
        );
    }

    #[test]
    fn completion_gives_keywords_only() {
        assert_eq!(complete(&Context::Exec, "sh ip li"), ["lisp"]);
        assert_eq!(
            complete(&Context::Lisp, "ipv4 map-"),
            ["map-cache-limit", "map-request-source", "map-resolver", "map-server"]
        );
        assert_eq!(complete(&Context::Config, "interface l"), ["Loopback"]);
        assert!(complete(&Context::Exec, "nonsense here").is_empty());
    }
}
