//! The server of a live page. The page shows a lab that is up in namespaces.
//!
//! ```text
//!   GET /          the page, with the address of this server in it
//!   GET /events    lines of JSON: the state of the lab, then all that happens
//!   POST /request  tables, lines at a console, and actions
//! ```
//!
//! [`access`] decides which requests are answered. [`http`] reads requests and writes responses.
//! [`hub`] collects the events of the lab. [`collector`] starts the hub, for the page and for
//! [`events`]. Each connection has its own thread and carries one request. The number of
//! connections is limited. The server runs in the network namespace of its caller. It connects to
//! the Unix sockets of the routers, and watches the links in the namespaces of the nodes.

pub mod access;
pub mod capture;
pub mod collector;
pub mod events;
pub mod ground;
pub mod http;
pub mod hub;
pub mod news;
pub mod requests;
pub mod router;
pub mod sampler;
pub mod state;
pub mod taps;
pub mod watchers;

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread;
use std::time::Duration;

use crate::driver::clock::Clock;
use crate::driver::entropy;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::lab::page;
use crate::netns::interrupt::Interrupt;
use crate::watch::packet::hex;
use access::Access;
use collector::Collector;
use http::{Refusal, Request};
use news::News;
use requests::Requests;

/// The maximum number of connections at the same time. The next constant is the maximum number of
/// connections that receive the events.
const MOST_CONNECTIONS: usize = 48;
const MOST_PAGES: usize = 16;
/// The maximum number of lines that wait for a page. If there are more, the page misses lines.
const WAITING_LINES: usize = 256;
/// The time between two checks for a new connection. It is also the time limit for each read from a
/// refused client.
const LOOKING: Duration = Duration::from_millis(50);
/// The number of octets of the token.
const TOKEN_LEN: usize = 16;

/// A server that listens for connections.
pub struct Server {
    listener: TcpListener,
    shared: Arc<Shared>,
    collector: Collector,
    interrupted: Interrupt,
}

/// The parts that the threads of all connections use.
struct Shared {
    access: Access,
    template: String,
    name: String,
    requests: Requests,
    news: SyncSender<News>,
    connections: AtomicUsize,
    pages: AtomicUsize,
}

impl Server {
    /// Opens the server of a lab. `template` is the page without the data of a lab.
    ///
    /// # Errors
    /// The lab is not up, its sockets belong to another user, this process has no privilege for
    /// its namespaces, or the address is in use.
    pub fn open(lab: Lab, template: String, listen: SocketAddr) -> Result<Self, Failure> {
        let collector = Collector::open(lab.clone())?;
        page::live(&template, &lab.name, "", "")?;
        let listener = TcpListener::bind(listen).map_err(Failure::io(listen))?;
        listener.set_nonblocking(true).map_err(Failure::io(listen))?;
        let address = listener.local_addr().map_err(Failure::io(listen))?;
        let seed = entropy::seed().map_err(Failure::io("drawing a token"))?;
        let (clock, news) = (collector.clock(), collector.news());
        let shared = Shared {
            access: Access::new(address, hex(&seed.0[..TOKEN_LEN])),
            template,
            name: lab.name.clone(),
            requests: Requests::new(lab, clock, news.clone()),
            news,
            connections: AtomicUsize::new(0),
            pages: AtomicUsize::new(0),
        };
        // From here on, the signals INT and TERM end the server. They do not end a command that the
        // server runs.
        let interrupted = Interrupt::watch()?;
        Ok(Server { listener, shared: Arc::new(shared), collector, interrupted })
    }

    /// The URL for the user, with the token.
    pub fn url(&self) -> String {
        self.shared.access.url()
    }

    /// Answers requests until the lab is down or a signal arrives. Returns true if the lab is down.
    pub fn run(self) -> bool {
        let Server { listener, shared, collector, interrupted } = self;
        let clock = collector.clock();
        let hub = collector.start();
        while !hub.is_finished() && !interrupted.has_come() {
            match listener.accept() {
                Ok((stream, _)) => admit(stream, &shared, clock),
                Err(_) => thread::sleep(LOOKING),
            }
        }
        hub.is_finished()
    }
}

