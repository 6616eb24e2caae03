//! Reads random numbers from the operating system. Only this module of a router reads them: all
//! other code gets a seed.

use std::io;

use crate::rng::Seed;

/// A seed from the operating system. No one can predict this seed.
pub fn seed() -> io::Result<Seed> {
    let mut seed = Seed([0; 32]);
    getrandom::fill(&mut seed.0)?;
    Ok(seed)
}
