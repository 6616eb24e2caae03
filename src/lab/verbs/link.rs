//! `lab link NODE:INTERFACE flap`: a port that goes down and up again.

use crate::lab::failure::Failure;
use crate::lab::running::RunningLab;
use crate::lab::scenario::{Flap, LinkChange, Place};

/// Sets a port down and up again, [`Flap::count`] times. Between two of these times, the port is up
/// for the time [`Flap::up`]. At the end, the port is up.
///
/// # Errors
/// The lab does not have this port, or the user interrupts the wait. Also after an interruption,
/// the port is up.
pub fn flap(lab: &mut dyn RunningLab, port: &Place, flap: Flap) -> Result<(), Failure> {
    for turn in 0..flap.count {
        if turn > 0 {
            lab.pass(flap.up)?;
        }
        lab.link(port, LinkChange::Down)?;
        let passed = lab.pass(flap.down);
        lab.link(port, LinkChange::Up)?;
        passed?;
    }
    Ok(())
}
