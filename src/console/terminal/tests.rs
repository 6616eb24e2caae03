use super::*;
use crate::console::hosts::NoHosts;
use crate::console::{Session, parse_config};
use crate::rng::Seed;
use crate::router::{Router, Start};
use crate::time::Time;

/// A user at the terminal of a router.
struct User {
    terminal: Terminal,
    session: Session,
    router: Router,
    /// The rows of the user's screen. Their number has no limit.
    rows: Vec<Vec<char>>,
    column: usize,
}

impl User {
    fn new(screen: Option<(u16, u16)>) -> Self {
        User::begin(Request::Line(String::new()), screen, "hostname xTR1\n")
    }

    fn begin(first: Request, screen: Option<(u16, u16)>, config: &str) -> Self {
        let config = parse_config("x", config).unwrap();
        let start = Start { config, seed: Seed::from_number(1), wall_clock: 1, now: Time::ZERO };
        let mut user = User {
            terminal: Terminal::new(first, screen),
            session: Session::new(),
            router: Router::new(start),
            rows: vec![Vec::new()],
            column: 0,
        };
        user.settle();
        user
    }

    /// Carries out requests until the terminal waits for the user.
    fn settle(&mut self) {
        loop {
            let request = self.terminal.take_request();
            let is_idle = request.is_none();
            if let Some(request) = request {
                self.session.handle(request, &mut self.router, &mut NoHosts, Time::ZERO);
            }
            while self.terminal.wants_responses() {
                let Some(response) = self.session.poll(&self.router, &mut NoHosts, Time::ZERO)
                else {
                    break;
                };
                self.terminal.receive(response);
            }
            let output = String::from_utf8(self.terminal.take_output()).unwrap();
            output.chars().for_each(|character| self.show(character));
            if is_idle {
                return;
            }
        }
    }

    fn show(&mut self, character: char) {
        let row = self.rows.last_mut().unwrap();
        match character {
            '\r' => self.column = 0,
            '\u{8}' => self.column -= 1,
            '\u{7}' => {}
            '\n' => {
                self.rows.push(vec![' '; self.column]);
            }
            _ => {
                assert!(!character.is_control(), "{character:?}");
                row.resize(row.len().max(self.column + 1), ' ');
                row[self.column] = character;
                self.column += 1;
            }
        }
    }

    fn types(&mut self, text: &str) -> String {
        let first = self.rows.len() - 1;
        self.terminal.type_octets(text.as_bytes());
        self.settle();
        let rows = self.rows[first..].iter();
        let rows = rows.map(|row| row.iter().collect::<String>().trim_end().to_owned());
        rows.collect::<Vec<_>>().join("\n")
    }
}

#[test]
fn what_the_user_types_and_what_the_screen_shows() {
    for (typed, shown) in [
        ("hel\x7f\x7f\x7f\r", "xTR1#\nxTR1#"),
        (
            "show zoo\r",
            "xTR1#show zoo\n          ^\n% Invalid input detected at '^' marker.\n\nxTR1#",
        ),
        ("show ip l?", "xTR1#show ip l?\nlisp\n\nxTR1#show ip l"),
        ("sh ver\tx", "xTR1#sh version x"),
        (
            "show ver | \t",
            "xTR1#show ver |\nappend  begin  count  exclude  include  json  redirect  section  tee\nxTR1#show ver |",
        ),
        ("\t  \tx", "xTR1#  x"),
        (
            "conf t\rhostname A\x1a",
            "xTR1#conf t\nEnter configuration commands, one per line.  End with CNTL/Z.\nxTR1(config)#hostname A^Z\nA#",
        ),
        (
            "conf t\rhostname A\x03",
            "xTR1#conf t\nEnter configuration commands, one per line.  End with CNTL/Z.\nxTR1(config)#hostname A^C\nxTR1#",
        ),
        ("show ve\x03x", "xTR1#show ve^C\nxTR1#x"),
        (
            "conf t\rdo show run | count host\x01\x1a",
            "xTR1#conf t\nEnter configuration commands, one per line.  End with CNTL/Z.\nxTR1(config)#do show run | count host^Z\nNumber of lines which match regexp = 1\nxTR1#",
        ),
        ("\x16?\x0c", "xTR1#?\nxTR1#?"),
    ] {
        let mut user = User::new(None);
        assert_eq!(user.types(typed), shown, "{typed:?}");
    }
}

#[test]
fn pasted_lines_are_carried_out_in_their_order() {
    let mut user = User::new(None);
    let lines: String = (0..2000).map(|number| format!("hostname R{number}\r\n")).collect();
    let screen = user.types(&format!("conf t\r\n{lines}end\n"));
    assert!(screen.ends_with("R1999(config)#end\nR1999#"), "{}", &screen[screen.len() - 100..]);
}

