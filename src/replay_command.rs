//! The command `eidway replay ...`: passes the options of the command line to the functions of the
//! library.

use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use eidway::console::protocol::{Request, Response};
use eidway::driver::user::{OwnTerminal, attend_here};
use eidway::record::{Progress, ReadError, Reader, Replay, ReplayConsole, Until, show};

use super::Outcome;

/// The options of a replay.
#[derive(Args)]
pub struct ReplayCommand {
    /// The file with the record
    file: PathBuf,
    /// Stop after this step (for example 120), or at this time (for example 12.5s)
    #[arg(long, value_name = "STEP|TIME")]
    until: Option<Until>,
    /// Print the steps of the record, and do not play them
    #[arg(long, conflicts_with_all = ["console", "commands"])]
    print: bool,
    /// Open a console on the router at the end of the replay. Its commands are show, step, run and
    /// help
    #[arg(long)]
    console: bool,
    /// Run this command on the console of the replay and print its output; the option may be
    /// repeated
    #[arg(short, long = "command", value_name = "CMD")]
    commands: Vec<String>,
}

type Source = BufReader<File>;

impl ReplayCommand {
    /// Runs the replay.
    pub fn run(self) -> Outcome {
        let place = self.file.display();
        let file = File::open(&self.file).map_err(|error| format!("{place}: {error}"))?;
        let source = BufReader::new(file);
        let until = self.until.unwrap_or(Until::End);
        let in_file = |error: ReadError| format!("{place}: {error}");
        if self.print {
            let reader = Reader::open(source).map_err(in_file)?;
            return print(reader, until, &mut io::stdout().lock());
        }
        let mut replay = Replay::open(source).map_err(in_file)?;
        let is_same = report(&mut replay, until, &self.file)?;
        if !self.console && self.commands.is_empty() {
            return Ok(is_same);
        }
        let mut console = ReplayConsole::new(replay);
        if !self.commands.is_empty() {
            return Ok(run_lines(&mut console, self.commands.into_iter().map(Ok))? && is_same);
        }
        if let Some(mut terminal) = OwnTerminal::take()? {
            let begin = Request::Line(String::new());
            attend_here(&mut terminal, begin, &mut |request, each| {
                let mut end = None;
                for response in console.answer(request)? {
                    match response {
                        Response::Done(done) => end = Some(done),
                        other => drop(each(other)),
                    }
                }
                end.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
            })?;
            return Ok(is_same);
        }
        Ok(run_lines(&mut console, io::stdin().lines())? && is_same)
    }
}

/// Prints the steps of a record to its end or to `until`. Always returns true, also if the end of
/// the record is missing.
fn print(mut reader: Reader<Source>, until: Until, out: &mut impl Write) -> Outcome {
    loop {
        let number = reader.number();
        match reader.next_step() {
            Ok(Some((step, outcome))) if !until.is_before(number, step.at) => {
                out.write_all(show::step(number, &step, &outcome).as_bytes())?;
            }
            Ok(_) => return Ok(true),
            Err(cut @ ReadError::Cut { .. }) => {
                writeln!(out, "{cut}")?;
                return Ok(true);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Plays the record to its end or to `until`, and prints the result. Returns whether all outputs
/// were as recorded.
fn report(replay: &mut Replay<Source>, until: Until, file: &Path) -> Outcome {
    let (eidway, this) = (replay.eidway(), env!("CARGO_PKG_VERSION"));
    if eidway != this {
        println!("recorded by Eidway {eidway}, played by {this}");
    }
    let progress = replay.run(until);
    let (from, to) = (replay.started_at(), replay.at());
    let name = &replay.router().config().hostname;
    println!("{name}: {} steps, from {from} to {to}", replay.step());
    match progress {
        Ok(Progress::Differs(difference)) => {
            println!("{difference}");
            return Ok(false);
        }
        Ok(_) => println!("identical"),
        Err(cut @ ReadError::Cut { .. }) => println!("identical, then {cut}"),
        Err(error) => return Err(format!("{}: {error}", file.display()).into()),
    }
    Ok(true)
}

fn run_lines(
    console: &mut ReplayConsole<Source>,
    lines: impl Iterator<Item = io::Result<String>>,
) -> io::Result<bool> {
    let (mut all_ok, mut out) = (true, io::stdout().lock());
    for line in lines {
        let done = console.line(&line?, &mut out)?;
        all_ok &= done.ok;
        if done.closed {
            break;
        }
    }
    Ok(all_ok)
}
