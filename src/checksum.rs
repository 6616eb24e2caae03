//! Computes the Internet checksum (RFC 1071). It is fast enough to be computed over each payload.
//!
//! A sum of this module is not complemented, so the sums of several parts can be added. If each
//! part except the last has an even length, the result is the sum of all octets. [`fold`] shortens
//! the result to 16 bits.

/// Returns the one's complement sum of the 16-bit words in `bytes`. The words are big-endian. If
/// the number of octets is odd, a zero octet is added at the end.
///
/// This function reads words of 32 bits in the byte order of the machine, and adds them in an
/// integer of 64 bits, because compilers can vectorise this loop. The byte order is corrected at
/// the end (RFC 1071 section 2).
pub fn sum(bytes: &[u8]) -> u32 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut total: u64 = words.iter().map(|word| u64::from(u32::from_ne_bytes(*word))).sum();
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        total += u64::from(u32::from_ne_bytes(last));
    }
    let total = (total & 0xffff_ffff) + (total >> 32);
    let total = (total & 0xffff) + (total >> 16 & 0xffff) + (total >> 32);
    u32::from(u16::from_be(fold(total as u32)))
}

/// Folds a sum to 16 bits, without the complement. A partial checksum in a packet is such a value.
pub fn fold(sum: u32) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    sum as u16
}

/// Returns the checksum for a sum. If the data contain their own correct checksum, the result is
/// zero.
pub fn finish(sum: u32) -> u16 {
    !fold(sum)
}

/// Returns the sum of the pseudo header of TCP or UDP (RFC 9293 section 3.1, RFC 8200 section 8.1).
/// `addresses` are the octets of the two addresses in the IP header. `len` is the length of the
/// transport header and the payload together, in octets.
pub fn pseudo_header(addresses: &[u8], protocol: u8, len: usize) -> u32 {
    let len = len as u32;
    sum(addresses) + u32::from(protocol) + (len & 0xffff) + (len >> 16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Computes the sum with the algorithm of RFC 1071 section 4.1, without optimisation.
    fn plain(bytes: &[u8]) -> u16 {
        let word = |pair: &[u8]| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
        let mut sum: u32 = bytes.chunks(2).map(word).sum();
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }

    proptest! {
        #[test]
        fn it_is_the_sum_of_words(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert_eq!(sum(&bytes), u32::from(plain(&bytes)));
        }

        #[test]
        fn parts_of_even_length_add_up(bytes in proptest::collection::vec(any::<u8>(), 2..200)) {
            let (front, back) = bytes.split_at(bytes.len() / 4 * 2);
            prop_assert_eq!(finish(sum(front) + sum(back)), finish(sum(&bytes)));
        }
    }

    #[test]
    fn the_example_of_rfc_1071() {
        assert_eq!(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), 0xddf2);
    }
}
