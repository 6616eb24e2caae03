//! The octets of a telnet client.

use eidway::console::Session;
use eidway::console::hosts::NoHosts;
use eidway::console::protocol::Request;
use eidway::console::terminal::Terminal;
use eidway::driver::telnet::codec::{Codec, escaped};
use eidway::router::Router;
use eidway::time::Time;

use super::site;

/// The maximum number of octets of the reply to a command of two octets.
const LONGEST_REPLY: usize = 9;

/// A telnet client sends the input. The octets that its user typed, and the replies to its commands, do
/// not depend on the pieces that arrive. The replies are bounded. The user works at the terminal of a
/// router, and the screen gets no control characters but those of a line. A client reads all output as
/// it was before it was escaped.
pub fn telnet(input: &[u8]) {
    let Some((&first, octets)) = input.split_first() else { return };
    let mut codec = Codec::default();
    let typed = codec.receive(octets);
    let replies = codec.take_replies();
    assert!(typed.len() <= octets.len() && replies.len() <= octets.len() * LONGEST_REPLY);
    let mut pieces = Codec::default();
    let in_pieces: Vec<u8> =
        octets.chunks(usize::from(first % 7) + 1).flat_map(|piece| pieces.receive(piece)).collect();
    assert_eq!((&in_pieces, pieces.take_replies()), (&typed, replies));
    assert_eq!(pieces.screen(), codec.screen());
    assert_eq!(Codec::default().receive(&escaped(octets)), octets);

    let mut router = site::router(site::XTR, Time::ZERO);
    let mut session = Session::new();
    let mut terminal = Terminal::new(Request::Vty("127.0.0.1:40000".to_owned()), codec.screen());
    settle(&mut terminal, &mut session, &mut router);
    for piece in typed.chunks(usize::from(first / 7) + 1) {
        terminal.type_octets(piece);
        settle(&mut terminal, &mut session, &mut router);
    }
}

/// Lets the router answer until the terminal waits for the user.
fn settle(terminal: &mut Terminal, session: &mut Session, router: &mut Router) {
    loop {
        let request = terminal.take_request();
        let is_idle = request.is_none();
        if let Some(request) = request {
            session.handle(request, router, &mut NoHosts, Time::ZERO);
        }
        while terminal.wants_responses() {
            let Some(response) = session.poll(router, &mut NoHosts, Time::ZERO) else { break };
            terminal.receive(response);
        }
        while router.poll_output().is_some() {}
        let output = terminal.take_output();
        assert_eq!(Codec::default().receive(&escaped(&output)), output);
        let text = String::from_utf8(output).expect("the output is text");
        let is_line_control = |character| matches!(character, '\r' | '\n' | '\u{7}' | '\u{8}');
        assert!(
            text.chars().all(|character| !character.is_control() || is_line_control(character))
        );
        if is_idle {
            return;
        }
    }
}