/// Starts a thread for a connection. If there are too many connections, refuses this connection.
fn admit(mut stream: TcpStream, shared: &Arc<Shared>, clock: Clock) {
    if stream.set_nonblocking(false).is_err() {
        return;
    }
    let Some(place) = Place::take(shared, |it| &it.connections, MOST_CONNECTIONS) else {
        let _ = stream.set_write_timeout(Some(LOOKING));
        let refusal = Refusal::new("503 Service Unavailable", "there are too many connections");
        let _ = http::refuse(&mut stream, &refusal);
        return;
    };
    let shared = Arc::clone(shared);
    let serve = move || {
        let _place = place;
        // An error of a connection is ignored. It means that the client has closed the connection
        // or is too slow.
        let _ = serve(&mut stream, &shared, clock);
    };
    // If no thread can be started, the connection is closed.
    let _ = thread::Builder::new().name("connection".to_owned()).spawn(serve);
}

/// A place for a connection. The number of places is limited. The place is free again when this
/// value is dropped.
struct Place {
    shared: Arc<Shared>,
    counter: fn(&Shared) -> &AtomicUsize,
}

impl Place {
    fn take(
        shared: &Arc<Shared>,
        counter: fn(&Shared) -> &AtomicUsize,
        most: usize,
    ) -> Option<Self> {
        let shared = Arc::clone(shared);
        match counter(&shared).fetch_add(1, Ordering::AcqRel) < most {
            true => Some(Place { shared, counter }),
            false => {
                counter(&shared).fetch_sub(1, Ordering::AcqRel);
                None
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        (self.counter)(&self.shared).fetch_sub(1, Ordering::AcqRel);
    }
}

fn serve(stream: &mut TcpStream, shared: &Arc<Shared>, clock: Clock) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let request = match http::read(stream, clock) {
        Ok(request) => request,
        Err(None) => return Ok(()),
        Err(Some(refusal)) => return refuse(stream, &refusal),
    };
    match answer(stream, shared, &request) {
        Ok(written) => written,
        Err(refusal) => refuse(stream, &refusal),
    }
}

/// Refuses a request. The client may still send octets of the request. If the connection were
/// closed before these octets are read, the client would lose the answer.
fn refuse(stream: &mut TcpStream, refusal: &Refusal) -> io::Result<()> {
    http::refuse(stream, refusal)?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(LOOKING))?;
    let mut buffer = [0; 4096];
    for _ in 0..2 * http::MOST_BODY / buffer.len() {
        if stream.read(&mut buffer)? == 0 {
            break;
        }
    }
    Ok(())
}

/// Answers a request.
///
/// # Errors
/// The request is refused. The inner result has an error if the answer cannot be written.
fn answer(
    stream: &mut TcpStream,
    shared: &Arc<Shared>,
    request: &Request,
) -> Result<io::Result<()>, Refusal> {
    const JSON: &str = "application/json";
    let host = shared.access.check(request)?;
    match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/") => {
            let url = format!("http://{host}");
            let page = page::live(&shared.template, &shared.name, &url, shared.access.token());
            let page =
                page.map_err(|error| Refusal::new("500 Internal Server Error", error.to_string()))?;
            Ok(http::respond(stream, "200 OK", "text/html; charset=utf-8", page.as_bytes()))
        }
        ("GET", "/events") => {
            let refusal = || Refusal::new("503 Service Unavailable", "there are too many pages");
            let place = Place::take(shared, |it| &it.pages, MOST_PAGES).ok_or_else(refusal)?;
            let written = events(stream, &shared.news);
            drop(place);
            Ok(written)
        }
        ("POST", "/request") => {
            let answer = shared.requests.answer(&request.body);
            Ok(http::respond(stream, "200 OK", JSON, answer.as_bytes()))
        }
        (_, "/" | "/events" | "/request") => Err(Refusal::new(
            "405 Method Not Allowed",
            "this path does not accept the method of the request",
        )),
        (_, path) => {
            Err(Refusal::new("404 Not Found", format!("this server has no path {path:?}")))
        }
    }
}

/// Writes the lines of the hub until the client closes the connection or is too slow, or until the
/// lab is down.
fn events(stream: &mut TcpStream, news: &SyncSender<News>) -> io::Result<()> {
    let (sender, lines) = mpsc::sync_channel(WAITING_LINES);
    http::begin_lines(stream)?;
    if news.send(News::Subscribe(sender)).is_err() {
        return Ok(());
    }
    loop {
        match lines.recv_timeout(Duration::from_secs(5)) {
            Ok(line) => stream.write_all(line.as_bytes())?,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(()),
        }
    }
}
