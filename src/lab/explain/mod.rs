//! `lab explain`: the path of a packet through a lab, hop by hop, and the path of the answer. If
//! the packet or the answer is lost, the journey has the place, the cause and the remedy.
//!
//! No packet is sent, and no state changes. The kernels report the route that a packet would take
//! ([`RunningLab::route`]), and the routers report the decision that they would make (`show lisp
//! packet`, `show lisp map-request`).
//!
//! * [`journey`]: the steps of a packet, and their results. [`text`]: the journey in words.
//! * [`cause`]: the causes of a loss, with their remedies.
//! * [`explorer`]: the lab that the explanation reads, and the steps so far.
//! * [`kernels`]: a packet goes from node to node, by routes and neighbours.
//! * [`overlay`]: the decisions of ITR and ETR, and the tunnel between them.
//! * [`resolution`]: the Map-Request for a missing mapping, and its answer.
//! * [`registration`]: the reason why a map-server has no registration of an EID.

pub mod cause;
mod explorer;
pub mod journey;
mod kernels;
mod overlay;
mod registration;
mod resolution;
pub mod text;

use super::failure::Failure;
use super::running::RunningLab;
use explorer::Explorer;
use journey::{Journey, Leg, Question};
use kernels::Flight;

/// Explains the path of a packet and the path of the answer.
///
/// # Errors
/// The lab does not have the node, or the lab cannot be read.
pub fn explain(lab: &mut dyn RunningLab, question: &Question) -> Result<Journey, Failure> {
    lab.lab().expect_node(&question.from)?;
    let Question { from, to, size, df } = question.clone();
    let mut explorer = Explorer::new(lab);
    let source = explorer.source(&from, to)?;
    let mut journey = Journey {
        from: from.clone(),
        to: None,
        source,
        destination: to,
        size,
        df,
        arrives: false,
        returns: false,
        steps: Vec::new(),
        lost: None,
    };
    let flight = Flight { source, destination: to, size: size.into(), df };
    match explorer.deliver(&from, &flight)? {
        Err(loss) => journey.lost = Some(loss),
        Ok(receiver) => {
            (journey.arrives, journey.to) = (true, Some(receiver.clone()));
            explorer.leg = Leg::Back;
            let answer = Flight { source: to, destination: source, ..flight };
            journey.lost = explorer.deliver(&receiver, &answer)?.err();
            journey.returns = journey.lost.is_none();
        }
    }
    journey.steps = explorer.steps;
    Ok(journey)
}
