//! The line editor of a terminal, with the keys of IOS.
//!
//! The editor changes the line on the screen only with characters, blanks and backspaces, as IOS
//! does. So a terminal needs no escape sequences, and a program that reads the output finds only
//! text.

use std::collections::VecDeque;

use unicode_width::UnicodeWidthChar;

use super::keys::Key;

/// The maximum number of characters of a line.
pub const LONGEST_LINE: usize = 4000;
/// The maximum number of lines that the editor remembers.
const MOST_LINES: usize = 100;
/// The character that sounds the bell. The editor sends it after a key that has no effect.
const BELL: char = '\u{7}';

/// The line that the user types, and the earlier lines.
#[derive(Clone, Debug, Default)]
pub struct LineEditor {
    text: Vec<char>,
    /// The number of characters before the cursor.
    cursor: usize,
    /// The position of the first visible character. It is greater than 0 only if the line is longer
    /// than the screen is wide.
    first: usize,
    /// The number of columns for the line. 0 means that there is no limit.
    room: usize,
    /// Whether the line is not shown, because it is a password.
    is_hidden: bool,
    /// The characters on the screen after the prompt, and the number of these characters before the
    /// cursor.
    drawn: (Vec<char>, usize),
    history: VecDeque<Vec<char>>,
    /// The position of the shown line in the history. While the user types a new line, it is the
    /// length of the history.
    recalled: usize,
    /// The unfinished new line, while an earlier line is shown.
    new_line: Vec<char>,
    /// The characters that the latest Control-K, Control-U, Control-X, Control-W or Escape d
    /// removed.
    killed: Vec<char>,
    /// Whether the user has just pressed Control-V. The next character is then inserted, even if it
    /// is a key of the editor.
    is_quoted: bool,
}

impl LineEditor {
    /// Begins a new line. `room` is the number of columns for the line. If `is_hidden` is true, the
    /// line is a password. A password is not shown, and the editor does not remember it.
    pub fn begin(&mut self, room: usize, is_hidden: bool) {
        self.text.clear();
        self.new_line.clear();
        (self.cursor, self.first, self.room, self.is_hidden) = (0, 0, room, is_hidden);
        self.recalled = self.history.len();
        self.is_quoted = false;
        self.drawn = (Vec::new(), 0);
    }

    /// The characters before the cursor.
    pub fn before_cursor(&self) -> String {
        self.text[..self.cursor].iter().collect()
    }

    /// Whether the line has no characters.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether the next key is inserted as a character of the line, because the user has pressed
    /// Control-V.
    pub fn is_quoted(&self) -> bool {
        self.is_quoted
    }

    /// Whether the line is a password.
    pub fn is_hidden(&self) -> bool {
        self.is_hidden
    }

    /// Ends the line and returns it. The editor does not remember an empty line, a password, or a
    /// line that is the same as the previous line.
    pub fn finish(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        let line: String = text.iter().collect();
        if !self.is_hidden && !line.trim().is_empty() && self.history.back() != Some(&text) {
            self.history.push_back(text);
            if self.history.len() > MOST_LINES {
                self.history.pop_front();
            }
        }
        line
    }

