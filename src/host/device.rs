//! A smoltcp device with two queues: received frames, and frames to send.
//!
//! The medium of a device is a parameter, because a device can carry Ethernet frames or IP packets.
//! This code never reads the content of a frame.

use std::collections::VecDeque;

use smoltcp::phy::{self, DeviceCapabilities, Medium};
use smoltcp::time::Instant;

/// The maximum number of frames that wait in each queue. If a queue is full, further frames are
/// dropped, as in a network card.
const QUEUE_LIMIT: usize = 256;

/// The device of one host.
#[derive(Debug)]
pub struct QueueDevice {
    medium: Medium,
    /// The number of octets of the largest frame. As in smoltcp, this number includes the Ethernet
    /// header, if the frame has one.
    frame_size: usize,
    received: VecDeque<Vec<u8>>,
    to_send: VecDeque<Vec<u8>>,
    dropped: u64,
}

impl QueueDevice {
    /// Makes a device that carries IP packets of at most `mtu` octets.
    pub fn new(medium: Medium, mtu: usize) -> Self {
        let header = match medium {
            Medium::Ethernet => 14,
            Medium::Ip => 0,
        };
        QueueDevice {
            medium,
            frame_size: mtu + header,
            received: VecDeque::new(),
            to_send: VecDeque::new(),
            dropped: 0,
        }
    }

    /// Adds a frame from the network to the queue of received frames. If the queue is full, the
    /// frame is dropped, and the result is false.
    pub fn push_received(&mut self, frame: &[u8]) -> bool {
        let has_room = self.received.len() < QUEUE_LIMIT;
        match has_room {
            true => self.received.push_back(frame.to_vec()),
            false => self.dropped += 1,
        }
        has_room
    }

    /// Returns the next frame that the stack sends.
    pub fn pop_to_send(&mut self) -> Option<Vec<u8>> {
        self.to_send.pop_front()
    }

    /// Sends a frame that does not come from the stack.
    ///
    /// # Errors
    /// The queue is full. The result is the dropped frame.
    pub fn push_to_send(&mut self, frame: Vec<u8>) -> Result<(), Vec<u8>> {
        if self.to_send.len() < QUEUE_LIMIT {
            self.to_send.push_back(frame);
            return Ok(());
        }
        self.dropped += 1;
        Err(frame)
    }

    /// Returns the number of frames that were lost because a queue was full.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// One received frame.
#[derive(Debug)]
pub struct RxToken(Vec<u8>);

impl phy::RxToken for RxToken {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, read: F) -> R {
        read(&self.0)
    }
}

/// A place in the queue for one frame to send.
#[derive(Debug)]
pub struct TxToken<'a>(&'a mut VecDeque<Vec<u8>>);

impl phy::TxToken for TxToken<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, write: F) -> R {
        let mut frame = vec![0; len];
        let result = write(&mut frame);
        self.0.push_back(frame);
        result
    }
}

impl phy::Device for QueueDevice {
    type RxToken<'a> = RxToken;
    type TxToken<'a> = TxToken<'a>;

    fn receive(&mut self, _: Instant) -> Option<(RxToken, TxToken<'_>)> {
        if self.to_send.len() >= QUEUE_LIMIT {
            return None;
        }
        let frame = self.received.pop_front()?;
        Some((RxToken(frame), TxToken(&mut self.to_send)))
    }

    fn transmit(&mut self, _: Instant) -> Option<TxToken<'_>> {
        (self.to_send.len() < QUEUE_LIMIT).then_some(TxToken(&mut self.to_send))
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut capabilities = DeviceCapabilities::default();
        capabilities.medium = self.medium;
        capabilities.max_transmission_unit = self.frame_size;
        capabilities
    }
}
