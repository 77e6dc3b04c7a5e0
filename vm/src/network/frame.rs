//! Frames that we make ourselves, on behalf of what is outside.

use std::net::{Ipv4Addr, SocketAddrV4};

use smoltcp::phy::ChecksumCapabilities;
use smoltcp::wire::{
    EthernetAddress, EthernetFrame, EthernetProtocol, EthernetRepr, Icmpv4DstUnreachable, Icmpv4Packet,
    Icmpv4Repr, IpProtocol, Ipv4Packet, Ipv4Repr, UdpPacket, UdpRepr,
};

/// What a card takes at once, less the header of its own.
const MOST: usize = 1500;
const HOPS: u8 = 64;
/// How much of a packet's contents comes back with the word that it arrived nowhere, as RFC 1812 wants it: 576 bytes in all.
const SAMPLE: usize = 528;

/// From which hardware address to which; of an answer, the other way round than of its question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) from: EthernetAddress,
    pub(super) to: EthernetAddress,
}

impl Heading {
    /// The heading of an answer to this frame.
    pub(super) fn back(frame: &EthernetFrame<&[u8]>) -> Self {
        Self { from: frame.dst_addr(), to: frame.src_addr() }
    }
}

/// A datagram; nothing where it is too long for one frame.
pub(super) fn datagram(
    heading: Heading,
    from: SocketAddrV4,
    to: SocketAddrV4,
    payload: &[u8],
) -> Option<Vec<u8>> {
    let udp = UdpRepr { src_port: from.port(), dst_port: to.port() };
    let length = udp.header_len() + payload.len();
    let ip = header(*from.ip(), *to.ip(), IpProtocol::Udp, length);
    packet(heading, ip, |room| {
        let (from, to) = ((*from.ip()).into(), (*to.ip()).into());
        let fill = |room: &mut [u8]| room.copy_from_slice(payload);
        udp.emit(
            &mut UdpPacket::new_unchecked(room),
            &from,
            &to,
            payload.len(),
            fill,
            &ChecksumCapabilities::default(),
        );
    })
}

/// The word that the packet of this frame arrived nowhere, from `from`; nothing where it is no packet.
pub(super) fn unreachable(frame: &[u8], from: Ipv4Addr, reason: Icmpv4DstUnreachable) -> Option<Vec<u8>> {
    let ethernet = EthernetFrame::new_checked(frame).ok()?;
    let heading = Heading::back(&ethernet);
    let lost = Ipv4Packet::new_checked(ethernet.payload()).ok()?;
    let payload = lost.payload();
    let header_of_lost = Ipv4Repr::parse(&lost, &ChecksumCapabilities::ignored()).ok()?;
    let word = Icmpv4Repr::DstUnreachable {
        reason,
        header: header_of_lost,
        data: &payload[..payload.len().min(SAMPLE)],
    };
    let ip = header(from, lost.src_addr(), IpProtocol::Icmp, word.buffer_len());
    packet(heading, ip, |room| {
        word.emit(&mut Icmpv4Packet::new_unchecked(room), &ChecksumCapabilities::default());
    })
}

fn header(from: Ipv4Addr, to: Ipv4Addr, protocol: IpProtocol, payload_len: usize) -> Ipv4Repr {
    Ipv4Repr { src_addr: from, dst_addr: to, next_header: protocol, payload_len, hop_limit: HOPS }
}

fn packet(heading: Heading, ip: Ipv4Repr, fill: impl FnOnce(&mut [u8])) -> Option<Vec<u8>> {
    let length = ip.buffer_len() + ip.payload_len;
    if length > MOST {
        return None;
    }
    let ethernet =
        EthernetRepr { src_addr: heading.from, dst_addr: heading.to, ethertype: EthernetProtocol::Ipv4 };
    let mut bytes = vec![0; ethernet.buffer_len() + length];
    let mut frame = EthernetFrame::new_unchecked(&mut bytes);
    ethernet.emit(&mut frame);
    let mut packet = Ipv4Packet::new_unchecked(frame.payload_mut());
    ip.emit(&mut packet, &ChecksumCapabilities::default());
    fill(packet.payload_mut());
    Some(bytes)
}
