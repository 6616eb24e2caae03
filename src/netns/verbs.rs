//! Runs the verbs: the scripts of `netns-scripts`, which are embedded in this program. One shell
//! runs many calls of verbs.
//!
//! Each verb is a separate script that a student can read and run. This module converts each verb
//! to a function of one bash script. So a lab starts fast: one shell runs a hundred small commands,
//! and not a hundred shells. The program also works without its source tree.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::num::NonZero;
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

/// The first lines of the script. They start a process, the guard. While this program runs, it
/// keeps its end of the pipe to the script open. If this program is killed, the pipe is closed, and
/// the guard kills all processes in the process group of the script.
const GUARD: &str = r#"(read -r _ <&8 || kill -KILL 0) >/dev/null 2>&1 9<&- &
guard=$!
trap '{ kill "$guard"; wait "$guard"; } 2>/dev/null || true' EXIT
"#;

/// The first lines of each part of the script that runs calls. If a call fails, the part ends, and
/// the call is the last line that the part writes.
const NAMER: &str = r#"trap '[ $? = 0 ] || echo "$call" >&2' EXIT
"#;

/// The last lines of a step. They wait for all parts of the step, and end the script if a part has
/// failed.
const WAIT: &str = r#"failed=
for part in ${parts[@]+"${parts[@]}"}; do
    wait "$part" || failed=yes
done
[ -z "$failed" ] || exit 1
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
    "host-names",
    "host-run",
    "host-start",
    "host-stop",
    "lab-down",
    "lan-add",
    "lan-join",
    "lan-leave",
    "lan-move",
    "lan-plug",
    "link-add",
    "link-del",
    "link-impair",
    "link-set",
    "mac-set",
    "node-add",
    "node-del",
    "node-ip",
    "ping",
    "route-add",
    "router-start",
    "router-stop",
    "telnet-start",
];

/// A call of a verb. Its text is a command that a shell in the source tree can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    verb: &'static str,
    words: Vec<String>,
}

impl Call {
    /// Makes a call of `verb` for a lab.
    pub fn new(verb: &'static str, lab: &str) -> Self {
        debug_assert!(VERBS.iter().any(|(name, _)| *name == verb), "{verb}");
        Call { verb, words: vec![lab.to_owned()] }
    }

    /// Adds an argument.
    pub fn with(mut self, word: impl fmt::Display) -> Self {
        self.words.push(word.to_string());
        self
    }

    /// Returns the call as a line of the embedded script. In this script, a verb is a function, so
    /// its name has no directory.
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

/// Several calls with a common purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The purpose of the calls. It is printed as a line of progress.
    pub title: String,
    /// The calls in groups. The calls of a group run one after the other. Groups do not depend on
    /// each other, so they may run at the same time.
    pub groups: Vec<Vec<Call>>,
}

impl Step {
    /// Makes a step whose calls run one after the other.
    pub fn new(title: impl Into<String>, calls: Vec<Call>) -> Self {
        Step { title: title.into(), groups: vec![calls] }
    }

    /// Makes a step of groups of calls that may run at the same time.
    pub fn of_groups(title: impl Into<String>, groups: Vec<Vec<Call>>) -> Self {
        Step { title: title.into(), groups }
    }

    /// All calls, in an order in which they can run one after the other.
    fn calls(&self) -> impl Iterator<Item = &Call> {
        self.groups.iter().flatten()
    }

    /// Divides the groups among at most `most` shells, so that all shells have nearly the same
    /// number of calls.
    fn shares(&self, most: usize) -> Vec<Vec<&Call>> {
        let mut shares = vec![Vec::new(); self.groups.len().min(most)];
        for group in &self.groups {
            if let Some(share) = shares.iter_mut().min_by_key(|share| share.len()) {
                share.extend(group);
            }
        }
        shares
    }
}

/// Returns the commands of `steps`, as text that a person can read or paste into a shell.
pub fn transcript(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        text.push_str(&format!("# {}\n", step.title));
        for call in step.calls() {
            text.push_str(&format!("{call}\n"));
        }
    }
    text
}

/// Runs `steps` in a [`Shell`] without a lock.
pub fn run(steps: &[Step], progress: impl FnMut(&str)) -> Result<(), Failure> {
    Shell::default().run(steps, progress)
}

/// The shell that runs the verbs. When this program ends, the shell and all processes in its
/// process group end too. A router continues to run, because it is in a process group of its own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shell<'a> {
    /// A lock that the verbs hold while they run.
    pub lock: Option<&'a Lock>,
    /// Reports whether the user has asked to stop. If this field is set, such a request ends the
    /// verbs.
    pub interrupted: Option<&'a Interrupt>,
}

