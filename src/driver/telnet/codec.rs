//! The telnet protocol (RFC 854). This module separates the octets that a user types from the
//! commands of the protocol, and answers the negotiation of options.
//!
//! The server uses three options, and refuses all other options:
//!
//! - ECHO (RFC 857): the server itself echoes the octets.
//! - SUPPRESS-GO-AHEAD (RFC 858): the server never sends the command Go-Ahead.
//! - NAWS (RFC 1073): the server asks for the size of the screen.

/// Interpret As Command: the first octet of each command.
const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
/// The start of a subnegotiation.
const SB: u8 = 250;
const ERASE_LINE: u8 = 248;
const ERASE_CHARACTER: u8 = 247;
const ARE_YOU_THERE: u8 = 246;
const INTERRUPT: u8 = 244;
const BREAK: u8 = 243;
/// The end of a subnegotiation.
const SE: u8 = 240;

const ECHO: u8 = 1;
const SUPPRESS_GO_AHEAD: u8 = 3;
const WINDOW_SIZE: u8 = 31;

/// The maximum length of a subnegotiation, in octets. A longer subnegotiation is ignored. The size
/// of a screen needs 5 octets: one octet for the option, two octets for the width and two octets
/// for the height.
const LONGEST_SUBNEGOTIATION: usize = 5;

/// The commands that the server sends at the start of a connection. Each command offers an option
/// to the client, or asks the client for an option.
pub const GREETING: [u8; 9] = [IAC, WILL, ECHO, IAC, WILL, SUPPRESS_GO_AHEAD, IAC, DO, WINDOW_SIZE];

/// The position in a command: the part of the command that has arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Data,
    /// The octet IAC has arrived.
    Command,
    /// IAC and one of DO, DONT, WILL and WONT have arrived.
    Option(u8),
    /// A subnegotiation has begun.
    Subnegotiation,
    /// IAC has arrived inside a subnegotiation.
    SubnegotiationCommand,
}

/// Decodes the octets that a client sends.
#[derive(Debug, Default)]
pub struct Codec {
    state: State,
    subnegotiation: Vec<u8>,
    screen: Option<(u16, u16)>,
    replies: Vec<u8>,
}

impl Codec {
    /// Decodes octets from the client, and returns the octets that the user has typed.
    pub fn receive(&mut self, octets: &[u8]) -> Vec<u8> {
        octets.iter().filter_map(|&octet| self.push(octet)).collect()
    }

    /// Returns the octets that the server must send to the client as replies to its commands.
    pub fn take_replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.replies)
    }

    /// The columns and lines of the client's screen, if the client has sent them.
    pub fn screen(&self) -> Option<(u16, u16)> {
        self.screen
    }

    fn push(&mut self, octet: u8) -> Option<u8> {
        match (self.state, octet) {
            (State::Data, IAC) => self.state = State::Command,
            (State::Data, _) => return Some(octet),
            (State::Command, IAC) => {
                self.state = State::Data;
                return Some(IAC);
            }
            (State::Command, DO | DONT | WILL | WONT) => self.state = State::Option(octet),
            (State::Command, SB) => {
                self.subnegotiation.clear();
                self.state = State::Subnegotiation;
            }
            (State::Command, _) => {
                self.state = State::Data;
                return self.command(octet);
            }
            (State::Option(verb), _) => {
                self.state = State::Data;
                self.negotiate(verb, octet);
            }
            (State::Subnegotiation, IAC) => self.state = State::SubnegotiationCommand,
            (State::SubnegotiationCommand, SE) => {
                self.state = State::Data;
                self.end_subnegotiation();
            }
            (State::Subnegotiation | State::SubnegotiationCommand, _) => {
                self.state = State::Subnegotiation;
                if self.subnegotiation.len() <= LONGEST_SUBNEGOTIATION {
                    self.subnegotiation.push(octet);
                }
            }
        }
        None
    }

    /// Carries out a command that has no option. Returns the octet of a key if the command has the
    /// same meaning as this key.
    fn command(&mut self, command: u8) -> Option<u8> {
        match command {
            INTERRUPT | BREAK => Some(0x03),
            ERASE_CHARACTER => Some(0x7f),
            ERASE_LINE => Some(0x15),
            ARE_YOU_THERE => {
                self.replies.extend(b"\r\n[Yes]\r\n");
                None
            }
            _ => None,
        }
    }

    /// Answers the negotiation of an option. If the client accepts or refuses an option of the
    /// [`GREETING`], the server sends no reply. If the client refuses the option ECHO, the server
    /// still echoes, as IOS does, because some programs refuse each option but expect the echo.
    fn negotiate(&mut self, verb: u8, option: u8) {
        match (verb, option) {
            (DO, ECHO | SUPPRESS_GO_AHEAD) | (WILL, WINDOW_SIZE) => {}
            (DO, _) => self.replies.extend([IAC, WONT, option]),
            (WILL, _) => self.replies.extend([IAC, DONT, option]),
            _ => {}
        }
    }

    fn end_subnegotiation(&mut self) {
        if let &[WINDOW_SIZE, c1, c0, l1, l0] = self.subnegotiation.as_slice() {
            self.screen = Some((u16::from_be_bytes([c1, c0]), u16::from_be_bytes([l1, l0])));
        }
    }
}

