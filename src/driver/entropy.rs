//! Reads random numbers from the operating system. Only this module of a router reads random
//! numbers. All other code gets a seed.

use std::io;

use crate::rng::Seed;

/// Returns a seed from the operating system. This seed cannot be predicted.
pub fn seed() -> io::Result<Seed> {
    let mut seed = Seed([0; 32]);
    getrandom::fill(&mut seed.0)?;
    Ok(seed)
}
