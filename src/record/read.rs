//! Reads a record from any source, frame by frame. The octets may be damaged. The source may also
//! be something other than a record.

use std::io::{self, Read};

use super::step::{Outcome, Step};
use super::{HEAD_LEN, LONGEST_BODY, MAGIC};
use crate::checksum;
use crate::time::Time;

/// The reason why a record cannot be read further.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file does not begin with the first octets of a record.
    #[error("this file is not a record of a router")]
    NotARecord,
    /// This Eidway does not know the format version of the record.
    #[error(
        "the record has version {0:?}, but this Eidway reads only version {own}",
        own = version(MAGIC).unwrap_or_default()
    )]
    Version(String),
    /// The record ends inside a frame. This is possible if the router was killed.
    #[error("the record ends inside step {step}: only {octets} octets of this step are present")]
    Cut {
        /// The step that is not complete.
        step: u64,
        /// The number of octets of this step's frame that are in the record.
        octets: usize,
    },
    /// The octets are damaged: they differ from the octets that were written.
    #[error("step {step} is damaged: {what}")]
    Damaged {
        /// The number of the step.
        step: u64,
        /// The description of the error.
        what: String,
    },
    /// This Eidway cannot read a configuration in the record, for example because another version
    /// of Eidway has written the record.
    #[error("step {step} has a configuration that this Eidway does not understand: {what}")]
    Config {
        /// The number of the step.
        step: u64,
        /// The description of the error.
        what: String,
    },
    /// The file cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Reads the steps of a record in their order.
#[derive(Debug)]
pub struct Reader<R> {
    from: R,
    /// The number of the next step.
    step: u64,
    body: Vec<u8>,
    /// Whether `body` already contains the body of the next step.
    is_loaded: bool,
}

/// Returns the version of a record that begins with `magic`. Returns `None` if a record cannot
/// begin with `magic`.
fn version(magic: &[u8]) -> Option<String> {
    let version = magic.strip_prefix(&MAGIC[..MAGIC.len() - 2])?;
    Some(String::from_utf8_lossy(version).trim_end().to_owned())
}

impl<R: Read> Reader<R> {
    /// Reads the start of a record.
    ///
    /// # Errors
    /// The source does not start with a record, or the record has another version.
    pub fn open(mut from: R) -> Result<Self, ReadError> {
        let mut magic = Vec::new();
        from.by_ref().take(MAGIC.len() as u64).read_to_end(&mut magic)?;
        if magic == MAGIC {
            return Ok(Reader { from, step: 0, body: Vec::new(), is_loaded: false });
        }
        Err(version(&magic).map_or(ReadError::NotARecord, ReadError::Version))
    }

    /// Returns the time of the next step. Returns `None` at the end of the record.
    ///
    /// # Errors
    /// The errors of [`Reader::next_step`].
    pub fn next_at(&mut self) -> Result<Option<Time>, ReadError> {
        if !self.load()? {
            return Ok(None);
        }
        let (at, _) = postcard::take_from_bytes(&self.body).map_err(|error| self.damaged(error))?;
        Ok(Some(at))
    }

    /// Returns the number of the next step.
    pub fn number(&self) -> u64 {
        self.step
    }

    /// Returns the next step with its outcome. Returns `None` at the end of the record.
    ///
    /// # Errors
    /// The step is incomplete or damaged. Nothing can be read after this error.
    pub fn next_step(&mut self) -> Result<Option<(Step<'_>, Outcome)>, ReadError> {
        if !self.load()? {
            return Ok(None);
        }
        self.is_loaded = false;
        self.step += 1;
        self.decode(self.step - 1).map(Some)
    }

    /// Returns the next step with its outcome, but does not advance.
    pub(super) fn peek(&mut self) -> Result<Option<(Step<'_>, Outcome)>, ReadError> {
        if self.load()? { self.decode(self.step).map(Some) } else { Ok(None) }
    }

    fn decode(&self, number: u64) -> Result<(Step<'_>, Outcome), ReadError> {
        let wrong = |what: String| ReadError::Damaged { step: number, what };
        let (step, rest) =
            postcard::take_from_bytes(&self.body).map_err(|error| wrong(error.to_string()))?;
        let (outcome, rest) =
            postcard::take_from_bytes(rest).map_err(|error| wrong(error.to_string()))?;
        match rest {
            [] => Ok((step, outcome)),
            _ => Err(wrong("there are octets after the end of the step".to_owned())),
        }
    }

    /// Reads the body of the next frame. Returns false at the end of the record.
    fn load(&mut self) -> Result<bool, ReadError> {
        if self.is_loaded {
            return Ok(true);
        }
        let mut head = Vec::with_capacity(HEAD_LEN);
        self.from.by_ref().take(HEAD_LEN as u64).read_to_end(&mut head)?;
        let &[a, b, c, d, e, f] = head.as_slice() else {
            let cut = ReadError::Cut { step: self.step, octets: head.len() };
            return if head.is_empty() { Ok(false) } else { Err(cut) };
        };
        let len = u32::from_le_bytes([a, b, c, d]);
        if len > LONGEST_BODY {
            return Err(self.damaged("the length of the step is above the limit"));
        }
        self.body.clear();
        // The octets are read piece by piece. If the length in the head of the frame is too large,
        // no memory is allocated for the missing octets.
        self.from.by_ref().take(u64::from(len)).read_to_end(&mut self.body)?;
        if self.body.len() < len as usize {
            return Err(ReadError::Cut { step: self.step, octets: HEAD_LEN + self.body.len() });
        }
        if checksum::finish(checksum::sum(&self.body)) != u16::from_le_bytes([e, f]) {
            return Err(self.damaged("the checksum is wrong"));
        }
        self.is_loaded = true;
        Ok(true)
    }

    fn damaged(&self, what: impl ToString) -> ReadError {
        ReadError::Damaged { step: self.step, what: what.to_string() }
    }
}
