//! Sending at an even pace.

use std::thread;
use std::time::{Duration, Instant};

/// The interval at which packets are sent. All packets that are due are sent together.
const TICK: Duration = Duration::from_millis(2);

/// The number of packets that an attack has sent.
#[derive(Debug)]
pub struct Sent {
    pub name: &'static str,
    pub packets: u64,
    /// The number of packets that the attacker's own machine did not accept.
    pub refused: u64,
}

/// Sends `rate` packets a second for this time. The kinds of packets take turns. `send` is given
/// the number of a kind, and returns whether a packet was sent. Packets that are more than a tenth
/// of a second late are left out, because a sudden flood after a pause would be another attack.
#[expect(clippy::disallowed_methods, reason = "real labs run on the real clock")]
pub fn at_pace(
    span: Duration,
    rate: u64,
    names: &[&'static str],
    mut send: impl FnMut(usize) -> bool,
) -> Vec<Sent> {
    let of = |name: &&'static str| Sent { name, packets: 0, refused: 0 };
    let mut sent: Vec<Sent> = names.iter().map(of).collect();
    let kinds = sent.len();
    let (began, mut next, mut done) = (Instant::now(), 0, 0);
    while kinds > 0 && began.elapsed() < span {
        let due = (began.elapsed().as_secs_f64() * rate as f64) as u64;
        done = done.max(due.saturating_sub(rate / 10));
        while done < due {
            match send(next) {
                true => sent[next].packets += 1,
                false => sent[next].refused += 1,
            }
            next = (next + 1) % kinds;
            done += 1;
        }
        thread::sleep(TICK);
    }
    sent
}
