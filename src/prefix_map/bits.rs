//! An address as an integer, and a prefix of such an address.

/// The bits of an address. The first bit is the most significant bit.
pub(super) trait Bits: Copy + Ord + std::fmt::Debug {
    /// Returns true if the first `len` bits of both addresses are equal.
    fn agrees(self, other: Self, len: u8) -> bool;
    /// Returns the number of equal bits at the start of both addresses.
    fn shared(self, other: Self) -> u8;
    /// Returns the first `len` bits, followed by zero bits.
    fn first(self, len: u8) -> Self;
    /// Returns the six bits after the first `len` bits. Bits after the end of the address are zero.
    fn six_after(self, len: u8) -> usize;
    /// Returns a copy of this address in which the six bits after the first `len` bits are `six`.
    /// In this address, these six bits must be zero.
    fn with_six_after(self, len: u8, six: usize) -> Self;
}

macro_rules! bits {
    ($integer:ty) => {
        impl Bits for $integer {
            fn agrees(self, other: Self, len: u8) -> bool {
                self.shared(other) >= len
            }

            fn shared(self, other: Self) -> u8 {
                (self ^ other).leading_zeros() as u8
            }

            fn first(self, len: u8) -> Self {
                let behind = <$integer>::MAX.checked_shr(len.into()).unwrap_or(0);
                self & !behind
            }

            fn six_after(self, len: u8) -> usize {
                let rest = self.checked_shl(len.into()).unwrap_or(0);
                (rest >> (<$integer>::BITS - 6)) as usize
            }

            fn with_six_after(self, len: u8, six: usize) -> Self {
                let high = (six as $integer) << (<$integer>::BITS - 6);
                self | high.checked_shr(len.into()).unwrap_or(0)
            }
        }
    };
}

bits!(u32);
bits!(u128);

/// A prefix. Prefixes are sorted by their bits, and prefixes with equal bits are sorted by their
/// length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Prefix<B> {
    /// The bits of the address. All bits after the first `len` bits are zero.
    pub(super) bits: B,
    pub(super) len: u8,
}

impl<B: Bits> Prefix<B> {
    pub(super) fn covers(self, other: Self) -> bool {
        self.len <= other.len && self.bits.agrees(other.bits, self.len)
    }

    /// Returns the length of the longest prefix that covers both prefixes.
    pub(super) fn shared(self, other: Self) -> u8 {
        self.bits.shared(other.bits).min(self.len).min(other.len)
    }

    pub(super) fn first(self, len: u8) -> Self {
        Prefix { bits: self.bits.first(len), len }
    }
}
