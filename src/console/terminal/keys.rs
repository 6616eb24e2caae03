//! Converts the octets of a terminal into keys.

/// A key that the user pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character that can be printed.
    Char(char),
    /// The key Enter, or a line end in pasted text.
    Enter,
    /// Tab.
    Tab,
    /// Backspace: removes the character before the cursor.
    Backspace,
    /// Delete: removes the character under the cursor.
    Delete,
    /// The key Control with this letter or sign, for example `Control('A')`.
    Control(char),
    /// The key Escape and then this character, in lower case.
    Escape(char),
}

/// The progress of the decoder in an escape sequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// The decoder has read Escape.
    Escape,
    /// The decoder has read Escape and then `[` or `O`. The number is the first parameter of the
    /// escape sequence.
    Sequence(u16),
}

/// Reads octets and returns keys. An escape sequence may be divided between two reads.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    state: State,
    /// Whether the last octet was a carriage return. A line feed after it is part of the same
    /// line end.
    after_return: bool,
    /// The first octets of an unfinished character in UTF-8.
    partial: Vec<u8>,
}

impl Decoder {
    /// Reads an octet. Returns the key that is complete with this octet, or `None` if no key is
    /// complete.
    pub fn push(&mut self, octet: u8) -> Option<Key> {
        let after_return = std::mem::take(&mut self.after_return);
        match self.state {
            State::Ground => {}
            State::Escape => {
                self.state = match octet {
                    b'[' | b'O' => State::Sequence(0),
                    _ => State::Ground,
                };
                let is_letter = octet.is_ascii_graphic() && self.state == State::Ground;
                return is_letter.then(|| Key::Escape(char::from(octet).to_ascii_lowercase()));
            }
            State::Sequence(number) => return self.sequence(number, octet),
        }
        if !self.partial.is_empty() || octet >= 0x80 {
            return self.utf8(octet);
        }
        match octet {
            b'\r' => {
                self.after_return = true;
                Some(Key::Enter)
            }
            b'\n' => (!after_return).then_some(Key::Enter),
            b'\t' => Some(Key::Tab),
            0x08 | 0x7f => Some(Key::Backspace),
            0x1b => {
                self.state = State::Escape;
                None
            }
            0 => None,
            0x01..=0x1f => Some(Key::Control(char::from(octet + 0x40))),
            _ => Some(Key::Char(char::from(octet))),
        }
    }

    /// Reads an octet of a sequence such as `ESC [ 3 ~`. For a cursor key, the result is the
    /// Control key that has the same effect on IOS.
    fn sequence(&mut self, number: u16, octet: u8) -> Option<Key> {
        match octet {
            b'0'..=b'9' => {
                let digit = u16::from(octet - b'0');
                self.state = State::Sequence(number.saturating_mul(10).saturating_add(digit));
                return None;
            }
            // A second parameter means that Shift or Control was pressed together with the key.
            // This parameter is ignored.
            0x20..=0x3f => return None,
            _ => self.state = State::Ground,
        }
        match (octet, number) {
            (b'A', _) => Some(Key::Control('P')),
            (b'B', _) => Some(Key::Control('N')),
            (b'C', _) => Some(Key::Control('F')),
            (b'D', _) => Some(Key::Control('B')),
            (b'H', _) | (b'~', 1 | 7) => Some(Key::Control('A')),
            (b'F', _) | (b'~', 4 | 8) => Some(Key::Control('E')),
            (b'~', 3) => Some(Key::Delete),
            _ => None,
        }
    }

    fn utf8(&mut self, octet: u8) -> Option<Key> {
        self.partial.push(octet);
        match std::str::from_utf8(&self.partial) {
            Ok(text) => {
                let character = text.chars().next().filter(|c| !c.is_control());
                self.partial.clear();
                character.map(Key::Char)
            }
            Err(error) if error.error_len().is_none() => None,
            Err(_) => {
                self.partial.clear();
                Some(Key::Char(char::REPLACEMENT_CHARACTER))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_become_keys() {
        use Key::{Backspace, Char, Control, Delete, Enter, Escape, Tab};
        let cases: &[(&[u8], &[Key])] = &[
            (b"a?", &[Char('a'), Char('?')]),
            (b"\r\n\n\r\0\r\r\n", &[Enter, Enter, Enter, Enter, Enter]),
            (b"\n\n", &[Enter, Enter]),
            (b"\t\x08\x7f", &[Tab, Backspace, Backspace]),
            (b"\x01\x1a\x1e", &[Control('A'), Control('Z'), Control('^')]),
            (
                b"\x1b[A\x1bOB\x1b[C\x1b[D",
                &[Control('P'), Control('N'), Control('F'), Control('B')],
            ),
            (b"\x1b[H\x1b[4~\x1b[3~\x1b[1;5C", &[Control('A'), Control('E'), Delete, Control('F')]),
            (b"\x1bb\x1bF", &[Escape('b'), Escape('f')]),
            ("ü€".as_bytes(), &[Char('ü'), Char('€')]),
            (b"\xc3(\xff", &[Char('\u{fffd}'), Char('\u{fffd}')]),
            (b"\x1b[200~x\x1b[201~", &[Char('x')]),
            (b"\x1b[99999999999A", &[Control('P')]),
        ];
        for (octets, keys) in cases {
            let mut decoder = Decoder::default();
            let found: Vec<Key> = octets.iter().filter_map(|&octet| decoder.push(octet)).collect();
            assert_eq!(&found, keys, "{octets:?}");
        }
    }

    #[test]
    fn every_octet_is_taken() {
        let mut decoder = Decoder::default();
        let octets = (0..=255_u8).flat_map(|one| (0..=255_u8).map(move |other| [one, other]));
        for octet in octets.flatten() {
            decoder.push(octet);
            assert!(decoder.partial.len() < 4);
        }
    }
}
