//! Handles the signals that stop the router, start a new log file, or write the counters to the
//! log.

use log::info;
use mio::Interest;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook_mio::v1_0::Signals;

use super::{EventLoop, Flow, Source};
use crate::addr::Family;
use crate::console::show::statistics;
use crate::driver::Error;

impl EventLoop {
    /// Registers handlers for signals, so that a signal does not end the process immediately.
    /// SIGTERM and SIGINT stop the router. SIGHUP starts a new log file. SIGUSR1 writes the
    /// counters to the log.
    pub fn watch_signals(&mut self) -> Result<(), Error> {
        let signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1]);
        let signals = self.signals.insert(signals.map_err(Error::during("catching signals"))?);
        let (token, interest) = (Source::Signals.token(), Interest::READABLE);
        let outcome = self.poll.registry().register(signals, token, interest);
        outcome.map_err(Error::during("watching signals"))
    }

    pub(super) fn serve_signals(&mut self) -> Flow {
        let pending: Vec<i32> = self
            .signals
            .iter_mut()
            .flat_map(|signals| signals.pending().collect::<Vec<_>>())
            .collect();
        for signal in pending {
            match signal {
                SIGHUP => self.reopen_log(),
                SIGUSR1 => self.log_statistics(),
                _ => return Flow::Stopped,
            }
        }
        Flow::Continue
    }

    fn reopen_log(&self) {
        if let Some(log) = &self.options.log {
            log.reopen();
        }
        info!("SIGHUP: the log continues in this file");
    }

    fn log_statistics(&mut self) {
        let now = self.clock.now();
        self.tell_what_shows_need(now);
        // The view for IPv6 has the same counters: each counter counts IPv4 and IPv6 together.
        let view = statistics::view(&self.router, Family::Ipv4, now);
        for line in statistics::text(&view).lines() {
            info!("{line}");
        }
        for line in self.faults.lines() {
            info!("{line}");
        }
    }
}
