//! The captures of a lab in namespaces.
//!
//! Statements about captures use the display filters of this program, as on the simulator. At the
//! end, tshark evaluates the same filters on the same files, and the results must be equal. So a
//! fault in the filters of this program cannot stay unnoticed on the simulator, where no tshark
//! checks them. One run of tshark checks all statements about a capture, because the start of
//! tshark costs half a second of processor time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use super::time_limit::TimeLimit;
use super::{capture, environment};
use crate::capture::{Capture as Packets, pcap};
use crate::lab::failure::Failure;
use crate::private;

/// When a capture file has not grown for this time, the capture is complete.
const QUIET: Duration = Duration::from_millis(200);
/// A display filter of tshark for packets that tshark cannot decode.
const FLAWED: &str = "_ws.malformed || lisp-tcp.undecoded || lisp-tcp.invalid_length || \
                      lisp-tcp.invalid_marker";
/// The field with the number of a frame.
const NUMBER: &str = "frame.number";
/// The script that evaluates many filters in one run of tshark.
const SCRIPT: &str = include_str!("tshark.lua");

/// The captures of a lab, by name.
#[derive(Default)]
pub struct Captures {
    /// The directory for the files.
    directory: PathBuf,
    captures: BTreeMap<String, Capture>,
}

/// A capture, and its packets after it has ended.
struct Capture {
    file: PathBuf,
    /// `None` after the end of the capture.
    running: Option<capture::Capture>,
    /// All packets of the capture. Empty before its end.
    packets: Packets,
    /// The fields and the filters that statements have used after the end of the capture.
    queries: BTreeSet<(String, String)>,
}

impl Captures {
    /// No captures. The files will be in `directory`.
    pub fn new(directory: PathBuf) -> Self {
        Captures { directory, captures: BTreeMap::new() }
    }

    /// Starts a capture on a device in a namespace. If an earlier capture has this name, it ends.
    ///
    /// # Errors
    /// The file cannot be made, or the kernel refuses the capture.
    pub fn start(&mut self, name: &str, namespace: &str, device: &str) -> Result<(), Failure> {
        let file = self.directory.join(format!("{name}.pcap"));
        self.captures.remove(name);
        let out = private::create(&file).map_err(Failure::new)?;
        let running = Some(capture::Capture::start(namespace, device, out)?);
        let (packets, queries) = (Packets::new(Vec::new()), BTreeSet::new());
        self.captures.insert(name.to_owned(), Capture { file, running, packets, queries });
        Ok(())
    }

    /// Ends a capture if it still runs. Returns its packets.
    ///
    /// # Errors
    /// There is no such capture, or its file cannot be read.
    pub fn end(&mut self, name: &str) -> Result<&Packets, Failure> {
        self.get(name)?.end()
    }

    /// Calls `select` with the packets that were captured so far. `select` uses `field` and
    /// `filter`, and [`Captures::check`] lets tshark use the same two.
    ///
    /// # Errors
    /// There is no such capture, its file cannot be read, or `select` returns an error.
    pub fn query<T>(
        &mut self,
        name: &str,
        (field, filter): (&str, &str),
        select: impl FnOnce(&Packets) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let capture = self.get(name)?;
        if capture.running.is_some() {
            settle(&capture.file)?;
            return select(&read(&capture.file)?);
        }
        capture.queries.insert((field.to_owned(), filter.to_owned()));
        select(&capture.packets)
    }

    /// Ends all captures, and lets tshark check them. Returns the packets that tshark cannot decode,
    /// as lines, by the name of the capture.
    ///
    /// # Errors
    /// tshark fails, or finds other packets than this program for a query.
    pub fn check(&mut self) -> Result<BTreeMap<String, Vec<String>>, Failure> {
        let mut flaws = BTreeMap::new();
        for (name, capture) in &mut self.captures {
            capture.end()?;
            flaws.insert(name.clone(), capture.check()?);
        }
        Ok(flaws)
    }

    fn get(&mut self, name: &str) -> Result<&mut Capture, Failure> {
        let capture = self.captures.get_mut(name);
        capture.ok_or_else(|| Failure::Other(format!("there is no capture {name}")))
    }
}

