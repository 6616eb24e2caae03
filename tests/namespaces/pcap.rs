//! Captures of the simulator, read by tshark.

use std::fs::File;
use std::io::BufWriter;
use std::process::Command;
use std::time::Duration;

use eidway::host::ping::PingRequest;
use eidway::netns::open::open;
use eidway::rng::Seed;
use eidway::sim::{Sim, ping};

#[test]
fn tshark_reads_what_crosses_a_simulated_port() {
    let lab = open("gsmr", None).unwrap();
    let mut sim: Sim = ping::lab_start(&lab, Seed::from_number(1)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("packets.pcap");
    let file = BufWriter::new(File::create(&path).unwrap());
    let capture = sim.capture_to("xTR1", "et0-0", file).unwrap();
    sim.run_until_registered().unwrap();
    sim.run_for(Duration::from_secs(5));
    let request = PingRequest::new([172, 16, 0, 12].into());
    assert_eq!(sim.ping("B", request).unwrap().marks(), "!!!!!");
    sim.end_capture(capture);
    let fields = ["frame.time_epoch", "frame.protocols", "_ws.malformed", "ip.checksum.status"];
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(&path).args(["-o", "ip.check_checksum:TRUE", "-T", "fields"]);
    tshark.args(fields.iter().flat_map(|field| ["-e", field]));
    let Ok(output) = tshark.output() else {
        let skip = std::env::var_os("EIDWAY_ALLOW_SKIP").is_some();
        assert!(skip, "tshark is not installed; EIDWAY_ALLOW_SKIP=1 skips this test");
        return eprintln!("SKIPPED: tshark is not installed");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    for protocol in ["eth:ethertype:arp", "udp:lisp", "tcp:lisp-tcp", "udp:lisp-data:ip:icmp"] {
        assert!(text.contains(protocol), "no {protocol}\n{text}");
    }
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        assert!(fields[0].starts_with("17672256"), "{line}");
        assert!(fields[2].is_empty(), "malformed: {line}");
        assert!(!fields[3].split(',').any(|status| status == "0"), "checksum: {line}");
    }
}
