//! Reads requests of HTTP/1.1 and writes responses, within limits of size and time.
//!
//! Each connection carries one request. A request that is too large or too slow is refused. The
//! crate `httparse` reads the header. The small server crates without an async runtime are not
//! used, because they limit neither the number of connections nor the time of a request.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::driver::clock::Clock;
use crate::time::Time;

/// The maximum number of octets of the header of a request.
const MOST_HEADER: usize = 8 * 1024;
/// The maximum number of fields of a header.
const MOST_FIELDS: usize = 64;
/// The maximum number of octets of the body of a request.
pub const MOST_BODY: usize = 64 * 1024;
/// The time in which a request must be complete.
const REQUEST_TIME: Duration = Duration::from_secs(5);
/// If a client accepts no octet of a response for this time, the write fails.
const WRITE_TIME: Duration = Duration::from_secs(5);

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method, for example `GET`.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, without the question mark.
    pub query: String,
    /// The field `Host`.
    pub host: Option<String>,
    /// The field `Origin`.
    pub origin: Option<String>,
    /// The field `Authorization`.
    pub authorization: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// The refusal of a request: a status, and a sentence for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of HTTP, with its reason phrase.
    pub status: &'static str,
    /// The reason in a sentence.
    pub reason: String,
}

impl Refusal {
    /// Makes a refusal with this status.
    pub fn new(status: &'static str, reason: impl Into<String>) -> Self {
        Refusal { status, reason: reason.into() }
    }
}

/// Reads the request of a connection.
///
/// # Errors
/// The reason why the request is refused. The reason is `None` if the client has closed the
/// connection.
pub fn read(stream: &mut TcpStream, clock: Clock) -> Result<Request, Option<Refusal>> {
    let until = clock.now() + REQUEST_TIME;
    stream.set_write_timeout(Some(WRITE_TIME)).map_err(|_| None)?;
    let mut octets = Vec::new();
    let (mut request, body_at, body_len) = loop {
        match header(&octets) {
            Ok(Some(header)) => break header,
            Ok(None) if octets.len() > MOST_HEADER => {
                let reason =
                    format!("the header is too long: it can have at most {MOST_HEADER} octets");
                return Err(Some(Refusal::new("431 Request Header Fields Too Large", reason)));
            }
            Ok(None) => fill(stream, &mut octets, (clock, until))?,
            Err(refusal) => return Err(Some(refusal)),
        }
    };
    while octets.len() < body_at + body_len {
        fill(stream, &mut octets, (clock, until))?;
    }
    request.body = octets[body_at..body_at + body_len].to_vec();
    Ok(request)
}

/// Reads more octets of a request. Waits for them until the time `until` at most.
fn fill(
    stream: &mut TcpStream,
    octets: &mut Vec<u8>,
    (clock, until): (Clock, Time),
) -> Result<(), Option<Refusal>> {
    let slow = || Some(Refusal::new("408 Request Timeout", "the request was not complete in time"));
    let left = clock.now().until(until);
    if left.is_zero() {
        return Err(slow());
    }
    stream.set_read_timeout(Some(left)).map_err(|_| None)?;
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) => Err(None),
        Ok(len) => {
            octets.extend(&buffer[..len]);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(slow()),
        Err(_) => Err(None),
    }
}

/// Reads the header of a request. Returns the request without its body, and the position and the
/// length of the body. Returns `None` if the header is not complete.
fn header(octets: &[u8]) -> Result<Option<(Request, usize, usize)>, Refusal> {
    let bad = |reason: &str| Refusal::new("400 Bad Request", reason);
    let mut fields = [httparse::EMPTY_HEADER; MOST_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    let body_at = match parsed.parse(octets) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(bad(&format!("the request cannot be read: {error}"))),
    };
    if body_at > MOST_HEADER {
        let reason = format!("the header is too long: it can have at most {MOST_HEADER} octets");
        return Err(Refusal::new("431 Request Header Fields Too Large", reason));
    }
    let field = |name: &str| -> Result<Option<String>, Refusal> {
        let mut found = parsed.headers.iter().filter(|it| it.name.eq_ignore_ascii_case(name));
        let Some(first) = found.next() else { return Ok(None) };
        match (found.next(), std::str::from_utf8(first.value)) {
            (None, Ok(value)) => Ok(Some(value.to_owned())),
            _ => Err(bad(&format!("the field {name} is repeated or is not text"))),
        }
    };
    if field("Transfer-Encoding")?.is_some() {
        return Err(bad("a request must have its length in Content-Length"));
    }
    let length = match field("Content-Length")? {
        None => 0,
        Some(text) => text.parse().map_err(|_| bad("Content-Length is not a number"))?,
    };
    if length > MOST_BODY {
        let reason = format!("the body is too long: it can have at most {MOST_BODY} octets");
        return Err(Refusal::new("413 Content Too Large", reason));
    }
    let target = parsed.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: parsed.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        host: field("Host")?,
        origin: field("Origin")?,
        authorization: field("Authorization")?,
        body: Vec::new(),
    };
    Ok(Some((request, body_at, length)))
}

