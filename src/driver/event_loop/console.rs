//! The event loop's part of the console. It accepts clients, and serves each client for a limited
//! time in each turn of the loop. It also sends the router the driver's counts, which `show`
//! commands print.

use std::io;
use std::path::Path;

use mio::Interest;

use super::{EventLoop, Source};
use crate::console::machine::FastPath;
use crate::driver::DataPathChoice;
use crate::driver::console_server::{ConsoleServer, Turn};
use crate::driver::descriptors;
use crate::driver::machine::ProcessMachine;
use crate::driver::probes::ClientSurroundings;
use crate::driver::shown_fast_path::counts;
use crate::router::io::Input;
use crate::time::Time;

impl EventLoop {
    pub(super) fn open_console(&mut self, path: &Path) -> io::Result<()> {
        let mut console = ConsoleServer::open(path)?;
        let token = Source::ConsoleListener.token();
        let registry = self.poll.registry();
        registry.register(&mut console.listener, token, Interest::READABLE)?;
        self.console = Some(console);
        Ok(())
    }

    pub(super) fn serve_console_listener(&mut self) -> bool {
        const ACCEPTING: &str = "accepting at the console";
        let Some(console) = &mut self.console else {
            return false;
        };
        let number = match console.accept() {
            Ok(number) => number,
            Err(error) => return self.end_of_accepting(Source::ConsoleListener, ACCEPTING, &error),
        };
        self.waiting.remove(Source::ConsoleListener);
        if let Some(client) = console.client_mut(number) {
            let token = Source::Console(number).token();
            let interest = Interest::READABLE | Interest::WRITABLE;
            let outcome = self.poll.registry().register(&mut client.stream, token, interest);
            if outcome.is_err() {
                console.close(number);
            }
            self.faults.count_if("watching a client", outcome);
        }
        true
    }

    pub(super) fn serve_console(&mut self, number: usize) -> bool {
        let now = self.clock.now();
        self.tell_what_shows_need(now);
        let fast_path = self.shown_fast_path();
        let Some(console) = &mut self.console else {
            return false;
        };
        let users = console.users(number, now);
        let Some(client) = console.client_mut(number) else {
            return false;
        };
        let token = Source::Console(number).token();
        let registry = self.poll.registry();
        let mut surroundings = ClientSurroundings {
            hosts: &mut self.hosts,
            registry,
            token,
            machine: ProcessMachine {
                files: &mut self.options.files,
                log: &mut self.log_buffer,
                users,
                host_names: &self.options.host_names,
                restarts: &mut self.restarts,
                fast_path,
            },
        };
        let turn = client.serve(&mut self.router, &mut surroundings, now);
        if turn == Turn::Close {
            console.close(number);
        }
        self.carry_out_outputs();
        turn == Turn::More
    }

    /// Returns the state of the fast path, for `show` commands.
    fn shown_fast_path(&self) -> FastPath {
        let programs = self.fast_path.fast_path.as_ref();
        FastPath { reason: self.reason_against_fast_path(), counts: programs.map(counts) }
    }

    /// Returns the reason why this process forwards all packets, or `None` if the fast path is in
    /// use.
    fn reason_against_fast_path(&self) -> Option<String> {
        let reason = if self.fast_path.fast_path.is_some() {
            if self.router.permits_second_path() {
                return None;
            }
            "debugging is on or a watcher is connected, so each packet passes through the router"
        } else if self.options.data_path == DataPathChoice::User {
            "because of the option --data-path"
        } else if self.options.record.is_some() {
            "because of the option --record"
        } else {
            self.fast_path.refused.as_deref().unwrap_or("there is no lisp0")
        };
        Some(reason.to_owned())
    }

    /// Serves the clients whose deadline has passed. The running command of such a client must do
    /// some work now.
    pub(super) fn serve_due_consoles(&mut self, now: Time) {
        let due = self.console.as_ref().map(|console| console.due(now)).unwrap_or_default();
        for number in due {
            if self.serve_console(number) {
                self.ready.insert(Source::Console(number));
            }
        }
    }

    /// Sends the router the driver's counts of file descriptors, which `show` commands print. Does
    /// nothing if the counts have not changed.
    pub(super) fn tell_what_shows_need(&mut self, now: Time) {
        let descriptors = self.waiting.figures();
        if self.router.descriptors() != Some(descriptors) {
            self.router.handle(Input::Descriptors(descriptors), now);
        }
    }

    /// Handles the error of a failed accept. If no file descriptor is free, stores the listener so
    /// that the loop accepts at it again later. Returns true if the next accept may succeed
    /// immediately.
    pub(super) fn end_of_accepting(
        &mut self,
        listener: Source,
        operation: &'static str,
        error: &io::Error,
    ) -> bool {
        if descriptors::none_is_free(error) {
            if self.waiting.add(listener, self.clock.now()) {
                self.faults.count(operation, error);
            }
            return false;
        }
        self.waiting.remove(listener);
        self.faults.end_of_reading(operation, error)
    }
}
