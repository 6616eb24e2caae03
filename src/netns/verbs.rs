//! The verbs of `netns-scripts`, embedded in the program: many calls in one shell.
//!
//! Each verb is a separate script that a student can read and run. Here the verbs become functions
//! of one bash script. So a lab starts in the time of a hundred small commands and not of a hundred
//! shells, and the program works without its source tree.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use super::environment;
use super::interrupt::Interrupt;
use super::lock::Lock;
use crate::lab::failure::Failure;

/// The program keeps the other end of the script's pipe open while it runs. If it is killed, the
/// guard ends all processes that the verbs have started. A call that fails is the last line of
/// their output.
const GUARD: &str = r#"(read -r _ <&8 || kill -KILL 0) >/dev/null 2>&1 9<&- &
guard=$!
trap 'status=$?
{ kill "$guard"; wait "$guard"; } 2>/dev/null || true
[ $status = 0 ] || echo "$call" >&2' EXIT
"#;

/// The time between two checks whether the user has asked to stop.
const LOOKING: Duration = Duration::from_millis(20);

macro_rules! verbs {
    ($($verb:literal),+ $(,)?) => {
        &[$(($verb, include_str!(concat!("../../netns-scripts/", $verb)))),+]
    };
}

const LIBRARY: &str = include_str!("../../netns-scripts/lib.sh");
const VERBS: &[(&str, &str)] = verbs![
    "addr-add",
    "capture",
    "host-start",
    "host-stop",
    "lab-down",
    "lan-add",
    "lan-join",
    "lan-move",
    "lan-plug",
    "link-add",
    "link-del",
    "link-loss",
    "link-set",
    "mac-set",
    "node-add",
    "node-del",
    "ping",
    "route-add",
    "router-start",
    "router-stop",
];

/// A call of a verb. Its `Display` is a command for a shell in the source tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    verb: &'static str,
    words: Vec<String>,
}

impl Call {
    /// A call of `verb` for a lab.
    pub fn new(verb: &'static str, lab: &str) -> Self {
        debug_assert!(VERBS.iter().any(|(name, _)| *name == verb), "{verb}");
        Call { verb, words: vec![lab.to_owned()] }
    }

    /// Adds an argument.
    pub fn with(mut self, word: impl fmt::Display) -> Self {
        self.words.push(word.to_string());
        self
    }

    /// The call without the directory, for the function of the embedded script.
    fn line(&self) -> String {
        let mut line = self.verb.to_owned();
        for word in &self.words {
            line.push(' ');
            line.push_str(&quoted(word));
        }
        line
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "netns-scripts/{}", self.line())
    }
}

/// Calls that belong together, with their purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The purpose of the calls: a line of progress.
    pub title: String,
    /// The calls, in order.
    pub calls: Vec<Call>,
}

impl Step {
    /// A step.
    pub fn new(title: impl Into<String>, calls: Vec<Call>) -> Self {
        Step { title: title.into(), calls }
    }
}

/// The commands of `steps`, to be read or pasted.
pub fn transcript(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        text.push_str(&format!("# {}\n", step.title));
        for call in &step.calls {
            text.push_str(&format!("{call}\n"));
        }
    }
    text
}

/// Runs `steps` in a [`Shell`] without a lock.
pub fn run(steps: &[Step], progress: impl FnMut(&str)) -> Result<(), Failure> {
    Shell::default().run(steps, progress)
}

/// The shell in which verbs run. It ends when the program that started it ends, together with all
/// processes that it has started, except routers: they keep running.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shell<'a> {
    /// The lock that the verbs hold too.
    pub lock: Option<&'a Lock>,
    /// Ends the verbs when the user asks to stop.
    pub interrupted: Option<&'a Interrupt>,
}

