//! Pastes into a console: the lines, the messages, and the resulting configuration.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "shared/paste.rs"]
mod paste;

use eidway::console::client::{Channel, InProcess};
use eidway::console::hosts::NoHosts;
use eidway::console::protocol::{Done, Request, Response};
use eidway::console::{Session, parse_config, read_config, running_config};
use eidway::rng::Seed;
use eidway::router::config::Config;
use eidway::router::{Router, Start};
use eidway::time::Time;

/// A router and a user at its console.
struct Console {
    router: Router,
    session: Session,
}

impl Console {
    fn new() -> Self {
        let config = parse_config("start", "hostname R\n").unwrap();
        let start = Start { config, seed: Seed::from_number(1), wall_clock: 1, now: Time::ZERO };
        Console { router: Router::new(start), session: Session::new() }
    }

    /// Types a line. Returns its messages and the end of the answer.
    fn line(&mut self, line: &str) -> (String, Done) {
        let Console { router, session } = self;
        let mut channel = InProcess { session, router, hosts: &mut NoHosts, now: Time::ZERO };
        channel.send(Request::Line(line.to_owned())).unwrap();
        let mut text = String::new();
        loop {
            match channel.receive().unwrap() {
                Response::Text(part) => text += &part,
                Response::Done(done) => return (text, done),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Pastes lines. Returns the messages that begin with `%`, each after the number of its line.
    fn paste(&mut self, text: &str) -> Vec<String> {
        let mut messages = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let (answer, done) = self.line(line);
            assert!(!done.closed, "line {}, {line:?}, closes the console", index + 1);
            while self.router.poll_output().is_some() {}
            let found = answer.lines().filter(|line| line.starts_with('%'));
            messages.extend(found.map(|message| format!("{}: {message}", index + 1)));
        }
        messages
    }

    fn config(&self) -> &Config {
        self.router.config()
    }

    fn prompt(&self) -> String {
        self.session.prompt(&self.router)
    }
}

/// The text without the indentation of its lines.
fn flat(text: &str) -> String {
    text.lines().map(|line| format!("{}\n", line.trim_start())).collect()
}

/// A paste, and its effect.
struct Paste {
    lines: &'static str,
    /// A part of each message, in the order of the lines: `LINE: TEXT`.
    messages: &'static [&'static str],
    /// The running configuration without its first and last lines.
    config: &'static str,
}

const INVALID: &str = "% Invalid input";

const PASTES: &[Paste] = &[
    // A refused interface takes its block with it.
    Paste {
        lines: "\
interface Nonsense0
 ip address 10.9.0.1 255.255.255.0
 tunnel source Ethernet0/0
 lisp mobility ROAM
 exit
interface Ethernet0/0
 ip address 10.0.0.1 255.255.255.0
 exit
ip route 10.1.0.0 255.255.0.0 10.0.0.2
",
        messages: &["1: % Invalid", "2: % Skipped", "3: % Skipped", "4: % Skipped"],
        config: "\
interface Ethernet0/0
 ip address 10.0.0.1 255.255.255.0
!
ip route 10.1.0.0 255.255.0.0 10.0.0.2
",
    },
    // Lines of a refused dynamic-eid do not become mappings of the EID-table.
    Paste {
        lines: "\
router lisp
 locator-set s
  10.0.0.1 priority 1 weight 1
  exit-locator-set
 eid-table default instance-id 0
  database-mapping 172.16.0.0/16 locator-set s
  dynamic-eid
   database-mapping 172.16.0.0/24 locator-set s
   exit-dynamic-eid
  map-cache 10.0.0.0/8 map-request
  exit-eid-table
 ipv4 itr
",
        messages: &["7: % Incomplete", "8: % Skipped"],
        config: "\
router lisp
 locator-set s
  10.0.0.1 priority 1 weight 1
  exit-locator-set
 !
 eid-table default instance-id 0
  database-mapping 172.16.0.0/16 locator-set s
  map-cache 10.0.0.0/8 map-request
  exit-eid-table
 !
 ipv4 itr
 exit-router-lisp
",
    },
    // Lines of IOS without a meaning in a LISP lab, with their blocks.
    Paste {
        lines: "\
service timestamps debug datetime msec
no aaa new-model
ip cef
router ospf 10
 router-id 1.1.1.1
 network 10.0.0.0 0.0.0.255 area 0
 exit
class-map match-any VOICE
 match dscp ef
policy-map P
 class VOICE
  priority percent 10
vlan 10
 name users
interface Ethernet0/0
 ip address 10.0.0.1 255.255.255.0
 ip ospf network point-to-point
 negotiation auto
 exit
ntp server 10.0.0.9
",
        messages: &[
            "1: % Warning: `service timestamps",
            "4: % Warning: `router ospf 10` has no meaning in a LISP lab and is ignored with its block",
            "8: % Warning: `class-map",
            "10: % Warning: `policy-map",
            "13: % Warning: `vlan 10`",
            "17: % Warning: `ip ospf network",
            "18: % Warning: `negotiation auto`",
            "20: % Warning: `ntp server",
        ],
        config: "\
interface Ethernet0/0
 ip address 10.0.0.1 255.255.255.0
",
    },
    // LISP that the router does not do is kept.
    Paste {
        lines: "\
router lisp
 encapsulation vxlan
 instance-id 5
  service ethernet
   eid-table vlan 10
   database-mapping mac locator-set s
   exit-service-ethernet
  service ipv4
   sgt
   itr
   exit-service-ipv4
  exit-instance-id
 ddt
 no ddt
",
        messages: &[
            "2: % Warning: `encapsulation vxlan` is not supported and is kept as a comment",
            "4: % Warning: `service ethernet` is not supported",
            "9: % Warning: `sgt`",
            "13: % Warning: `ddt`",
        ],
        config: "\
router lisp
 eid-table default instance-id 5
  ! not supported: service ethernet
  ! not supported:  eid-table vlan 10
  ! not supported:  database-mapping mac locator-set s
  ! not supported:  exit-service-ethernet
  ! not supported: ipv4 sgt
  exit-eid-table
 !
 ipv4 itr
 ! not supported: encapsulation vxlan
 exit-router-lisp
",
    },
    // A second instance is refused with its whole block.
    Paste {
        lines: "\
router lisp
 eid-table default instance-id 1
  map-cache 10.0.0.0/8 map-request
  exit-eid-table
 instance-id 2
  service ipv4
   map-cache 11.0.0.0/8 map-request
   exit-service-ipv4
  exit-instance-id
 ipv4 etr
 exit-router-lisp
",
        messages: &["5: % only one EID-table", "6: % Skipped", "7: % Skipped"],
        config: "\
router lisp
 eid-table default instance-id 1
  map-cache 10.0.0.0/8 map-request
  exit-eid-table
 !
 ipv4 etr
 exit-router-lisp
",
    },
    // The text of a banner is not read as commands.
    Paste {
        lines: "\
banner motd ^C
hostname OTHER
exit
exit
^C
interface Ethernet0/0
 shutdown
",
        messages: &["1: % Warning: `banner motd ^C`"],
        config: "\
interface Ethernet0/0
 shutdown
",
    },
    // References may stand before the objects.
    Paste {
        lines: "\
interface Ethernet1/0
 lisp mobility ROAM
router lisp
 eid-table default instance-id 0
  database-mapping 172.16.0.0/16 locator-set s
  dynamic-eid ROAM
   database-mapping 172.16.0.0/24 locator-set s
 locator-set s
  10.0.0.1 priority 1 weight 1
end
",
        messages: &[],
        config: "\
interface Ethernet1/0
 lisp mobility ROAM
!
router lisp
 locator-set s
  10.0.0.1 priority 1 weight 1
  exit-locator-set
 !
 eid-table default instance-id 0
  database-mapping 172.16.0.0/16 locator-set s
  dynamic-eid ROAM
   database-mapping 172.16.0.0/24 locator-set s
   exit-dynamic-eid
  !
  exit-eid-table
 !
 exit-router-lisp
",
    },
    // A line that no mode has, with a block. Its exit leaves nothing.
    Paste {
        lines: "\
interface Ethernet0/0
 ip address 10.0.0.1 255.255.255.0
nonsense block
 shutdown
 exit
frobnicate
frobnicate
exit
hostname R
interface Ethernet1/0
",
        messages: &["3: % Invalid", "4: % Skipped", "6: % Invalid", "7: % Invalid"],
        config: "\
interface Ethernet0/0
 ip address 10.0.0.1 255.255.255.0
!
interface Ethernet1/0
",
    },
];

fn expect(lines: &str, messages: &[&str], config: &str, is_flat: bool) {
    let mut console = Console::new();
    console.line("configure terminal");
    let said = console.paste(lines);
    let fits = said.len() == messages.len()
        && said.iter().zip(messages).all(|(said, expected)| said.starts_with(expected));
    assert!(fits, "{lines}\nexpected {messages:#?}\nfound {said:#?}");
    let text = running_config(console.config());
    assert_eq!(text, format!("hostname R\n!\n{config}!\nend\n"), "{lines}");
    let again = read_config("again", &text);
    assert_eq!(again.config, *console.config(), "{text}");
    assert!(again.report.problems.is_empty(), "{}", again.report);
    if !is_flat {
        // A file is read as the console reads it.
        let file = read_config("file", &format!("hostname R\n{lines}"));
        assert_eq!(file.config, *console.config(), "{lines}");
    }
}

#[test]
fn a_paste_does_no_harm_and_says_each_thing_once() {
    for Paste { lines, messages, config } in PASTES {
        expect(lines, messages, config, false);
    }
}

#[test]
fn a_paste_without_indentation_does_no_harm_either() {
    for Paste { lines, messages, config } in &PASTES[..PASTES.len() - 1] {
        let kept = flat(lines);
        expect(&kept, messages, config, true);
    }
}

#[test]
fn a_mistyped_line_does_not_trap_the_user() {
    for (typed, prompt) in [
        (&["interface Foo", "router lisp"][..], "R(config-router-lisp)#"),
        (&["interface Foo", "ip route 10.0.0.0 255.0.0.0 Null0", "end"], "R#"),
        (&["interface Foo", "interface e0/0"], "R(config-if)#"),
        (&["class-map C", "router lisp"], "R(config-router-lisp)#"),
        (&["router ospf 10", "exit", "exit"], "R#"),
        (&["router ospf 10"], "R(config-router)#"),
        (&["router foo", "interface e0/0"], "R(config-if)#"),
        (&["frob", "exit"], "R#"),
        (&["router lisp", "site", "ipv4 itr"], "R(config-router-lisp)#"),
    ] {
        let mut console = Console::new();
        console.line("configure terminal");
        for line in typed {
            console.line(line);
        }
        assert_eq!(console.prompt(), prompt, "{typed:?}");
    }
}

#[test]
fn a_paste_in_exec_mode_changes_nothing_and_does_not_end_the_console() {
    let mut console = Console::new();
    let messages = console.paste(
        "interface Ethernet0/0\n ip address 10.0.0.1 255.255.255.0\n exit\nrouter lisp\n ipv4 itr\n exit\n",
    );
    assert!(messages[0].starts_with(&format!("1: {INVALID}")), "{messages:?}");
    let hint = "1: % This is a line of a configuration: enter `configure terminal` first.";
    assert_eq!(messages[1], hint);
    assert!(console.config().interfaces.is_empty() && console.config().lisp.is_none());
    assert!(console.line("show version").0.starts_with("Eidway"));
    assert!(console.line("exit").1.closed);
}

#[test]
fn a_long_paste_is_taken_quickly_and_ends_as_the_file_does() {
    let text = paste::long(2000);
    let mut console = Console::new();
    console.line("configure terminal");
    #[expect(clippy::disallowed_methods, reason = "the time of a paste is measured")]
    let began = std::time::Instant::now();
    let messages = console.paste(&text);
    let spent = began.elapsed();
    eprintln!("{spent:?} for {} lines", text.lines().count());
    let refused = messages.iter().filter(|message| message.contains(INVALID)).count();
    assert_eq!(refused, text.matches("interface Strange").count());
    let file = read_config("file", &format!("hostname R\n{text}"));
    assert_eq!(file.config, *console.config());
    // A test is built without optimization, and on a busy machine. A release takes a tenth of it.
    assert!(spent.as_secs() < 20, "{spent:?}");
}
