//! The configuration of OpenOverlayRouter for the topology. The two xTRs have static map-cache
//! entries for each other, so that only the data path is measured.

use std::net::Ipv4Addr;

use crate::topology::{XTR1, XTR2};

/// An xTR, its site, and the site of the other xTR.
pub struct Site {
    pub node: &'static str,
    rloc: Ipv4Addr,
    eids: &'static str,
    peer: Ipv4Addr,
    peer_eids: &'static str,
}

pub const SITES: [Site; 2] = [
    Site {
        node: "xTR1",
        rloc: XTR1,
        eids: "172.16.0.0/24",
        peer: XTR2,
        peer_eids: "192.168.0.0/24",
    },
    Site {
        node: "xTR2",
        rloc: XTR2,
        eids: "192.168.0.0/24",
        peer: XTR1,
        peer_eids: "172.16.0.0/24",
    },
];

pub fn config(site: &Site) -> String {
    let Site { rloc, eids, peer, peer_eids, .. } = site;
    format!(
        "debug = 0\n\
         map-request-retries = 2\n\
         operating-mode = xTR\n\
         encapsulation = LISP\n\
         rloc-probing {{\n rloc-probe-interval = 0\n}}\n\
         map-resolver = {{\n {peer}\n}}\n\
         nat_traversal_support = off\n\
         {}{}",
        mapping("database-mapping", eids, *rloc),
        mapping("static-map-cache", peer_eids, *peer),
    )
}

fn mapping(section: &str, eids: &str, rloc: Ipv4Addr) -> String {
    format!(
        "{section} {{\n eid-prefix = {eids}\n iid = 0\n rloc-address {{\n  address = {rloc}\n  \
         priority = 1\n  weight = 100\n }}\n}}\n"
    )
}
