//! Checks the three rings of the sources. Imports point inward, and only the outermost ring uses
//! the operating system. The compiler cannot check these rules.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod bounds;
mod browser;
mod documents;
mod imports;
mod words;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use imports::Files;

/// The modules outside of the rings: small types that every module may use.
const ROOT: &str = "addr checksum packet prefix_map rng time";

/// Each ring with the modules that it may import. Every ring may also import the modules of
/// [`ROOT`].
const IMPORTS: [(&str, &str); 14] = [
    ("prefix_map", ""),
    ("wire", "wire"),
    ("capture", "wire capture"),
    ("router", "wire router"),
    ("host", "host"),
    ("console", "wire router host console"),
    ("record", "wire router console record"),
    ("private", "private"),
    ("lab", "wire capture router console lab"),
    ("watch", "wire router console lab watch"),
    ("sim", "wire capture router host console record lab watch sim"),
    ("driver", "wire router host console record private watch sim driver"),
    ("netns", "wire capture router console private lab driver netns"),
    ("live", "capture router host console private lab watch sim netns driver live"),
];

/// The rings that do not use the operating system.
const PURE: [&str; 9] =
    ["prefix_map", "wire", "capture", "router", "host", "console", "record", "lab", "watch"];

/// Paths by which a pure ring would use the operating system.
const SYSTEM: [&str; 16] = [
    "std::env",
    "std::fs",
    "std::os",
    "std::process",
    "std::thread",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "UnixStream",
    "UnixListener",
    "libc::",
    "mio::",
    "rustix::",
    "socket2::",
    "signal_hook",
    "tun_tap",
];

/// Functions whose results differ from run to run.
const CLOCKS_AND_DICE: [&str; 6] =
    ["std::time::Instant", "Instant::now", "SystemTime", "getrandom", "OsRng", "thread_rng"];

/// The only file outside of the driver that reads a clock. Labs in namespaces wait for real
/// programs.
const MAY_READ_CLOCK: &str = "netns/time_limit.rs";

/// The only file that starts other programs. It knows their packages.
const STARTS_PROGRAMS: &str = "netns/environment.rs";

/// The files that read texts. The first reads texts that people write. The second reads texts of
/// the kernel and of this program.
const READ_TEXTS: [&str; 2] = ["netns/text.rs", "netns/running.rs"];

/// The only files of the console that write and read JSON. A session uses types instead.
const KNOWS_JSON: [&str; 3] = ["console/json_lines.rs", "console/client.rs", "console/show/mod.rs"];

/// The only sources that make files or directories without the module `private`, which ensures that
/// no other user has touched them. They make files in a directory that the user chose for records,
/// or use files that the kernel has made.
const MAKES_FILES: [&str; 5] = [
    "driver/recording.rs",
    "driver/tun.rs",
    "driver/netlink/sysctl.rs",
    "driver/user_namespace.rs",
    "netns/neighbour_tables.rs",
];

/// The files of the router that may name `Router`: the dispatch, and the roles that need each
/// other. Any other role is a type with methods on the context.
const COORDINATORS: [&str; 20] = [
    "router/mod.rs",
    "router/carry_out.rs",
    "router/command.rs",
    "router/configure.rs",
    "router/confirm.rs",
    "router/control.rs",
    "router/decide.rs",
    "router/elsewhere.rs",
    "router/etr.rs",
    "router/flow_verdicts.rs",
    "router/generation.rs",
    "router/hosts.rs",
    "router/itr.rs",
    "router/kernel/events.rs",
    "router/path_events.rs",
    "router/quote.rs",
    "router/resolve.rs",
    "router/search.rs",
    "router/settle.rs",
    "router/timers.rs",
];

/// The maximum number of lines of a file. The tables of the grammar may be longer.
const LONGEST: usize = 600;

/// The maximum number of files of a ring in circles of imports. The other rings have no circles.
const CIRCLES: [(&str, usize); 5] =
    [("capture", 2), ("driver", 11), ("host", 4), ("sim", 9), ("wire", 10)];

