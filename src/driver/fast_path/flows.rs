//! The flows of one direction that the kernel may forward.
//!
//! Each packet that goes up to the router is counted twice. The program in the kernel counts the
//! packet in the word of its flow. The router counts the packet here, after it has read the packet.
//! If both counts are equal, no packet of the flow is on its way up. The kernel may forward the
//! next packets of the flow only if the counts are equal. Otherwise the next packets would overtake
//! the packets that are on their way up.

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

/// The index of a word in a [`Use`]: the word with the time of the last packet.
const LAST: usize = 2;

/// The limit on the rate of a flow of small datagrams, in packets a second. The router itself
/// forwards a flow with a higher rate, because it reads and sends many small datagrams at once. The
/// kernel forwards them one by one.
const BUSY_RATE: u64 = 40_000;
/// A length in octets, including the IP header. A shorter datagram is small.
const SMALL: u64 = 512;
/// The minimum duration of a measurement of a flow's rate.
const RATE_INTERVAL: Duration = Duration::from_millis(200);
/// The kernel may forward a flow of small datagrams again after the flow's rate was below half of
/// [`BUSY_RATE`] for this time.
const CALM_INTERVAL: Duration = Duration::from_secs(1);
/// If the kernel has forwarded no packet of a flow for this time, another flow can get its word.
const IDLE: Duration = Duration::from_millis(100);
/// The number of samples that determine how many packets were lost on their way up to the router. A
/// sample is the difference of both counts at a time when no packet waits to be read. The smallest
/// difference is the number of lost packets. A packet that the program has just counted can be in
/// one sample, but not in all samples.
const LOSS_SAMPLES: u32 = 16;
/// The minimum time between two samples.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(1);

/// A flow whose verdict the kernel has.
#[derive(Debug)]
struct Known<D> {
    /// The index of the flow's [`Use`].
    number: u32,
    epoch: u64,
    /// The data that the router needs to count the packets of the flow.
    data: D,
    /// The value of the flow's [`Use`] when the router counted its packets last.
    counted: Use,
    /// The value of the flow's [`Use`] when the present measurement of the rate began.
    measured: Use,
    is_udp: bool,
}

/// The samples of the difference between both counts of a word: the smallest difference, and the
/// number of samples.
#[derive(Clone, Copy, Debug)]
struct Difference {
    smallest: i32,
    samples: u32,
    /// The time of the last sample on the monotonic clock, in nanoseconds.
    sampled_at: u64,
}

/// The packets of a flow that the router has not counted yet. The kernel has forwarded these
/// packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uncounted<D> {
    /// The data that the router needs to count the packets of the flow.
    pub data: D,
    /// The number of packets and octets.
    pub load: Load,
    /// The time of the last packet on the monotonic clock, in nanoseconds.
    pub last: u64,
}

/// The flows of one direction. `K` is the key of a flow in the kernel's map. `V` is the verdict on
/// a flow. `D` is the data that the router needs to count the packets of a flow.
#[derive(Debug)]
pub struct Flows<K, V, D> {
    verdicts: KernelMap<MapData, K, V>,
    words: SharedArray<u64, PLACES>,
    uses: SharedArray<Use, FLOWS>,
    known: HashMap<K, Known<D>>,
    /// The indices of [`Use`]s that belong to no flow.
    free: Vec<u32>,
    /// The uncounted packets of the flows that the kernel does not forward any more.
    taken_back: Vec<Uncounted<D>>,
    /// The number of packets that the router has read, for each word.
    read: Box<[u32]>,
    /// The flow that was handed over last, for each word.
    owners: HashMap<usize, K>,
    /// The words whose two counts differed at the last comparison. The key is the index of the
    /// word.
    differences: HashMap<usize, Difference>,
    /// The flows that the router forwards itself, because they have many small datagrams. The value
    /// is the number of the flow's packets since the last measurement.
    kept: HashMap<K, u64>,
    measured_at: Time,
    calm_at: Time,
}

