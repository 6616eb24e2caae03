//! A large lab, with a group of calls for each core at the same time. `benches/scale.sh` measures a
//! larger one.

use crate::live::*;

#[test]
fn fifty_sites_with_two_hosts_each_come_up_and_nothing_is_left() {
    if !can_run() {
        return;
    }
    let live = Live::named("large");
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().to_str().unwrap();
    let options = ["--sites", "50", "--hosts", "2", "--to", folder];
    expect_success(&eidway(&[&["lab", "new", &live.name], &options[..]].concat()));
    let lab = format!("{folder}/{}", live.name);
    expect_success(&eidway(&["lab", "up", &lab]));
    // 51 routers, 100 hosts, the core and the switch.
    let namespaces = live.remains().iter().filter(|it| it.starts_with("eidway-")).count();
    assert_eq!(namespaces, 153);
    for (from, to) in [("H50_2", "H1"), ("H1", "H25_2"), ("H25", "H50")] {
        assert_eq!(live.ping(from, to, &[]), "!!!!!", "{from} to {to}");
    }
    let sites = live.console("MSMR", &["show lisp site"]);
    assert_eq!(sites.matches("100.64.").count(), 50, "{sites}");
    expect_success(&live.lab("down", &[]));
    assert!(live.remains().is_empty(), "{:?}", live.remains());
}
