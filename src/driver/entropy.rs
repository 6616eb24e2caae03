//! The only place that draws randomness; everything inward is given a seed.

use std::io;

use crate::rng::Seed;

/// A seed from the operating system, which cannot be predicted.
pub fn seed() -> io::Result<Seed> {
    let mut seed = Seed([0; 32]);
    getrandom::fill(&mut seed.0)?;
    Ok(seed)
}
