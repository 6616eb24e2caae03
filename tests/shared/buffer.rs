//! A writer into a vector that a test can read.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

/// The vector. All clones of a buffer write into the same vector.
#[derive(Clone, Default)]
pub struct Buffer(Rc<RefCell<Vec<u8>>>);

impl Buffer {
    /// The octets that were written so far.
    pub fn octets(&self) -> Vec<u8> {
        self.0.borrow().clone()
    }
}

impl Write for Buffer {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
