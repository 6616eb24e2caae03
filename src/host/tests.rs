use std::time::Duration;

use super::ping::Count;
use super::*;

fn host(addresses: &[&str], gateways: &[&str]) -> Host {
    let config = HostConfig {
        name: "C".to_owned(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        gateways: gateways.iter().map(|text| text.parse().unwrap()).collect(),
        mtu: 1500,
        mac: None,
    };
    Host::new(config, &Seed::from_number(1), Time::ZERO).unwrap()
}

/// Carries frames between two hosts, until neither host sends another frame. The time does not
/// advance.
fn exchange(a: &mut Host, b: &mut Host, now: Time) {
    a.poll(now);
    b.poll(now);
    loop {
        let mut carried = false;
        while let Some(packet) = a.poll_output() {
            b.handle(&packet, now);
            carried = true;
        }
        while let Some(packet) = b.poll_output() {
            a.handle(&packet, now);
            carried = true;
        }
        if !carried {
            break;
        }
    }
}

const GATEWAY: HardwareAddress = [2, 0, 0, 0, 0, 0xfe];

/// Sends a request of `neighbour` for the hardware address of the host. After that, the host and
/// the neighbour know each other's hardware addresses.
fn meet(host: &mut Host, neighbour: &str) {
    let neighbour: IpAddr = neighbour.parse().unwrap();
    let mut own = host.config.addresses.iter().map(IpNet::addr);
    let own = own.find(|own| own.is_ipv4() == neighbour.is_ipv4()).unwrap();
    let asks = link::solicitation(GATEWAY, Some(neighbour), own, None).unwrap();
    host.handle(&asks, Time::ZERO);
    assert!(host.poll_output().is_some(), "it answers");
}

#[test]
fn hosts_answer_each_other_in_both_families() {
    let mut a = host(&["10.0.0.1/24", "2001:db8::1/64"], &[]);
    let mut b = host(&["10.0.0.2/24", "2001:db8::2/64"], &[]);
    for destination in ["10.0.0.2", "2001:db8::2"] {
        let id = a.start_ping(PingRequest::new(destination.parse().unwrap()));
        exchange(&mut a, &mut b, Time::from_secs(1));
        let report = a.stop_ping(id).unwrap();
        assert!(report.is_done());
        assert_eq!(report.marks(), "!!!!!", "{destination}");
    }
}

#[test]
fn an_echo_has_the_size_asked_for() {
    let mut a = host(&["10.0.0.1/24", "2001:db8::1/64"], &[]);
    for destination in ["10.0.0.2", "2001:db8::2"] {
        meet(&mut a, destination);
        a.start_ping(PingRequest::new(destination.parse().unwrap()));
        a.poll(Time::ZERO);
        assert_eq!(a.poll_output().unwrap().len(), 14 + 100, "{destination}");
    }
}

#[test]
fn an_unanswered_echo_times_out_and_the_next_leaves() {
    let mut a = host(&["10.0.0.1/24"], &["10.0.0.254"]);
    meet(&mut a, "10.0.0.254");
    let request = PingRequest { count: Count::Of(2), ..PingRequest::new([172, 16, 0, 1].into()) };
    let id = a.start_ping(request);
    let mut now = Time::ZERO;
    let mut sent = Vec::new();
    while !a.ping(id).unwrap().is_done() {
        a.poll(now);
        while a.poll_output().is_some() {
            sent.push(now);
        }
        now = a.poll_timeout(now).map_or(now, |deadline| deadline.at);
    }
    assert_eq!(a.ping(id).unwrap().marks(), "..");
    assert_eq!(sent, [Time::ZERO, Time::from_secs(2)]);
}

#[test]
fn a_steady_pace_does_not_wait_for_answers() {
    let mut a = host(&["10.0.0.1/24"], &["10.0.0.254"]);
    meet(&mut a, "10.0.0.254");
    let request = PingRequest {
        count: Count::Of(3),
        pace: Pace::Every(Duration::from_millis(100)),
        ..PingRequest::new([172, 16, 0, 1].into())
    };
    a.start_ping(request);
    for millis in [0, 100, 200] {
        a.poll(Time(millis * 1000));
        assert!(a.poll_output().is_some(), "{millis}");
        assert!(a.poll_output().is_none(), "{millis}");
    }
}

#[test]
fn an_endless_ping_goes_on_after_65535_echos() {
    let mut a = host(&["10.0.0.1/24"], &["10.0.0.254"]);
    meet(&mut a, "10.0.0.254");
    let id = a.start_ping(PingRequest {
        count: Count::Endless { kept: 8 },
        timeout: Duration::from_millis(5),
        pace: Pace::Every(Duration::from_millis(1)),
        ..PingRequest::new([172, 16, 0, 1].into())
    });
    let last = 66_000;
    for millis in 0..last {
        a.poll(Time(millis * 1000));
        while a.poll_output().is_some() {}
    }
    let report = a.ping(id).unwrap();
    assert_eq!((report.sent(), report.answered()), (last, 0));
    assert_eq!(report.probes.len(), 8);
}

#[test]
fn the_next_hop_is_the_neighbour_or_the_gateway() {
    let a = host(&["10.0.0.1/24", "2001:db8::1/64"], &["10.0.0.254"]);
    let next_hop = |text: &str| a.next_hop(text.parse().unwrap());
    assert_eq!(next_hop("10.0.0.9"), Some([10, 0, 0, 9].into()));
    assert_eq!(next_hop("10.0.1.9"), Some([10, 0, 0, 254].into()));
    assert_eq!(next_hop("2001:db8:1::1"), None);
}

#[test]
fn what_cannot_leave_is_said_at_once() {
    let mut a = host(&["10.0.0.1/24"], &[]);
    let off_link = a.start_ping(PingRequest::new([172, 16, 0, 1].into()));
    let large = a.start_ping(PingRequest {
        size: 1501,
        count: Count::Of(1),
        ..PingRequest::new([10, 0, 0, 2].into())
    });
    a.poll(Time::ZERO);
    assert_eq!(a.ping(off_link).unwrap().marks(), "UUUUU");
    assert_eq!(a.ping(large).unwrap().probes[0].outcome, Outcome::TooBig(1500));
}

#[test]
fn a_host_is_refused_what_its_stack_cannot_hold() {
    let config = |addresses: usize, gateways: &[&str]| HostConfig {
        name: "C".to_owned(),
        addresses: (1..=addresses)
            .map(|last| format!("10.0.0.{last}/24").parse().unwrap())
            .collect(),
        gateways: gateways.iter().map(|text| text.parse().unwrap()).collect(),
        mtu: 1500,
        mac: None,
    };
    let new = |config| Host::new(config, &Seed::from_number(1), Time::ZERO).map(|_| ());
    let most = smoltcp::config::IFACE_MAX_ADDR_COUNT;
    assert_eq!(new(config(most, &["10.0.0.254"])), Ok(()));
    let too_many = Err(HostError::TooManyAddresses(most));
    assert_eq!(new(config(most + 1, &[])), too_many);
    let second: IpAddr = [10, 0, 0, 253].into();
    assert_eq!(
        new(config(1, &["10.0.0.254", "10.0.0.253"])),
        Err(HostError::SecondGateway(second))
    );
}

#[test]
fn a_host_that_is_asked_for_is_found_and_one_that_is_not_there_is_sought_three_times() {
    let mut a = host(&["10.0.0.1/24", "2001:db8::1/64"], &[]);
    for absent in ["10.0.0.2", "2001:db8::2"] {
        let request =
            PingRequest { count: Count::Of(1), ..PingRequest::new(absent.parse().unwrap()) };
        a.start_ping(request);
        let mut asked = Vec::new();
        for second in 0..6 {
            a.poll(Time::from_secs(second));
            while let Some(frame) = a.poll_output() {
                assert!(frame::is_group(*frame.first_chunk().unwrap()), "{absent}");
                asked.push(second);
            }
        }
        assert_eq!(asked, [0, 1, 2], "{absent}");
    }
}

#[test]
fn a_host_that_is_plugged_in_says_where_it_is() {
    let mut a = host(&["10.0.0.1/24", "2001:db8::1/64"], &[]);
    let mut b = host(&["10.0.0.2/24", "2001:db8::2/64"], &[]);
    for neighbour in ["10.0.0.2", "2001:db8::2"] {
        meet(&mut a, neighbour);
        assert_eq!(a.neighbours().mac(neighbour.parse().unwrap()), Some(GATEWAY));
    }
    let mac = b.mac();
    b.plug_in(Time::ZERO);
    let frames: Vec<Vec<u8>> = std::iter::from_fn(|| b.poll_output()).collect();
    assert_eq!(frames.len(), 2);
    for frame in frames {
        a.handle(&frame, Time::ZERO);
    }
    for neighbour in ["10.0.0.2", "2001:db8::2"] {
        assert_eq!(a.neighbours().mac(neighbour.parse().unwrap()), Some(mac), "{neighbour}");
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: c\r\n\r\n";

fn port(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

#[test]
fn a_host_serves_a_page_that_names_it_in_both_families() {
    let mut a = host(&["10.0.0.1/24", "2001:db8::1/64"], &[]);
    let mut c = host(&["10.0.0.2/24", "2001:db8::2/64"], &["10.0.0.254"]);
    for address in ["10.0.0.2", "2001:db8::2"] {
        let id = a.start_exchange(port(address, apps::HTTP_PORT), REQUEST).unwrap();
        exchange(&mut a, &mut c, Time::ZERO);
        let page = a.stop_exchange(id).unwrap();
        assert_eq!(page.phase, Phase::Done);
        let text = String::from_utf8(page.received).unwrap();
        for part in ["200 OK", "Host C", "address 10.0.0.2/24", "router 10.0.0.254"] {
            assert!(text.contains(part), "{part:?} is not in {text}");
        }
    }
}

#[test]
fn a_server_is_there_for_one_client_after_the_other() {
    let mut a = host(&["10.0.0.1/24"], &[]);
    let mut c = host(&["10.0.0.2/24"], &[]);
    for turn in 0..20 {
        let id = a.start_exchange(port("10.0.0.2", apps::HTTP_PORT), REQUEST).unwrap();
        exchange(&mut a, &mut c, Time::ZERO);
        assert_eq!(a.stop_exchange(id).unwrap().phase, Phase::Done, "{turn}");
    }
}

#[test]
fn of_idle_connections_the_one_idle_for_longest_makes_room() {
    let mut a = host(&["10.0.0.1/24"], &[]);
    let mut c = host(&["10.0.0.2/24"], &[]);
    let echo = port("10.0.0.2", apps::ECHO_PORT);
    let mut open = Vec::new();
    for second in 0..2 * server::PLACES as u64 {
        let id = a.start_exchange(echo, b"x").unwrap();
        exchange(&mut a, &mut c, Time::from_secs(second));
        assert_eq!(a.exchange(id).unwrap().received, b"x", "{second}");
        open.push(id);
    }
    let now = Time::from_secs(20);
    for &id in &open {
        a.say(id, b"y");
    }
    exchange(&mut a, &mut c, now);
    let answered = |id: &&ExchangeId| a.exchange(**id).unwrap().received == b"xy";
    let kept: Vec<&ExchangeId> = open.iter().filter(answered).collect();
    assert_eq!(kept, open.iter().rev().take(server::PLACES - 1).rev().collect::<Vec<_>>());
}

#[test]
fn a_connection_without_traffic_ends() {
    let mut a = host(&["10.0.0.1/24"], &[]);
    let mut c = host(&["10.0.0.2/24"], &[]);
    let id = a.start_exchange(port("10.0.0.2", apps::ECHO_PORT), b"x").unwrap();
    exchange(&mut a, &mut c, Time::ZERO);
    for second in 1..=59 {
        exchange(&mut a, &mut c, Time::from_secs(second));
    }
    assert_eq!(a.exchange(id).unwrap().phase, Phase::Open);
    let deadline = c.poll_timeout(Time::from_secs(59)).unwrap();
    assert!(deadline.at <= Time::from_secs(60), "{deadline:?}");
    c.poll(Time::from_secs(60));
    a.say(id, b"y");
    exchange(&mut a, &mut c, Time::from_secs(60));
    assert_eq!(a.exchange(id).unwrap().phase, Phase::Broken);
}

#[test]
fn segments_with_forged_sources_do_not_shut_a_port() {
    let mut a = host(&["10.0.0.1/24"], &[]);
    let mut c = host(&["10.0.0.2/24"], &[]);
    for forged in 0..1000_u16 {
        let source = [10, 0, 0, 3 + (forged % 200) as u8];
        let builder = etherparse::PacketBuilder::ipv4(source, [10, 0, 0, 2], 64);
        let builder = builder.tcp(1024 + forged, apps::HTTP_PORT, u32::from(forged), 1000).syn();
        let mut packet = Vec::new();
        builder.write(&mut packet, &[]).unwrap();
        c.handle(&frame::ip_frame(c.mac(), GATEWAY, packet), Time(u64::from(forged)));
    }
    while c.poll_output().is_some() {}
    let id = a.start_exchange(port("10.0.0.2", apps::HTTP_PORT), REQUEST).unwrap();
    exchange(&mut a, &mut c, Time(1000));
    assert_eq!(a.exchange(id).unwrap().phase, Phase::Done);
}

#[test]
fn tcp_is_echoed_until_the_host_is_plugged_in_elsewhere() {
    let mut a = host(&["10.0.0.1/24"], &[]);
    let mut c = host(&["10.0.0.2/24"], &[]);
    let echo = port("10.0.0.2", apps::ECHO_PORT);
    let id = a.start_exchange(echo, b"before").unwrap();
    exchange(&mut a, &mut c, Time::ZERO);
    assert_eq!(a.exchange(id).unwrap().received, b"before");
    c.plug_in(Time::ZERO);
    a.say(id, b"after");
    exchange(&mut a, &mut c, Time::from_secs(1));
    let old = a.stop_exchange(id).unwrap();
    assert_eq!((old.phase, old.received.as_slice()), (Phase::Broken, &b"before"[..]));
    let id = a.start_exchange(echo, b"anew").unwrap();
    exchange(&mut a, &mut c, Time::from_secs(1));
    assert_eq!(a.exchange(id).unwrap().received, b"anew");
}

#[test]
fn udp_is_echoed_but_not_to_another_echo_server() {
    let mut c = host(&["10.0.0.2/24"], &[]);
    meet(&mut c, "10.0.0.1");
    let datagram = |source_port| {
        let builder = etherparse::PacketBuilder::ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64);
        let builder = builder.udp(source_port, apps::ECHO_PORT);
        let mut packet = Vec::new();
        builder.write(&mut packet, b"hello").unwrap();
        frame::ip_frame(c.mac(), GATEWAY, packet)
    };
    let (asked, forged) = (datagram(4000), datagram(apps::ECHO_PORT));
    c.handle(&asked, Time::ZERO);
    assert!(c.poll_output().unwrap().ends_with(b"hello"));
    c.handle(&forged, Time::ZERO);
    assert_eq!(c.poll_output(), None);
}

#[test]
fn a_host_at_rest_has_no_deadline() {
    let mut c = host(&["10.0.0.2/24", "2001:db8::2/64"], &["10.0.0.1"]);
    c.poll(Time::ZERO);
    assert_eq!(c.poll_timeout(Time::ZERO), None);
}
