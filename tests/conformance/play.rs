//! Plays a script. The script gives inputs to the router and compares the outputs with the expected
//! outputs.

use std::path::Path;

use eidway::time::Time;
use eidway::wire::verify;

use super::bench::{Bench, Event};
use super::message;
use super::phrase::Phrase;
use super::script::{Check, Delay, Script, Step, What, squeezed};
use super::words::Bindings;

/// A script that is being played.
struct Play<'a> {
    script: &'a Script,
    base_config: String,
    bench: Bench,
    bindings: Bindings,
    /// The time of the last step.
    base: Time,
}

/// Plays a script against its router. The directory `routers` has the configuration of the router.
///
/// # Errors
/// `FILE:LINE: fault`, with the expected output and the actual output.
pub fn play(script: &Script, routers: &Path) -> Result<(), String> {
    let file = routers.join(format!("{}.conf", script.router));
    let config = std::fs::read_to_string(&file)
        .map_err(|error| format!("{}.conform: {}: {error}", script.name, file.display()))?;
    let whole = format!("{config}\n{}", script.config);
    let bench = Bench::new(&script.router, &whole)
        .map_err(|why| format!("{}.conform: {why}", script.name))?;
    let (bindings, base) = (Bindings::new(), Time::ZERO);
    let mut play = Play { script, base_config: config, bench, bindings, base };
    for step in &script.steps {
        play.step(step).map_err(|why| format!("{}.conform:{}: {why}", script.name, step.line))?;
    }
    play.nothing_left().map_err(|why| format!("{}.conform: at the end: {why}", script.name))
}

impl Play<'_> {
    fn step(&mut self, step: &Step) -> Result<(), String> {
        let (least, most) = match step.delay {
            Delay::After(span) => (self.base + span, self.base + span),
            Delay::Between(least, most) => (self.base + least, self.base + most),
        };
        if let What::Expect(phrase, checks) = &step.what {
            return self
                .expect(phrase, checks, (least, most))
                .map_err(|why| format!("\nexpected: {}{why}", step.text));
        }
        if least != most {
            return Err("only expected outputs can come within a span".to_owned());
        }
        self.wait(most)?;
        self.base = most;
        match &step.what {
            What::Give(phrase, changes) => {
                let phrase = phrase.resolved(&self.bindings)?;
                self.bench.give(&phrase, |octets| {
                    changes.iter().try_for_each(|change| change.apply(octets))
                })
            }
            What::Expect(..) => Ok(()),
            What::Nothing => self.nothing_left(),
            What::Show { command, text, present } => {
                let shown = self.bench.show(command)?;
                let found = shown.lines().any(|line| squeezed(line).contains(text));
                if found == *present {
                    return Ok(());
                }
                let wanted = if *present { "a line with" } else { "no line with" };
                Err(format!("`{command}`\nexpected: {wanted} `{text}`\n    seen: {shown}"))
            }
            What::Configure(config) => {
                let whole = format!("{}\n{config}", self.base_config);
                self.bench.configure(&self.script.name, &whole)
            }
        }
    }

    /// Lets time pass until `end`. An output before `end` is an error, because no step expects it.
    fn wait(&mut self, end: Time) -> Result<(), String> {
        while self.bench.advance(end)? {}
        self.forget_ignored();
        match self.bench.events.front().filter(|event| event.at < end) {
            Some(event) => Err(format!("nothing was expected before\n    seen: {}", show(event))),
            None => Ok(()),
        }
    }

    fn nothing_left(&mut self) -> Result<(), String> {
        self.forget_ignored();
        match self.bench.events.front() {
            Some(event) => Err(format!("expected: nothing\n    seen: {}", show(event))),
            None => Ok(()),
        }
    }

    fn expect(
        &mut self,
        phrase: &Phrase,
        checks: &[Check],
        (least, most): (Time, Time),
    ) -> Result<(), String> {
        let mut nearest = String::new();
        loop {
            self.forget_ignored();
            for index in 0..self.bench.events.len() {
                let event = &self.bench.events[index];
                let mut bindings = self.bindings.clone();
                let why = differs(phrase, checks, event, &mut bindings).or_else(|| {
                    (event.at < least).then(|| format!("{} too early", seconds(event.at, least)))
                });
                let Some(why) = why else {
                    self.base = event.at;
                    self.bindings = bindings;
                    let first = self.bench.events[0].at;
                    self.bench.events.remove(index);
                    if first < self.base {
                        return Err(format!(
                            "before it\n    seen: {}",
                            show(&self.bench.events[0])
                        ));
                    }
                    return Ok(());
                };
                let line = format!("\n    seen: {}\n          ({why})", show(event));
                if !nearest.contains(&line) {
                    nearest.push_str(&line);
                }
            }
            if !self.bench.advance(most)? {
                let by = seconds(Time::ZERO, most);
                let seen = if nearest.is_empty() { "\n    seen: nothing" } else { &nearest };
                return Err(format!(" (by +{by} since the start){seen}"));
            }
        }
    }

    fn forget_ignored(&mut self) {
        let ignored = &self.script.ignored;
        self.bench.events.retain(|event| {
            let message = event.phrase.inner.as_ref().map(|inner| inner.name);
            !ignored.iter().any(|name| *name == event.phrase.name || Some(&**name) == message)
        });
    }
}

fn differs(
    phrase: &Phrase,
    checks: &[Check],
    event: &Event,
    bindings: &mut Bindings,
) -> Option<String> {
    phrase
        .differs(&event.phrase, bindings)
        .or_else(|| wrong_signature(phrase, event))
        .or_else(|| checks.iter().find_map(|check| check.fails(&event.octets)))
}

/// The error if a message is not signed with the expected `secret`.
fn wrong_signature(phrase: &Phrase, event: &Event) -> Option<String> {
    let expected = phrase.inner.as_ref()?;
    expected.fields.word("secret")?;
    let key = message::key(&expected.fields);
    key.and_then(|key| verify(&event.octets, &key).map_err(|error| error.to_string())).err()
}

fn show(event: &Event) -> String {
    format!("+{} > {}", seconds(Time::ZERO, event.at), event.text)
}

fn seconds(from: Time, to: Time) -> String {
    let micros = to.0.saturating_sub(from.0);
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}
