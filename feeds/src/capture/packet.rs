//! What a frame carries: link layer, VLAN tags, IPv4, then UDP or TCP. Works on borrowed bytes and
//! decides nothing; what cannot be used has a reason.

use super::Frame;
use market::Timestamp;
use std::net::{Ipv4Addr, SocketAddrV4};

/// LINKTYPE_ETHERNET.
const ETHERNET: u16 = 1;
/// VLAN tags before a packet.
const TAGS_MAX: usize = 4;

/// A UDP datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Datagram<'a> {
    /// Where its record begins in the file.
    pub position: u64,
    /// When it was captured; zero if the file does not say.
    pub time: Timestamp,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// To whom: of multicast, the group.
    pub to: SocketAddrV4,
    /// Its payload.
    pub payload: &'a [u8],
}

/// A TCP segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Where its record begins in the file.
    pub position: u64,
    /// When it was captured; zero if the file does not say.
    pub time: Timestamp,
    /// Who sent it.
    pub from: SocketAddrV4,
    /// To whom.
    pub to: SocketAddrV4,
    /// Number of the payload's first byte, or of the SYN or FIN.
    pub sequence: u32,
    /// Number of the byte that its sender waits for, if ACK is among the flags.
    pub acknowledges: u32,
    /// The flags of the header: 1 FIN, 2 SYN, 4 RST, 16 ACK.
    pub flags: u8,
    /// Its payload.
    pub payload: &'a [u8],
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried<'a> {
    /// UDP.
    Datagram(Datagram<'a>),
    /// TCP.
    Segment(Segment<'a>),
}

/// Finds the datagram or segment of a frame.
///
/// # Errors
/// Why there is none that can be used.
#[inline]
pub fn transport<'a>(frame: &Frame<'a>) -> Result<Carried<'a>, &'static str> {
    let packet = match frame.bytes {
        // The usual case without a call: Ethernet without tags.
        [_, _, _, _, _, _, _, _, _, _, _, _, 8, 0, packet @ ..] if frame.link == ETHERNET => packet,
        _ => network(frame.link, frame.bytes)?,
    };
    let Some(header) = packet.first_chunk::<20>() else {
        return Err(short(frame, "IPv4 header cut"));
    };
    let [first, _, high, low, _, _, flags, offset, _, protocol, _, _, addresses @ ..] = *header;
    if first >> 4 != 4 {
        return Err(if first >> 4 == 6 { "IPv6" } else { "neither IPv4 nor IPv6" });
    }
    let (length, total) = (usize::from(first & 15) * 4, u16::from_be_bytes([high, low]).into());
    // Zero where the card cuts large packets itself: then the frame says how long it is.
    let total = if total == 0 { packet.len() } else { total };
    if length < header.len() || total < length {
        return Err("IPv4 lengths contradict each other");
    }
    let Some(body) = packet.get(length..total) else {
        return Err(short(frame, "IPv4 packet longer than its frame"));
    };
    // The second highest bit says that it must not be cut.
    if flags & 0x3f != 0 || offset != 0 {
        return Err("IPv4 fragment");
    }
    let [a, b, c, d, e, f, g, h] = addresses;
    let (from, to) = (Ipv4Addr::new(a, b, c, d), Ipv4Addr::new(e, f, g, h));
    match protocol {
        17 => udp(frame, from, to, body).map(Carried::Datagram),
        6 => tcp(frame, from, to, body).map(Carried::Segment),
        _ => Err("IPv4, neither UDP nor TCP"),
    }
}

/// A frame that is too short was either cut when it was captured, or is wrong.
fn short(frame: &Frame<'_>, wrong: &'static str) -> &'static str {
    let sliced = frame.bytes.len() < frame.length as usize;
    if sliced { "sliced: captured only in part" } else { wrong }
}

/// The packet of the network layer, if it may be IPv4.
#[inline]
fn network(link: u16, bytes: &[u8]) -> Result<&[u8], &'static str> {
    let (ether_type, rest) = match link {
        ETHERNET => (bytes.get(12..14), bytes.get(14..)),
        // LINKTYPE_RAW, as registered and as some systems write it; LINKTYPE_IPV4.
        101 | 12 | 14 | 228 => return Ok(bytes),
        // LINKTYPE_LINUX_SLL.
        113 => (bytes.get(14..16), bytes.get(16..)),
        // LINKTYPE_LINUX_SLL2.
        276 => (bytes.get(0..2), bytes.get(20..)),
        _ => return Err("link type that is not read"),
    };
    let (Some(&[high, low]), Some(mut rest)) = (ether_type, rest) else {
        return Err("frame shorter than its header");
    };
    let mut ether_type = u16::from_be_bytes([high, low]);
    for _ in 0..TAGS_MAX {
        let (0x8100 | 0x88a8 | 0x9100, [_, _, high, low, inner @ ..]) = (ether_type, rest) else {
            break;
        };
        ether_type = u16::from_be_bytes([*high, *low]);
        rest = inner;
    }
    match ether_type {
        0x0800 => Ok(rest),
        0x86dd => Err("IPv6"),
        0x8100 | 0x88a8 | 0x9100 => Err("more VLAN tags than are read"),
        _ => Err("neither IPv4 nor IPv6"),
    }
}

#[inline]
fn udp<'a>(
    frame: &Frame<'a>,
    from: Ipv4Addr,
    to: Ipv4Addr,
    body: &'a [u8],
) -> Result<Datagram<'a>, &'static str> {
    let Some(&[a, b, c, d, e, f, _, _]) = body.first_chunk() else { return Err("UDP header cut") };
    let length = usize::from(u16::from_be_bytes([e, f]));
    // What stands behind the datagram, within the packet, is padding.
    let Some(payload) = body.get(8..length) else { return Err("UDP length is not the packet's") };
    Ok(Datagram {
        position: frame.position,
        time: frame.time,
        from: SocketAddrV4::new(from, u16::from_be_bytes([a, b])),
        to: SocketAddrV4::new(to, u16::from_be_bytes([c, d])),
        payload,
    })
}

fn tcp<'a>(
    frame: &Frame<'a>,
    from: Ipv4Addr,
    to: Ipv4Addr,
    body: &'a [u8],
) -> Result<Segment<'a>, &'static str> {
    let Some(&header) = body.first_chunk::<20>() else { return Err("TCP header cut") };
    let [a, b, c, d, s0, s1, s2, s3, a0, a1, a2, a3, ..] = header;
    let offset = usize::from(header[12] >> 4) * 4;
    let payload = body.get(offset.max(20)..).filter(|_| offset >= 20);
    Ok(Segment {
        position: frame.position,
        time: frame.time,
        from: SocketAddrV4::new(from, u16::from_be_bytes([a, b])),
        to: SocketAddrV4::new(to, u16::from_be_bytes([c, d])),
        sequence: u32::from_be_bytes([s0, s1, s2, s3]),
        acknowledges: u32::from_be_bytes([a0, a1, a2, a3]),
        flags: header[13],
        payload: payload.ok_or("TCP header longer than its packet")?,
    })
}
