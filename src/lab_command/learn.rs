//! `eidway lab learn` and `eidway lab grade`: a student does a lesson, and a teacher repeats the
//! commands of the student.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use eidway::console::protocol::{Done, Request, Response};
use eidway::driver::progress::Progress;
use eidway::driver::user::{self, Answer, Each, OwnTerminal};
use eidway::lab::failure::Failure;
use eidway::lab::lesson::grade::{Graded, GradedFile, Report, grade};
use eidway::lab::lesson::hand_in::{self, Head, Place, Writer};
use eidway::lab::lesson::learner::Learner;
use eidway::lab::lesson::{self, Lesson};
use eidway::lab::scenario::stage::Stage;
use eidway::lab::scenario::{Scenario, library};
use eidway::lab::{Lab, wiring};
use eidway::netns::plan::Options;
use eidway::netns::stage::Namespaces;
use eidway::netns::user::Need;
use eidway::netns::{open, scenario_file, text};
use eidway::private;
use eidway::rng::Seed;
use eidway::sim::stage::{self, Simulated};

use super::super::Outcome;
use super::{Which, say};

/// The arguments of `lab learn`.
#[derive(Args)]
pub struct LearnCommand {
    #[command(flatten)]
    which: Which,
    /// The lesson: its name, the beginning of its name, or the path of its file. Without this
    /// argument, the command lists all lessons of the lab
    lesson: Option<String>,
    /// Use the simulator, which needs no root. On the simulator, time passes only while a command
    /// runs
    #[arg(long)]
    sim: bool,
    /// The seed of the random numbers of the simulator
    #[arg(long, default_value_t = 1, requires = "sim")]
    seed: u64,
    /// Record the commands in this file, for eidway lab grade
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

/// The arguments of `lab grade`.
#[derive(Args)]
pub struct GradeCommand {
    /// The files that eidway lab learn --record has written
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The lab of the lesson. Without this option, it is the lab that the file names
    #[arg(long)]
    lab: Option<String>,
    /// The path of the lesson file, if this file is not in the folder of the lab
    #[arg(long)]
    lesson: Option<String>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// The last line of the output of `lab grade`.
const NOT_SIGNED: &str = "These files are not signed: they show the commands and their results, \
                          but do not prove which student has typed the commands.";

impl LearnCommand {
    /// Returns the command's need for network namespaces: never, only if a lab is up, or always.
    pub fn need(&self) -> Need {
        if self.sim || self.lesson.is_none() { Need::None } else { Need::Always }
    }

