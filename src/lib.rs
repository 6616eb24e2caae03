//! Eidway: a LISP (Locator/ID Separation Protocol) virtual router for labs.
//!
//! One program is an xTR, a proxy xTR, a map-server, a map-resolver, or several of these. Many
//! routers run on one machine, in Linux network namespaces or in one thread on virtual time.
//! Together they are a LISP network.
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
//! Imports go only from an outer ring to an inner ring. `tests/rings` reads the sources and checks
//! this.
//!
//! 1. [`wire`] handles only octets. [`capture`] queries packets with Wireshark's field names.
//! 2. [`router`] implements the protocol. [`host`] implements an emulated host. [`console`]
//!    implements the command language in the style of IOS. [`record`] records the inputs and
//!    outputs of a router and replays them. These modules have no socket, no clock, no random
//!    source and no thread. They receive inputs and the time, and return outputs and the next
//!    deadline. The same inputs always cause the same outputs, octet for octet.
//! 3. [`lab`] describes labs. [`sim`] runs a lab on virtual time. [`netns`] runs a lab in Linux
//!    network namespaces. [`sim`] and [`netns`] do not import each other. [`driver`] runs a router
//!    on Linux, in one mio event loop. [`private`] creates and opens files of [`netns`] and
//!    [`driver`], so that other users of the machine cannot change these files. [`watch`] describes
//!    the parts and the events of a lab as plain data. [`live`] shows this data in a browser while
//!    [`netns`] runs the lab, and captures the packets of the lab. [`netns`], [`driver`],
//!    [`private`] and [`live`] are for Linux only. All other modules can also be built for the
//!    browser.
//!
//! # Reading order
//!
//! First read [`addr`] and [`time`]: they define the basic types. Then read [`router::io`]: it
//! defines all inputs and outputs of the core. Then read [`router`]: it has one file for each role,
//! and `src/router/README.md` lists the roles. After that, read [`wire`] for the octets, [`driver`]
//! for Linux, [`console`] for the command language, and [`sim`].
//!
//! # Standards
//!
//! RFC 9300 (data plane), RFC 9301 (control plane), RFC 6832 (interworking: proxy ITR and ETR), RFC
//! 8060 (LCAF), RFC 9735 (Distinguished Names: carried in messages, but not used), RFC 6040 (ECN in
//! tunnels), RFC 6935 (zero UDP checksums over IPv6). Not implemented: RFC 9303 (LISP-SEC) and RFC
//! 8111 (DDT). If a standard allows several behaviours, Eidway behaves as Cisco's IOS does, because
//! users of Eidway know IOS.

pub mod addr;
pub mod capture;
pub mod checksum;
pub mod console;
#[cfg(target_os = "linux")]
pub mod driver;
pub mod host;
pub mod lab;
#[cfg(target_os = "linux")]
pub mod live;
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
pub mod watch;
pub mod wire;
