//! The event loop's part of the watchers. A watcher is a client of the console that gets a line for
//! each item of the router. The router has a witness that collects items only while there is a
//! watcher.

use super::EventLoop;
use crate::driver::clock::Clock;
use crate::driver::console_server::ConsoleServer;
use crate::driver::watched::Watched;
use crate::router::io::{Command, Input};
use crate::watch::RouterWatch;

impl EventLoop {
    /// Begins to collect the router's items when the first watcher has connected. Ends this when no
    /// watcher is connected any more. Sends the items of this turn to the watchers.
    pub(super) fn tell_watchers(&mut self) {
        let is_watched = self.console.as_ref().is_some_and(ConsoleServer::is_watched);
        match (&self.watched, is_watched) {
            (None, false) => return,
            (None, true) => self.begin_to_watch(),
            (Some(_), true) => {}
            (Some(_), false) => return self.stop_watching(),
        }
        let (Some(watched), Some(console)) = (&mut self.watched, &mut self.console) else {
            return;
        };
        let now = self.clock.now();
        let is_new = console.has_new_watcher();
        let lines = watched.take(&self.router, is_new, now);
        if is_new || !lines.is_empty() {
            let began = Clock::wall_clock_micros().saturating_sub(now.0);
            console.tell(&watched.first(began), &lines);
        }
    }

    fn begin_to_watch(&mut self) {
        let watched = Watched::default();
        let hostname = &self.router.config().hostname;
        let witness = RouterWatch::new(hostname, watched.watch.clone());
        let witness = witness.with_sessions(&self.router.sessions());
        self.router.show_to(Box::new(witness));
        self.watched = Some(watched);
        self.set_watched(true);
    }

    fn stop_watching(&mut self) {
        if let Some(watched) = self.watched.take() {
            watched.watch.close();
        }
        self.router.remove_ended_witnesses();
        self.set_watched(false);
    }

    /// Tells the router whether to report its decisions on packets.
    fn set_watched(&mut self, is_watched: bool) {
        self.router.handle(Input::Command(Command::Watch(is_watched)), self.clock.now());
        self.carry_out_outputs();
    }
}
