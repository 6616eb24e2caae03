//! The exports of the module. They exist only in WebAssembly: in another program, the name `free`
//! belongs to the C library.

use std::cell::RefCell;
use std::panic;

use crate::source::Source;

thread_local! {
    /// The lab of this module. A module has one lab. For another lab, a page opens another module.
    static SOURCE: RefCell<Source> = RefCell::default();
    /// The message of the panic that ended the module.
    static PANIC: RefCell<String> = RefCell::default();
}

/// Returns `len` octets of memory, into which the worker writes a request. [`call`] frees them.
#[unsafe(no_mangle)]
pub extern "C" fn alloc(len: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; len].into_boxed_slice()).cast()
}

/// Frees the octets of an answer.
///
/// # Safety
/// `at` and `len` are those of an answer of [`call`] that was not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(at: *mut u8, len: usize) {
    // SAFETY: the caller gives back a box that `call` made.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, len)) });
}

/// Carries out the request in the `len` octets at `at`, and frees them. Returns the place of the
/// answer: its address in the upper 32 bits, its length in the lower 32 bits. The worker reads the
/// answer and calls [`free`]. If the module panics, the call traps; then [`panic_message`] has the
/// message, and the module must not be called again.
///
/// # Safety
/// `at` and `len` are those of a call of [`alloc`] whose octets were not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn call(at: *mut u8, len: usize) -> u64 {
    panic::set_hook(Box::new(|info| PANIC.set(info.to_string())));
    // SAFETY: the caller gives back a box that `alloc` made.
    let request = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(at, len)) };
    place(SOURCE.with_borrow_mut(|source| source.answer(&request)))
}

/// Returns the place of the message of the panic that ended the module, as [`call`] returns the
/// place of an answer. It is empty if there was none.
#[unsafe(no_mangle)]
pub extern "C" fn panic_message() -> u64 {
    place(PANIC.take())
}

/// Leaves a text in the memory for the worker, and returns its place.
fn place(text: String) -> u64 {
    let text = text.into_bytes().into_boxed_slice();
    let len = text.len() as u64;
    let at = Box::into_raw(text).cast::<u8>() as u64;
    at << 32 | len
}
