//! Starts the threads that collect the events of a lab that is up: a thread for each router, a
//! thread for the kernels, and the thread of the [`Hub`].

use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, JoinHandle};

use super::ground::Ground;
use super::hub::Hub;
use super::news::News;
use super::router;
use super::watchers::Watchers;
use crate::driver::clock::Clock;
use crate::lab::Lab;
use crate::lab::failure::Failure;
use crate::netns::{paths, running};

/// The maximum number of messages that wait for the hub. If there are more, the senders wait.
const WAITING_NEWS: usize = 4096;

/// The collection of the events of a lab, before its threads are started.
pub struct Collector {
    lab: Lab,
    clock: Clock,
    ground: Ground,
    sender: SyncSender<News>,
    news: mpsc::Receiver<News>,
}

impl Collector {
    /// Prepares the collection of the events of a lab.
    ///
    /// # Errors
    /// The lab is not up, its sockets belong to another user, or this process has no privilege for
    /// its namespaces.
    pub fn open(lab: Lab) -> Result<Self, Failure> {
        running::expect_up(&lab)?;
        paths::expect_own_sockets(&lab.name)?;
        let ground = Ground::open(&lab)?;
        let (sender, news) = mpsc::sync_channel(WAITING_NEWS);
        Ok(Collector { lab, clock: Clock::start(), ground, sender, news })
    }

    /// Returns the clock that gives the times of all items.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Returns a sender to the hub, for subscriptions and requests.
    pub fn news(&self) -> SyncSender<News> {
        self.sender.clone()
    }

    /// Starts the threads. Returns the thread of the hub. This thread ends when the lab is down.
    pub fn start(self) -> JoinHandle<()> {
        let Collector { lab, clock, mut ground, sender, news } = self;
        let watchers = Watchers::default();
        let (copy, pages) = (lab.clone(), watchers.clone());
        // The hub has values that cannot move between threads, so the hub is made in its own
        // thread.
        let hub = thread::spawn(move || Hub::new(copy, clock, pages).run(&news));
        // No page can subscribe yet. So the first snapshot of each page has all links.
        ground.report_links(&sender);
        for (source, (node, _)) in lab.file.routers().enumerate() {
            let socket = paths::socket(&lab, node);
            let (watchers, sender) = (watchers.clone(), sender.clone());
            thread::spawn(move || router::watch(source, &socket, &watchers, &sender));
        }
        thread::spawn(move || ground.watch(&lab, &watchers, &sender));
        hub
    }
}
