//! Plans that have violated a rule in the past, in their smallest form.

use crate::plan::Event::{Kill, LanDown, LanUp, Map, Move, Ping, Start, Unmap, WrongKey};
use crate::plan::How::{Atomic, Both, Gap};
use crate::plan::Plan;
use crate::shrink::violation;
use crate::topology::End::{At, Outside, Roamer};
use crate::topology::Kind::{New, Old};
use crate::topology::Router::Xtr;
use crate::topology::{Kind, Lan, Topology};

/// The smallest sites, behind one core router.
fn lab(servers: Vec<Kind>, lans: Vec<usize>) -> Topology {
    let (roamers, overlap, proxy, cores, delay_ms) = (0, false, false, 1, 0);
    Topology { servers, lans, roamers, overlap, proxy, cores, delay_ms }
}

fn holds(plan: &Plan) {
    if let Some(violation) = violation(plan) {
        panic!("{violation:?}");
    }
}

#[test]
fn a_roaming_host_is_withdrawn_when_its_lan_is_down() {
    for kind in [New, Old] {
        let topology = Topology { roamers: 1, ..lab(vec![kind], vec![1, 1]) };
        let events = vec![(13_517, LanDown(Lan(1, 0)))];
        holds(&Plan { seed: 16, topology, roamers_at: vec![1], events });
    }
}

#[test]
fn a_session_that_begins_is_told_of_the_more_specific_prefixes_that_others_have() {
    let topology = Topology { overlap: true, ..lab(vec![New], vec![1, 1, 1]) };
    holds(&Plan { seed: 13, topology, roamers_at: vec![], events: vec![] });
}

#[test]
fn a_prefix_with_a_hole_is_solicited_again_when_the_answer_for_the_rest_has_expired() {
    let topology = Topology { overlap: true, proxy: true, ..lab(vec![New], vec![1, 1]) };
    let events =
        vec![(14_041, Ping(At(Lan(0, 0)), Outside, false, 19)), (25_388, Unmap(Lan(0, 0)))];
    holds(&Plan { seed: 6, topology, roamers_at: vec![], events });
}

#[test]
fn a_move_that_overtakes_another_ends_it() {
    let topology = Topology { roamers: 1, ..lab(vec![New], vec![1, 1, 1, 1]) };
    let events = vec![(33_397, Move(0, 2, Gap(2789))), (33_624, Move(0, 3, Gap(737)))];
    holds(&Plan { seed: 6, topology, roamers_at: vec![3], events });
}

#[test]
fn a_killed_xtr_leaves_no_route_to_a_host_that_went_meanwhile() {
    let topology = Topology { roamers: 2, ..lab(vec![New], vec![1, 1, 1, 1]) };
    let events = vec![(5015, Kill(Xtr(0))), (13_616, Move(1, 3, Gap(51))), (23_632, Start(Xtr(0)))];
    holds(&Plan { seed: 32, topology, roamers_at: vec![1, 0], events });
    let topology = Topology { roamers: 1, ..lab(vec![New], vec![1, 1, 1, 1]) };
    let events = vec![
        (16_529, Move(0, 3, Both(1028))),
        (17_692, LanDown(Lan(1, 0))),
        (22_713, Move(0, 1, Both(751))),
        (28_298, Kill(Xtr(3))),
        (104_799, Move(0, 2, Atomic)),
    ];
    holds(&Plan { seed: 28, topology, roamers_at: vec![1], events });
}

#[test]
fn what_is_withdrawn_with_a_wrong_key_lapses_for_its_session_is_closed() {
    let topology = lab(vec![New, New], vec![1, 2]);
    let events = vec![(21_430, WrongKey(1, 1)), (28_805, LanDown(Lan(1, 1)))];
    holds(&Plan { seed: 53, topology, roamers_at: vec![], events });
}

#[test]
fn what_was_rejected_for_its_key_is_registered_with_the_right_one() {
    let topology = lab(vec![Old, New], vec![1, 1]);
    let events =
        vec![(13_353, Unmap(Lan(0, 0))), (24_950, WrongKey(0, 1)), (29_170, Map(Lan(0, 0)))];
    holds(&Plan { seed: 54, topology, roamers_at: vec![], events });
}

#[test]
fn an_xtr_that_gets_a_piece_of_its_prefix_back_does_not_cache_itself() {
    let lab = lab(vec![New], vec![1, 2]);
    let topology = Topology { roamers: 2, overlap: true, ..lab };
    let events = vec![
        (9377, Ping(Roamer(0), At(Lan(1, 1)), false, 2)),
        (11_469, Ping(Roamer(1), At(Lan(1, 0)), false, 56)),
        (54_648, Move(1, 0, Both(530))),
        (72_623, Unmap(Lan(1, 1))),
        (73_663, Map(Lan(1, 1))),
    ];
    holds(&Plan { seed: 165, topology, roamers_at: vec![0, 1], events });
}

#[test]
fn a_host_that_left_while_its_port_was_down_is_sought_elsewhere() {
    let topology = Topology { roamers: 1, ..lab(vec![New], vec![1, 1, 2]) };
    let events = vec![(3255, LanDown(Lan(2, 0))), (20_755, Move(0, 0, Gap(1906)))];
    holds(&Plan { seed: 333, topology, roamers_at: vec![2], events });
}

#[test]
fn a_packet_that_waits_for_a_neighbour_when_the_link_falls_is_counted() {
    let topology = Topology { overlap: true, proxy: true, ..lab(vec![New], vec![1, 2]) };
    let events = vec![
        (11_605, LanDown(Lan(1, 1))),
        (11_859, Ping(Outside, At(Lan(1, 1)), false, 18)),
        (12_443, LanDown(Lan(0, 0))),
    ];
    holds(&Plan { seed: 628, topology, roamers_at: vec![], events });
}

#[test]
fn who_has_withdrawn_a_prefix_forgets_the_piece_that_another_has() {
    let topology = Topology { overlap: true, ..lab(vec![New], vec![1, 2]) };
    for end in [LanDown(Lan(0, 0)), Unmap(Lan(0, 0))] {
        let events = vec![(7638, end), (9752, Unmap(Lan(1, 1)))];
        holds(&Plan { seed: 1035, topology: topology.clone(), roamers_at: vec![], events });
    }
}

#[test]
fn a_piece_of_a_prefix_without_route_has_a_path_once_the_route_is_back() {
    let topology = Topology { overlap: true, ..lab(vec![New], vec![2, 1]) };
    let down = vec![(17_475, LanDown(Lan(0, 0))), (22_720, Kill(Xtr(0)))];
    let back = [&down[..], &[(40_000, Start(Xtr(0))), (90_000, LanUp(Lan(0, 0)))]].concat();
    let key = vec![(28_269, WrongKey(0, 0)), (28_993, LanDown(Lan(0, 0)))];
    for events in [down, back, key] {
        holds(&Plan { seed: 1285, topology: topology.clone(), roamers_at: vec![], events });
    }
}

#[test]
fn what_is_cached_of_a_piece_that_its_own_lan_hides_is_nobodys_concern() {
    let topology = Topology { overlap: true, ..lab(vec![New], vec![2, 2]) };
    let events = vec![
        (2685, Ping(At(Lan(1, 1)), At(Lan(0, 0)), false, 4)),
        (11_288, Unmap(Lan(0, 0))),
        (27_137, LanDown(Lan(1, 1))),
    ];
    holds(&Plan { seed: 8175, topology, roamers_at: vec![], events });
}
