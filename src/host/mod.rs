//! Emulated hosts: real smoltcp stacks behind a queue.
