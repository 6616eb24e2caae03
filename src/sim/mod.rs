//! A whole lab in one thread on virtual time.
