//! The requests to the forwarder of a lab, and its replies. Each request and each reply is one line
//! of JSON.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::lab::impairment::{Counts, Impairment};

/// The time limit for each read from the connection, and for each write to it.
const WAIT: Duration = Duration::from_secs(2);
/// The maximum number of octets of a request or a reply.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A request to the forwarder.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Impair the packets that a device sends.
    Impair {
        /// The namespace of the device.
        namespace: String,
        /// The device.
        device: String,
        /// The new impairment.
        impairment: Impairment,
    },
    /// Return the impairments and counts of all devices.
    Report,
}

/// The reply of the forwarder.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// The name of the TAP device that receives the packets. `None` if the packets are not
    /// impaired.
    Tap(Option<String>),
    /// The devices that are impaired or were impaired.
    Ports(Vec<PortReport>),
    /// The request cannot be carried out.
    Error(String),
}

/// The state of a device.
#[derive(Debug, Serialize, Deserialize)]
pub struct PortReport {
    /// The namespace of the device.
    pub namespace: String,
    /// The device.
    pub device: String,
    /// The impairment of the packets that the device sends.
    pub impairment: Impairment,
    /// The counts of the packets that the device sends.
    pub counts: Counts,
}

/// Sends a request to the forwarder at the socket `socket`. Returns the reply.
///
/// # Errors
/// `NotFound` if no forwarder was started. `ConnectionRefused` if the forwarder has ended.
pub fn ask(socket: &Path, request: &Request) -> io::Result<Reply> {
    let mut stream = UnixStream::connect(socket)?;
    write(&mut stream, request)?;
    read(&stream)
}

/// Writes a message as one line of JSON.
pub fn write(stream: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    stream.set_write_timeout(Some(WAIT))?;
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

/// Reads a message from one line of JSON.
pub fn read<T: DeserializeOwned>(stream: &UnixStream) -> io::Result<T> {
    stream.set_read_timeout(Some(WAIT))?;
    let mut line = Vec::new();
    BufReader::new(stream.take(LONGEST)).read_until(b'\n', &mut line)?;
    Ok(serde_json::from_slice(&line)?)
}
