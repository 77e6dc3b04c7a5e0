//! Frames of a guest's, and where they go.

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, Icmpv4DstUnreachable, Icmpv4Packet, Icmpv4Repr, TcpControl, TcpRepr, TcpSeqNumber,
};

use super::super::{GUEST, RESOLVER, frame};
use super::*;

const THERE: &str = "127.0.0.1:5353";

fn heading() -> Heading {
    Heading { from: EthernetAddress([2, 0, 0, 0, 0, 1]), to: EthernetAddress([2, 0, 0, 0, 0, 2]) }
}

fn routes() -> Routes {
    Routes::new(UserNetwork::new().forward(22).resolver(THERE.parse().unwrap()))
}

fn udp(to: &str) -> Vec<u8> {
    frame::datagram(heading(), SocketAddrV4::new(GUEST, 40000), to.parse().unwrap(), b"question").unwrap()
}

fn tcp(from: SocketAddrV4, to: SocketAddrV4) -> Vec<u8> {
    let segment = TcpRepr {
        src_port: from.port(),
        dst_port: to.port(),
        control: TcpControl::Syn,
        seq_number: TcpSeqNumber(1),
        ack_number: None,
        window_len: 1000,
        window_scale: None,
        max_seg_size: None,
        sack_permitted: false,
        sack_ranges: [None; 3],
        timestamp: None,
        payload: b"",
    };
    // A datagram of the same length, whose contents become a segment.
    let room = vec![0; segment.buffer_len() - 8];
    let mut bytes = frame::datagram(heading(), from, to, &room).unwrap();
    let mut ethernet = EthernetFrame::new_unchecked(&mut bytes);
    let mut ip = Ipv4Packet::new_unchecked(ethernet.payload_mut());
    ip.set_next_header(IpProtocol::Tcp);
    ip.fill_checksum();
    let (source, target) = ((*from.ip()).into(), (*to.ip()).into());
    let mut packet = TcpPacket::new_unchecked(ip.payload_mut());
    segment.emit(&mut packet, &source, &target, &ChecksumCapabilities::default());
    bytes
}

/// From where to where, if both sums are right.
fn ends(bytes: &[u8]) -> (SocketAddrV4, SocketAddrV4) {
    let ethernet = EthernetFrame::new_checked(bytes).unwrap();
    let ip = Ipv4Packet::new_checked(ethernet.payload()).unwrap();
    let tcp = TcpPacket::new_checked(ip.payload()).unwrap();
    assert!(ip.verify_checksum() && tcp.verify_checksum(&ip.src_addr().into(), &ip.dst_addr().into()));
    (SocketAddrV4::new(ip.src_addr(), tcp.src_port()), SocketAddrV4::new(ip.dst_addr(), tcp.dst_port()))
}

#[test]
fn a_question_goes_to_the_resolver_by_a_socket_of_ours() {
    let Way::Datagram(datagram) = routes().of_guest(&mut udp("10.0.2.3:53")) else { panic!("a datagram") };
    assert_eq!(datagram.to, THERE.parse().unwrap());
    assert_eq!((datagram.from.port(), datagram.payload.as_slice()), (40000, b"question".as_slice()));
    assert_eq!(datagram.heading, Heading { from: heading().to, to: heading().from });
}

#[test]
fn a_connection_to_a_service_is_led_to_the_loopback_and_its_answers_back() {
    let mut routes = routes();
    let (guest, service) = (SocketAddrV4::new(GUEST, 40001), SocketAddrV4::new(RESOLVER, 53));
    let mut segment = tcp(guest, service);
    assert_eq!(routes.of_guest(&mut segment), Way::On);
    let host = SocketAddrV4::new(GATEWAY, 5353);
    assert_eq!(ends(&segment), (guest, host));
    let mut answer = tcp(host, guest);
    routes.to_guest(&mut answer);
    assert_eq!(ends(&answer), (service, guest));
    let mut other = tcp(host, SocketAddrV4::new(GUEST, 40002));
    routes.to_guest(&mut other);
    assert_eq!(ends(&other).0, host, "what is of no such connection stays as it is");
}

#[test]
fn what_is_no_service_is_prohibited_the_hosts_own_ports_included() {
    let mut routes = routes();
    for to in ["10.0.2.3:54", "1.1.1.1:53", "10.0.2.2:5353", "192.0.2.1:443"] {
        assert_eq!(routes.of_guest(&mut udp(to)), Way::Prohibited, "udp {to}");
        let mut segment = tcp(SocketAddrV4::new(GUEST, 40000), to.parse().unwrap());
        assert_eq!(routes.of_guest(&mut segment), Way::Prohibited, "tcp {to}");
    }
    assert_eq!(routes.of_guest(&mut udp("224.0.0.251:5353")), Way::Nowhere);
    assert_eq!(routes.of_guest(&mut udp("255.255.255.255:67")), Way::On);
}

#[test]
fn answers_of_a_forwarded_port_go_back_to_the_host_and_those_of_another_do_not() {
    let mut routes = routes();
    let host = SocketAddrV4::new(GATEWAY, 33000);
    assert_eq!(routes.of_guest(&mut tcp(SocketAddrV4::new(GUEST, 22), host)), Way::On);
    assert_eq!(routes.of_guest(&mut tcp(SocketAddrV4::new(GUEST, 23), host)), Way::Prohibited);
}

#[test]
fn a_guest_is_told_which_of_its_packets_arrived_nowhere() {
    let lost = udp("10.0.2.3:53");
    let word = frame::unreachable(&lost, RESOLVER, Icmpv4DstUnreachable::PortUnreachable).unwrap();
    let ethernet = EthernetFrame::new_checked(word.as_slice()).unwrap();
    assert_eq!(ethernet.dst_addr(), heading().from);
    let ip = Ipv4Packet::new_checked(ethernet.payload()).unwrap();
    assert_eq!((ip.src_addr(), ip.dst_addr()), (RESOLVER, GUEST));
    let icmp = Icmpv4Packet::new_checked(ip.payload()).unwrap();
    let Ok(Icmpv4Repr::DstUnreachable { reason, header, data }) =
        Icmpv4Repr::parse(&icmp, &ChecksumCapabilities::default())
    else {
        panic!("the word of an unreachable port")
    };
    assert_eq!(reason, Icmpv4DstUnreachable::PortUnreachable);
    assert_eq!((header.src_addr, header.dst_addr), (GUEST, RESOLVER));
    assert_eq!(data[..4], [0x9c, 0x40, 0, 53], "by its ports the guest knows the socket");
}

#[test]
fn what_is_no_frame_harms_nobody() {
    let mut routes = routes();
    for length in 0..udp("10.0.2.3:53").len() {
        let mut bytes = udp("10.0.2.3:53");
        bytes.truncate(length);
        assert_eq!(routes.of_guest(&mut bytes), Way::Nowhere, "{length} bytes");
    }
}
