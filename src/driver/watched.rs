//! The items of a router, for the clients that watch at its console.

use std::time::Duration;

use crate::router::Router;
use crate::time::Time;
use crate::watch::snapshot::RouterState;
use crate::watch::stream::Told;
use crate::watch::{Kind, Watch};

/// The shortest time between two reports of the sizes of the tables.
const STATE_INTERVAL: Duration = Duration::from_millis(50);

/// The items of a router, while a client watches.
#[derive(Debug, Default)]
pub struct Watched {
    /// The collection to which the router's witness adds items.
    pub watch: Watch,
    /// The latest reported state.
    state: RouterState,
    /// The earliest time of the next report of the state.
    state_at: Time,
    /// Whether a table has changed since the last report.
    is_changed: bool,
}

impl Watched {
    /// The time at which the state is reported, if a table has changed.
    pub fn deadline(&self) -> Option<Time> {
        self.is_changed.then_some(self.state_at)
    }

    /// Returns the lines for all watchers since the last call. A changed state is also reported,
    /// but at most once in each [`STATE_INTERVAL`]. If there is a new watcher (`is_new`), the state
    /// is read in any case, because [`Watched::first`] needs it.
    pub fn take(&mut self, router: &Router, is_new: bool, now: Time) -> Vec<Told> {
        let items = self.watch.take();
        self.is_changed |= items.iter().any(|item| matches!(item.kind, Kind::Change(_)));
        let mut lines: Vec<Told> = items.into_iter().map(Box::new).map(Told::Item).collect();
        if is_new || self.is_changed && self.state_at <= now {
            self.is_changed = false;
            self.state_at = now + STATE_INTERVAL;
            let state = RouterState::of(router);
            if state != self.state {
                lines.push(Told::State(state.clone()));
                self.state = state;
            }
        }
        lines
    }

    /// Returns the first lines for a new watcher. `began` is the time at which the router's clock
    /// started, in microseconds since 1970.
    pub fn first(&self, began: u64) -> [Told; 2] {
        [Told::Began(began), Told::State(self.state.clone())]
    }
}
