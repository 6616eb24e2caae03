//! Tests of the console server with a client and a router, but without an event loop.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::rc::Rc;
use std::time::Duration;

use super::*;
use crate::console::hosts::{HostState, Hosts, NoHosts, no_host};
use crate::console::probes::{Ends, Heard, Probe, ProbeSocket, Probes};
use crate::console::protocol::{Done, HostAnswer, HostRequest};
use crate::rng::Seed;
use crate::router::Start;
use crate::router::config::Config;
use crate::watch::item::{Item, Kind, LogLine};

/// A server with one client but without an event loop. The test itself calls the functions that
/// serve the client.
struct Bench {
    server: ConsoleServer,
    router: Router,
    stream: BlockingStream,
    _directory: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("console");
        let mut server = ConsoleServer::open(&path).unwrap();
        let stream = BlockingStream::connect(&path).unwrap();
        assert_eq!(server.accept().unwrap(), 0);
        let start = Start {
            config: Config::default(),
            seed: Seed::from_number(1),
            wall_clock: 0,
            now: Time::ZERO,
        };
        Bench { server, router: Router::new(start), stream, _directory: directory }
    }

    fn turn(&mut self) -> Turn {
        let client = self.server.client_mut(0).unwrap();
        client.serve(&mut self.router, &mut NoHosts, Time::ZERO)
    }

    fn waiting(&mut self) -> usize {
        self.server.client_mut(0).unwrap().output.len()
    }
}

#[test]
fn requests_are_answered_in_their_order_however_they_are_cut() {
    let mut bench = Bench::new();
    let mut lines = BufReader::new(bench.stream.try_clone().unwrap()).lines();
    let mut response =
        || -> Response { serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap() };
    for piece in ["{\"line\":", "\"one\"}\n{\"complete\":\"show vers\"}", "\n"] {
        bench.stream.write_all(piece.as_bytes()).unwrap();
        assert_eq!(bench.turn(), Turn::Wait);
    }
    // With this time limit, a lost request makes the test fail. Without the limit, the test would
    // wait for ever.
    bench.stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let prompt = "Router#".to_owned();
    let done = |ok| Response::Done(Done { prompt: prompt.clone(), ok, closed: false });
    let Response::Text(error) = response() else { panic!("the answer to `one`") };
    assert!(error.contains("% Invalid input"), "{error}");
    assert_eq!(response(), done(false));
    assert_eq!(response(), Response::Completions(vec!["version".to_owned()]), "two");
    assert_eq!(response(), done(true));
    assert_eq!(bench.waiting(), 0);
}

#[test]
fn a_client_that_does_not_read_is_not_read_either() {
    let mut bench = Bench::new();
    bench.stream.set_nonblocking(true).unwrap();
    let request = b"{\"line\":\"show version\"}\n".repeat(100);
    let mut sent = 0;
    for _ in 0..10_000 {
        match bench.stream.write(&request) {
            Ok(len) => sent += len,
            Err(_) => break,
        }
        bench.turn();
        assert!(bench.waiting() < 2 * MAX_WAITING, "bounded");
    }
    assert_eq!(bench.turn(), Turn::Wait, "it waits for the client, after {sent} octets");
}

/// A network in which no probe gets an answer. The reference count is the number of open sockets
/// plus one.
#[derive(Clone, Default)]
struct Silence(Rc<()>);

impl ProbeSocket for Silence {
    fn send(&mut self, _: &Probe, _: Time) {}

    fn receive(&mut self, _: Time) -> Option<Heard> {
        None
    }

    fn has_answer(&self) -> bool {
        false
    }
}

impl Hosts for Silence {
    fn states(&self) -> BTreeMap<String, HostState> {
        BTreeMap::new()
    }

    fn handle(&mut self, request: &HostRequest, _: Time) -> Result<HostAnswer, String> {
        Err(no_host(&request.name))
    }
}

impl Probes for Silence {
    fn open(&mut self, _: Ends) -> Result<Box<dyn ProbeSocket>, String> {
        Ok(Box::new(self.clone()))
    }
}

/// Returns the octets that have arrived at the client, as text.
fn texts(bench: &mut Bench) -> String {
    bench.stream.set_nonblocking(true).unwrap();
    let mut octets = Vec::new();
    let _ = bench.stream.read_to_end(&mut octets);
    String::from_utf8(octets).unwrap()
}