impl Capture {
    fn end(&mut self) -> Result<&Packets, Failure> {
        if let Some(running) = self.running.take() {
            settle(&self.file)?;
            running.end()?;
            self.packets = read(&self.file)?;
        }
        Ok(&self.packets)
    }

    /// Compares the results of all queries with those of tshark. Returns the packets that tshark
    /// cannot decode.
    fn check(&self) -> Result<Vec<String>, Failure> {
        let flawed = (NUMBER.to_owned(), FLAWED.to_owned());
        let queries: Vec<&(String, String)> = [&flawed].into_iter().chain(&self.queries).collect();
        let mut found = evaluate(&self.file, &queries)?.into_iter();
        let flawed = found.next().unwrap_or_default();
        for (query, theirs) in self.queries.iter().zip(found) {
            agree(&self.file, &self.packets, query, &theirs)?;
        }
        if flawed.is_empty() {
            return Ok(Vec::new());
        }
        let lines = describe(&self.file, FLAWED)?;
        Ok(lines.iter().map(|line| format!("{}: {line}", self.file.display())).collect())
    }
}

fn read(file: &Path) -> Result<Packets, Failure> {
    let octets = fs::read(file).map_err(Failure::io(file.display()))?;
    let unread = || Failure::Other(format!("{} is not a pcap file", file.display()));
    Ok(Packets::new(pcap::read(&octets).ok_or_else(unread)?))
}

/// Waits until a file has not grown for the time [`QUIET`], but at most ten times as long.
fn settle(file: &Path) -> Result<(), Failure> {
    let length = || file.metadata().map(|data| data.len()).map_err(Failure::io(file.display()));
    let most = TimeLimit::of(QUIET * 10);
    let (mut before, mut quiet) = (length()?, TimeLimit::of(QUIET));
    while quiet.pause() && most.pause() {
        let after = length()?;
        if after != before {
            (before, quiet) = (after, TimeLimit::of(QUIET));
        }
    }
    Ok(())
}

/// Lets tshark evaluate queries on a file: each is a field and a filter. Returns the frames that
/// match each query: their numbers, a tab, and the values of the field.
fn evaluate(file: &Path, queries: &[&(String, String)]) -> Result<Vec<Vec<String>>, Failure> {
    let (script, list) = (file.with_extension("lua"), file.with_extension("queries"));
    let lines: String =
        queries.iter().map(|(field, filter)| format!("{field}\t{filter}\n")).collect();
    private::write(&script, SCRIPT).map_err(Failure::new)?;
    private::write(&list, lines).map_err(Failure::new)?;
    let argument = format!("lua_script:{}", script.display());
    let output = tshark(file, &["-q", "-X", &argument], Some(&list))?;
    let mut found = vec![Vec::new(); queries.len()];
    for line in output.lines() {
        let place = line.split_once('\t').and_then(|(number, frame)| {
            let number = number.parse::<usize>().ok()?.checked_sub(1)?;
            Some((found.get_mut(number)?, frame))
        });
        match place {
            Some((frames, frame)) => frames.push(frame.to_owned()),
            None => return Err(Failure::Other(format!("tshark prints {line:?}"))),
        }
    }
    Ok(found)
}

/// Returns the frames that match a filter, as tshark describes them.
fn describe(file: &Path, filter: &str) -> Result<Vec<String>, Failure> {
    let arguments = ["-Y", filter, "-T", "fields", "-e", NUMBER, "-e", "_ws.col.Info"];
    Ok(tshark(file, &arguments, None)?.lines().map(str::to_owned).collect())
}

