//! A search for the highest rate of datagrams that a path carries.

use std::time::Duration;

use crate::Outcome;
use crate::flow::{self, Flow, Trial};
use crate::topology::peer_of;
use crate::variant::Setting;

const PORT: u16 = 9000;
/// The largest share of lost datagrams at an accepted rate.
const TOLERATED: f64 = 0.001;
const BISECTIONS: u32 = 8;
/// After each failed confirmation, the rate is reduced by this share.
const STEP_BACK: f64 = 0.04;

/// A generator in one host and a sink in the other.
pub struct Path<'a> {
    setting: &'a Setting,
    flow: Flow,
}

impl<'a> Path<'a> {
    /// Opens a path from a host to the other host, for datagrams of `size` octets of payload.
    pub fn open(setting: &'a Setting, from: &str, size: usize, segments: usize) -> Outcome<Self> {
        let topology = &setting.topology;
        let (to, address) = peer_of(from);
        let sink = topology.inside(to, || flow::sink(PORT))?;
        let generator = topology.inside(from, || flow::generator((address, PORT).into()))?;
        Ok(Path { setting, flow: Flow::new(generator, sink, size, segments)? })
    }

    /// Finds the highest rate at which at most the share [`TOLERATED`] is lost, by bisection with
    /// short trials. Then confirms the rate with a trial of full length. Returns this trial, and the
    /// CPU seconds of the routers' programs during it.
    pub fn highest_rate(&self, span: Duration) -> Outcome<(Trial, f64)> {
        let short = span / 4;
        let flood = self.flow.trial(None, short)?;
        let offered = flood.sent as f64 / flood.seconds;
        let (mut carried, mut lost) = (0.0, offered);
        if is_whole(&flood) {
            carried = offered;
        } else {
            for _ in 0..BISECTIONS {
                let rate = (carried + lost) / 2.0;
                let whole = is_whole(&self.flow.trial(Some(rate), short)?);
                if whole { carried = rate } else { lost = rate }
            }
        }
        while carried > offered / 1000.0 {
            let pace = (carried < offered).then_some(carried);
            let before = self.setting.routers_seconds()?;
            let trial = self.flow.trial(pace, span)?;
            if is_whole(&trial) {
                return Ok((trial, self.setting.routers_seconds()? - before));
            }
            carried *= 1.0 - STEP_BACK;
        }
        Err("no rate at all arrives without loss".into())
    }
}

fn is_whole(trial: &Trial) -> bool {
    trial.lost() as f64 <= trial.sent as f64 * TOLERATED
}