#[test]
fn a_command_waits_without_work_until_its_deadline_an_interrupt_or_the_end_of_the_client() {
    let (mut bench, mut network) = (Bench::new(), Silence::default());
    let ping = "{\"line\":\"ping 192.0.2.1 timeout 1\"}\n{\"line\":\"show clock\"}\n";
    bench.stream.write_all(ping.as_bytes()).unwrap();
    let mut serve = |bench: &mut Bench, now| {
        let client = bench.server.client_mut(0).unwrap();
        client.serve(&mut bench.router, &mut network, Time::from_secs(now))
    };
    assert_eq!(serve(&mut bench, 0), Turn::Wait);
    assert_eq!(bench.server.deadline(), Some(Time::from_secs(1)));
    assert_eq!(bench.server.due(Time::from_secs(1)), [0]);
    assert_eq!(serve(&mut bench, 1), Turn::Wait);
    let text = texts(&mut bench);
    assert!(
        text.contains("timeout is 1 seconds") && text.ends_with("{\"text\":\".\"}\n"),
        "{text}"
    );
    bench.stream.write_all(b"{\"interrupt\":null}\n").unwrap();
    assert_eq!(serve(&mut bench, 1), Turn::Wait);
    let text = texts(&mut bench);
    assert!(text.contains("Success rate is 0 percent (0/1)"), "{text}");
    assert!(text.matches("\"done\"").count() == 2 && text.contains("UTC"), "{text}");
    bench.stream.write_all(ping.as_bytes()).unwrap();
    assert_eq!(serve(&mut bench, 1), Turn::Wait);
    bench.stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(serve(&mut bench, 1), Turn::Wait, "the client still reads");
    bench.stream.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(serve(&mut bench, 1), Turn::Close);
    bench.server.close(0);
    assert_eq!(Rc::strong_count(&network.0), 1, "the socket is closed");
}

#[test]
fn a_request_without_end_closes_its_client() {
    let mut bench = Bench::new();
    let sender = bench.stream.try_clone().unwrap();
    let thread = std::thread::spawn(move || {
        let _ = (&sender).write_all(&[b'x'; 2 * MAX_LINE]);
    });
    let turn = (0..100_000).map(|_| bench.turn()).find(|&turn| turn == Turn::Close);
    assert_eq!(turn, Some(Turn::Close));
    bench.server.close(0);
    thread.join().unwrap();
}

#[test]
fn a_client_that_goes_is_closed_and_its_place_is_free() {
    let mut bench = Bench::new();
    bench.stream.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(bench.turn(), Turn::Close);
    bench.server.close(0);
    let _next = BlockingStream::connect(&bench.server.path).unwrap();
    assert_eq!(bench.server.accept().unwrap(), 0);
}

#[test]
fn there_are_so_many_clients_and_no_more() {
    let mut bench = Bench::new();
    let connect = |path: &Path| BlockingStream::connect(path).unwrap();
    let mut clients = Vec::new();
    for number in 1..MAX_CLIENTS {
        clients.push(connect(&bench.server.path));
        assert_eq!(bench.server.accept().unwrap(), number);
    }
    clients.push(connect(&bench.server.path));
    assert_eq!(bench.server.accept().unwrap_err().kind(), io::ErrorKind::QuotaExceeded);
}

#[test]
fn the_socket_is_its_owners_and_goes_with_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("console");
    let server = ConsoleServer::open(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let second = ConsoleServer::open(&path).unwrap_err();
    assert_eq!(second.kind(), io::ErrorKind::AddrInUse, "a router listens there");
    drop(server);
    assert!(!path.exists());
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists(), "left behind, as by a killed router");
    ConsoleServer::open(&path).unwrap();
}

/// The client does not read. The test adds items until the output of the client is full.
#[test]
fn a_watcher_that_does_not_read_misses_items_and_learns_their_number() {
    let mut bench = Bench::new();
    bench.stream.write_all(b"{\"watch\":null}\n").unwrap();
    assert_eq!(bench.turn(), Turn::Wait);
    assert!(bench.server.is_watched() && bench.server.has_new_watcher());
    let told = |n| {
        let text = "x".repeat(1000);
        let log = LogLine { node: String::new(), severity: String::new(), text };
        Told::Item(Box::new(Item { n, at: n, kind: Kind::Log(log) }))
    };
    const ITEMS: u64 = 5000;
    for n in 0..ITEMS {
        bench.server.tell(&[Told::Began(1)], &[told(n)]);
        assert!(bench.waiting() < 2 * MAX_WATCHED, "bounded");
    }
    assert!(!bench.server.has_new_watcher());
    let stream = bench.stream.try_clone().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let (mut seen, mut left_out, mut first) = (0, 0, Vec::new());
    let mut lines = BufReader::new(stream).lines();
    while seen + left_out < ITEMS {
        bench.turn();
        let line = lines.next().unwrap().unwrap();
        match serde_json::from_str(&line) {
            Ok(Told::Item(_)) => seen += 1,
            Ok(Told::LeftOut(count)) => left_out += count,
            _ => first.push(line),
        }
    }
    assert!(seen > 100 && left_out > 100, "{seen} items, {left_out} left out");
    assert_eq!(first.len(), 2, "{first:?}");
    assert!(first[0].contains("\"done\"") && first[1] == "{\"began\":1}", "{first:?}");
}
