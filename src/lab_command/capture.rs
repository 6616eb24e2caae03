//! `eidway lab capture`: captures the packets of a lab that is up, or of a simulated lab.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use eidway::capture::filter::Filter;
use eidway::driver::progress::Progress;
use eidway::lab::Lab;
use eidway::lab::failure::Failure;
use eidway::lab::file::Port;
use eidway::lab::running::RunningLab;
use eidway::live::capture::output::{Form, Output};
use eidway::live::capture::places::{self, Interface};
use eidway::live::capture::{Capture, Options, Report, simulated};
use eidway::netns::running::expect_up;
use eidway::netns::user::Need;
use eidway::private;
use eidway::router::io::LISP_DEVICE;
use eidway::sim::stage::{self, Simulated};
use eidway::watch::Watch;

use super::super::Outcome;
use super::Target;
use super::on_lab::{AFTERWARDS, STARTS, options};

/// The name of a capture on the simulator.
const NAME: &str = "watched";

/// The arguments of `lab capture`.
#[derive(Args)]
pub struct CaptureCommand {
    #[command(flatten)]
    target: Target,
    /// The places, and then a filter. A place is NODE (all interfaces of the node) or
    /// NODE:INTERFACE. The filter is optional. It has the syntax of Wireshark's display filters,
    /// for example: lisp.mreq.flags.smr == 1
    #[arg(required = true, value_name = "NODE[:INTERFACE]|FILTER")]
    words: Vec<String>,
    /// The filter. It can also be written after the places, without -Y
    #[arg(short = 'Y', long, value_name = "FILTER")]
    display: Option<Filter>,
    /// Write the packets to this pcapng file, for Wireshark. `-` stands for standard output.
    /// Without this option, print a line for each packet
    #[arg(short, long, value_name = "FILE")]
    write: Option<String>,
    /// End after this number of packets
    #[arg(short, long)]
    count: Option<u64>,
    /// End after this number of seconds
    #[arg(short, long, conflicts_with = "sim")]
    seconds: Option<u64>,
}

impl CaptureCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        self.target.need()
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        let lab = self.target.which.open()?;
        let (interfaces, last) = places::read(&lab, &self.words)?;
        let filter = match (last, self.display.clone()) {
            (Some(_), Some(_)) => {
                return Err("write the filter once: after the places, or with -Y".into());
            }
            (last, display) => last.or(display),
        };
        if !self.target.sim {
            // If the lab is not up, the command must not create the file.
            expect_up(&lab)?;
        }
        match self.write.as_deref() {
            Some("-") => self.capture(lab, interfaces, filter, io::stdout()),
            Some(file) => {
                let file: File = private::replace(Path::new(file))?;
                self.capture(lab, interfaces, filter, file)
            }
            None => self.capture(lab, interfaces, filter, io::stdout()),
        }
    }

    fn capture(
        &self,
        lab: Lab,
        interfaces: Vec<Interface>,
        filter: Option<Filter>,
        out: impl Write + AsFd,
    ) -> Outcome {
        let form = if self.write.is_some() { Form::Pcapng } else { Form::Text };
        if self.target.sim {
            simulate(lab, &interfaces, (filter, self.count), form, out)?;
            return Ok(true);
        }
        let time = self.seconds.map(Duration::from_secs);
        live(lab, interfaces, Options { filter, count: self.count, time, form }, out)?;
        Ok(true)
    }
}

/// Captures packets in a lab that is up. Prints a line on standard error when the capture has
/// begun, and the number of packets at its end.
pub fn live(
    lab: Lab,
    interfaces: Vec<Interface>,
    options: Options,
    out: impl Write + AsFd,
) -> Result<(), Failure> {
    let name = lab.name.clone();
    let names: Vec<String> = interfaces.iter().map(|it| it.port.to_string()).collect();
    let capture = Capture::begin(lab, interfaces)?;
    eprintln!("{name}: capturing at {}; Ctrl-C ends the capture", names.join(", "));
    // A node without a tunnel has no lisp0. A missing lisp0 is reported only if the user named no
    // other interface.
    let is_worth = |it: &&Interface| it.port.device != LISP_DEVICE || names.len() == 1;
    for Interface { port, .. } in capture.missing().filter(is_worth) {
        eprintln!("{name}: {port} does not exist now; the capture includes it when it exists");
    }
    let Report { packets, lost, left_out, is_lab_down } = capture.run(options, out)?;
    if is_lab_down {
        eprintln!("{name}: the lab is down");
    }
    eprintln!("{name}: {packets} packets captured, {lost} lost");
    if left_out > 0 {
        eprintln!(
            "{name}: the routers did not send {left_out} of their events, so some packets may have \
             no comment"
        );
    }
    Ok(())
}

/// Simulates a lab, and captures packets from its start until one minute after all registrations.
fn simulate(
    lab: Lab,
    interfaces: &[Interface],
    limits: (Option<Filter>, Option<u64>),
    form: Form,
    out: impl Write,
) -> Result<(), Box<dyn std::error::Error>> {
    // The simulator captures packets on links, and `lisp0` has no link.
    let interfaces: Vec<Interface> =
        interfaces.iter().filter(|it| it.port.device != LISP_DEVICE).cloned().collect();
    if interfaces.is_empty() {
        return Err(
            "lisp0 can be captured only in namespaces: the simulator has no packets on it".into()
        );
    }
    let name = lab.name.clone();
    let watch = Watch::default();
    let progress = Progress::begin(STARTS, false);
    let mut lab =
        Simulated::start(lab, stage::Options { watch: Some(watch.clone()), ..options() })?;
    let ports: Vec<Port> = interfaces.iter().map(|it| it.port.clone()).collect();
    lab.capture_at(NAME, &ports)?;
    lab.register()?;
    lab.pass(AFTERWARDS)?;
    drop(progress);
    let mut output = Output::new(out, form, &name, &interfaces, limits);
    simulated::add(&lab, NAME, &watch.take(), &mut output)?;
    match output.flush() {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        flushed => Ok(flushed?),
    }
}
