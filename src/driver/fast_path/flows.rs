//! The flows of one direction that the kernel may forward.
//!
//! Each packet that goes up to the router is counted twice: by the program in the kernel, in the
//! word of its flow, and here, when the router has read it. If both numbers are equal, no packet of
//! the flow is on its way up. Only then the kernel may forward the next packets: otherwise they
//! would overtake the packets on their way.

use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::mem;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aya::Pod;
use aya::maps::{HashMap as KernelMap, MapData, MapError};

use super::memory::SharedArray;
use super::shared::{COUNT, FLOWS, Flow, INSTALLED, PLACES, Use};
use crate::packet::Load;
use crate::time::Time;

/// The number of the word with the time of last use, in a [`Use`].
const LAST: usize = 2;

/// The number of packets a second of a flow of small datagrams, above which the router forwards the
/// flow itself: it reads and sends many of them at once, and the kernel only one.
const BUSY_RATE: u64 = 40_000;
/// The length in octets below which a datagram is small, with its IP header.
const SMALL: u64 = 512;
/// The time over which the rate of a flow is measured.
const RATE_INTERVAL: Duration = Duration::from_millis(200);
/// A flow of small datagrams returns to the kernel after this time below half the rate.
const CALM_INTERVAL: Duration = Duration::from_secs(1);
/// A flow that was not used for this time gives its word to another flow.
const IDLE: Duration = Duration::from_millis(100);
/// Packets can be lost on their way to the router. The number of lost packets is the smallest
/// difference of both counts in this number of samples, each taken when nothing waited to be read.
/// A packet that the program has just counted may be in a sample, but not in all of them.
const LOSS_SAMPLES: u32 = 16;
/// The shortest time between two samples.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(1);

/// A flow that the kernel may forward.
#[derive(Debug)]
struct Known<D> {
    /// The number of the flow's [`Use`].
    number: u32,
    epoch: u64,
    /// The data with which the router counts the packets of the flow.
    data: D,
    /// The part of the use that the router has counted.
    counted: Use,
    /// The use at the beginning of the present measurement of the rate.
    measured: Use,
    is_udp: bool,
}

/// The samples of the difference between both counts of a word.
#[derive(Clone, Copy, Debug)]
struct Difference {
    smallest: i32,
    samples: u32,
    /// The time of the last sample in nanoseconds, on the monotonic clock.
    sampled_at: u64,
}

/// Packets of a flow that the kernel has forwarded, and that the router has not counted yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uncounted<D> {
    /// The data of the flow.
    pub data: D,
    /// The packets.
    pub load: Load,
    /// The time of the last packet in nanoseconds, on the monotonic clock.
    pub last: u64,
}

/// The flows of one direction. `K` is the key of a flow in the kernel's map, `V` is its verdict,
/// and `D` is the data with which the router counts the flow's packets.
#[derive(Debug)]
pub struct Flows<K, V, D> {
    verdicts: KernelMap<MapData, K, V>,
    words: SharedArray<u64, PLACES>,
    uses: SharedArray<Use, FLOWS>,
    known: HashMap<K, Known<D>>,
    /// The numbers that no flow has.
    free: Vec<u32>,
    /// The uncounted packets of the flows that were taken back.
    taken_back: Vec<Uncounted<D>>,
    /// For each word, the number of packets that the router has read.
    read: Box<[u32]>,
    /// The flow to which each word was given last.
    owners: HashMap<usize, K>,
    /// The words whose counts differed when nothing waited to be read.
    differences: HashMap<usize, Difference>,
    /// The flows that the router forwards itself, because they have many small datagrams. The
    /// number counts their packets since the last measurement.
    kept: HashMap<K, u64>,
    measured_at: Time,
    calm_at: Time,
}

impl<K: Pod + Eq + Hash + AsRef<Flow>, V: Pod, D: Copy> Flows<K, V, D> {
    /// The flows in these maps of the kernel, which are empty.
    pub fn new(
        verdicts: KernelMap<MapData, K, V>,
        words: SharedArray<u64, PLACES>,
        uses: SharedArray<Use, FLOWS>,
    ) -> Self {
        Flows {
            verdicts,
            words,
            uses,
            known: HashMap::new(),
            free: (0..FLOWS as u32).rev().collect(),
            taken_back: Vec::new(),
            read: vec![0; PLACES].into_boxed_slice(),
            owners: HashMap::new(),
            differences: HashMap::new(),
            kept: HashMap::new(),
            measured_at: Time::ZERO,
            calm_at: Time::ZERO,
        }
    }

