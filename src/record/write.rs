//! Writes a record while the router runs.

use std::fmt::{self, Debug};
use std::io::{self, BufWriter, Write};
use std::mem;

use super::step::{self, Outcome, Step, Verdict, changes};
use super::{HEAD_LEN, LONGEST_BODY, MAGIC};
use crate::checksum;
use crate::console::{parse_config, running_config};
use crate::router::Start;
use crate::router::config::Config;
use crate::router::io::{Inbound, Input, Outbound, Output};
use crate::router::witness::{Call, Witness};
use crate::time::Time;

/// The maximum number of octets that wait to be written. Only frames about packets wait. All other
/// frames are written immediately.
const WAITING: usize = 1 << 16;

/// Records all calls of a router. The router informs the recorder of every call.
///
/// If writing fails, the log reports the failure and the record ends there. The router continues.
pub struct Recorder<W: Write> {
    /// The destination of the record. `None` after a write has failed.
    out: Option<BufWriter<W>>,
    frame: Vec<u8>,
    /// The octets of the packet before the call.
    packet: Vec<u8>,
    outcome: Outcome,
    /// Whether a call has begun and its frame is not written yet.
    is_open: bool,
    is_urgent: bool,
}

impl<W: Write> Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("writes", &self.out.is_some()).finish_non_exhaustive()
    }
}

impl<W: Write> Recorder<W> {
    /// Starts a record. Its first step is the start of a router with the values in `start`.
    pub fn new(out: W, start: &Start) -> Self {
        let mut recorder = Recorder {
            out: Some(BufWriter::with_capacity(WAITING, out)),
            frame: Vec::new(),
            packet: Vec::new(),
            outcome: Outcome::default(),
            is_open: false,
            is_urgent: true,
        };
        recorder.write(MAGIC);
        if let Some(text) = recorder.text_of(&start.config) {
            let call = step::Call::Start {
                eidway: env!("CARGO_PKG_VERSION"),
                seed: start.seed,
                wall_clock: start.wall_clock,
                config: &text,
            };
            recorder.begin(&Step { at: start.now, call });
        }
        recorder
    }

    /// Returns the configuration as text. If this text cannot be read back as the same
    /// configuration, ends the record and returns `None`. Otherwise the replay of the record could
    /// differ from the run of the router.
    fn text_of(&mut self, config: &Config) -> Option<String> {
        let text = running_config(config);
        if parse_config("running-config", &text).is_ok_and(|read| read == *config) {
            return Some(text);
        }
        self.give_up("the text of the configuration cannot be read back");
        None
    }

    fn begin(&mut self, step: &Step<'_>) {
        if self.out.is_none() {
            return;
        }
        self.frame.clear();
        self.frame.resize(HEAD_LEN, 0);
        self.is_open = self.append(step);
        self.is_urgent =
            !matches!(step.call, step::Call::Encapsulate { .. } | step::Call::Decapsulate { .. });
    }

    /// Ends the frame of the present call, if a call has begun.
    fn finish(&mut self, drained: bool) {
        if !mem::take(&mut self.is_open) {
            return;
        }
        let outcome = Outcome { drained, ..mem::take(&mut self.outcome) };
        if !self.append(&outcome) {
            return;
        }
        let body = &self.frame[HEAD_LEN..];
        match u32::try_from(body.len()).ok().filter(|&len| len <= LONGEST_BODY) {
            Some(len) => {
                let sum = checksum::finish(checksum::sum(body));
                self.frame[..4].copy_from_slice(&len.to_le_bytes());
                self.frame[4..HEAD_LEN].copy_from_slice(&sum.to_le_bytes());
                let frame = mem::take(&mut self.frame);
                self.write(&frame);
                self.frame = frame;
            }
            None => self.give_up("a step is too long"),
        }
        if self.is_urgent {
            self.flush();
        }
    }

    fn append(&mut self, part: &impl serde::Serialize) -> bool {
        match postcard::to_extend(part, mem::take(&mut self.frame)) {
            Ok(frame) => self.frame = frame,
            Err(error) => self.give_up(error),
        }
        self.out.is_some()
    }

    fn write(&mut self, octets: &[u8]) {
        let outcome = self.out.as_mut().map_or(Ok(()), |out| out.write_all(octets));
        self.check(outcome);
    }

    fn flush(&mut self) {
        let outcome = self.out.as_mut().map_or(Ok(()), BufWriter::flush);
        self.check(outcome);
    }

    fn check(&mut self, outcome: io::Result<()>) {
        if let Err(error) = outcome {
            self.give_up(error);
        }
    }

    fn give_up(&mut self, why: impl fmt::Display) {
        if let Some(out) = self.out.take() {
            log::warn!("the record of the router ends here: {why}");
            // The waiting octets could not be written. They are dropped, because another attempt
            // would fail too.
            drop(out.into_parts());
        }
        self.is_open = false;
    }

    fn decided(&mut self, verdict: Verdict, packet: &[u8]) {
        if self.is_open {
            self.outcome.verdict = verdict;
            self.outcome.changes = changes(&self.packet, packet);
        }
    }

    fn keep(&mut self, packet: &[u8]) {
        self.packet.clear();
        self.packet.extend_from_slice(packet);
    }
}

impl<W: Write> Witness for Recorder<W> {
    fn call(&mut self, call: Call<'_>, at: Time) {
        self.finish(false);
        if self.out.is_none() {
            return;
        }
        let text;
        let call = match call {
            Call::Timeout => step::Call::Timeout,
            Call::Encapsulate { instance_id, packet, segment_size } => {
                self.keep(packet);
                step::Call::Encapsulate { instance_id, packet, segment_size }
            }
            Call::Decapsulate { outer, datagram, segment_size } => {
                self.keep(datagram);
                step::Call::Decapsulate { outer: *outer, datagram, segment_size }
            }
            Call::Handle(Input::Control(datagram)) => step::Call::Control(*datagram),
            Call::Handle(Input::Kernel(event)) => step::Call::Kernel(event.clone()),
            Call::Handle(Input::Process(event)) => step::Call::Process(event.clone()),
            Call::Handle(Input::Tcp(event)) => step::Call::Tcp(*event),
            Call::Handle(Input::Path(event)) => step::Call::Path(event.clone()),
            Call::Handle(Input::Command(command)) => step::Call::Command(command.clone()),
            Call::Handle(Input::Descriptors(figures)) => step::Call::Descriptors(*figures),
            Call::Handle(Input::Nonces(kept)) => step::Call::Nonces(kept.clone()),
            Call::Handle(Input::Stop) => step::Call::Stop,
            Call::Handle(Input::Configure(config)) => match self.text_of(config) {
                Some(running) => {
                    text = running;
                    step::Call::Configure(&text)
                }
                None => return,
            },
        };
        self.begin(&Step { at, call });
    }

    fn outbound(&mut self, verdict: Outbound, packet: &[u8]) {
        self.decided(Verdict::Outbound(verdict), packet);
    }

    fn inbound(&mut self, verdict: Inbound, datagram: &[u8]) {
        self.decided(Verdict::Inbound(verdict), datagram);
    }

    fn output(&mut self, output: Option<&Output>) {
        match output {
            Some(output) if self.is_open => self.outcome.outputs.push(output.clone()),
            Some(_) => {}
            None => self.finish(true),
        }
    }
}

impl<W: Write> Drop for Recorder<W> {
    fn drop(&mut self) {
        self.finish(false);
        self.flush();
    }
}
