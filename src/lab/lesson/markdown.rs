//! Makes plain text of the Markdown of a lesson, for a terminal.

use unicode_width::UnicodeWidthStr;

/// Returns Markdown as plain text, with lines of at most `width` columns. Paragraphs and items of
/// lists are wrapped. Examples, headings and tables are kept as they are. The marks of bold text
/// are removed, because a terminal of IOS has no bold text.
pub fn plain(markdown: &str, width: usize) -> String {
    let mut text = String::new();
    let mut paragraph = Paragraph::default();
    let mut is_example = false;
    for line in markdown.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with("```") {
            paragraph.end(width, &mut text);
            is_example = !is_example;
        } else if is_example {
            text.push_str(format!("    {line}").trim_end());
            text.push('\n');
        } else if trimmed.is_empty() {
            paragraph.end(width, &mut text);
            text.push('\n');
        } else if trimmed.starts_with(['#', '|']) {
            paragraph.end(width, &mut text);
            text.push_str(&format!("{trimmed}\n"));
        } else {
            if let Some(indent) = item(line) {
                paragraph.end(width, &mut text);
                paragraph.indent = indent;
            }
            paragraph.words.extend(words(trimmed));
        }
    }
    paragraph.end(width, &mut text);
    text
}

/// If a line begins an item of a list, returns the number of columns before the text of the item.
fn item(line: &str) -> Option<usize> {
    let text = line.trim_start();
    let number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = number.len() < text.len() && number.starts_with(". ");
    let mark = match text.starts_with("- ") || text.starts_with("* ") {
        true => 2,
        false if is_numbered => text.len() - number.len() + 2,
        false => return None,
    };
    Some(line.len() - text.len() + mark)
}

/// Returns the words of a line, without the marks of bold text.
fn words(line: &str) -> impl Iterator<Item = String> {
    line.split_whitespace().map(|word| word.replace("**", ""))
}

/// A paragraph, or an item of a list.
#[derive(Default)]
struct Paragraph {
    words: Vec<String>,
    /// The number of columns before each line except the first.
    indent: usize,
}

impl Paragraph {
    /// Adds the wrapped paragraph to the text, and begins a new one.
    fn end(&mut self, width: usize, text: &mut String) {
        let Paragraph { words, indent } = std::mem::take(self);
        let mut column = 0;
        for word in words {
            if column > 0 && column + 1 + word.width() > width {
                text.push('\n');
                text.push_str(&" ".repeat(indent));
                column = indent;
            } else if column > 0 {
                text.push(' ');
                column += 1;
            }
            text.push_str(&word);
            column += word.width();
        }
        if column > 0 {
            text.push('\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_and_items_are_wrapped_and_examples_are_not() {
        let markdown = "One **two** three\nfour.\n\n- first item of all\n1. second item\n\n\
                        ```text\nshow  ip lisp map-cache\n```\n### A long heading is kept\n";
        let expected = "One two\nthree four.\n\n- first item\n  of all\n1. second\n   item\n\n    \
                        show  ip lisp map-cache\n### A long heading is kept\n";
        assert_eq!(plain(markdown, 12), expected);
    }

    #[test]
    fn a_word_that_is_too_long_has_a_line_of_its_own() {
        assert_eq!(plain("a 172.16.0.0/24 b", 5), "a\n172.16.0.0/24\nb\n");
    }
}
