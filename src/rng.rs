//! Random numbers. The core makes them from a seed that it receives.
//!
//! There is one ChaCha20 stream for each purpose. The seed of a stream is made from the name of the
//! purpose and the seed of the router. So the streams are independent. If the code draws one more
//! random number for a jitter, the nonces do not change, and the traces of two runs can still be
//! compared. The generator is ChaCha20, because other machines must not be able to predict nonces
//! (RFC 9301 section 5.2).

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The seed of all random numbers of a router. The driver gets the seed from the operating system.
/// The simulator derives the seed from the seed of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seed(pub [u8; 32]);

impl Seed {
    /// Makes a seed from a number, for tests and simulations.
    pub fn from_number(number: u64) -> Self {
        Seed::derive(&number.to_be_bytes(), "number")
    }

    /// Makes an independent seed for the purpose `purpose`. So the random numbers for one purpose
    /// do not change the random numbers for another purpose.
    pub fn fork(&self, purpose: &str) -> Seed {
        Seed::derive(&self.0, purpose)
    }

    fn derive(material: &[u8], purpose: &str) -> Seed {
        let digest = Sha256::new().chain_update(material).chain_update(purpose).finalize();
        Seed(digest.into())
    }
}

/// A stream of random numbers for one purpose.
#[derive(Debug)]
pub struct Rng(ChaCha20Rng);

impl Rng {
    /// Makes the stream for `purpose` from `seed`.
    pub fn new(seed: &Seed, purpose: &str) -> Self {
        Rng(ChaCha20Rng::from_seed(seed.fork(purpose).0))
    }

    /// Returns the next random number of 64 bits, for example for a nonce.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Returns a random number below `bound`. Returns zero if `bound` is zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The remainder is not exactly uniform. For each bound that the code uses, the error is
        // below 2^-32.
        if bound == 0 { 0 } else { self.0.next_u64() % bound }
    }

    /// Returns `span` minus a random duration. The random duration is at most `span` multiplied by
    /// `fraction` (0.0 to 1.0). This jitter is for periodic messages, so that the many routers of a
    /// lab do not send at the same time.
    pub fn jittered(&mut self, span: Duration, fraction: f64) -> Duration {
        let part = (span.as_micros() as f64 * fraction) as u64;
        span - Duration::from_micros(self.below(part + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_one_seed_differ_by_purpose_and_repeat_by_name() {
        let seed = Seed::from_number(7);
        let mut nonces = Rng::new(&seed, "nonce");
        let mut again = Rng::new(&seed, "nonce");
        let mut jitter = Rng::new(&seed, "jitter");
        let first = nonces.next_u64();
        assert_eq!(first, again.next_u64());
        assert_ne!(first, jitter.next_u64());
    }

    #[test]
    fn jitter_only_shortens_and_stays_within_its_fraction() {
        let mut rng = Rng::new(&Seed::from_number(1), "jitter");
        for _ in 0..1000 {
            let span = rng.jittered(Duration::from_secs(60), 0.1);
            assert!(span <= Duration::from_secs(60) && span >= Duration::from_secs(54));
        }
    }
}