#[test]
fn a_long_output_stops_at_each_screen() {
    let mut user = User::new(Some((80, 5)));
    let screen = user.types("show ?");
    assert_eq!(screen.lines().count(), 6, "{screen}");
    assert!(screen.ends_with(" --More--"), "{screen}");
    let line = user.types("\r");
    assert_eq!(line.lines().count(), 2, "{line}");
    let rest = user.types("q");
    assert_eq!(rest, "xTR1#show");
    let screen = user.types("\x03terminal length 0\rshow ?");
    assert!(!screen.contains("More"), "{screen}");
    let screen = user.types("\x03terminal length 3\rshow ?");
    assert!(screen.ends_with("More--"), "{screen}");
    let screen = user.types("q\x03terminal no length\rshow ?");
    let page = screen.split("show ?\n").nth(1).unwrap();
    assert_eq!(page.lines().count(), 5, "{screen}");
    assert!(page.ends_with("More--"), "{screen}");
}

#[test]
fn a_text_at_more_selects_lines_of_the_rest() {
    let lines: String =
        (1..=20).map(|number| format!("ip host h{number} 10.0.0.{number}\n")).collect();
    let config = format!("hostname xTR1\n{lines}");
    for (typed, shown) in [
        (
            "/h18\r",
            "/h18\nfiltering...\nip host h18 10.0.0.18\nip host h19 10.0.0.19\nip host h2 10.0.0.2\n",
        ),
        (
            "+h1.*[35]$\r",
            "+h1.*[35]$\nfiltering...\nip host h13 10.0.0.13\nip host h15 10.0.0.15\nxTR1#",
        ),
        ("-h\x7fip host\r", "-ip host\nfiltering...\n"),
        ("/(\r", "/(\n% Invalid regular expression: (\n --More--"),
        ("+h1\r+h19\r", "+h19\nfiltering...\nip host h19 10.0.0.19\nxTR1#"),
        ("/h1\x03", "xTR1#"),
    ] {
        let mut user = User::begin(Request::Line(String::new()), Some((80, 6)), &config);
        user.types("show run\r");
        let screen = user.types(typed);
        let end = screen.find(shown.lines().next().unwrap()).map_or("", |at| &screen[at..]);
        assert!(end.starts_with(shown), "{typed:?}: {screen}");
        assert!(!typed.starts_with('-') || !end[shown.len()..].contains("ip host"), "{screen}");
    }
}

#[test]
fn a_debug_line_stands_above_the_line_that_the_user_types() {
    let mut user = User::new(Some((80, 24)));
    user.types("show version of this\x02\x02");
    user.terminal.receive(Response::Debug("LISP: x".to_owned()));
    assert_eq!(user.types("X"), "LISP: x\nxTR1#show version of thXis");
}

#[test]
fn the_end_of_the_session_closes_the_terminal() {
    for typed in ["exit\r", "quit\r", "logout\r", "\x04", "x\x7f\x04"] {
        let mut user = User::new(None);
        user.types(typed);
        assert!(user.terminal.is_closed(), "{typed:?}");
    }
    for typed in ["conf t\rexit\rx\x04", "conf t\rexit\rexit\rexit\rshow clock\rx"] {
        let mut user = User::new(None);
        user.types(typed);
        assert!(!user.terminal.is_closed(), "{typed:?}");
    }
}

#[test]
fn any_octets_leave_the_terminal_able_to_work() {
    let mut user = User::new(Some((20, 5)));
    let mut state = 1_u32;
    for _ in 0..20_000 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let octet = (state >> 24) as u8;
        // Control-D on an empty line ends the session.
        if octet != 4 {
            user.terminal.type_octets(&[octet]);
            user.terminal.resize(Some((u16::from(octet), 5)));
        }
        while let Some(request) = user.terminal.take_request() {
            user.session.handle(request, &mut user.router, &mut NoHosts, Time::ZERO);
        }
        while user.terminal.wants_responses() {
            let Some(response) = user.session.poll(&user.router, &mut NoHosts, Time::ZERO) else {
                break;
            };
            user.terminal.receive(response);
        }
    }
    user.terminal.take_output();
    assert!(!user.terminal.is_closed());
}

#[test]
fn a_user_who_logs_in_types_the_password_which_is_not_shown() {
    let config = "hostname xTR1\nline vty 0 4\n password cisco\n login\n";
    let vty = || User::begin(Request::Vty("127.0.0.1:1".to_owned()), None, config);
    for (typed, shown) in [
        ("cisco\r", "Password:\nxTR1#"),
        ("cisc\x7f\x7fsco?\x7f\r", "Password:\nxTR1#"),
        ("wrong\rcisco\rshow x", "Password:\nPassword:\nxTR1#show x"),
        ("\x03\x1a\tshow ver?\r", "Password:\nPassword:"),
    ] {
        let mut user = vty();
        assert_eq!(user.types(typed), shown, "{typed:?}");
        assert!(!user.terminal.is_closed(), "{typed:?}");
    }
    let mut user = vty();
    let shown = user.types("a\rb\rc\rcisco\rshow version\r");
    assert_eq!(shown, "Password:\nPassword:\nPassword:\n% Bad passwords\n");
    assert!(user.terminal.is_closed());
}
