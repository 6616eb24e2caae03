//! `eidway lab web`: the server of a live page answers only its own page, and reports an event
//! immediately.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::live::{LONG, Live, can_run};

/// A page without scripts, as `web/build` would make it.
const TEMPLATE: &str = "<meta content=\"connect-src 'none'\">\
    <script type=\"application/json\" id=\"lab\">null</script>";

/// A server. It ends when this value is dropped.
struct Server {
    process: Child,
    address: SocketAddr,
    token: String,
    _directory: tempfile::TempDir,
}

impl Server {
    fn start(lab: &Live) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let template = directory.path().join("page.html");
        fs::write(&template, TEMPLATE).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_eidway"))
            .args(["lab", "web", &lab.name, "--listen", "127.0.0.1:0"])
            .current_dir("/")
            .env("EIDWAY_PAGE", &template)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let (_, url) = line.split_once("http://").unwrap_or_else(|| panic!("no URL: {line:?}"));
        let (address, token) = url.trim().split_once("/?token=").unwrap();
        let (address, token) = (address.parse().unwrap(), token.to_owned());
        Server { process, address, token, _directory: directory }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream.set_write_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Sends a request with these fields, and returns the status and the rest of the answer.
    fn send(&self, first: &str, fields: &str, body: &str) -> (u16, String) {
        let mut stream = self.connect();
        let length = body.len();
        let request = format!("{first} HTTP/1.1\r\n{fields}Content-Length: {length}\r\n\r\n{body}");
        // A server that refuses may close the connection before it has read all.
        let _ = stream.write_all(request.as_bytes());
        answer(&mut stream)
    }

    /// The fields of a request of the page itself.
    fn fields(&self) -> String {
        format!("Host: {}\r\nAuthorization: Bearer {}\r\n", self.address, self.token)
    }

