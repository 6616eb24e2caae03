//! The file of nonces. A router stores nonces in this file, so that it still has them after a
//! restart (RFC 9301 section 5.6). The file contains the last nonce of each xTR that registers with
//! this router, and the last nonce of the router's own Map-Registers.
//!
//! ```text
//!   eidway nonces 1
//!   KEY xtr XTR-ID SITE-ID NONCE            KEY is a digest of the shared secret
//!   KEY rloc ADDRESS NONCE                  KEY, both IDs and NONCE are hexadecimal
//!   sent NONCE                              of this router's own Map-Registers
//!   end 3                                   the number of lines with a nonce
//! ```
//!
//! A change is written in the same turn of the event loop, but not earlier than one second after
//! the previous write. This interval is one second longer for each ten thousand nonces in the file,
//! so that the router writes a large file less often. The router writes the data to a new file with
//! another name, and then renames the new file. So the file is complete even if the process is
//! killed. The router does not wait until the data is on the disk, because this would delay
//! packets.
//!
//! A killed router loses the nonces that arrived after its last write of the file. After the
//! restart of the router, an attacker can replay the Map-Registers that an xTR sent between the
//! last write and the kill. This is possible until the xTR sends its next Map-Register. A replayed
//! Map-Register only repeats a registration that the xTR itself has made shortly before, and this
//! registration expires after three minutes. The next Map-Register of the xTR has a greater nonce
//! than the replayed Map-Register. If the machine loses its power, the router may lose more nonces.
//!
//! The first nonce of the router's own Map-Registers is made from the clock. So the loss of the
//! last nonce matters only if the clock was also set back. In this case, the router raises its
//! nonces, as a router without a file does.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::private;
use crate::router::kept::{KeptNonce, KeptNonces, KeyPrint, NonceOwner, NonceRequest, Sender};
use crate::time::Time;

/// The first line of the file.
const HEAD: &str = "eidway nonces 1";
/// The minimum time between two writes of the file.
const REST: Duration = Duration::from_secs(1);
/// A number of nonces. The interval between two writes is longer by [`REST`] for each group of this
/// number of nonces in the file. 10000 nonces are about one megabyte of text.
const MANY: usize = 10_000;

/// The stored nonces, and the path of their file. The path is `None` if no file is configured.
#[derive(Debug, Default)]
pub struct NonceFile {
    path: Option<PathBuf>,
    kept: KeptNonces,
    is_changed: bool,
    /// The earliest time of the next write.
    rested_at: Time,
}

