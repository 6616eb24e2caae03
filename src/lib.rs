//! Eidway: a LISP (Locator/ID Separation Protocol) virtual router for labs.
//!
//! One program is an xTR, a proxy xTR, a map-server, a map-resolver or any mix of them. Many run
//! side by side in Linux network namespaces, or in one thread on virtual time, and make a LISP
//! network on one machine.
//!
//! # The path of a packet
//!
//! ```text
//!   host A                                                              host B
//!     │ 172.16.0.12 → 192.168.0.22                                        ▲
//!     ▼                                                                   │
//!   kernel: default route into lisp0                  kernel: connected route
//!     │                                                                   ▲
//!     ▼ lisp0                                                       lisp0 │
//!   ITR  router/itr.rs                                    router/etr.rs  ETR
//!     │ map-cache ── hit ──▶ Encapsulate                     database: is it
//!     │           ── miss ─▶ hold it, ask                    ours? RIB: is there
//!     │           ── none ─▶ Native, or Drop(reason)         a route? else drop
//!     │                                                                   ▲
//!     ▼ UDP 4341, from RLOC to RLOC                                       │
//!     └──────────────── kernel ─── the core knows no EID ─── kernel ──────┘
//!
//!   ITR ── Map-Request in an ECM, UDP 4342 ──▶ map-resolver, map-server ──▶ ETR
//!    ▲                                          (a hole: a negative reply)    │
//!    └──────────────────────────── Map-Reply ─────────────────────────────────┘
//! ```
//!
//! # Three rings
//!
//! Imports point inward; `tests/rings` reads the sources and checks this.
//!
//! 1. [`wire`] handles only bytes; [`capture`] queries packets with Wireshark's field names.
//! 2. [`router`] is the protocol, [`host`] an emulated host, [`console`] the IOS-style language,
//!    [`record`] the recording of a router's inputs and outputs, to be replayed. None has a
//!    socket, a clock, a random source or a thread. They receive inputs and the time, and return
//!    outputs and the next deadline. The same input gives the same octets.
//! 3. [`lab`] describes labs. [`sim`] runs a lab on virtual time, [`netns`] in Linux network
//!    namespaces; neither imports the other. [`driver`] runs a router in one mio event loop on
//!    Linux. [`private`] protects the files of [`netns`] and [`driver`] from other users of the
//!    machine. These three are for Linux only; all other modules also build for the browser.
//!
//! # Reading order
//!
//! [`addr`] and [`time`] (the vocabulary), [`router::io`] (all inputs and outputs of the core),
//! [`router`] (the dispatch) with one file for each of its roles, as `src/router/README.md` shows;
//! then [`wire`] for the octets, [`driver`] for the machine, [`console`] for the language, and
//! [`sim`].
//!
//! # Standards
//!
//! RFC 9300 (data plane), RFC 9301 (control plane), RFC 6832 (interworking: proxy ITR and ETR),
//! RFC 8060 (LCAF), RFC 9735 (names: carried, not used), RFC 6040 (ECN in tunnels), RFC 6935 (zero
//! UDP checksums over IPv6). Not implemented: RFC 9303 (LISP-SEC) and RFC 8111 (DDT). Where the
//! standards leave a choice, Eidway follows Cisco's IOS, because its readers know IOS output.

pub mod addr;
pub mod capture;
pub mod checksum;
pub mod console;
#[cfg(target_os = "linux")]
pub mod driver;
pub mod host;
pub mod lab;
#[cfg(target_os = "linux")]
pub mod netns;
pub mod packet;
pub mod prefix_map;
#[cfg(target_os = "linux")]
pub mod private;
pub mod record;
pub mod rng;
pub mod router;
pub mod sim;
pub mod time;
pub mod wire;