/// A source file: its path under `src`, its text, and its text without tests.
struct Source {
    path: String,
    text: String,
    code: String,
    lines: usize,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let code = product.lines().filter(is_code).collect::<Vec<_>>().join("\n");
        Source { path: path.to_owned(), text: text.to_owned(), code, lines: text.lines().count() }
    }

    /// The directory under `src`. `None` if the file is in `src` itself.
    fn ring(&self) -> Option<&str> {
        self.path.split_once('/').map(|(ring, _)| ring)
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("tests.rs") || self.path.ends_with("round_trip.rs")
    }

    /// Each `x` of a path `crate::x`.
    fn imports(&self) -> impl Iterator<Item = &str> {
        let rest = self.code.split("crate::").skip(1);
        rest.filter_map(|rest| rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next())
    }

    fn findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        if !self.is_test() {
            findings.extend(self.import_findings());
            findings.extend(self.router_findings());
            findings.extend(self.system_findings());
        }
        if self.lines > LONGEST && !self.path.starts_with("console/grammar/") {
            findings.push(format!("has {} lines, more than {LONGEST}", self.lines));
        }
        findings.iter().map(|finding| format!("src/{}: {finding}", self.path)).collect()
    }

    fn router_findings(&self) -> Vec<String> {
        let is_role = self.ring() == Some("router") && !COORDINATORS.contains(&self.path.as_str());
        let router = Regex::new(r"\bRouter\b").unwrap();
        match is_role && router.is_match(&self.code) {
            true => vec!["names Router: a role has methods on the context".to_owned()],
            false => Vec::new(),
        }
    }

    fn import_findings(&self) -> Vec<String> {
        if is_outermost(&self.path) {
            return Vec::new();
        }
        let own = match self.ring() {
            Some(ring) => match IMPORTS.iter().find(|(name, _)| *name == ring) {
                Some((_, own)) => *own,
                None => return vec![format!("{ring} is in no ring")],
            },
            None => "",
        };
        let allowed = |name: &&str| {
            name.is_empty() || ROOT.split(' ').chain(own.split(' ')).any(|known| known == *name)
        };
        let mut findings: Vec<String> = self
            .imports()
            .filter(|name| !allowed(name))
            .map(|name| format!("imports crate::{name}"))
            .collect();
        // In the file `mod.rs` of a ring, `super` is the crate, so `super::x` is another name of
        // `crate::x`.
        if self.path.matches('/').count() == 1 && self.path.ends_with("/mod.rs") {
            let climbs = self.code.lines().filter(|line| line.starts_with("use super::"));
            findings.extend(climbs.map(|line| format!("leaves its ring by {line:?}")));
        }
        findings
    }

    fn system_findings(&self) -> Vec<String> {
        let mut findings = Vec::new();
        let mut refuse = |words: &[&str], why: &str| {
            let used = words.iter().filter(|word| self.code.contains(**word));
            findings.extend(used.map(|word| format!("{word}: {why}")));
        };
        let ring = self.ring();
        let is_root = ring.is_none() && !is_outermost(&self.path);
        if is_root || ring.is_some_and(|ring| PURE.contains(&ring)) {
            refuse(&SYSTEM, "the operating system belongs to the driver");
        }
        if ring != Some("driver") && self.path != MAY_READ_CLOCK {
            refuse(&CLOCKS_AND_DICE, "time and randomness are inputs");
        }
        if ring == Some("netns") && self.path != STARTS_PROGRAMS {
            refuse(&["Command::new"], "environment::program names the package of a missing one");
        }
        if ring == Some("netns") && !READ_TEXTS.contains(&self.path.as_str()) {
            refuse(&["fs::read_to_string"], "text::read skips a byte order mark");
        }
        if ring == Some("console") && !KNOWS_JSON.contains(&self.path.as_str()) {
            refuse(&["serde_json"], "JSON is made and read at the ends of a socket, and by `show`");
        }
        if ring != Some("private") && !MAKES_FILES.contains(&self.path.as_str()) {
            let words = ["fs::write(", "File::create", "OpenOptions", "create_dir", "temp_dir("];
            refuse(&words, "private makes files that no other user touches");
        }
        if ring != Some("driver") {
            refuse(&["unsafe {", "unsafe fn", "unsafe impl"], "only the driver may");
        }
        if self.path.starts_with("console/show/") && !self.path.ends_with("/columns.rs") {
            // A padded cell with another cell directly after it: `{name:21}{eid}`.
            let touching = Regex::new(r":[<>^]?([0-9]+|[a-z_]+\$)\}\{").unwrap();
            if let Some(found) = touching.find(&self.code) {
                let found = found.as_str();
                findings.push(format!("has cells that may touch, {found}: Columns has none"));
            }
        }
        findings
    }
}

