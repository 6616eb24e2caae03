//! The items of a router that are sent to the watchers. A watcher is a client of the router's
//! console that gets a line for each item.

use std::time::Duration;

use crate::router::Router;
use crate::time::Time;
use crate::watch::snapshot::RouterState;
use crate::watch::stream::Told;
use crate::watch::{Kind, Watch};

/// The minimum time between two reports of the router's state. The state is the roles, and the
/// number of entries in each table.
const STATE_INTERVAL: Duration = Duration::from_millis(50);

/// The items and the state of a router while there is a watcher.
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
    /// Returns the time at which the next report of the state is due, or `None` if no table has
    /// changed since the last report.
    pub fn deadline(&self) -> Option<Time> {
        self.is_changed.then_some(self.state_at)
    }

    /// Returns the lines for all watchers since the last call. If the state has changed, a line
    /// also reports the state, but at most once in 50 milliseconds. If there is a new watcher
    /// (`is_new`), the state is read in any case, because [`Watched::first`] needs it.
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