    /// The number of flows whose verdicts the kernel has.
    pub fn taught(&self) -> usize {
        self.known.len()
    }

    /// The number of flows that the router forwards itself, because they have many small datagrams.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Counts a packet that went up to the router. Returns true if the kernel may forward the next
    /// packets of the flow.
    pub fn came_up(&mut self, key: &K) -> bool {
        let read = &mut self.read[key.as_ref().place()];
        *read = read.wrapping_add(1);
        match self.kept.get_mut(key) {
            Some(packets) => {
                *packets += 1;
                false
            }
            None => true,
        }
    }

    /// Whether the router has read all packets of the flow that the kernel has sent up. `is_drained`
    /// looks whether nothing waits to be read: then, a difference that stays is packets that were
    /// lost. `now` is the time in nanoseconds on the monotonic clock.
    pub fn is_settled(&mut self, key: &K, now: u64, is_drained: impl FnOnce() -> bool) -> bool {
        let place = key.as_ref().place();
        // The count is read before `is_drained` looks: so no packet in it can still wait.
        let sent_up = (self.words.read(place, 0) & COUNT) as u32;
        let difference = sent_up.wrapping_sub(self.read[place]) as i32;
        if difference == 0 {
            self.differences.remove(&place);
            return true;
        }
        let unknown = Difference { smallest: difference, samples: 0, sampled_at: 0 };
        let known = self.differences.entry(place).or_insert(unknown);
        if now.saturating_sub(known.sampled_at) < SAMPLE_INTERVAL.as_nanos() as u64 || !is_drained()
        {
            return false;
        }
        known.samples += 1;
        known.sampled_at = now;
        if difference.abs() < known.smallest.abs() {
            known.smallest = difference;
        }
        if known.samples == LOSS_SAMPLES {
            self.read[place] = self.read[place].wrapping_add(known.smallest as u32);
            self.differences.remove(&place);
        }
        false
    }

    /// Whether the kernel has the verdict of a flow for this epoch.
    pub fn has(&self, key: &K, epoch: u64) -> bool {
        self.known.get(key).is_some_and(|known| known.epoch == epoch)
    }

    /// Gives the kernel the verdict on a flow. `verdict` gets the number of the flow. The kernel
    /// forwards the flow only after [`Flows::hand_over`].
    ///
    /// # Errors
    /// The kernel has no memory for the verdict.
    pub fn teach(
        &mut self,
        key: K,
        epoch: u64,
        (data, is_udp): (D, bool),
        verdict: impl FnOnce(u32) -> V,
    ) -> io::Result<()> {
        let number = match self.known.get(&key) {
            Some(known) => known.number,
            None => match self.free.pop() {
                Some(number) => number,
                None => {
                    self.take_back_oldest();
                    self.free.pop().ok_or(io::ErrorKind::StorageFull)?
                }
            },
        };
        if let Err(error) = self.verdicts.insert(key, verdict(number), 0) {
            match self.known.contains_key(&key) {
                true => self.take_back(&key),
                false => self.free.push(number),
            }
            return Err(io::Error::other(error));
        }
        let known = self.known.get(&key).map(|known| (known.counted, known.measured));
        let (counted, measured) =
            known.unwrap_or_else(|| (use_of(&self.uses, number), use_of(&self.uses, number)));
        self.known.insert(key, Known { number, epoch, data, counted, measured, is_udp });
        Ok(())
    }

