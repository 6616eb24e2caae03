//! The texts of a ping, in the form of IOS. `lab ping` prints them too.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

/// The values that the first lines of a ping contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// The address to ping.
    pub target: IpAddr,
    /// The number of echo requests.
    pub count: u32,
    /// The size of each IP packet, in octets.
    pub size: u16,
    /// The time to wait for an answer.
    pub timeout: Duration,
    /// The source address, if the user chose it.
    pub source: Option<IpAddr>,
    /// Whether the packets must not be fragmented.
    pub df: bool,
}

/// The lines that IOS prints before the outcome of the first echo request.
pub fn opening(opening: &Opening) -> String {
    let Opening { target, count, size, timeout, source, df } = opening;
    let mut text = format!(
        "Type escape sequence to abort.\nSending {count}, {size}-byte ICMP Echos to {target}, \
         timeout is {} seconds:\n",
        timeout.as_secs()
    );
    if let Some(source) = source {
        // IOS prints a blank after an IPv4 address.
        let blank = if source.is_ipv4() { " " } else { "" };
        let _ = writeln!(text, "Packet sent with a source address of {source}{blank}");
    }
    if *df {
        text += "Packet sent with the DF bit set\n";
    }
    text
}

/// The round-trip times of a ping, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundTrips {
    /// The shortest time.
    pub min: u64,
    /// The average.
    pub average: u64,
    /// The longest time.
    pub max: u64,
}

/// The final line of a ping, without a line end. `round_trips` is `None` if no answer to an echo
/// request has arrived.
pub fn success_rate(sent: u32, received: u32, round_trips: Option<RoundTrips>) -> String {
    let percent = u64::from(received) * 100 / u64::from(sent.max(1));
    let rate = format!("Success rate is {percent} percent ({received}/{sent})");
    let Some(RoundTrips { min, average, max }) = round_trips else {
        return rate;
    };
    let [min, average, max] = [min, average, max].map(milliseconds);
    format!("{rate}, round-trip min/avg/max = {min}/{average}/{max} ms")
}

/// A time in the unit that IOS prints: whole milliseconds, and never zero.
pub fn milliseconds(microseconds: u64) -> u64 {
    microseconds.div_ceil(1000).max(1)
}
