//! `eidway lab events`: the events of a lab that is up, or of a simulated lab, as lines.

use std::io::{self, Write};

use clap::Args;
use eidway::driver::progress::Progress;
use eidway::lab::Lab;
use eidway::lab::failure::Failure;
use eidway::lab::running::RunningLab;
use eidway::live::events::{Events, Form, Writer};
use eidway::netns::user::Need;
use eidway::sim::Sim;
use eidway::sim::stage::{self, Simulated};
use eidway::time::Time;
use eidway::watch::Watch;
use eidway::watch::event::{Began, Event, LabEvent};

use super::super::Outcome;
use super::Target;
use super::on_lab::{AFTERWARDS, STARTS, options};

/// The arguments of `lab events`.
#[derive(Args)]
pub struct EventsCommand {
    #[command(flatten)]
    target: Target,
    /// Print a JSON object for each event, for programs
    #[arg(long)]
    json: bool,
    /// Print the packets on the links too
    #[arg(long)]
    packets: bool,
}

impl EventsCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        self.target.need()
    }

    /// Runs the command.
    pub fn run(self) -> Outcome {
        let lab = self.target.which.open()?;
        let form = if self.json { Form::Json } else { Form::Text };
        let writer = Writer::new(io::stdout(), form, self.packets);
        match self.target.sim {
            true => simulate(lab, writer, self.json)?,
            false => Events::begin(lab)?.run(writer)?,
        }
        Ok(true)
    }
}

/// Simulates a lab, and writes its events from its start until one minute after all registrations.
fn simulate(lab: Lab, mut writer: Writer<impl Write>, is_quiet: bool) -> Result<(), Failure> {
    let began = Began { lab: lab.name.clone(), wall_clock: Sim::wall_clock(Time(0)) };
    let watch = Watch::default();
    let options = stage::Options { watch: Some(watch.clone()), ..options() };
    let progress = Progress::begin(STARTS, is_quiet);
    let mut lab = Simulated::up(lab, options)?;
    lab.pass(AFTERWARDS)?;
    drop(progress);
    let began = LabEvent::own(0, Event::Began(began));
    let events = watch.take().into_iter().map(LabEvent::from);
    let written = std::iter::once(began).chain(events).try_for_each(|event| writer.write(&event));
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(Failure::io("writing the events")),
    }
}
