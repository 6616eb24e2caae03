//! Reads the items of a router from the Unix socket of its console.

use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::SyncSender;
use std::time::Duration;

use super::news::News;
use super::watchers::Watchers;
use crate::console::json_lines;
use crate::console::protocol::Request;
use crate::watch::stream::Told;

/// The time between two attempts to connect to a router. It is also the longest time between two
/// checks that a page still watches the lab.
const LOOKING: Duration = Duration::from_millis(100);
/// The maximum number of octets of a line from a router.
const LONGEST_LINE: u64 = 1 << 20;

/// Reports the items of the router with the number `source` while a page watches the lab. Returns
/// when the receiver of `news` is dropped.
pub fn watch(source: usize, socket: &Path, watchers: &Watchers, news: &SyncSender<News>) {
    loop {
        if !watchers.wait(LOOKING) {
            // An error means that the receiver was dropped.
            if news.send(News::Alive).is_err() {
                return;
            }
            continue;
        }
        let Ok(stream) = begin(socket) else {
            if news.send(News::Runs { source, runs: false }).is_err() {
                return;
            }
            std::thread::sleep(LOOKING);
            continue;
        };
        if news.send(News::Runs { source, runs: true }).is_err() {
            return;
        }
        let has_ended = follow(source, stream, watchers, news);
        if has_ended && news.send(News::Runs { source, runs: false }).is_err() {
            return;
        }
    }
}

fn begin(socket: &Path) -> io::Result<BufReader<UnixStream>> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(LOOKING))?;
    json_lines::write_request(&mut stream, &Request::Watch)?;
    Ok(BufReader::new(stream))
}

/// Reads lines until the router ends or no page watches the lab any more. Returns true if the
/// router has ended.
fn follow(
    source: usize,
    mut stream: BufReader<UnixStream>,
    watchers: &Watchers,
    news: &SyncSender<News>,
) -> bool {
    let mut line = Vec::new();
    while watchers.are_there() {
        match (&mut stream).take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(0) => return true,
            Ok(_) if line.last() != Some(&b'\n') => return true,
            Ok(_) => {
                // All other lines belong to the answer to the request.
                if let Ok(told) = serde_json::from_slice::<Told>(&line)
                    && news.send(News::Told { source, told }).is_err()
                {
                    return false;
                }
                line.clear();
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return true,
        }
    }
    false
}
