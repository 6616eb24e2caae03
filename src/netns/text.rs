//! Reads text files that users write: configurations, lab files and scenarios.

use std::fs;
use std::io;
use std::path::Path;

/// The mark that some editors write at the beginning of a UTF-8 text. It has no meaning and is
/// ignored.
pub const BYTE_ORDER_MARK: char = '\u{feff}';

/// Returns the text of a file, without a byte order mark.
///
/// # Errors
/// The file cannot be read, or it is not UTF-8. If the file is not UTF-8, the error has the remedy.
pub fn read(path: &Path) -> io::Result<String> {
    let octets = fs::read(path)?;
    let no_text = |message: &str| io::Error::new(io::ErrorKind::InvalidData, message.to_owned());
    if octets.starts_with(&[0xff, 0xfe]) || octets.starts_with(&[0xfe, 0xff]) {
        return Err(no_text("the file is UTF-16: save it as UTF-8"));
    }
    let text = String::from_utf8(octets).map_err(|error| {
        let octet = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..octet].iter().filter(|&&octet| octet == b'\n').count() + 1;
        no_text(&format!("line {line} is not valid UTF-8: save the file as UTF-8"))
    })?;
    Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(octets: &[u8]) -> Result<String, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), octets).unwrap();
        read(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_byte_order_mark_is_skipped_at_the_beginning_only() {
        assert_eq!(reading(b"\xef\xbb\xbfhostname x\n").unwrap(), "hostname x\n");
        assert_eq!(reading(b"hostname x\n").unwrap(), "hostname x\n");
        assert_eq!(reading("a\u{feff}b".as_bytes()).unwrap(), "a\u{feff}b");
        assert_eq!(reading(b"\xef\xbb\xbf").unwrap(), "");
    }

    #[test]
    fn a_file_in_another_encoding_is_refused_with_the_remedy() {
        assert!(reading(b"\xff\xfeh\0").unwrap_err().contains("UTF-16: save it as UTF-8"));
        assert!(reading(b"a\nb\xe9\n").unwrap_err().contains("line 2 is not valid UTF-8"));
    }
}
