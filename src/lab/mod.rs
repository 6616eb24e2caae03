//! Labs: lab file, plan, and the two ways to run them.
