//! Work in a network namespace.

use std::fs::File;
use std::os::fd::AsFd;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::Outcome;

/// Does something with the network of a namespace. Sockets stay in the namespace that they were
/// opened in, so opening them is all that has to be done inside.
pub fn inside<T: Send>(namespace: &str, work: impl FnOnce() -> Outcome<T> + Send) -> Outcome<T> {
    let path = format!("/run/netns/{namespace}");
    let entered = move || {
        let namespace = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
        work()
    };
    thread::scope(|scope| scope.spawn(entered).join().map_err(|_| "a thread panicked")?)
}
