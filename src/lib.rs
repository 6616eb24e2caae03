//! Eidway: a LISP virtual router for labs.

pub mod addr;
pub mod console;
pub mod driver;
pub mod host;
pub mod lab;

pub mod packet;
pub mod prefix_map;
pub mod rng;
pub mod router;
pub mod sim;
pub mod time;
pub mod wire;