/// Whether a file is outside of all rings: the command line or the front page.
fn is_outermost(path: &str) -> bool {
    [
        "main.rs",
        "lib.rs",
        "config_command.rs",
        "extcap_command.rs",
        "lab_command.rs",
        "replay_command.rs",
    ]
    .contains(&path)
        || path.starts_with("lab_command/")
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = vec![root.clone()];
    let mut sources = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = fs::read_dir(&path).unwrap();
            open.extend(entries.map(|entry| entry.unwrap().path()).collect::<Vec<PathBuf>>());
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(&root).unwrap().display().to_string();
            sources.push(Source::new(&name, &fs::read_to_string(&path).unwrap()));
        }
    }
    sources
}

#[test]
fn imports_point_inward_and_only_the_driver_touches_the_system() {
    let sources = sources();
    assert!(sources.len() > 100, "only {} files found", sources.len());
    let mut findings: Vec<String> = sources.iter().flat_map(Source::findings).collect();
    findings.sort();
    assert!(findings.is_empty(), "\n{}", findings.join("\n"));
}

#[test]
fn what_breaks_a_ring_is_found() {
    for (path, text) in [
        ("wire/x.rs", "use crate::router::Router;"),
        ("router/x.rs", "use crate::driver::clock::Clock;"),
        ("router/x.rs", "impl Router {}"),
        ("router/x.rs", "fn f() { let s = std::net::UdpSocket::bind(x); }"),
        ("console/x.rs", "use std::fs;"),
        ("host/mod.rs", "use super::sim::Sim;"),
        ("sim/x.rs", "let now = std::time::Instant::now();"),
        ("sim/x.rs", "let x = unsafe { y() };"),
        ("driver/x.rs", "use crate::lab::Lab;"),
        ("lab/x.rs", "use std::fs;"),
        ("sim/x.rs", "use crate::netns::open::open;"),
        ("netns/x.rs", "use crate::sim::Sim;"),
        ("console/show/x.rs", "format!(\"{peer:31}{state}\")"),
        ("console/show/x.rs", "format!(\"  {rloc:width$}{state}\")"),
        ("netns/x.rs", "let ping = Command::new(\"ping\");"),
        ("netns/x.rs", "let text = fs::read_to_string(path);"),
        ("netns/x.rs", "std::fs::write(path, text)"),
        ("driver/x.rs", "let file = OpenOptions::new().append(true).open(path);"),
        ("sim/x.rs", "let directory = std::env::temp_dir().join(name);"),
        ("time.rs", "use std::time::SystemTime;"),
        ("util/x.rs", ""),
        ("wire/x.rs", &"\n".repeat(LONGEST + 1)),
    ] {
        assert!(!Source::new(path, text).findings().is_empty(), "{path}: {text:?}");
    }
    let fine = Source::new("wire/x.rs", "use crate::addr::Eid;\n// crate::router would be wrong\n");
    assert!(fine.findings().is_empty(), "{:?}", fine.findings());
}

#[test]
fn files_import_in_circles_only_where_it_is_known() {
    let sources = sources();
    let sources = sources.iter().filter(|source| !source.is_test() && !is_outermost(&source.path));
    let files = Files::read(sources.map(|source| (source.path.as_str(), source.text.as_str())));
    let mut findings = Vec::new();
    for (ring, _) in IMPORTS {
        let circles = files.circles().into_iter();
        let circles: Vec<_> = circles
            .filter(|circle| circle.iter().any(|file| file.split('/').next() == Some(ring)))
            .collect();
        let most = CIRCLES.iter().find(|(name, _)| *name == ring).map_or(0, |(_, most)| *most);
        let in_circles: usize = circles.iter().map(BTreeSet::len).sum();
        if in_circles > most {
            findings.push(format!("{ring} has {in_circles} files in circles: {circles:#?}"));
        }
    }
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
