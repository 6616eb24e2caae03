//! Reads the keys in the lines of a configuration. A key is in plain text, or IOS has encrypted it.

use crate::console::args::{Args, Fault};
use crate::wire::auth::{Algorithm, Key};

/// The help texts for the words of `[0|6|7] <key:word>` in a pattern.
pub(super) const HELP: [&str; 4] = [
    "The key is not encrypted",
    "The key is encrypted with a master key of another router (refused)",
    "The key is hidden in the way of IOS",
    "Authentication key",
];

/// The octets for type 7, which hides a text. Type 7 combines each octet of the text with the next
/// octet of this string by an exclusive or.
const TYPE_7: &[u8] = b"dsfd;kfoA,.iyewrkldJKDHSUBsgvca69834ncxv9873254k;fg87";

/// The key in a line. The algorithm of the key is HMAC-SHA-256 if the line contains `sha2`. If not,
/// the algorithm is HMAC-SHA-1.
pub(super) fn key(args: &Args<'_>) -> Result<Key, Fault> {
    let text: String = args.value("key")?;
    let secret = if args.has("7") {
        unhide(&text).ok_or_else(|| {
            args.fault("key", "this key of type 7 is not valid: its decoded text must be one word")
        })?
    } else if args.has("6") {
        let message = "only the router that made a key of type 6 can decrypt it: write the key \
                       in plain text";
        return Err(args.fault("key", message));
    } else {
        text
    };
    let algorithm = if args.has("sha2") { Algorithm::HmacSha256 } else { Algorithm::HmacSha1 };
    Ok(Key { algorithm, secret: secret.into_bytes(), key_id: 0 })
}

/// The text in a key of type 7. The first two digits of the key are a decimal position in
/// [`TYPE_7`]. Two hexadecimal digits follow for each octet of the text. Returns `None` if the key
/// has another form, or if the text is not one word of printable characters.
pub(super) fn unhide(hidden: &str) -> Option<String> {
    let digits = hidden.as_bytes();
    if digits.len() < 4 || !digits.len().is_multiple_of(2) {
        return None;
    }
    let number = |pair: &[u8], radix| {
        let text = std::str::from_utf8(pair).ok().filter(|text| !text.starts_with('+'))?;
        u8::from_str_radix(text, radix).ok()
    };
    let first = usize::from(number(&digits[..2], 10)?);
    let pairs = digits[2..].chunks_exact(2).enumerate();
    let octets = pairs.map(|(at, pair)| {
        let octet = number(pair, 16)? ^ TYPE_7[(first + at) % TYPE_7.len()];
        octet.is_ascii_graphic().then_some(char::from(octet))
    });
    octets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_type_7_is_read() {
        for (hidden, expected) in [
            ("070C285F4D06", Some("cisco")),
            ("070c285f4d06", Some("cisco")),
            ("08344F47", Some("uci")),
            ("99", None),
            ("0", None),
            ("070C285F4D0", None),
            ("0G0C285F4D06", None),
            ("07ff285F4D06", None),
            ("+70C", None),
            ("cisco1", None),
            ("é0", None),
        ] {
            assert_eq!(unhide(hidden).as_deref(), expected, "{hidden}");
        }
    }
}
