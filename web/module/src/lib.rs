//! The module of Eidway's web page: a simulated lab, built for WebAssembly.
//!
//! The page's worker writes a request as JSON into the memory of the module and calls `call`. The
//! answer is JSON too. [`request`] has all requests. The module has no clock and no random source:
//! the same requests give the same answers. So the worker can copy the memory between two calls.
//! Later it can restore the copy, and go on from there.

#[cfg(target_family = "wasm")]
mod exports;
mod hands;
pub mod request;
pub mod schema;
pub mod source;
mod statement;
mod student;