    /// A request of the page. Returns the result, or the error.
    fn request(&self, request: &Value) -> Result<Value, String> {
        let (status, text) = self.send("POST /request", &self.fields(), &request.to_string());
        assert_eq!(status, 200, "{text}");
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        let mut answer: Value = serde_json::from_str(body).unwrap();
        match answer.get("error") {
            Some(error) => Err(error.as_str().unwrap().to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }

    /// The lines of the events.
    fn events(&self) -> impl Iterator<Item = Value> + use<> {
        let mut stream = self.connect();
        write!(stream, "GET /events HTTP/1.1\r\n{}\r\n", self.fields()).unwrap();
        let lines = BufReader::new(stream).lines().map(Result::unwrap);
        let lines = lines.skip_while(|line| !line.is_empty()).skip(1);
        lines.map(|line| serde_json::from_str(&line).unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn answer(stream: &mut TcpStream) -> (u16, String) {
    let mut octets = Vec::new();
    let _ = stream.read_to_end(&mut octets);
    let text = String::from_utf8_lossy(&octets).into_owned();
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("no status: {text:?}")), text)
}

/// Whether an item of a line meets a condition.
fn has_item(line: &Value, is: impl Fn(&Value) -> bool) -> bool {
    line["items"].as_array().is_some_and(|items| items.iter().any(is))
}

#[test]
fn only_the_page_of_the_printed_address_is_answered_with_journeys_and_lessons_too() {
    if !can_run() {
        return;
    }
    let lab = Live::up("two-sites", "wa");
    let server = Server::start(&lab);
    let (address, token) = (server.address, server.token.clone());
    let snapshot = r#"{"op":"snapshot"}"#;
    let own = server.fields();
    assert_eq!(server.send("POST /request", &own, snapshot).0, 200);
    let bearer = format!("Authorization: Bearer {token}\r\n");
    for fields in [
        format!("Host: {address}\r\n"),
        format!("Host: {address}\r\nAuthorization: Bearer x{}\r\n", &token[1..]),
        bearer.clone(),
        format!("Host: evil.example\r\n{bearer}"),
        format!("{own}Origin: http://evil.example\r\n"),
        format!("{own}Origin: null\r\n"),
    ] {
        for first in ["POST /request", "GET /events", "GET /"] {
            let (status, text) = server.send(first, &fields, snapshot);
            assert_eq!(status, 403, "{first} {fields}: {text}");
        }
    }
    assert_eq!(server.send(&format!("POST /request?token={token}"), "", snapshot).0, 403);
    let journey = server.request(&json!({"op": "explain", "from": "A", "to": "B"})).unwrap();
    assert!(journey["steps"].as_array().is_some_and(|steps| steps.len() > 4), "{journey}");
    assert!(journey["conclusion"].as_str().unwrap().contains("arrives at B"), "{journey}");
    assert_eq!(server.request(&json!({"op": "lessons"})).unwrap(), json!([]));
    assert_eq!(server.send("GET /x", &own, "").0, 404);
    assert_eq!(server.send("GET /request", &own, "").0, 405);
    assert_eq!(server.send("POST /request", &own, &"x".repeat(70_000)).0, 413);
    let long = format!("{own}X: {}\r\n", "x".repeat(10_000));
    assert_eq!(server.send("GET /events", &long, "").0, 431);
    let (status, page) =
        server.send(&format!("GET /?token={token}"), &format!("Host: {address}\r\n"), "");
    assert_eq!(status, 200);
    assert!(page.contains("connect-src 'self'") && page.contains(&token), "{page}");
    assert!(page.contains("X-Frame-Options: DENY"), "{page}");
}

#[test]
fn slow_clients_are_refused_and_keep_no_other_waiting() {
    if !can_run() {
        return;
    }
    let lab = Live::up("two-sites", "wb");
    let server = Server::start(&lab);
    let mut slow = server.connect();
    slow.write_all(b"POST /request HTTP/1.1\r\nHost: ").unwrap();
    // These pages never read.
    let mut pages = Vec::new();
    for _ in 0..16 {
        let mut page = server.connect();
        write!(page, "GET /events HTTP/1.1\r\n{}\r\n", server.fields()).unwrap();
        let mut first = [0; 12];
        page.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        pages.push(page);
    }
    assert_eq!(server.send("GET /events", &server.fields(), "").0, 503, "too many pages");
    let answer_of = |line| server.request(&json!({"op": "console", "node": "xTR1", "line": line}));
    let shown = answer_of("show running-config | include hostname").unwrap();
    assert_eq!(shown["text"], "hostname xTR1\n");
    assert_eq!(answer(&mut slow).0, 408);
    // These connections send nothing.
    let mut idle = Vec::new();
    let refused = (0..20).any(|_| {
        idle.extend((0..5).map(|_| server.connect()));
        server.send("POST /request", &server.fields(), r#"{"op":"flows"}"#).0 == 503
    });
    assert!(refused, "{} connections at once", idle.len());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real labs run on the real clock")]
fn a_page_sees_the_state_a_shut_port_and_a_ping_with_its_hops_and_the_end_of_the_lab() {
    if !can_run() {
        return;
    }
    let lab = Live::up("two-sites", "wc");
    let mut server = Server::start(&lab);
    let mut events = server.events();
    let first = events.next().unwrap();
    let nodes = first["snapshot"]["nodes"].as_array().unwrap().clone();
    let node = |name: &str| nodes.iter().find(|node| node["name"] == name).unwrap();
    assert_eq!(node("xTR1")["runs"], true);
    assert!(node("A")["ports"][0]["up"] == true, "{}", node("A"));
    let namespace = lab.namespace("A");
    let set = |state: &str| {
        let mut ip = Command::new("ip");
        assert!(
            ip.args(["-n", &namespace, "link", "set", "eth0", state]).status().unwrap().success()
        );
    };
    let mut fastest = Duration::MAX;
    for state in ["down", "up", "down", "up", "down"] {
        set(state);
        let since = Instant::now();
        let is_told = |item: &Value| {
            let text = item["text"].as_str().unwrap_or_default();
            item["table"] == "ports" && item["node"] == "A" && text.ends_with(state)
        };
        events.find(|line| has_item(line, is_told)).unwrap();
        fastest = fastest.min(since.elapsed());
    }
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
    lab.verb("link-set", &["A", "eth0", "up"]);
    lab.verb("route-add", &["A", "default", "172.16.0.1"]);
    let ping = json!({"kind": "ping", "name": "p", "from": "A", "to": "B", "count": 3});
    let done = server.request(&json!({"op": "act", "hand": ping})).unwrap();
    assert_eq!(done["command"], format!("eidway lab ping {} A B -c 3 -s 100", lab.name));
    let (mut segments, mut decides) = (Vec::new(), false);
    for line in events.by_ref() {
        for item in line["items"].as_array().into_iter().flatten() {
            let summary = item["summary"].as_str().unwrap_or_default();
            if item["kind"] == "hop" && summary.contains("echo request") {
                segments
                    .push((item["packet"].clone(), item["segment"].as_str().unwrap().to_owned()));
            }
            decides |= item["kind"] == "decision" && item["verdict"] == "encapsulate";
        }
        let of_one = |packet: &Value| segments.iter().filter(|(it, _)| it == packet).count();
        // The packet crosses a LAN, two links of the core, and a LAN.
        if decides && segments.iter().any(|(packet, _)| of_one(packet) == 4) {
            break;
        }
    }
    let refused = server.request(&json!({"op": "act", "hand": {"kind": "stop", "node": "Core"}}));
    assert!(refused.unwrap_err().contains("Core"));
    lab.lab("down", &[]);
    let gone = events.find_map(|line| line["gone"].as_str().map(str::to_owned)).unwrap();
    assert!(gone.contains("is down"), "{gone}");
    assert!(server.process.wait().unwrap().success());
}

#[test]
fn a_page_sees_that_a_link_is_impaired_while_the_lab_runs() {
    if !can_run() {
        return;
    }
    let lab = Live::up("two-sites", "wi");
    let server = Server::start(&lab);
    let mut events = server.events();
    let mut seen = |delay_us: u64| {
        let is_impaired = |line: &Value| {
            let segments = line["snapshot"]["segments"].as_array().cloned().unwrap_or_default();
            let links = segments.iter().filter(|segment| segment["name"] == "xTR1:et0-0-Core:eth0");
            links.into_iter().any(|link| link["delay_us"] == delay_us)
        };
        assert!(events.any(|line| is_impaired(&line)), "no delay of {delay_us} us");
    };
    seen(0);
    lab.lab("impair", &["xTR1:Core", "--delay", "20ms"]);
    seen(20_000);
    lab.lab("impair", &["xTR1:Core", "--clear"]);
    seen(0);
}

#[test]
#[expect(clippy::disallowed_methods, reason = "real labs run on the real clock")]
fn a_fast_flow_is_sampled_with_the_same_packets_on_all_links_and_all_are_shown_after_it() {
    if !can_run() {
        return;
    }
    let lab = Live::up("two-sites", "wd");
    let server = Server::start(&lab);
    let events = server.events();
    lab.expect_pings(&[("A", "B")]);
    let _sink = lab.inside("B", || UdpSocket::bind("0.0.0.0:9000")).unwrap();
    let source = lab.inside("A", || UdpSocket::bind("0.0.0.0:0")).unwrap();
    source.connect("192.168.0.22:9000").unwrap();
    let flow = std::thread::spawn(move || {
        for number in 0..10_000_u64 {
            source.send(&number.to_be_bytes()).unwrap();
            if number % 5 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    // The links on which each packet of the sample was seen.
    let mut links: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let begin = Instant::now();
    let mut shares = Vec::new();
    for line in events {
        assert!(begin.elapsed() < 3 * LONG, "the shares were {shares:?}");
        let share = line["sampled"]["hosts"].as_u64().unwrap_or(1);
        if share == 1 && shares.iter().any(|share| *share > 1) {
            break;
        }
        if share > 1 {
            assert_eq!(line["sampled"]["control"], 1);
            let text = |item: &Value, field: &str| item[field].as_str().unwrap().to_owned();
            let hops = line["items"].as_array().into_iter().flatten();
            let hops = hops.filter(|item| item["kind"] == "hop");
            for hop in hops.filter(|hop| text(hop, "summary").contains("> 9000")) {
                links.entry(text(hop, "packet")).or_default().insert(text(hop, "segment"));
            }
        }
        shares.push(share);
    }
    flow.join().unwrap();
    // LAN, two links of the core, LAN. The taps change their share one after the other, so a few
    // packets are not on all.
    let whole = links.values().filter(|links| links.len() == 4).count();
    assert!(whole > 20 && whole * 2 > links.len(), "{whole} of {} packets", links.len());
    assert!(links.len() < 5_000, "{} of 10,000 packets are no sample", links.len());
}