impl<K: Pod + Eq + Hash + AsRef<Flow>, V: Pod, D: Copy> Flows<K, V, D> {
    /// Returns an object without flows. `verdicts`, `words` and `uses` are empty maps of the
    /// kernel.
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

    /// Returns the number of flows whose verdicts the kernel has.
    pub fn taught(&self) -> usize {
        self.known.len()
    }

    /// Returns the number of flows that the router forwards itself, because they have many small
    /// datagrams.
    pub fn kept(&self) -> usize {
        self.kept.len()
    }

    /// Counts a packet that went up to the router. Returns false if the router forwards the
    /// packet's flow itself, because the flow has many small datagrams.
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

    /// Returns true if the router has read all packets of the flow that the kernel has sent up.
    /// `is_drained` returns true if no packet waits to be read. If the two counts of the flow's
    /// word differ although no packet waits, the difference may be lost packets, and it becomes a
    /// sample. `now` is the present time on the monotonic clock, in nanoseconds.
    pub fn is_settled(&mut self, key: &K, now: u64, is_drained: impl FnOnce() -> bool) -> bool {
        let place = key.as_ref().place();
        // The count is read before `is_drained` is called. So if `is_drained` returns true, no
        // packet in this count still waits.
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

    /// Returns true if the kernel has the verdict on a flow, and the verdict belongs to this epoch.
    pub fn has(&self, key: &K, epoch: u64) -> bool {
        self.known.get(key).is_some_and(|known| known.epoch == epoch)
    }

    /// Writes the verdict on a flow to the kernel. The function `verdict` returns the verdict, and
    /// its argument is the index of the flow's `Use`. The kernel forwards the flow only after
    /// [`Flows::hand_over`].
    ///
    /// # Errors
    /// The kernel has no free memory for the verdict.
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

    /// Lets the kernel forward the next packets of a flow. `now` is the present time on the
    /// monotonic clock, in nanoseconds. Returns false in two cases:
    ///
    /// - A packet of the flow is still on its way up.
    /// - The kernel forwards another flow with the same word, and has forwarded a packet of that
    ///   other flow in the last 100 milliseconds.
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

    /// Stops the forwarding of a flow by the kernel: the next packets of the flow go up to the
    /// router. Removes the verdict on the flow from the kernel.
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
            Err(error) => {
                log::debug!("fast path: a flow cannot be removed from the kernel: {error}");
            }
        }
    }

    /// Takes back an eighth of all flows: the flows whose last forwarded packets are the oldest.
    fn take_back_oldest(&mut self) {
        #[allow(clippy::disallowed_methods, reason = "the flows are sorted by the time of use")]
        let known = self.known.iter();
        let mut flows: Vec<(u64, K)> =
            known.map(|(key, known)| (self.uses.read(known.number as usize, LAST), *key)).collect();
        flows.sort_unstable_by_key(|(last, _)| *last);
        flows.truncate(FLOWS / 8);
        flows.iter().for_each(|(_, key)| self.take_back(key));
    }

    /// Returns the packets that the kernel has forwarded since the last call. They are sorted by
    /// the time of the last packet of each flow.
    pub fn take_uses(&mut self) -> Vec<Uncounted<D>> {
        let mut uncounted = mem::take(&mut self.taken_back);
        for known in self.known.values_mut() {
            let new = use_of(&self.uses, known.number);
            uncounted.extend(known.take(new));
        }
        uncounted.sort_unstable_by_key(|uncounted| uncounted.last);
        uncounted
    }

    /// Measures the rates of the flows. Takes back the flows that have many small datagrams, so
    /// that the router forwards these flows. Lets the kernel forward such a flow again when its
    /// rate is low.
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
    /// Returns the packets that were not counted yet, or `None` if there are none. `new` is the
    /// present value of the flow's [`Use`].
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