    /// Runs the command. The result is true if all tasks are done.
    pub fn run(self) -> Outcome {
        let lab = self.which.open()?;
        let Some(name) = &self.lesson else { return list(&lab) };
        let lesson = scenario_file::lesson(&lab, name)?;
        let place = if self.sim { Place::Simulator } else { Place::Namespaces };
        let head = Head::new(&lab, &lesson, self.seed, place);
        let mut record =
            self.record.as_deref().map(|path| Record::begin(path, &head)).transpose()?;
        let mut stage: Box<dyn Stage> = match self.sim {
            true => Box::new(simulated(lab, &lesson, self.seed)?),
            false => Box::new(namespaces(lab, self.which.name.as_deref(), &lesson)?),
        };
        lesson.prepare(&mut *stage)?;
        let mut learner = Learner::new(lesson);
        let attended = attend(&mut learner, &mut *stage, &mut record);
        // The lab goes down before the result is reported.
        drop(stage);
        attended?;
        if let Some(record) = record {
            record.end()?;
        }
        Ok(learner.is_done())
    }
}

fn list(lab: &Lab) -> Outcome {
    let lessons = lesson::lessons(lab);
    for listed in &lessons {
        match &listed.problem {
            None => println!("{:28} {}", listed.name, listed.title),
            Some(problem) => println!("{:28} WRONG\n{problem}", listed.name),
        }
    }
    if lessons.is_empty() {
        say(&format!("lab {} has no lessons", lab.name));
    }
    Ok(lessons.iter().all(|listed| listed.problem.is_none()))
}

/// Returns the lab with the overlays of the lesson, and checks that the files of the lab fit
/// together.
fn laid_over(lab: &Lab, lesson: &Lesson) -> Result<Lab, Failure> {
    let lab = lab.with_overlay(&lesson.path, &lesson.setup.overlays)?;
    wiring::expect(&lab)?;
    Ok(lab)
}

fn simulated(lab: Lab, lesson: &Lesson, seed: u64) -> Result<Simulated, Failure> {
    Simulated::up(laid_over(&lab, lesson)?, stage::Options::new(Seed::from_number(seed)))
}

/// Brings up a separate lab for the lesson, in namespaces.
fn namespaces(mut lab: Lab, name: Option<&str>, lesson: &Lesson) -> Result<Namespaces, Failure> {
    library::expect_namespaces(&lesson.setup, &lesson.path)?;
    Namespaces::expect_programs()?;
    let end = std::process::id().to_string();
    let of_lesson = Scenario { path: lesson.path.clone(), ..Scenario::default() };
    lab.name = name.map_or_else(|| library::lab_name_for(&of_lesson, &end), str::to_owned);
    say(&format!("{}: the lab comes up", lab.name));
    Namespaces::up(laid_over(&lab, lesson)?, Options::default())
}

/// Lets a student work at the terminal. Without a terminal, reads lines from standard input.
fn attend(
    learner: &mut Learner,
    stage: &mut dyn Stage,
    record: &mut Option<Record>,
) -> Result<(), Failure> {
    let first = Request::Line(String::new());
    let mut broken = None;
    let mut answer = |request: Request, each: &mut Each<'_>| {
        let mut done = learner.answer(stage, request, each);
        for command in learner.take_commands() {
            if let Some(record) = record
                && let Err(failure) = record.command(&command)
            {
                // A record without this command cannot be graded, so the lesson ends.
                done.closed = true;
                broken = Some(failure);
            }
        }
        Ok(done)
    };
    match OwnTerminal::take().map_err(Failure::io("terminal"))? {
        Some(mut terminal) => {
            user::attend_here(&mut terminal, first, &mut answer)
                .map_err(Failure::io("terminal"))?;
        }
        None => lines(first, &mut answer).map_err(Failure::io("standard output"))?,
    }
    broken.map_or(Ok(()), Err)
}

/// Carries out the lines of standard input, and prints each line and its answer.
fn lines(first: Request, answer: &mut Answer<'_>) -> io::Result<()> {
    let mut out = io::stdout();
    let mut print = |request: Request| -> io::Result<Done> {
        let mut failed = Ok(());
        let done = answer(request, &mut |response| {
            let printed = match response {
                Response::Text(text) => write!(out, "{text}"),
                Response::Debug(line) => writeln!(out, "{line}"),
                Response::Error(message) => writeln!(out, "% {message}"),
                _ => Ok(()),
            };
            failed = printed.and_then(|()| out.flush());
            failed.is_err()
        });
        failed.and(done)
    };
    let mut done = print(first)?;
    for line in io::stdin().lines() {
        let line = line?;
        println!("{}{line}", done.prompt);
        done = print(Request::Line(line))?;
        if done.closed {
            break;
        }
    }
    Ok(())
}

/// The file with the commands of a student.
struct Record {
    name: String,
    file: File,
    writer: Writer,
}

impl Record {
    fn begin(path: &Path, head: &Head) -> Result<Self, Failure> {
        let file = private::replace(path).map_err(Failure::new)?;
        let (writer, line) = Writer::new(head);
        let mut record = Record { name: path.display().to_string(), file, writer };
        record.write(&line)?;
        Ok(record)
    }

    fn command(&mut self, command: &lesson::learner::Command) -> Result<(), Failure> {
        let line = self.writer.command(command);
        self.write(&line)
    }

    fn end(mut self) -> Result<(), Failure> {
        let line = std::mem::take(&mut self.writer).end();
        self.write(&line)
    }

    fn write(&mut self, line: &str) -> Result<(), Failure> {
        self.file.write_all(line.as_bytes()).map_err(Failure::io(&self.name))
    }
}

impl GradeCommand {
    /// Runs the command. The result is true if every file is graded and all tasks of every file are
    /// done.
    pub fn run(self) -> Outcome {
        let mut all_done = true;
        let mut files = Vec::new();
        for file in &self.files {
            let name = file.display().to_string();
            let progress =
                Progress::begin(format!("the commands of {name} are repeated"), self.json);
            let graded = self.grade(file);
            drop(progress);
            all_done &= graded.as_ref().is_ok_and(Graded::is_complete);
            match (&graded, self.json) {
                (_, true) => {}
                (Ok(graded), false) => println!("{name}: {graded}"),
                (Err(failure), false) => println!("{name}: REFUSED\n{failure}\n"),
            }
            let refused = graded.as_ref().err().map(ToString::to_string);
            files.push(GradedFile { file: name, graded: graded.ok(), refused });
        }
        match self.json {
            true => println!("{}", serde_json::to_string(&Report { signed: false, files })?),
            false => println!("{NOT_SIGNED}"),
        }
        Ok(all_done)
    }

    fn grade(&self, file: &Path) -> Result<Graded, Failure> {
        let text = text::read(file).map_err(Failure::io("this file cannot be read"))?;
        let hand_in = hand_in::read(&text)?;
        let head = &hand_in.head;
        let lab = open::open(self.lab.as_deref().unwrap_or(&head.lab), None)?;
        let name = self.lesson.as_deref();
        let lesson = match name {
            Some(path) => scenario_file::lesson(&lab, path)?,
            None => lesson::read(&lab, &head.lesson)?,
        };
        head.expect(&lab, &lesson)?;
        let mut stage = simulated(lab, &lesson, head.seed)?;
        lesson.prepare(&mut stage).map_err(Failure::new)?;
        grade(&hand_in, lesson, &mut stage)
    }
}
