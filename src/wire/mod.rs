//! Bytes to types and back, with no state (RFC 9300, 9301, 8060).

pub mod auth;
