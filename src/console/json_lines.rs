//! The protocol of the console between two processes. Each request and each response is one line of
//! JSON.
//!
//! The console server in the driver reads requests and writes responses. A client uses
//! [`JsonLines`] to write requests and to read responses, over any stream. In the rest of the
//! console, only the response to `show ... json` contains JSON.

use std::io::{self, BufRead, Write};

use serde::Serialize;

use super::client::Channel;
use super::protocol::{Request, Response};

/// The maximum length of a request, in octets. Longer requests are refused.
pub const LONGEST_REQUEST: usize = 16 * 1024;

/// A request or response as a line of JSON, without the line end.
pub fn line(message: &impl Serialize) -> String {
    serde_json::to_string(message)
        .expect("strings, numbers, lists and named fields, as JSON has them")
}

/// Reads a request from a line.
///
/// # Errors
/// The error is a sentence for the client: the line is too long, or the line is not a request.
pub fn request(line: &str) -> Result<Request, String> {
    if line.len() > LONGEST_REQUEST {
        return Err(format!("a request can have at most {LONGEST_REQUEST} octets"));
    }
    serde_json::from_str(line).map_err(|error| {
        format!("{error}: a request must be {{\"line\":…}}, {{\"help\":…}} or {{\"complete\":…}}")
    })
}

/// Reads the next response from a stream.
///
/// # Errors
/// An error of the stream. The error is `UnexpectedEof` at the end of the stream, and `InvalidData`
/// if a line is not a response.
pub fn read_response(stream: &mut impl BufRead) -> io::Result<Response> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        let message = "the router closed the connection before it answered";
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, message));
    }
    serde_json::from_str(&line)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("{error} in {line:?}")))
}

/// Writes a request to a stream.
///
/// # Errors
/// An error of the stream, if the request cannot be written.
pub fn write_request(stream: &mut impl Write, request: &Request) -> io::Result<()> {
    stream.write_all((line(request) + "\n").as_bytes())?;
    stream.flush()
}

/// A channel to a session at the other end of a stream.
#[derive(Debug)]
pub struct JsonLines<R, W> {
    responses: R,
    requests: W,
}

impl<R: BufRead, W: Write> JsonLines<R, W> {
    /// A channel that reads from `responses` and writes to `requests`. These are the two directions
    /// of one stream.
    pub fn new(responses: R, requests: W) -> Self {
        JsonLines { responses, requests }
    }

    /// The stream to which requests are written.
    pub fn requests(&self) -> &W {
        &self.requests
    }
}

impl<R: BufRead, W: Write> Channel for JsonLines<R, W> {
    fn send(&mut self, request: Request) -> io::Result<()> {
        write_request(&mut self.requests, &request)
    }

    fn receive(&mut self) -> io::Result<Response> {
        read_response(&mut self.responses)
    }
}

#[cfg(test)]
mod tests {
    use super::super::client::Client;
    use super::super::protocol::{Done, HostAnswer};
    use super::*;

    #[test]
    fn a_message_is_one_object_named_by_its_kind() {
        let done = Done { prompt: "xTR1#".to_owned(), ok: true, closed: false };
        for (response, text) in [
            (Response::Text("a\n".to_owned()), r#"{"text":"a\n"}"#),
            (Response::Done(done), r#"{"done":{"prompt":"xTR1#","ok":true}}"#),
            (Response::Debug("LISP: x".to_owned()), r#"{"debug":"LISP: x"}"#),
            (Response::Completions(vec!["lisp".to_owned()]), r#"{"completions":["lisp"]}"#),
            (
                Response::Host(HostAnswer { ping: Some(1), ..HostAnswer::default() }),
                r#"{"host":{"ping":1,"is_done":false,"echos":[]}}"#,
            ),
        ] {
            assert_eq!(line(&response), text);
            assert_eq!(read_response(&mut text.as_bytes()).unwrap(), response);
        }
        for (sent, text) in [
            (Request::Help("show ip ".to_owned()), r#"{"help":"show ip "}"#),
            (Request::Interrupt, r#"{"interrupt":null}"#),
        ] {
            assert_eq!(line(&sent), text);
            assert_eq!(request(text), Ok(sent));
        }
    }

    #[test]
    fn a_line_that_is_no_request_is_refused_in_a_sentence() {
        for line in ["", "show version", "{\"line\":1}", "{}", "{\"host\":{\"name\":\"C\"}}"] {
            let message = request(line).unwrap_err();
            assert!(message.contains("a request must be {\"line\":…}"), "{line}: {message}");
        }
        let long = format!("{{\"line\":\"{}\"}}", "x".repeat(LONGEST_REQUEST));
        assert_eq!(request(&long).unwrap_err(), "a request can have at most 16384 octets");
    }

    #[test]
    fn a_client_reads_the_lines_of_a_stream_up_to_the_end_of_the_answer() {
        let stream = "{\"text\":\"one\\n\"}\n{\"debug\":\"LISP: x\"}\n{\"text\":\"two\\n\"}\n\
                      {\"done\":{\"prompt\":\"x#\",\"ok\":true}}\n{\"text\":\"three\"}\n";
        let mut sent = Vec::new();
        let mut client = Client::new(JsonLines::new(stream.as_bytes(), &mut sent));
        let answer = client.command("show \"it\"").unwrap();
        assert_eq!((answer.text.as_str(), answer.done.ok), ("one\ntwo\n", true));
        let early = client.command("show").unwrap_err();
        let why = "the connection closed in the middle of an answer";
        assert_eq!(early.kind(), io::ErrorKind::UnexpectedEof, "{why}");
        assert_eq!(sent, b"{\"line\":\"show \\\"it\\\"\"}\n{\"line\":\"show\"}\n");
    }

    #[test]
    fn a_line_that_is_no_response_is_shown_in_the_error() {
        let error = read_response(&mut "hello\n".as_bytes()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
        assert!(error.to_string().ends_with("in \"hello\\n\""), "{error}");
    }
}
