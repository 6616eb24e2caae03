//! Runs programs in the namespace of a node. The program that `lab exec` runs replaces this
//! process. So the program gets the signals and the terminal of this process, and the exit code of
//! the program is the exit code of the command.

use std::os::unix::process::CommandExt;
use std::process::Command;

use super::emulated;
use super::environment;
use super::paths;
use super::running::{expect_namespace, expect_up};
use crate::lab::Lab;
use crate::lab::failure::Failure;

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

/// Makes a command without arguments that runs the program `name` in the namespace of `node`. All
/// programs in namespaces are started with this function.
///
/// # Errors
/// The lab is not up, the node has no namespace, the user is not root, or the program is missing on
/// this machine.
pub fn program(lab: &Lab, node: &str, name: &str) -> Result<Command, Failure> {
    expect_namespace(lab, node)?;
    environment::need_root()?;
    environment::need(name)?;
    let mut program = environment::program("ip")?;
    program.args(["netns", "exec", &paths::namespace(lab, node), name]);
    Ok(program)
}