    /// Carries out a key. Returns the characters that show the change on the screen.
    pub fn key(&mut self, key: Key) -> String {
        if std::mem::take(&mut self.is_quoted) {
            return match key {
                Key::Char(character) => self.insert(&[character]),
                _ => BELL.to_string(),
            };
        }
        match key {
            Key::Char(character) => return self.insert(&[character]),
            Key::Backspace | Key::Control('H') if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.cursor);
            }
            Key::Delete | Key::Control('D') if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            Key::Control(letter) => return self.control(letter),
            Key::Escape('b') => self.cursor = self.word_before(),
            Key::Escape('f') => self.cursor = self.word_after(),
            Key::Escape('d') => self.kill(self.cursor, self.word_after()),
            _ => return BELL.to_string(),
        }
        self.draw()
    }

    fn control(&mut self, letter: char) -> String {
        match letter {
            'A' => self.cursor = 0,
            'E' => self.cursor = self.text.len(),
            'B' if self.cursor > 0 => self.cursor -= 1,
            'F' if self.cursor < self.text.len() => self.cursor += 1,
            'K' => self.kill(self.cursor, self.text.len()),
            'U' | 'X' => self.kill(0, self.cursor),
            'W' => self.kill(self.word_before(), self.cursor),
            'Y' => {
                let killed = self.killed.clone();
                return self.insert(&killed);
            }
            'T' if self.cursor > 0 && self.text.len() > 1 => {
                let at = self.cursor.min(self.text.len() - 1);
                self.text.swap(at - 1, at);
                self.cursor = at + 1;
            }
            'P' if self.recalled > 0 => self.recall(self.recalled - 1),
            'N' if self.recalled < self.history.len() => self.recall(self.recalled + 1),
            'V' => {
                self.is_quoted = true;
                return String::new();
            }
            _ => return BELL.to_string(),
        }
        self.draw()
    }

    /// Inserts characters before the cursor. Returns the characters that show the change on the
    /// screen.
    pub fn insert(&mut self, characters: &[char]) -> String {
        if self.text.len() + characters.len() > LONGEST_LINE {
            return BELL.to_string();
        }
        self.text.splice(self.cursor..self.cursor, characters.iter().copied());
        self.cursor += characters.len();
        self.draw()
    }

    fn kill(&mut self, from: usize, to: usize) {
        self.killed = self.text.drain(from..to).collect();
        self.cursor = from;
    }

    /// The start of the word before the cursor.
    fn word_before(&self) -> usize {
        let text = &self.text[..self.cursor];
        let end = text.iter().rposition(|c| !c.is_whitespace()).map_or(0, |last| last + 1);
        text[..end].iter().rposition(|c| c.is_whitespace()).map_or(0, |blank| blank + 1)
    }

    /// The end of the word after the cursor.
    fn word_after(&self) -> usize {
        let text = &self.text[self.cursor..];
        let start = text.iter().position(|c| !c.is_whitespace()).unwrap_or(text.len());
        let length = text[start..].iter().position(|c| c.is_whitespace());
        self.cursor + length.map_or(text.len(), |length| start + length)
    }

    /// Replaces the line by a line of the history.
    fn recall(&mut self, at: usize) {
        if self.recalled == self.history.len() {
            self.new_line.clone_from(&self.text);
        }
        self.recalled = at;
        self.text = self.history.get(at).unwrap_or(&self.new_line).clone();
        self.cursor = self.text.len();
    }

    /// Returns the characters that print the line after the prompt. The rest of this row of the
    /// screen is empty.
    pub fn redraw(&mut self, room: usize) -> String {
        self.room = room;
        self.drawn = (Vec::new(), 0);
        self.draw()
    }

    /// The number of columns that the line occupies on the screen.
    pub fn columns(&self) -> usize {
        columns(&self.drawn.0)
    }

    /// Returns the characters that move the cursor to the end of the line on the screen.
    pub fn go_to_end(&mut self) -> String {
        let (drawn, at) = &mut self.drawn;
        let rest = drawn[*at..].iter().collect();
        *at = drawn.len();
        rest
    }

    /// Returns the characters that replace the line on the screen by the present line.
    fn draw(&mut self) -> String {
        if self.is_hidden {
            return String::new();
        }
        let (visible, at) = self.visible();
        let (drawn, drawn_at) = std::mem::replace(&mut self.drawn, (visible, at));
        let visible = &self.drawn.0;
        let pairs = drawn.iter().zip(visible);
        let same = pairs.take_while(|(one, other)| one == other).count();
        let mut out = String::new();
        // Moves the cursor to the first character that differs. If no character differs, moves the
        // cursor to its new position.
        let is_same = same == drawn.len() && same == visible.len();
        let first = if is_same { at } else { same };
        match first < drawn_at {
            true => back(columns(&drawn[first..drawn_at]), &mut out),
            false => out.extend(&drawn[drawn_at..first]),
        }
        if is_same {
            return out;
        }
        out.extend(&visible[same..]);
        let excess = columns(&drawn[same..]).saturating_sub(columns(&visible[same..]));
        out.extend(std::iter::repeat_n(' ', excess));
        back(excess + columns(&visible[at..]), &mut out);
        out
    }

    /// The characters of the line that fit on the screen, and the position of the cursor among
    /// them. As on IOS, a `$` at an end means that the line continues beyond this end.
    fn visible(&mut self) -> (Vec<char>, usize) {
        let (length, room) = (self.text.len(), self.room);
        if room < 4 || length < room {
            self.first = 0;
            return (self.text.clone(), self.cursor);
        }
        // One column stays free for the cursor after the last character.
        let shown = room - 1;
        if self.cursor <= self.first || self.cursor >= self.first + shown {
            self.first = self.cursor.saturating_sub(shown / 2);
        }
        let end = (self.first + shown).min(length);
        let mut visible = self.text[self.first..end].to_vec();
        if self.first > 0 {
            visible[0] = '$';
        }
        if end < length
            && let Some(last) = visible.last_mut()
        {
            *last = '$';
        }
        (visible, self.cursor - self.first)
    }
}

/// The number of columns that characters occupy on a screen.
pub fn columns<'c>(characters: impl IntoIterator<Item = &'c char>) -> usize {
    characters.into_iter().map(|character| character.width().unwrap_or(0)).sum()
}

fn back(columns: usize, out: &mut String) {
    out.extend(std::iter::repeat_n('\u{8}', columns));
}

#[cfg(test)]
mod tests {
    use super::super::keys::Decoder;
    use super::*;

    /// A screen of one line. It accepts only the characters that the editor may send.
    #[derive(Default)]
    struct Screen {
        cells: Vec<char>,
        at: usize,
    }

