//! Reads the octets of a message in order. A reader knows its position, and cannot read past the
//! end.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::error::{ParseError, Place, Problem};

/// A reader of a message, with its present position.
pub(super) struct Reader<'a> {
    octets: &'a [u8],
    at: usize,
    end: usize,
    message: &'static str,
    place: Place,
}

impl<'a> Reader<'a> {
    /// Makes a reader at the first octet of a message. `message` is the kind of the message, for
    /// the text of errors.
    pub(super) fn new(octets: &'a [u8], message: &'static str) -> Self {
        let place = Place { name: "first word", ordinal: None };
        Reader { octets, at: 0, end: octets.len(), message, place }
    }

    /// Sets the name of the next part. Errors contain this name.
    pub(super) fn enter(&mut self, name: &'static str) {
        self.place = Place { name, ordinal: None };
    }

    /// Sets the name and the number of the next part. `index` is counted from 0.
    pub(super) fn enter_nth(&mut self, name: &'static str, index: usize) {
        self.place = Place { name, ordinal: Some(index.saturating_add(1)) };
    }

    /// Returns the number of octets from the start of the message to the present position.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    /// Returns the number of octets from the present position to the end. The end is the end of the
    /// message, or of the part that [`Reader::part`] returned.
    pub(super) fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// Makes an error at the present position.
    pub(super) fn error(&self, problem: Problem) -> ParseError {
        self.error_at(self.at, problem)
    }

    /// Makes an error at the position `offset`.
    pub(super) fn error_at(&self, offset: usize, problem: Problem) -> ParseError {
        ParseError { message: self.message, place: self.place, problem, offset }
    }

    /// Reads the next `count` octets.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], ParseError> {
        let Reader { at, end, .. } = self.part(count)?;
        self.at = end;
        Ok(&self.octets[at..end])
    }

    /// Reads all octets up to the end.
    pub(super) fn take_rest(&mut self) -> &'a [u8] {
        let rest = &self.octets[self.at..self.end];
        self.at = self.end;
        rest
    }

    /// Reads the octets before the next zero octet, then the zero octet. Returns the octets without
    /// the zero.
    pub(super) fn up_to_zero(&mut self) -> Result<&'a [u8], ParseError> {
        let rest = &self.octets[self.at..self.end];
        let length = rest.iter().position(|octet| *octet == 0);
        let length = length.ok_or(self.error(Problem::NameWithoutEnd))?;
        self.at = self.at.saturating_add(length).saturating_add(1);
        Ok(&rest[..length])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ParseError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u8(&mut self) -> Result<u8, ParseError> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    pub(super) fn u16(&mut self) -> Result<u16, ParseError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(super) fn u32(&mut self) -> Result<u32, ParseError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, ParseError> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    pub(super) fn u128(&mut self) -> Result<u128, ParseError> {
        Ok(u128::from_be_bytes(self.array()?))
    }

    pub(super) fn ipv4(&mut self) -> Result<Ipv4Addr, ParseError> {
        Ok(self.array::<4>()?.into())
    }

    pub(super) fn ipv6(&mut self) -> Result<Ipv6Addr, ParseError> {
        Ok(self.array::<16>()?.into())
    }

    /// Returns a new reader of the next `count` octets only. The position of `self` does not
    /// change.
    pub(super) fn part(&self, count: usize) -> Result<Self, ParseError> {
        if count > self.left() {
            return Err(self.error(Problem::Truncated { wanted: count, left: self.left() }));
        }
        Ok(Reader { end: self.at.saturating_add(count), ..*self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_read_says_what_and_where_and_takes_nothing() {
        let mut reader = Reader::new(&[1, 2, 3], "Map-Request");
        reader.enter_nth("EID-Record", 0);
        assert_eq!(reader.u8(), Ok(1));
        let error = reader.u32().expect_err("two octets are left");
        assert_eq!(
            error.to_string(),
            "Map-Request: EID-Record 1 is truncated: it needs 4 octets, but only 2 are left, at \
             octet 1"
        );
        assert_eq!(reader.u16(), Ok(0x0203));
    }

    #[test]
    fn a_part_ends_before_the_whole_and_passes_nothing() {
        let mut reader = Reader::new(&[1, 2, 3], "test");
        assert!(reader.part(4).is_err());
        let mut part = reader.part(2).expect("two octets are there");
        assert_eq!((part.u16(), part.left()), (Ok(0x0102), 0));
        assert!(part.u8().is_err());
        assert_eq!(reader.u8(), Ok(1));
    }

    #[test]
    fn octets_up_to_a_zero_octet_need_one() {
        let mut reader = Reader::new(&[7, 8, 0, 0, 9], "test");
        assert_eq!(reader.up_to_zero(), Ok(&[7, 8][..]));
        assert_eq!(reader.up_to_zero(), Ok(&[][..]));
        assert!(reader.up_to_zero().is_err());
        assert_eq!(reader.u8(), Ok(9), "nothing was taken");
    }
}