impl NonceFile {
    /// Reads the file if it exists. A damaged file is renamed to `FILE.damaged`. The readable part
    /// of the file is used, and the log reports the first error in the file.
    ///
    /// # Errors
    /// The file exists but cannot be read, or another user may have written it.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let Some(path) = path else { return Ok(NonceFile::default()) };
        let octets = match private::read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => Some(other?),
        };
        let mut file = NonceFile { path: Some(path.to_owned()), ..NonceFile::default() };
        let Some(octets) = octets else { return Ok(file) };
        let (kept, problem) = parse(&String::from_utf8_lossy(&octets));
        if let Some(problem) = problem {
            let aside = beside(path, ".damaged");
            log::warn!(
                "the file of nonces {} is damaged ({problem}) and is renamed to {}; some nonces \
                 are lost: until an xTR whose nonce is lost registers again, its old Map-Registers \
                 can be replayed",
                path.display(),
                aside.display()
            );
            fs::rename(path, aside)?;
            file.is_changed = true;
        }
        file.kept = kept;
        Ok(file)
    }

    /// Returns the stored nonces. The router needs them at its start.
    pub fn kept(&self) -> KeptNonces {
        self.kept.clone()
    }

    /// Stores or removes nonces, as the router requests.
    pub fn apply(&mut self, request: NonceRequest) {
        if self.path.is_some() {
            self.kept.apply(request);
            self.is_changed = true;
        }
    }

    /// Returns the time at which [`NonceFile::write_due`] writes the file, or `None` if nothing has
    /// changed.
    pub fn deadline(&self) -> Option<Time> {
        self.is_changed.then_some(self.rested_at)
    }

    /// Writes the file if a write is due.
    ///
    /// # Errors
    /// An error of the file system. In this case, the router tries the write again later.
    pub fn write_due(&mut self, now: Time) -> io::Result<()> {
        if self.deadline().is_none_or(|at| at > now) {
            return Ok(());
        }
        // The factor fits into a u32, because so many nonces would not fit into the memory.
        self.rested_at = now + REST * (1 + self.kept.len() / MANY) as u32;
        self.write()
    }

    /// Writes all changes immediately, even if no write is due, because the router stops.
    ///
    /// # Errors
    /// An error of the file system.
    pub fn write(&mut self) -> io::Result<()> {
        let Some(path) = self.path.as_ref().filter(|_| self.is_changed) else { return Ok(()) };
        let new = beside(path, ".new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private::create(&new)?;
        file.write_all(emit(&self.kept).as_bytes())?;
        fs::rename(&new, path)?;
        self.is_changed = false;
        Ok(())
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn emit(kept: &KeptNonces) -> String {
    let mut text = format!("{HEAD}\n");
    let mut count = 0;
    for KeptNonce { owner: NonceOwner { key, sender }, nonce } in kept.iter() {
        let key = u128::from_be_bytes(key.0);
        // Writing to a String cannot fail.
        let _ = match sender {
            Sender::Xtr { xtr_id, site_id } => {
                writeln!(text, "{key:032x} xtr {xtr_id:032x} {site_id:016x} {nonce:016x}")
            }
            Sender::Rloc(address) => writeln!(text, "{key:032x} rloc {address} {nonce:016x}"),
        };
        count += 1;
    }
    if let Some(sent) = kept.sent() {
        let _ = writeln!(text, "sent {sent:016x}");
        count += 1;
    }
    let _ = writeln!(text, "end {count}");
    text
}

/// Parses the text of the file. Returns the nonces and a description of the first error in the
/// text.
fn parse(text: &str) -> (KeptNonces, Option<String>) {
    let mut lines = text.lines();
    if lines.next() != Some(HEAD) {
        let problem = format!("line 1 must be \"{HEAD}\"");
        return (KeptNonces::default(), Some(problem));
    }
    let (mut kept, mut problem, mut end) = (KeptNonces::default(), None, None);
    let mut count = 0;
    for (number, line) in (2..).zip(lines) {
        match (nonce(line), line.strip_prefix("end ")) {
            (Some(request), _) => {
                kept.apply(request);
                count += 1;
            }
            (None, Some(lines)) => end = lines.parse().ok(),
            (None, None) => {
                let wrong =
                    || format!("line {number} must be `KEY xtr|rloc SENDER NONCE` or `sent NONCE`");
                problem.get_or_insert_with(wrong);
            }
        }
    }
    if problem.is_none() && end != Some(count) {
        problem = Some(format!("the last line must be `end {count}`: the file has {count} nonces"));
    }
    (kept, problem)
}

fn nonce(line: &str) -> Option<NonceRequest> {
    // A word is accepted only if it has all digits of the number. Otherwise an incomplete number at
    // the end of a damaged file would be read as another number.
    let long = |word: &str| {
        let is_whole = word.len() == 32;
        is_whole.then(|| u128::from_str_radix(word, 16).ok()).flatten()
    };
    let hex = |word: &str| {
        let is_whole = word.len() == 16;
        is_whole.then(|| u64::from_str_radix(word, 16).ok()).flatten()
    };
    let words: Vec<&str> = line.split(' ').collect();
    let (key, sender, nonce) = match words[..] {
        [key, "xtr", xtr_id, site_id, nonce] => {
            (key, Sender::Xtr { xtr_id: long(xtr_id)?, site_id: hex(site_id)? }, nonce)
        }
        [key, "rloc", address, nonce] => (key, Sender::Rloc(address.parse().ok()?), nonce),
        ["sent", nonce] => return Some(NonceRequest::Sent(hex(nonce)?)),
        _ => return None,
    };
    let key = KeyPrint(long(key)?.to_be_bytes());
    let owner = NonceOwner { key, sender };
    Some(NonceRequest::Keep(KeptNonce { owner, nonce: hex(nonce)? }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn owner(sender: Sender) -> NonceOwner {
        NonceOwner { key: KeyPrint([0xfe; 16]), sender }
    }

    fn keep(sender: Sender, nonce: u64) -> NonceRequest {
        NonceRequest::Keep(KeptNonce { owner: owner(sender), nonce })
    }

    const XTR: Sender = Sender::Xtr { xtr_id: u128::MAX, site_id: 7 };

    fn rloc() -> Sender {
        Sender::Rloc("2001:db8::9".parse().unwrap())
    }

    #[test]
    fn what_is_written_is_read_again_by_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("MSMR.nonces");
        let mut file = NonceFile::open(Some(&path)).unwrap();
        assert!(file.kept().is_empty());
        for request in [
            keep(XTR, 5),
            keep(rloc(), u64::MAX),
            keep(Sender::Rloc("192.0.2.9".parse().unwrap()), 1),
            NonceRequest::Forget(owner(Sender::Rloc("192.0.2.9".parse().unwrap()))),
            keep(XTR, 6),
            NonceRequest::Sent(9),
        ] {
            file.apply(request);
        }
        file.write().unwrap();
        let again = NonceFile::open(Some(&path)).unwrap();
        assert_eq!(again.kept(), file.kept());
        assert_eq!(again.kept().sent(), Some(9));
        assert_eq!(again.kept.iter().map(|kept| kept.nonce).collect::<Vec<_>>(), [6, u64::MAX]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn it_is_written_at_once_and_then_once_a_second() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nonces");
        let mut file = NonceFile::open(Some(&path)).unwrap();
        assert_eq!(file.deadline(), None);
        let in_file =
            || NonceFile::open(Some(&path)).unwrap().kept().iter().next().map(|it| it.nonce);
        let at = Time::from_secs(100);
        file.apply(keep(XTR, 1));
        file.write_due(at).unwrap();
        file.apply(keep(XTR, 2));
        file.write_due(at + REST / 2).unwrap();
        assert_eq!(in_file(), Some(1));
        let due = file.deadline().unwrap();
        assert!(due >= at + REST);
        file.write_due(due).unwrap();
        assert_eq!((in_file(), file.deadline()), (Some(2), None));
    }

    #[test]
    fn of_a_damaged_file_what_can_be_read_counts_and_the_file_is_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("nonces");
        let mut whole = KeptNonces::default();
        whole.apply(keep(XTR, 5));
        whole.apply(keep(rloc(), 6));
        whole.apply(NonceRequest::Sent(7));
        let whole = emit(&whole);
        let torn = &whole[..whole.len() - 12];
        for (text, nonces, what) in [
            (torn, 2, "line 4"),
            (
                whole.strip_suffix("end 3\n").unwrap(),
                2,
                "the last line must be `end 3`: the file has 3 nonces",
            ),
            ("something else", 0, "line 1"),
            ("", 0, "line 1"),
        ] {
            let (kept, problem) = parse(text);
            assert!(problem.as_ref().is_some_and(|problem| problem.contains(what)), "{problem:?}");
            assert_eq!(kept.iter().count(), nonces, "{text}");
            fs::write(&path, text).unwrap();
            let mut file = NonceFile::open(Some(&path)).unwrap();
            assert_eq!(fs::read_to_string(directory.path().join("nonces.damaged")).unwrap(), text);
            file.write().unwrap();
            assert_eq!(NonceFile::open(Some(&path)).unwrap().kept().len(), nonces);
        }
    }

    #[test]
    fn without_a_file_nothing_is_kept() {
        let mut file = NonceFile::open(None).unwrap();
        file.apply(keep(XTR, 1));
        assert_eq!((file.deadline(), file.kept().len()), (None, 0));
    }
}