impl Shell<'_> {
    /// Runs `steps`, calling `progress` with each title before its calls. Stops at the first call
    /// that fails.
    pub fn run(self, steps: &[Step], mut progress: impl FnMut(&str)) -> Result<(), Failure> {
        environment::need("ip")?;
        let lent = self.lock.map(Lock::lend).transpose()?;
        let script = script(steps, lent.as_ref());
        let mut bash = environment::program("bash")?;
        // The script ends its process group, so it needs a separate group.
        bash.arg("-s").process_group(0);
        let bash = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        drop(lent);
        let mut bash = bash.map_err(Failure::io("bash"))?;
        let (Some(mut stdin), Some(stdout), Some(mut stderr)) =
            (bash.stdin.take(), bash.stdout.take(), bash.stderr.take())
        else {
            return Err(Failure::new("bash has no pipes"));
        };
        let (ended, has_ended) = mpsc::channel::<()>();
        let (output, status) = thread::scope(|scope| {
            scope.spawn(move || {
                // A shell that ends early does not read the rest of its script; its status is the
                // reason.
                stdin.write_all(script.as_bytes()).ok();
                let goes_on = || !self.interrupted.is_some_and(Interrupt::has_come);
                while goes_on() && has_ended.recv_timeout(LOOKING) == Err(RecvTimeoutError::Timeout)
                {
                }
                // The pipe closes here, which ends the shell.
            });
            let errors = scope.spawn(move || {
                let mut bytes = Vec::new();
                stderr.read_to_end(&mut bytes).ok();
                String::from_utf8_lossy(&bytes).trim_end().to_owned()
            });
            for title in BufReader::new(stdout).lines().map_while(Result::ok) {
                progress(&title);
            }
            let output = errors.join().unwrap_or_default();
            let status = bash.wait();
            drop(ended);
            (output, status)
        });
        if status.map_err(Failure::io("bash"))?.success() {
            return Ok(());
        }
        self.interrupted.map_or(Ok(()), Interrupt::check)?;
        // The trap in the script has written the call that failed as the last line.
        let (output, call) = output.rsplit_once('\n').unwrap_or(("", &output));
        Err(Failure::Verb { call: call.to_owned(), output: output.to_owned() })
    }
}

/// Makes one bash script: the library, the verbs as functions, then the calls. While the calls run,
/// they hold the lock that is given in `lent`.
fn script(steps: &[Step], lent: Option<&OwnedFd>) -> String {
    let mut text = String::from("set -eu\n");
    text.push_str(LIBRARY);
    for (verb, body) in VERBS {
        if steps.iter().flat_map(|step| &step.calls).any(|call| call.verb == *verb) {
            let body = body.replace(". \"$(dirname \"$0\")/lib.sh\"\n", "");
            text.push_str(&format!("{verb}() (\n{body})\n"));
        }
    }
    // Because of the braces, bash reads everything before it runs anything. So no command can read
    // the script from the common standard input.
    text.push_str("{\nexec 8<&0 </dev/null\n");
    if let Some(number) = lent.map(AsRawFd::as_raw_fd) {
        text.push_str(&format!("exec 9<&{number} {number}<&-\n"));
    }
    text.push_str(GUARD);
    for step in steps {
        text.push_str(&format!("echo {}\n", quoted(&step.title)));
        for call in &step.calls {
            let line = call.line();
            text.push_str(&format!("call={}\n{line}\n", quoted(&call.to_string())));
        }
    }
    text.push_str("exit\n}\n");
    text
}

/// Quotes a word if a shell would not take it literally.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,=+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_call_can_be_pasted_into_a_shell() {
        let call = Call::new("router-start", "gsmr").with("xTR1").with("/my labs/it's.conf");
        let pasted = r"netns-scripts/router-start gsmr xTR1 '/my labs/it'\''s.conf'";
        assert_eq!(call.to_string(), pasted);
    }

    #[test]
    fn the_transcript_has_a_comment_for_each_step() {
        let steps = [Step::new("two nodes", vec![Call::new("node-del", "x").with("A")])];
        assert_eq!(transcript(&steps), "# two nodes\nnetns-scripts/node-del x A\n");
    }

    #[test]
    fn every_verb_is_a_function_that_bash_understands() {
        let calls = VERBS.iter().map(|(verb, _)| Call::new(verb, "x")).collect();
        let text = script(&[Step::new("all", calls)], None);
        let check = Command::new("bash").args(["-n", "-c", &text]).output().unwrap();
        assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stderr));
        assert!(!text.contains("dirname"), "a verb looks for its library in a way of its own");
    }

    #[test]
    fn a_call_that_fails_is_named_with_what_it_printed() {
        let calls = vec![Call::new("node-del", "no-lab").with("A"), Call::new("node-add", "x")];
        let mut titles = Vec::new();
        let error = run(&[Step::new("go", calls)], |title| titles.push(title.to_owned()));
        let Err(Failure::Verb { call, .. }) = error else {
            panic!("node-add without a node succeeded");
        };
        assert_eq!((call.as_str(), titles), ("netns-scripts/node-add x", vec!["go".to_owned()]));
    }
}