    /// Lets the kernel forward the next packets of a flow. Returns false if a packet of the flow is
    /// on its way up, or if the kernel forwards another flow with the same word, and this other flow
    /// was used a moment ago. `now` is the time in nanoseconds on the monotonic clock.
    pub fn hand_over(&mut self, key: &K, now: u64) -> bool {
        let flow = key.as_ref();
        let word = self.words.word(flow.place(), 0);
        let found = word.load(Ordering::Acquire);
        let handed_over = flow.installed() | found & COUNT;
        if found & COUNT != u64::from(self.read[flow.place()]) {
            return false;
        }
        if found & INSTALLED != 0 && found != handed_over {
            let owner = self.owners.get(&flow.place()).and_then(|owner| self.known.get(owner));
            let last = owner.map_or(0, |owner| use_of(&self.uses, owner.number).last);
            if now.saturating_sub(last) < IDLE.as_nanos() as u64 {
                return false;
            }
        }
        self.owners.insert(flow.place(), *key);
        word.compare_exchange(found, handed_over, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Takes a flow back: its next packets go up to the router.
    pub fn take_back(&mut self, key: &K) {
        let flow = key.as_ref();
        let word = self.words.word(flow.place(), 0);
        let mut now = word.load(Ordering::Acquire);
        while now & !COUNT == flow.installed() {
            match word.compare_exchange(now, now & COUNT, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => break,
                Err(changed) => now = changed,
            }
        }
        if let Some(mut known) = self.known.remove(key) {
            self.taken_back.extend(known.take(use_of(&self.uses, known.number)));
            self.free.push(known.number);
        }
        match self.verdicts.remove(key) {
            Ok(()) | Err(MapError::KeyNotFound) => {}
            Err(error) => log::debug!("fast path: the kernel keeps a flow: {error}"),
        }
    }

    /// Takes an eighth of the flows back: those that were not used for the longest time.
    fn take_back_oldest(&mut self) {
        #[allow(clippy::disallowed_methods, reason = "the flows are sorted by the time of use")]
        let known = self.known.iter();
        let mut flows: Vec<(u64, K)> =
            known.map(|(key, known)| (self.uses.read(known.number as usize, LAST), *key)).collect();
        flows.sort_unstable_by_key(|(last, _)| *last);
        flows.truncate(FLOWS / 8);
        flows.iter().for_each(|(_, key)| self.take_back(key));
    }

    /// The packets that the kernel has forwarded since the last call, in the order of their times.
    pub fn take_uses(&mut self) -> Vec<Uncounted<D>> {
        let mut uncounted = mem::take(&mut self.taken_back);
        for known in self.known.values_mut() {
            let new = use_of(&self.uses, known.number);
            uncounted.extend(known.take(new));
        }
        uncounted.sort_unstable_by_key(|uncounted| uncounted.last);
        uncounted
    }

    /// Measures the rates of the flows. Flows of many small datagrams go to the router, and return
    /// to the kernel when they are calm.
    pub fn measure(&mut self, now: Time) {
        let span = now.since(self.measured_at);
        if span >= RATE_INTERVAL {
            self.measured_at = now;
            let most = BUSY_RATE * span.as_millis() as u64 / 1000;
            let mut busy = Vec::new();
            for (key, known) in &mut self.known {
                let now = use_of(&self.uses, known.number);
                let packets = now.packets - known.measured.packets;
                let octets = now.octets - known.measured.octets;
                known.measured = now;
                if known.is_udp && packets > most && octets < packets * SMALL {
                    busy.push(*key);
                }
            }
            for key in busy {
                self.take_back(&key);
                self.kept.insert(key, u64::MAX / 2);
            }
        }
        let span = now.since(self.calm_at);
        if span >= CALM_INTERVAL {
            self.calm_at = now;
            let least = BUSY_RATE / 2 * span.as_millis() as u64 / 1000;
            self.kept.retain(|_, packets| mem::take(packets) >= least);
        }
    }
}

impl<D: Copy> Known<D> {
    /// Returns the packets that were not counted yet, if the use of the flow is `new`.
    fn take(&mut self, new: Use) -> Option<Uncounted<D>> {
        let old = mem::replace(&mut self.counted, new);
        let load = Load { packets: new.packets - old.packets, bytes: new.octets - old.octets };
        (load.packets > 0).then_some(Uncounted { data: self.data, load, last: new.last })
    }
}

fn use_of(uses: &SharedArray<Use, FLOWS>, number: u32) -> Use {
    let word = |word| uses.read(number as usize, word);
    Use { packets: word(0), octets: word(1), last: word(LAST) }
}

#[cfg(test)]
mod tests;
