//! Runs programs in the namespace of a node. The program of `lab exec` or `lab capture` replaces
//! this process. So the program gets the signals and the terminal of this process, and the exit
//! code of the program is the exit code of the command.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::emulated;
use super::environment;
use super::running::{expect_namespace, expect_up};
use super::{paths, run};
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::private;

/// Replaces this process with `command` in the namespace of `node`. The function returns only if
/// the process cannot be replaced.
pub fn exec(lab: &Lab, node: &str, command: &[String]) -> Result<(), Failure> {
    lab.expect_node(node)?;
    expect_up(lab)?;
    if emulated::find(lab, node).is_some() {
        let player = emulated::whereabouts(lab, node);
        let player = player.map_or_else(|| "a router".to_owned(), |(router, _)| router);
        return Err(Failure::Other(format!(
            "host {node} is emulated: it runs inside the process of {player} and has no namespace, \
             so it cannot run programs; only eidway lab ping, move and capture work with it"
        )));
    }
    let [name, arguments @ ..] = command else {
        return Err(Failure::new("the command to run in the node is missing"));
    };
    let mut program = program(lab, node, name)?;
    Err(Failure::io("ip netns exec")(program.args(arguments).exec()))
}

/// Makes a call of the program `name` in the namespace of `node`, without arguments. All programs
/// in namespaces are started with this function.
///
/// # Errors
/// The lab is not up, the node has no namespace, or the program is missing on this machine.
pub fn program(lab: &Lab, node: &str, name: &str) -> Result<Command, Failure> {
    expect_namespace(lab, node)?;
    environment::need_root()?;
    environment::need(name)?;
    let mut program = environment::program("ip")?;
    program.args(["netns", "exec", &paths::namespace(lab, node), name]);
    Ok(program)
}

/// The packets that are captured, and the form of the output.
#[derive(Clone, Debug, Default)]
pub struct Capture {
    /// A capture filter in the language of tcpdump, for example `udp port 4342`.
    pub filter: Option<String>,
    /// A display filter in the language of Wireshark, for example `lisp.mreq.flags.smr == 1`.
    pub display: Option<String>,
    /// The path of a pcapng file that is written instead of a summary. `-` is standard output.
    pub write: Option<String>,
    /// The number of packets after which the capture ends.
    pub count: Option<u64>,
}

/// Replaces this process with tshark. `place` is `NODE` (all devices of the node) or
/// `NODE:INTERFACE`.
pub fn capture(lab: &Lab, place: &str, what: &Capture) -> Result<(), Failure> {
    let (node, interface) = place.split_once(':').unwrap_or((place, "any"));
    let device = lab.device(node, interface)?;
    let (node, device) = run::end_of(lab, node, &device);
    // A missing program must be detected before the output file is created.
    let mut command = program(lab, node, "tshark")?;
    command.args(["-n", "-l", "-i", &device]);
    let mut option = |flag: &str, value: Option<&str>| {
        if let Some(value) = value {
            command.args([flag, value]);
        }
    };
    option("-f", what.filter.as_deref());
    option("-Y", what.display.as_deref());
    option("-c", what.count.map(|count| count.to_string()).as_deref());
    if let Some(file) = what.write.as_deref() {
        // tshark writes to a file that this process has opened. If tshark opened the file by its
        // path, another user could replace the file first. Also, tshark gives up its root
        // privileges, so it could not enter a directory of root.
        command.args(["-w", "-"]);
        if file != "-" {
            command.stdout(private::replace(Path::new(file)).map_err(Failure::new)?);
        }
    }
    Err(Failure::io("ip netns exec")(command.exec()))
}
