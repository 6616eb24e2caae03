//! The packets of a simulated lab, as the output of a capture.

use std::io::Write;
use std::time::Duration;

use super::output::Output;
use crate::capture::pcapng::Packet;
use crate::lab::failure::Failure;
use crate::sim::Sim;
use crate::sim::stage::Simulated;
use crate::time::Time;
use crate::watch::Item;
use crate::watch::comments::Reasons;

/// Adds the packets of a capture on the simulator to an output. The comments on the packets are the
/// reasons in `items`. The interfaces of the output must be the ports of the capture, in the same
/// order.
///
/// # Errors
/// The lab has no capture with the name `capture`.
pub fn add<W: Write>(
    simulated: &Simulated,
    capture: &str,
    items: &[Item],
    output: &mut Output<W>,
) -> Result<(), Failure> {
    let mut reasons = Reasons::default();
    for item in items {
        if let Some(node) = item.node() {
            reasons.note(node, Sim::wall_clock(Time(item.at)), &item.kind);
        }
    }
    for frame in simulated.frames(capture)? {
        let at = Duration::from_micros(Sim::wall_clock(frame.at));
        let (interface, direction) = (frame.port as u32, frame.direction);
        output.add(&Packet { interface, at, direction, frame: &frame.octets }, &reasons);
    }
    Ok(())
}