/// The header fields that every response has. With them, the page cannot be shown inside another
/// page, and it loads nothing from other servers. The page itself contains the policy that it runs
/// only its own scripts.
const FIELDS: &str = "Cache-Control: no-store\r\n\
    Content-Security-Policy: frame-ancestors 'none'; object-src 'none'; base-uri 'none'; \
    form-action 'none'; connect-src 'self'\r\n\
    Cross-Origin-Opener-Policy: same-origin\r\n\
    Cross-Origin-Resource-Policy: same-origin\r\n\
    Referrer-Policy: no-referrer\r\n\
    X-Content-Type-Options: nosniff\r\n\
    X-Frame-Options: DENY\r\n\
    Connection: close\r\n";

/// Writes a whole response.
///
/// # Errors
/// The client does not accept the response in time, or has closed the connection.
pub fn respond(stream: &mut impl Write, status: &str, kind: &str, body: &[u8]) -> io::Result<()> {
    let length = body.len();
    let header = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{FIELDS}\r\n"
    );
    // The header and the body are written in one call, so that a small response is one packet.
    stream.write_all(&[header.as_bytes(), body].concat())
}

/// Writes a refusal.
///
/// # Errors
/// The client does not accept the refusal in time, or has closed the connection.
pub fn refuse(stream: &mut impl Write, refusal: &Refusal) -> io::Result<()> {
    let body = format!("{}\n", refusal.reason);
    respond(stream, refusal.status, "text/plain; charset=utf-8", body.as_bytes())
}

/// Writes the header of a response that has no end: lines of JSON follow until one side closes the
/// connection.
///
/// # Errors
/// The client does not accept the header in time, or has closed the connection.
pub fn begin_lines(stream: &mut impl Write) -> io::Result<()> {
    let header = format!("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n{FIELDS}\r\n");
    stream.write_all(header.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_its_fields() {
        let text = b"POST /request?a=b HTTP/1.1\r\nhost: x:1\r\nORIGIN: http://x:1\r\n\
            Authorization: Bearer t\r\nContent-Length: 2\r\n\r\n{}";
        let (request, body_at, length) = header(text).unwrap().unwrap();
        assert_eq!((body_at, length), (text.len() - 2, 2));
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/request"));
        assert_eq!((request.query.as_str(), request.host.as_deref()), ("a=b", Some("x:1")));
        assert_eq!(request.origin.as_deref(), Some("http://x:1"));
        assert_eq!(request.authorization.as_deref(), Some("Bearer t"));
        assert_eq!(header(b"GET / HTTP/1.1\r\nHost: x\r\n"), Ok(None));
    }

    #[test]
    fn a_request_that_is_too_long_or_has_no_one_meaning_is_refused() {
        for (fields, status) in [
            ("Content-Length: 65537", "413"),
            ("Content-Length: -1", "400"),
            ("Content-Length: 1\r\nContent-Length: 2", "400"),
            ("Transfer-Encoding: chunked", "400"),
            ("Host: a\r\nHost: b", "400"),
            ("no field", "400"),
        ] {
            let text = format!("POST / HTTP/1.1\r\n{fields}\r\n\r\n");
            let refusal = header(text.as_bytes()).unwrap_err();
            assert!(refusal.status.starts_with(status), "{fields}: {refusal:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(MOST_HEADER));
        assert!(header(long.as_bytes()).unwrap_err().status.starts_with("431"));
    }
}
