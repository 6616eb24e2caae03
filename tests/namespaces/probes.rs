//! `ping`, `traceroute` and `lig` at the consoles of routers on Linux.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::live::*;
use crate::probe_forms::{PROBES, has_parts};

/// The users that ping at the same time. A router takes 32 clients.
const USERS: usize = 29;
/// The time within which a console answers.
const ANSWER: Duration = Duration::from_secs(2);

/// A session on a router, which has received a request.
fn user(live: &Live, router: &str, request: &str) -> BufReader<UnixStream> {
    let socket = format!("/run/eidway/{}/{router}.sock", live.name);
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    writeln!(stream, "{request}").unwrap();
    BufReader::new(stream)
}

#[test]
fn probes_at_a_router_print_the_forms_of_ios() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "forms");
    let mut users: Vec<(&str, BufReader<UnixStream>)> = Vec::new();
    for (router, line, parts) in PROBES {
        let request = format!("{{\"line\":\"{line}\"}}");
        let at = users.iter().position(|(name, _)| name == router);
        let at = match at {
            Some(at) => {
                writeln!(users[at].1.get_mut(), "{request}").unwrap();
                at
            }
            None => {
                users.push((router, user(&live, router, &request)));
                users.len() - 1
            }
        };
        let mut text = String::new();
        loop {
            let mut response = String::new();
            users[at].1.read_line(&mut response).unwrap();
            let response: serde_json::Value = serde_json::from_str(&response).unwrap();
            if let Some(part) = response["text"].as_str() {
                text += part;
            }
            if response["done"].is_object() {
                break;
            }
        }
        assert!(has_parts(&text, parts), "{router}#{line}\n{text}");
    }
}

#[expect(clippy::disallowed_methods, reason = "real labs run on the real clock")]
#[test]
fn many_pings_at_once_do_not_slow_a_router_and_end_with_their_sessions() {
    if !can_run() {
        return;
    }
    let live = Live::up("gsmr", "pings");
    live.expect_pings(&[("B", "A")]);
    let request = "{\"line\":\"ping 172.16.0.12 repeat 1000000\"}";
    let mut users: Vec<_> = (0..USERS).map(|_| user(&live, "xTR2", request)).collect();
    for user in &mut users {
        let mut marks = 0;
        while marks < 1000 / USERS {
            let mut response = String::new();
            user.read_line(&mut response).unwrap();
            marks += usize::from(response.contains("\"!\""));
        }
    }
    let begin = Instant::now();
    assert!(live.console("xTR2", &["show clock"]).contains("UTC"));
    assert!(begin.elapsed() < ANSWER, "the console answers: {:?}", begin.elapsed());
    live.expect_pings(&[("B", "A"), ("A", "B")]);
    let raw = || live.shell("xTR2", "tail -n +2 /proc/net/raw").lines().count();
    assert!(raw() >= USERS);
    for user in &mut users[..2] {
        writeln!(user.get_mut(), "{{\"interrupt\":null}}").unwrap();
        let mut text = String::new();
        while !text.contains("\"done\"") {
            user.read_line(&mut text).unwrap();
        }
        assert!(text.contains("Success rate is 100 percent"), "{text}");
    }
    drop(users);
    until(LONG, "the sockets of the pings are closed", || raw() == 0);
    let mut rest = String::new();
    let mut user = user(&live, "xTR2", "{\"line\":\"show clock\"}");
    user.get_mut().shutdown(std::net::Shutdown::Write).unwrap();
    user.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("\"done\""), "{rest}");
}
