//! An array in memory. The router and the programs in the kernel both read and write it.

#![allow(unsafe_code, reason = "the memory of an array of the kernel is mapped into the process")]

use std::io;
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::mm::{MapFlags, ProtFlags};

/// An array of the kernel with `LEN` elements of type `T`. Each element consists of words of 64
/// bits.
#[derive(Debug)]
pub struct SharedArray<T, const LEN: usize> {
    words: NonNull<AtomicU64>,
    element: PhantomData<T>,
}

impl<T, const LEN: usize> SharedArray<T, LEN> {
    const WORDS: usize = size_of::<T>() / size_of::<u64>();
    const OCTETS: usize = size_of::<T>() * LEN;

    /// Maps the memory of an array of the kernel into this process. The array must have the flag
    /// BPF_F_MMAPABLE, and must have `LEN` elements of the size of `T`.
    ///
    /// # Errors
    /// EINVAL if the array is smaller. ENOTSUPP if the array cannot be mapped.
    pub fn map(array: BorrowedFd<'_>) -> io::Result<Self> {
        const { assert!(size_of::<T>().is_multiple_of(size_of::<u64>())) };
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses a free address, so the call changes no other memory.
        let memory = unsafe {
            rustix::mm::mmap(ptr::null_mut(), Self::OCTETS, protection, MapFlags::SHARED, array, 0)?
        };
        let words = NonNull::new(memory.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(SharedArray { words, element: PhantomData })
    }

    /// Returns the word number `word` of the element number `element`.
    ///
    /// # Panics
    /// If the array has no element `element`, or the element has no word `word`.
    pub fn word(&self, element: usize, word: usize) -> &AtomicU64 {
        assert!(element < LEN && word < Self::WORDS, "there is no word {word} of {element}");
        // SAFETY: the word is in the mapped memory, and the memory stays mapped until `self` is
        // dropped. The kernel accesses the word with atomic instructions of 64 bits.
        unsafe { self.words.add(element * Self::WORDS + word).as_ref() }
    }

    /// Returns the value of the word number `word` of the element number `element`.
    pub fn read(&self, element: usize, word: usize) -> u64 {
        self.word(element, word).load(Ordering::Acquire)
    }

    /// Sets the word number `word` of the element number `element` to `value`.
    pub fn write(&self, element: usize, word: usize, value: u64) {
        self.word(element, word).store(value, Ordering::Release);
    }
}

impl<T, const LEN: usize> Drop for SharedArray<T, LEN> {
    fn drop(&mut self) {
        // SAFETY: `map` has mapped this memory, and no reference to it exists any more.
        let _ = unsafe { rustix::mm::munmap(self.words.as_ptr().cast(), Self::OCTETS) };
    }
}
