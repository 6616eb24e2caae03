//! What the console's client and a router say to each other: one JSON object a line.
//!
//! Every request is answered by any number of responses and then one `done`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The longest request that is read, octets.
pub const LONGEST_REQUEST: usize = 16 * 1024;

/// What a client asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Request {
    /// Do this line: `{"line":"show ip lisp"}`.
    Line(String),
    /// Say what may come next: `{"help":"show ip "}`.
    Help(String),
    /// Complete the last word: `{"complete":"sh ip li"}`.
    Complete(String),
    /// Have an emulated host of the router do something:
    /// `{"host":{"name":"C","task":{"stop":1}}}`.
    Host(HostRequest),
}

/// What an emulated host is to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRequest {
    /// Which one.
    pub name: String,
    /// What.
    pub task: HostTask,
}

/// A task of an emulated host. Each is answered at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HostTask {
    /// Begin a ping.
    Ping {
        /// Whom.
        to: IpAddr,
        /// How many echos.
        count: u16,
        /// Octets of each IP packet.
        size: u16,
        /// Milliseconds between two; absent, the next waits for the answer of the one before.
        every_ms: Option<u64>,
    },
    /// Say how the ping with this number fares.
    Watch(u32),
    /// End it, done or not, and say how it fared.
    Stop(u32),
}

/// What came of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostAnswer {
    /// The ping's number.
    pub ping: Option<u32>,
    /// Every echo has its outcome.
    pub is_done: bool,
    /// The echos that have left, in order.
    pub echos: Vec<Echo>,
}

/// An echo that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// When, in microseconds of the router's clock.
    pub sent_us: u64,
    /// The character that IOS prints for what became of it; `?` while that is open.
    pub mark: char,
    /// Microseconds to its answer, if there was one.
    pub round_trip_us: Option<u64>,
}

/// What a router answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Response {
    /// To be printed as it is.
    Text(String),
    /// The words that the last word may become.
    Completions(Vec<String>),
    /// A line of debugging, between the responses to requests, to who asked for it with `terminal
    /// monitor`.
    Debug(String),
    /// What came of a host's task.
    Host(HostAnswer),
    /// The request was none.
    Error(String),
    /// The request has been answered.
    Done(Done),
}

/// The end of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// What to print before the next line.
    pub prompt: String,
    /// The command was understood and done.
    pub ok: bool,
    /// The session is over: `exit` at the outermost level.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// A request or response as a line without its end. Both consist of strings and booleans, which
/// JSON has.
pub fn line(message: &impl Serialize) -> String {
    serde_json::to_string(message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_object_named_by_its_kind() {
        let done = Done { prompt: "xTR1#".to_owned(), ok: true, closed: false };
        for (response, text) in [
            (Response::Text("a\n".to_owned()), r#"{"text":"a\n"}"#),
            (Response::Done(done), r#"{"done":{"prompt":"xTR1#","ok":true}}"#),
            (Response::Debug("LISP: x".to_owned()), r#"{"debug":"LISP: x"}"#),
            (Response::Completions(vec!["lisp".to_owned()]), r#"{"completions":["lisp"]}"#),
        ] {
            assert_eq!(line(&response), text);
            assert_eq!(serde_json::from_str::<Response>(text).unwrap(), response);
        }
        let request: Request = serde_json::from_str(r#"{"help":"show ip "}"#).unwrap();
        assert_eq!(request, Request::Help("show ip ".to_owned()));
    }
}