/// Runs tshark on a file. Returns its output.
fn tshark(file: &Path, arguments: &[&str], queries: Option<&Path>) -> Result<String, Failure> {
    let mut command = environment::program("tshark")?;
    command.args(["-n", "-o", "ip.check_checksum:TRUE", "-r"]).arg(file).args(arguments);
    if let Some(queries) = queries {
        command.env("EIDWAY_QUERIES", queries);
    }
    let output = command.stdin(Stdio::null()).output().map_err(Failure::io("tshark"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    // An error in a script does not change the exit code of tshark.
    let is_wrong = |line: &str| line.contains("Lua:") || line.contains("Error");
    if !output.status.success() || errors.lines().any(is_wrong) {
        let call = arguments.join(" ");
        return Err(Failure::Other(format!("`tshark {call}` fails: {}", errors.trim_end())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Checks that tshark and the display filters of this program find the same frames, with the same
/// values.
fn agree(
    file: &Path,
    packets: &Packets,
    (field, filter): &(String, String),
    theirs: &[String],
) -> Result<(), Failure> {
    let ours = packets.select(filter, field).map_err(Failure::new)?;
    let ours: Vec<String> =
        ours.iter().map(|found| format!("{}\t{}", found.index + 1, found.value)).collect();
    if ours == theirs {
        return Ok(());
    }
    let only = |these: &[String], others: &[String]| {
        these.iter().filter(|line| !others.contains(line)).cloned().collect::<Vec<_>>()
    };
    let (ours, theirs) = (only(&ours, theirs), only(theirs, &ours));
    let file = file.display();
    Err(Failure::Other(format!(
        "{file}, filter {filter:?}, field {field}: only tshark finds {theirs:?}, and only eidway \
         finds {ours:?}"
    )))
}

#[cfg(test)]
mod tests {
    use etherparse::PacketBuilder;

    use super::*;
    use crate::capture::pcap::PcapWriter;

    fn datagram(port: u16) -> Vec<u8> {
        let builder = PacketBuilder::ethernet2([1; 6], [2; 6]);
        let builder = builder.ipv4([192, 0, 2, 1], [192, 0, 2, 2], 64).udp(1000, port);
        let mut frame = Vec::new();
        builder.write(&mut frame, b"test").unwrap();
        frame
    }

    /// An ended capture of datagrams to `ports`. In its file, they are to `ports_in_file`.
    fn capture(directory: &Path, ports: &[u16], ports_in_file: &[u16]) -> Capture {
        let file = |name: &str, ports: &[u16]| {
            let path = directory.join(name);
            let mut writer = PcapWriter::new(fs::File::create(&path).unwrap()).unwrap();
            for &port in ports {
                writer.write(0, &datagram(port)).unwrap();
            }
            writer.flush().unwrap();
            path
        };
        let packets = read(&file("ours.pcap", ports)).unwrap();
        let file = file("theirs.pcap", ports_in_file);
        Capture { file, running: None, packets, queries: BTreeSet::new() }
    }

    #[test]
    fn tshark_and_the_program_must_find_the_same_frames_and_values() {
        if environment::need("tshark").is_err() {
            let skip = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some();
            assert!(skip, "tshark is not installed; EIDWAY_ALLOW_SKIP=1 skips this test");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let queries = [
            (NUMBER, "udp.dstport == 5001"),
            (NUMBER, "ip.ttl == 3"),
            ("udp.dstport", "ip.src == 192.0.2.1"),
        ];
        let checked = |ports: &[u16], ports_in_file: &[u16], queries: &[(&str, &str)]| {
            let mut capture = capture(directory.path(), ports, ports_in_file);
            let owned = |(field, filter): &(&str, &str)| (field.to_string(), filter.to_string());
            capture.queries.extend(queries.iter().map(owned));
            capture.check()
        };
        assert_eq!(checked(&[5001, 5002], &[5001, 5002], &queries).unwrap(), Vec::<String>::new());
        for (ours, theirs) in [(&[5001, 5002], &[5002, 5001]), (&[1, 5001], &[5001, 5001])] {
            let error = checked(ours, theirs, &queries[..1]).unwrap_err().to_string();
            assert!(error.contains("only tshark finds") && error.contains("5001"), "{error}");
        }
        let error = checked(&[1, 2], &[1, 3], &queries).unwrap_err().to_string();
        assert!(error.contains("field udp.dstport") && error.contains("2\\t3"), "{error}");
        let error = checked(&[1], &[1], &[(NUMBER, "no such filter")]).unwrap_err().to_string();
        assert!(error.contains("tshark"), "{error}");
    }
}
