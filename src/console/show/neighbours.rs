//! `show arp` and `show ipv6 neighbors`: the neighbours that the kernel has reported.

use std::net::IpAddr;
use std::ops::Bound;

use super::columns::Columns;
use super::{ROWS_A_TURN, Rows, Table};
use crate::addr::Family;
use crate::console::view::neighbours::{Head, NeighbourRow};
use crate::router::Router;
use crate::router::config::InterfaceName;
use crate::time::Time;

/// The neighbours of a family.
#[derive(Debug)]
pub struct NeighbourTable {
    family: Family,
    after: Option<(InterfaceName, IpAddr)>,
}

impl NeighbourTable {
    /// All neighbours of a family.
    pub fn new(family: Family) -> Self {
        NeighbourTable { family, after: None }
    }
}

impl Table for NeighbourTable {
    type Head = Head;
    type Row = NeighbourRow;

    fn head(&self, _: &Router, _: Time) -> Result<Head, String> {
        Ok(Head { family: self.family })
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<NeighbourRow> {
        let from = self.after.map_or(Bound::Unbounded, Bound::Excluded);
        let neighbours = router.mobility().neighbours().uses((from, Bound::Unbounded));
        let (mut rows, mut seen) = (Vec::new(), 0);
        for (&(interface, address), mac, used_at) in neighbours.take(ROWS_A_TURN) {
            self.after = Some((interface, address));
            seen += 1;
            if Family::of(address) == self.family {
                let age = Some(now.since(used_at).as_secs() / 60);
                rows.push(NeighbourRow { address, age, mac: mac.to_string(), interface });
            }
        }
        Rows { rows, finished: seen < ROWS_A_TURN }
    }

    fn head_text(&self, head: &Head) -> String {
        match head.family {
            Family::Ipv4 => {
                ARP.line(["Protocol", "Address", "Age (min)", "Hardware Addr", "Type", "Interface"])
            }
            Family::Ipv6 => {
                NEIGHBOURS.line(["IPv6 Address", "Age", "Link-layer Addr", "State", "Interface"])
            }
        }
    }

    fn row_text(&mut self, row: &NeighbourRow) -> String {
        let age = row.age.map_or_else(|| "-".to_owned(), |age| age.to_string());
        let (address, interface) = (row.address.to_string(), row.interface.to_string());
        match row.address {
            IpAddr::V4(_) => {
                let age = format!("{age:>9}");
                ARP.line(["Internet", &address, &age, &row.mac, "ARPA", &interface])
            }
            IpAddr::V6(_) => {
                let age = format!("{age:>3}");
                NEIGHBOURS.line([&address, &age, &row.mac, "REACH", &interface])
            }
        }
    }
}

/// The widths of the columns, as in IOS.
const ARP: Columns<6> = Columns::of([10, 16, 11, 16, 7, 0]);
const NEIGHBOURS: Columns<5> = Columns::of([40, 4, 16, 6, 0]);
