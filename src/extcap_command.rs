//! `eidway extcap`: lists the ports of running labs in Wireshark, with Wireshark's extcap protocol.
//!
//! Wireshark starts each program in its extcap directory with options: to list interfaces, to
//! describe an interface, and to capture into a FIFO. Wireshark shows the standard error of the
//! program to its user. A capture without an error therefore writes nothing to standard error.

use std::path::{Path, PathBuf};

use clap::Args;
use eidway::capture::filter::Filter;
use eidway::lab::Lab;
use eidway::lab::failure::Failure;
use eidway::live::capture::output::Form;
use eidway::live::capture::places::{self, Interface};
use eidway::live::capture::{Capture, Options};
use eidway::netns::running::{expect_up, running};
use eidway::netns::user::Need;
use eidway::netns::{open, run};
use eidway::private;

use super::Outcome;

/// The beginning of the names that the interfaces of Eidway have in Wireshark: `eidway:LAB:NODE`
/// and `eidway:LAB:NODE:INTERFACE`.
const PREFIX: &str = "eidway:";
/// The name of the script in the extcap directory.
const SCRIPT: &str = "eidway";

/// The arguments of `eidway extcap`.
#[derive(Args)]
pub struct ExtcapCommand {
    /// Write a script into DIR, the extcap directory of Wireshark. Wireshark then lists the ports
    /// of labs that are up. The path of this directory is in the output of `tshark -G folders`, and
    /// in the dialog "About Wireshark" under "Folders"
    #[arg(long, value_name = "DIR")]
    install: Option<PathBuf>,
    /// List the interfaces
    #[arg(long, hide = true)]
    extcap_interfaces: bool,
    /// The version of Wireshark
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "")]
    extcap_version: Option<String>,
    /// The interface for the other options
    #[arg(long, hide = true)]
    extcap_interface: Option<String>,
    /// List the link types of the interface
    #[arg(long, hide = true)]
    extcap_dlts: bool,
    /// List the options of a capture at the interface
    #[arg(long, hide = true)]
    extcap_config: bool,
    /// Capture at the interface. Without a FIFO, only the filter is checked
    #[arg(long, hide = true)]
    capture: bool,
    /// The FIFO for the captured packets
    #[arg(long, hide = true, requires = "extcap_interface")]
    fifo: Option<PathBuf>,
    /// The capture filter
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "")]
    extcap_capture_filter: Option<String>,
}

impl ExtcapCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        if self.install.is_some() { Need::None } else { Need::IfUp }
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        if let Some(directory) = &self.install {
            return install(directory);
        }
        if self.extcap_interfaces {
            print_interfaces();
            return Ok(true);
        }
        let Some(name) = &self.extcap_interface else {
            return Err(
                "write --install DIR: the other options of this command are for Wireshark".into()
            );
        };
        let (lab, interfaces) = find(name)?;
        if self.extcap_dlts {
            // Wireshark expects one link type here. The capture file itself gives the link type of
            // each interface.
            println!("dlt {{number=1}}{{name=EN10MB}}{{display=Ethernet, and raw IP at lisp0}}");
        } else if self.capture {
            let filter = self.extcap_capture_filter.as_deref().unwrap_or_default().trim();
            let filter: Option<Filter> = match filter {
                "" => None,
                filter => Some(filter.parse().map_err(|error| {
                    format!("{error}. The filter has the syntax of display filters, for example udp.port == 4342")
                })?),
            };
            if let Some(fifo) = self.fifo {
                let fifo = private::replace(&fifo)?;
                let options = Options { filter, count: None, time: None, form: Form::Pcapng };
                let report = Capture::begin(lab, interfaces)?.run(options, fifo)?;
                if report.lost > 0 {
                    eprintln!("{} packets captured, {} lost", report.packets, report.lost);
                }
            }
        }
        // There are no options of a capture, so the answer to --extcap-config is empty.
        Ok(true)
    }
}

/// Prints the lines about this program and its interfaces, in the syntax of extcap.
fn print_interfaces() {
    println!("extcap {{version={}}}{{display=Eidway}}", env!("CARGO_PKG_VERSION"));
    for name in running() {
        let Some(lab) = open::open(&name, None).ok().filter(|lab| expect_up(lab).is_ok()) else {
            continue;
        };
        for node in lab.file.nodes.keys() {
            let Ok(interfaces) = places::interfaces(&lab, node) else { continue };
            println!("interface {{value={PREFIX}{name}:{node}}}{{display=Eidway {name}: {node}}}");
            for Interface { port, .. } in interfaces {
                println!(
                    "interface {{value={PREFIX}{name}:{port}}}{{display=Eidway {name}: {node} {}}}",
                    port.interface
                );
            }
        }
    }
}

/// Finds the lab and the interfaces for `name`, the name of an interface in Wireshark.
fn find(name: &str) -> Result<(Lab, Vec<Interface>), Failure> {
    let found = name.strip_prefix(PREFIX).and_then(|name| name.split_once(':'));
    let Some((lab, place)) = found else {
        return Err(Failure::Other(format!(
            "{name:?} is not an interface of Eidway: its form is {PREFIX}LAB:NODE or {PREFIX}LAB:NODE:INTERFACE"
        )));
    };
    let lab = open::open(lab, None)?;
    expect_up(&lab)?;
    let interfaces = places::interfaces(&lab, place)?;
    Ok((lab, interfaces))
}

/// Writes a script that starts this program.
fn install(directory: &Path) -> Outcome {
    let program = run::program()?.display().to_string().replace('\'', r"'\''");
    let path = directory.join(SCRIPT);
    let about = "# Lists the ports of Eidway's labs in Wireshark.";
    let script = format!("#!/bin/sh\n{about}\nexec '{program}' extcap \"$@\"\n");
    private::write_program(&path, script)?;
    println!("{} lists the ports of labs in Wireshark", path.display());
    Ok(true)
}