/// Doubles each octet IAC in the text, so that the client does not interpret the octet as the start
/// of a command.
pub fn escaped(octets: &[u8]) -> Vec<u8> {
    octets
        .iter()
        .flat_map(|&octet| [octet; 2].into_iter().take(1 + usize::from(octet == IAC)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_are_typed_or_are_commands() {
        for (octets, typed, replies) in [
            (&b"show\r\n"[..], &b"show\r\n"[..], &b""[..]),
            (b"a\xff\xffb", b"a\xffb", b""),
            // The answers to the greeting.
            (b"\xff\xfd\x01\xff\xfd\x03\xff\xfb\x1fx", b"x", b""),
            (b"\xff\xfe\x01\xff\xfe\x03\xff\xfc\x1fx", b"x", b""),
            // In the next case, the client offers TERMINAL-TYPE. In the case after it, the client
            // asks for STATUS. The server refuses both options.
            (b"\xff\xfb\x18", b"", b"\xff\xfe\x18"),
            (b"\xff\xfd\x05", b"", b"\xff\xfc\x05"),
            (b"a\xff\xf4\xff\xf3\xff\xf7\xff\xf8", b"a\x03\x03\x7f\x15", b""),
            (b"\xff\xf6", b"", b"\r\n[Yes]\r\n"),
            (b"\xff\xf1\xff\xf2\xff\xf9\xff\xf0z", b"z", b""),
            // The first subnegotiation has no end. The second subnegotiation is too long.
            (b"\xff\xfa\x18abcdefgh", b"", b""),
            (b"\xff\xfa\x1f12345678\xff\xf0x", b"x", b""),
        ] {
            let mut whole = Codec::default();
            assert_eq!(whole.receive(octets), typed, "{octets:?}");
            assert_eq!(whole.take_replies(), replies, "{octets:?}");
            assert_eq!(whole.screen(), None, "{octets:?}");
            let mut pieces = Codec::default();
            let one_by_one: Vec<u8> = octets.iter().flat_map(|&o| pieces.receive(&[o])).collect();
            assert_eq!((one_by_one.as_slice(), pieces.take_replies().as_slice()), (typed, replies));
        }
    }

    #[test]
    fn the_size_of_the_screen_may_contain_a_doubled_octet() {
        let mut codec = Codec::default();
        assert_eq!(codec.receive(b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"), b"");
        assert_eq!(codec.screen(), Some((80, 24)));
        codec.receive(b"\xff\xfa\x1f\x00\xff\xff\x00\x32\xff\xf0");
        assert_eq!(codec.screen(), Some((255, 50)));
    }

    #[test]
    fn nothing_that_arrives_grows_without_bound() {
        let mut codec = Codec::default();
        let mut state = 1_u32;
        for _ in 0..100_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let octet = if state >> 30 == 0 { IAC } else { (state >> 22) as u8 };
            assert!(codec.receive(&[octet]).len() <= 1);
            assert!(codec.take_replies().len() <= 9);
            assert!(codec.subnegotiation.len() <= LONGEST_SUBNEGOTIATION + 1);
        }
    }

    #[test]
    fn a_text_cannot_contain_a_command() {
        assert_eq!(escaped(b"a\xffb"), b"a\xff\xffb");
    }
}
