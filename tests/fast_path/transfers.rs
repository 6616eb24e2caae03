//! A long transfer through the fast path of two routers.

use crate::kernel_objects::Programs;
use crate::live::{Live, can_run};
use crate::transfer::transfer;

/// The size of the transfer over a link with losses, in MiB. `EIDWAY_TRANSFER_MIB` can set another
/// size.
const LOSSY_TRANSFER: usize = 16;

#[test]
fn a_transfer_in_the_kernel_over_a_core_that_loses_one_percent_arrives_whole() {
    if !can_run() {
        return;
    }
    let mib = std::env::var("EIDWAY_TRANSFER_MIB").ok().and_then(|text| text.parse().ok());
    let mib = mib.unwrap_or(LOSSY_TRANSFER);
    let live = Live::up("two-sites", "fastloss");
    for device in ["eth0", "eth1"] {
        live.verb("link-loss", &["Core", device, "100"]);
    }
    for address in ["192.168.0.22", "2001:db8:b::22"] {
        let programs = ["xTR1", "xTR2"]
            .map(|router| Programs::of_process(live.processes(router).trim().parse().unwrap()));
        let before = programs.each_ref().map(Programs::hits);
        transfer(&live, address, mib);
        // Most packets of the sender carry 1,400 octets, and half of the packets can be misses.
        let least = (mib << 20) as u64 / 1500 / 2;
        let now = programs.each_ref().map(Programs::hits);
        let hits = [now[0][0] - before[0][0], now[1][1] - before[1][1]];
        eprintln!("{address}: {mib} MiB, {hits:?} packets in the kernels");
        assert!(hits.iter().all(|hits| *hits >= least), "{hits:?} of {least}");
        let rules = live.shell("Core", "nft list ruleset");
        let lost = |line: &str| line.contains("counter packets") && !line.contains("packets 0 ");
        assert!(rules.lines().any(lost), "nothing was lost: {rules}");
    }
}
