//! `--More--`: stops a long output after each screen.

use super::super::filter::Filter;

/// The prompt between two screens.
pub const MORE: &str = " --More-- ";

/// Divides an output into screens. The caller prints the text that the methods return.
#[derive(Clone, Debug, Default)]
pub struct Pager {
    /// The number of lines on the screen. 0 means that the output never stops.
    length: usize,
    /// The number of columns of the screen. 0 means that a line never continues on the next row.
    width: usize,
    /// The number of rows that may still be printed before the output stops.
    free: usize,
    /// The part of the output that is not printed yet. It is printed after the user presses a key.
    held: String,
    /// The number of used columns in the last row.
    column: usize,
    /// Whether the user has ended this output.
    is_ended: bool,
    /// The filter for the part of the output that is not printed yet. The user sets it with `/`,
    /// `+` or `-` at [`MORE`].
    filter: Option<Filter>,
}

impl Pager {
    /// Sets the number of lines and columns of the screen.
    pub fn resize(&mut self, length: usize, width: usize) {
        (self.length, self.width) = (length, width);
    }

    /// Begins a new output.
    pub fn begin(&mut self) {
        self.held.clear();
        self.is_ended = false;
        self.filter = None;
        self.column = 0;
        self.free = self.page();
    }

    /// The number of rows of a page. The last row of the screen is for the prompt.
    fn page(&self) -> usize {
        self.length.saturating_sub(1).max(1)
    }

    /// Whether the output stops at [`MORE`] and waits for a key.
    pub fn is_waiting(&self) -> bool {
        !self.held.is_empty()
    }

    /// Adds text to the output. Returns the text that can be printed now. If the screen is full,
    /// the returned text ends with [`MORE`].
    pub fn push(&mut self, text: &str) -> String {
        match &mut self.filter {
            Some(filter) => {
                let selected = filter.push(text.to_owned());
                self.push_selected(&selected)
            }
            None => self.push_selected(text),
        }
    }

    /// Ends the filter of this output. Returns the part of the remaining selected text that can be
    /// printed now.
    pub fn finish(&mut self) -> String {
        let rest = self.filter.take().map(|mut filter| filter.finish()).unwrap_or_default();
        self.push_selected(&rest)
    }

    fn push_selected(&mut self, text: &str) -> String {
        if self.is_ended {
            return String::new();
        }
        if self.is_waiting() {
            self.held += text;
            return String::new();
        }
        if self.length == 0 {
            return text.to_owned();
        }
        let printed = self.rows_of(text);
        let (now, later) = text.split_at(printed);
        later.clone_into(&mut self.held);
        let more = if later.is_empty() { "" } else { MORE };
        format!("{now}{more}")
    }

    /// The number of octets at the start of `text` that can still be printed on this screen.
    fn rows_of(&mut self, text: &str) -> usize {
        for (at, character) in text.char_indices() {
            if self.free == 0 {
                return at;
            }
            if character == '\n' {
                self.free -= 1;
                self.column = 0;
                continue;
            }
            if self.width > 0 && self.column == self.width {
                // The line continues on the next row.
                self.free -= 1;
                self.column = 0;
                if self.free == 0 {
                    return at;
                }
            }
            self.column += 1;
        }
        text.len()
    }

    /// Prints the next page.
    pub fn next_page(&mut self) -> String {
        self.go_on(self.page())
    }

    /// Prints the next line.
    pub fn next_line(&mut self) -> String {
        self.go_on(1)
    }

    fn go_on(&mut self, rows: usize) -> String {
        self.free = rows;
        let held = std::mem::take(&mut self.held);
        erased() + &self.push_selected(&held)
    }

    /// Replaces [`MORE`] by `mark`, which is the first character of a search.
    pub fn begin_search(&mut self, mark: char) -> String {
        format!("{}{mark}", erased())
    }

    /// Prints the next page. From now on, only the lines that `filter` selects are printed.
    pub fn select(&mut self, mut filter: Filter) -> String {
        self.free = self.page();
        self.column = 0;
        let held = filter.push(std::mem::take(&mut self.held));
        self.filter = match self.filter.take() {
            Some(mut earlier) => Some(earlier.and(filter)),
            None => Some(filter),
        };
        self.push_selected(&held)
    }

    /// Ends the output. The remaining output is not printed.
    pub fn end(&mut self) -> String {
        self.held.clear();
        self.is_ended = true;
        erased()
    }
}

/// Returns the characters that overwrite [`MORE`] with blanks.
fn erased() -> String {
    let back = "\u{8}".repeat(MORE.len());
    format!("{back}{}{back}", " ".repeat(MORE.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pager(length: usize, width: usize) -> Pager {
        let mut pager = Pager::default();
        pager.resize(length, width);
        pager.begin();
        pager
    }

    #[test]
    fn a_page_leaves_a_row_for_the_prompt_and_the_prompt_comes_only_before_more_text() {
        let mut pager = pager(4, 80);
        assert_eq!(pager.push("1\n2\n3\n"), "1\n2\n3\n");
        assert!(!pager.is_waiting());
        assert_eq!(pager.push("4\n5\n"), MORE);
        assert!(pager.is_waiting());
        assert_eq!(pager.push("6\n7\n8\n9\n"), "");
        assert_eq!(pager.next_line(), format!("{}4\n{MORE}", erased()));
        assert_eq!(pager.next_page(), format!("{}5\n6\n7\n{MORE}", erased()));
        assert_eq!(pager.next_page(), format!("{}8\n9\n", erased()));
        assert!(!pager.is_waiting());
    }

    #[test]
    fn an_ended_output_prints_nothing_more_until_the_next_output() {
        let mut pager = pager(2, 80);
        assert_eq!(pager.push("1\n2\n"), format!("1\n{MORE}"));
        assert_eq!(pager.end(), erased());
        assert_eq!(pager.push("3\n"), "");
        pager.begin();
        assert_eq!(pager.push("4\n"), "4\n");
    }

    #[test]
    fn a_long_line_takes_several_rows() {
        let mut pager = pager(3, 4);
        assert_eq!(pager.push("abcdefgh\nx\n"), format!("abcdefgh\n{MORE}"));
        pager.begin();
        assert_eq!(pager.push("abcdefghi"), format!("abcdefgh{MORE}"));
        assert_eq!(pager.next_line(), format!("{}i", erased()));
    }

    #[test]
    fn length_0_never_stops() {
        let mut pager = pager(0, 80);
        let text = "x\n".repeat(1000);
        assert_eq!(pager.push(&text), text);
    }

    #[test]
    fn a_screen_of_one_line_still_goes_on() {
        let mut pager = pager(1, 80);
        assert_eq!(pager.push("1\n2\n"), format!("1\n{MORE}"));
        assert_eq!(pager.next_page(), format!("{}2\n", erased()));
    }
}