    impl Screen {
        fn show(&mut self, text: &str) {
            for character in text.chars() {
                match character {
                    '\u{8}' => self.at = self.at.checked_sub(1).unwrap(),
                    BELL => {}
                    _ => {
                        assert!(!character.is_control(), "{character:?}");
                        self.cells.resize(self.cells.len().max(self.at + 1), ' ');
                        self.cells[self.at] = character;
                        self.at += 1;
                    }
                }
            }
        }

        fn text(&self) -> String {
            self.cells.iter().collect::<String>().trim_end().to_owned()
        }
    }

    fn type_octets(editor: &mut LineEditor, screen: &mut Screen, octets: &[u8]) {
        let mut decoder = Decoder::default();
        for key in octets.iter().filter_map(|&octet| decoder.push(octet)) {
            screen.show(&editor.key(key));
        }
    }

    #[test]
    fn keys_edit_the_line_and_the_screen_shows_it() {
        for (octets, text, cursor) in [
            (&b"show ip"[..], "show ip", 7),
            (b"show ip\x01no \x05!", "no show ip!", 11),
            (b"abc\x02\x02X", "aXbc", 2),
            (b"abc\x08\x08d", "ad", 2),
            (b"abc\x01\x1b[3~", "bc", 0),
            (b"abc\x01\x04\x04", "c", 0),
            (b"one two three\x17\x17x", "one x", 5),
            (b"one two\x1bb\x0bthree\x01\x19 ", "two one three", 4),
            (b"one two\x02\x02\x15", "wo", 0),
            (b"one two\x01\x1bd\x1bf", " two", 4),
            (b"ab\x14", "ba", 2),
            (b"\x08\x02\x06\x04\x10\x0e", "", 0),
            (b"\x16?a", "?a", 2),
        ] {
            let (mut editor, mut screen) = (LineEditor::default(), Screen::default());
            editor.begin(0, false);
            type_octets(&mut editor, &mut screen, octets);
            let what = String::from_utf8_lossy(octets);
            assert_eq!((screen.text().as_str(), screen.at), (text.trim_end(), cursor), "{what:?}");
            assert_eq!(editor.finish(), text, "{what:?}");
        }
    }

    #[test]
    fn earlier_lines_come_back_and_the_new_line_is_kept() {
        let mut editor = LineEditor::default();
        for line in ["one", "two", "two", " "] {
            editor.begin(0, false);
            line.chars().for_each(|c| drop(editor.insert(&[c])));
            editor.finish();
        }
        let mut screen = Screen::default();
        editor.begin(0, false);
        for (octets, text) in
            [(&b"thr"[..], "thr"), (b"\x10", "two"), (b"\x10\x10", "one"), (b"\x0e\x0e", "thr")]
        {
            type_octets(&mut editor, &mut screen, octets);
            assert_eq!(screen.text(), text);
        }
        for number in 0..1000 {
            editor.begin(0, false);
            editor.insert(&number.to_string().chars().collect::<Vec<_>>());
            editor.finish();
        }
        assert_eq!(editor.history.len(), MOST_LINES);
    }

    #[test]
    fn a_line_that_is_too_long_for_the_screen_scrolls() {
        let (mut editor, mut screen) = (LineEditor::default(), Screen::default());
        editor.begin(10, false);
        type_octets(&mut editor, &mut screen, b"012345678");
        assert_eq!(screen.text(), "012345678");
        type_octets(&mut editor, &mut screen, b"9abc");
        assert!(screen.text().starts_with('$') && screen.text().ends_with("9abc"), "scrolled");
        assert!(screen.at < 10);
        type_octets(&mut editor, &mut screen, b"\x01");
        assert_eq!((screen.text().as_str(), screen.at), ("01234567$", 0));
        assert_eq!(editor.finish(), "0123456789abc");
    }

    #[test]
    fn a_password_is_not_shown_and_not_remembered() {
        let mut editor = LineEditor::default();
        editor.begin(0, true);
        assert_eq!(editor.insert(&['x']), "");
        assert_eq!(editor.key(Key::Backspace), "");
        editor.insert(&['y']);
        assert_eq!(editor.finish(), "y");
        assert!(editor.history.is_empty());
    }

    #[test]
    fn a_wide_character_takes_two_columns() {
        let mut editor = LineEditor::default();
        editor.begin(0, false);
        editor.insert(&['a', '日']);
        assert_eq!(editor.columns(), 3);
        assert_eq!(editor.key(Key::Backspace), "\u{8}\u{8}  \u{8}\u{8}");
    }

    #[test]
    fn a_line_has_a_limit() {
        let mut editor = LineEditor::default();
        editor.begin(0, false);
        (0..2 * LONGEST_LINE).for_each(|_| drop(editor.insert(&['x'])));
        assert_eq!(editor.finish().len(), LONGEST_LINE);
    }
}
