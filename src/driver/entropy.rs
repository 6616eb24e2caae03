//! The only module that reads random numbers from the system; all inner code gets a seed.

use std::io;

use crate::rng::Seed;

/// A seed from the operating system; no one can predict it.
pub fn seed() -> io::Result<Seed> {
    let mut seed = Seed([0; 32]);
    getrandom::fill(&mut seed.0)?;
    Ok(seed)
}