impl Shell<'_> {
    /// Runs `steps`. Calls `progress` with the title of each step before the step runs. Stops at
    /// the first call that fails.
    pub fn run(self, steps: &[Step], mut progress: impl FnMut(&str)) -> Result<(), Failure> {
        environment::need("ip")?;
        let lent = self.lock.map(Lock::lend).transpose()?;
        let script = script(steps, lent.as_ref());
        let mut bash = environment::program("bash")?;
        // The script ends all processes of its process group, so it needs its own group.
        bash.arg("-s").process_group(0);
        let bash = bash.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        drop(lent);
        let mut bash = bash.map_err(Failure::io("bash"))?;
        let (Some(mut stdin), Some(stdout), Some(mut stderr)) =
            (bash.stdin.take(), bash.stdout.take(), bash.stderr.take())
        else {
            return Err(Failure::new("bash was started without pipes"));
        };
        let (ended, has_ended) = mpsc::channel::<()>();
        let (output, status) = thread::scope(|scope| {
            scope.spawn(move || {
                // If the shell ends early, it does not read the rest of its script, so the write
                // fails. This error is ignored, because the exit status of the shell shows the
                // failure.
                stdin.write_all(script.as_bytes()).ok();
                let goes_on = || !self.interrupted.is_some_and(Interrupt::has_come);
                while goes_on() && has_ended.recv_timeout(LOOKING) == Err(RecvTimeoutError::Timeout)
                {
                }
                // The pipe is closed here, and this ends the shell.
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
        // If a call has failed, the trap in the script has written this call as the last line.
        let (output, call) = output.rsplit_once('\n').unwrap_or(("", &output));
        Err(Failure::Verb { call: call.to_owned(), output: output.to_owned() })
    }
}

/// Makes one bash script: the library, the verbs as functions, then the calls. `lent` is a
/// descriptor of a lock. While the calls run, they hold this lock.
fn script(steps: &[Step], lent: Option<&OwnedFd>) -> String {
    let mut text = String::from("set -eu\n");
    text.push_str(LIBRARY);
    for (verb, body) in VERBS {
        if steps.iter().flat_map(Step::calls).any(|call| call.verb == *verb) {
            let body = body.replace(". \"$(dirname \"$0\")/lib.sh\"\n", "");
            text.push_str(&format!("{verb}() (\n{body})\n"));
        }
    }
    // Because of the braces, bash reads the whole script before it runs a command. The commands
    // have the same standard input as the script. So without the braces, a command could read a
    // part of the script.
    text.push_str("{\nexec 8<&0 </dev/null\n");
    if let Some(number) = lent.map(AsRawFd::as_raw_fd) {
        text.push_str(&format!("exec 9<&{number} {number}<&-\n"));
    }
    text.push_str(GUARD);
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    for step in steps {
        text.push_str(&format!("echo {}\nparts=()\n", quoted(&step.title)));
        for share in step.shares(cores) {
            text.push_str("(\n");
            text.push_str(NAMER);
            for call in share {
                let line = call.line();
                text.push_str(&format!("call={}\n{line}\n", quoted(&call.to_string())));
            }
            text.push_str(") &\nparts+=($!)\n");
        }
        // The script waits for all parts, even if a part has failed. The reason is that the caller
        // may remove the lab as soon as the script has ended.
        text.push_str(WAIT);
    }
    text.push_str("exit\n}\n");
    text
}

/// Returns a word for a shell. The word is in quotes if the shell would otherwise change it.
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

    #[test]
    fn groups_run_side_by_side_and_the_call_that_fails_is_named_when_all_have_ended() {
        let call = |node: &str| Call::new("node-del", "no-lab").with(node);
        let group = |wrong: bool| match wrong {
            true => vec![call("A"), Call::new("node-add", "x"), call("B")],
            false => vec![call("C"), call("D")],
        };
        let step = Step::of_groups("go", (0..9).map(|number| group(number == 4)).collect());
        let shares = step.shares(4);
        assert_eq!(shares.len(), 4);
        assert_eq!(shares.iter().map(Vec::len).sum::<usize>(), step.calls().count());
        let Err(Failure::Verb { call, .. }) = run(&[step], |_| ()) else {
            panic!("node-add without a node succeeded");
        };
        assert_eq!(call, "netns-scripts/node-add x");
    }
}
