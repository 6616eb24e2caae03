//! The flows of one direction that the kernel may forward.
//!
//! Each packet that goes up to the router is counted twice: by the program in the kernel, in the
//! word of its flow, and here, when the router has read it. If both numbers are equal, no packet of
//! the flow is on its way up. Only then the kernel may forward the next packets: otherwise they
//! would overtake the packets on their way.

use std::collections::HashMap;
use std::hash::Hash;
use std::io;
use std::sync::atomic::Ordering;

use aya::Pod;
use aya::maps::{HashMap as KernelMap, MapData, MapError};

use super::memory::SharedArray;
use super::shared::{COUNT, FLOWS, Flow, INSTALLED, PLACES, Use};
use crate::packet::Load;

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
    /// For each word, the number of packets that the router has read.
    read: Box<[u32]>,
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
            read: vec![0; PLACES].into_boxed_slice(),
        }
    }

    /// Counts a packet that went up to the router.
    pub fn came_up(&mut self, flow: &Flow) {
        let read = &mut self.read[flow.place()];
        *read = read.wrapping_add(1);
    }

    /// Whether the kernel has sent up no packet of the flow that the router has not read.
    pub fn is_settled(&self, flow: &Flow) -> bool {
        self.words.read(flow.place(), 0) & COUNT == u64::from(self.read[flow.place()])
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
        data: D,
        verdict: impl FnOnce(u32) -> V,
    ) -> io::Result<()> {
        let number = match self.known.get(&key) {
            Some(known) => known.number,
            None => match self.free.pop() {
                Some(number) => number,
                None => return Err(io::ErrorKind::StorageFull.into()),
            },
        };
        if let Err(error) = self.verdicts.insert(key, verdict(number), 0) {
            self.free.push(number);
            self.known.remove(&key);
            return Err(io::Error::other(error));
        }
        let counted = self.known.get(&key).map(|known| known.counted);
        let counted = counted.unwrap_or_else(|| self.use_of(number));
        self.known.insert(key, Known { number, epoch, data, counted });
        Ok(())
    }

    /// Lets the kernel forward the next packets of a flow. Returns false if a packet of the flow is
    /// on its way up, or if the kernel forwards another flow with the same word.
    pub fn hand_over(&mut self, flow: &Flow) -> bool {
        let word = self.words.word(flow.place(), 0);
        let now = word.load(Ordering::Acquire);
        if now & INSTALLED != 0 || now & COUNT != u64::from(self.read[flow.place()]) {
            return false;
        }
        let handed_over = flow.installed() | now & COUNT;
        word.compare_exchange(now, handed_over, Ordering::AcqRel, Ordering::Acquire).is_ok()
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
        if let Some(known) = self.known.remove(key) {
            self.free.push(known.number);
        }
        match self.verdicts.remove(key) {
            Ok(()) | Err(MapError::KeyNotFound) => {}
            Err(error) => log::debug!("fast path: the kernel keeps a flow: {error}"),
        }
    }

    /// The packets that the kernel has forwarded since the last call.
    pub fn take_uses(&mut self) -> Vec<Uncounted<D>> {
        let mut uncounted = Vec::new();
        for known in self.known.values_mut() {
            let number = known.number as usize;
            let packets = self.uses.read(number, 0);
            if packets == known.counted.packets {
                continue;
            }
            let new = Use { packets, octets: self.uses.read(number, 1), last: self.uses.read(number, 2) };
            let load = Load {
                packets: new.packets - known.counted.packets,
                bytes: new.octets - known.counted.octets,
            };
            known.counted = new;
            uncounted.push(Uncounted { data: known.data, load, last: new.last });
        }
        uncounted
    }

    fn use_of(&self, number: u32) -> Use {
        let word = |word| self.uses.read(number as usize, word);
        Use { packets: word(0), octets: word(1), last: word(2) }
    }
}
