//! Measures a running map-server that gets registrations and requests through real sockets.
//!
//! A few hundred messages are on their way at any time. The next message is sent when an answer
//! arrives. So no message is lost, and the measured rate is the rate of the map-server's answers.

use std::io::ErrorKind::{Interrupted, WouldBlock};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use eidway::addr::{Eid, EidPrefix, InstanceId, Rloc};
use eidway::wire::{
    Algorithm, CONTROL_PORT, Encapsulated, Key, LocatorRecord, MapRegister, MapRequest,
    MappingRecord, Nonce, XtrIdentity,
};
use ipnet::Ipv4Net;
use serde_json::{Value, json};

use crate::Outcome;
use crate::batch::{self, BATCH, Receiver};
use crate::topology::MSMR;
use crate::variant::Setting;

/// The number of hosts that are registered and then requested.
const HOSTS: u32 = 100_000;
/// The number of messages that wait for an answer at any time.
const WINDOW: usize = 512;
const BUFFERS: i32 = 8 << 20;
/// The address of the xTR that registers and asks. It is an address of the core node, beside the
/// map-server.
const OWN: Ipv4Addr = Ipv4Addr::new(209, 165, 201, 1);
const TIMEOUT: Duration = Duration::from_millis(500);

/// The number of answers per second, and per second of the map-server's CPU time.
struct Rate {
    by_time: f64,
    by_core: f64,
}

/// Registers [`HOSTS`] hosts again and again for `span`. Then requests them for `span`.
pub fn rates(setting: &Setting, span: Duration) -> Outcome<Value> {
    let socket = setting.topology.inside("core", || {
        let socket = UdpSocket::bind((OWN, CONTROL_PORT))?;
        socket.connect((MSMR, CONTROL_PORT))?;
        socket.set_read_timeout(Some(TIMEOUT))?;
        batch::enlarge_buffers(&socket, BUFFERS)?;
        Ok(socket)
    })?;
    let key = Key { algorithm: Algorithm::HmacSha1, secret: b"bench-key".to_vec(), key_id: 0 };
    // The messages are signed before the measurement, so that it does not include the signing. Each
    // host has at least one message.
    let registers: Vec<Vec<u8>> = (0..HOSTS).map(|host| register(host).emit_signed(&key)).collect();
    let registrations = answered(&socket, &registers, span, false, setting)?;
    let requests: Vec<Vec<u8>> = (0..HOSTS).map(request).collect();
    let requests = answered(&socket, &requests, span, true, setting)?;
    let both = |rate: &Rate| json!({ "per_second": rate.by_time, "per_cpu_second": rate.by_core });
    Ok(json!({ "registrations": both(&registrations), "requests": both(&requests) }))
}

/// Returns the figures as a line under the table.
pub fn sentence(rates: &Value) -> String {
    let rate = |what: &str, by: &str| rates[what][by].as_f64().unwrap_or(0.0);
    format!(
        "Map-server through sockets, {HOSTS} hosts: {:.0} registrations/s ({:.0} per CPU second), \
         {:.0} requests/s ({:.0} per CPU second).",
        rate("registrations", "per_second"),
        rate("registrations", "per_cpu_second"),
        rate("requests", "per_second"),
        rate("requests", "per_cpu_second"),
    )
}

/// Sends the messages once or repeatedly, for `span` at most. Counts the answers.
fn answered(
    socket: &UdpSocket,
    messages: &[Vec<u8>],
    span: Duration,
    repeat: bool,
    setting: &Setting,
) -> Outcome<Rate> {
    let mut receiver = Receiver::new();
    let (mut sent, mut answers, mut lost) = (0, 0, 0);
    let cpu_before = setting.map_server_seconds()?;
    let begin = Instant::now();
    while begin.elapsed() < span && (repeat || sent < messages.len()) {
        let room = (WINDOW + answers + lost - sent).min(BATCH);
        let at = sent % messages.len();
        let due = messages[at..].iter().take(room);
        if room > 0 {
            sent += batch::send(socket, due.map(Vec::as_slice))?;
        }
        match receiver.receive(socket) {
            Ok(datagrams) => answers += datagrams.count(),
            Err(error) if error.kind() == Interrupted => {}
            // A missing answer must not stop the loop.
            Err(error) if error.kind() == WouldBlock => lost = sent - answers,
            Err(error) => return Err(error.into()),
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    let cpu_seconds = setting.map_server_seconds()? - cpu_before;
    if lost > 0 {
        eprintln!("  map-server: {lost} of {sent} messages were not answered");
    }
    let answers = answers as f64;
    Ok(Rate { by_time: answers / seconds, by_core: answers / cpu_seconds.max(0.01) })
}

fn host(number: u32) -> EidPrefix {
    let address = Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(10, 0, 0, 0)) + number);
    EidPrefix::new(InstanceId::DEFAULT, Ipv4Net::from(address).into())
}

fn register(number: u32) -> MapRegister {
    let locator = LocatorRecord::unicast(OWN.into(), 1, 100);
    let record = MappingRecord::of_site(host(number), 1440, vec![locator]);
    MapRegister {
        want_map_notify: true,
        nonce: Nonce(u64::from(number) + 1),
        records: vec![record],
        xtr_identity: Some(XtrIdentity { xtr_id: 1, site_id: 0 }),
        ..MapRegister::default()
    }
}

/// A request as an ITR sends it to its map-resolver. The map-server forwards it to the ETR, which
/// is this program.
fn request(number: u32) -> Vec<u8> {
    let asked = host(number);
    let request = MapRequest {
        nonce: Nonce(u64::from(number)),
        source_eid: Some(Eid::new(InstanceId::DEFAULT, IpAddr::V4(OWN))),
        itr_rlocs: vec![Rloc(OWN.into())],
        records: vec![asked.into()],
        ..MapRequest::default()
    };
    let inner = SocketAddr::new(asked.network().address, CONTROL_PORT);
    Encapsulated::new(inner, inner, request.emit()).emit()
}
