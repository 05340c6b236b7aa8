//! Frames and captures of our own making: every layer that the walker knows, byte by byte.

/// Where a datagram or segment is from and to: last octet of the address, and port.
#[derive(Clone, Copy)]
pub struct Way(pub u8, pub u16);

/// An IPv4 packet. `options` are words of its header; `fragment` its flags and offset.
pub fn ipv4(protocol: u8, from: u8, to: u8, options: usize, fragment: u16, body: &[u8]) -> Vec<u8> {
    let header = 20 + 4 * options;
    let total = (header + body.len()) as u16;
    let mut packet = vec![0x40 | (header / 4) as u8, 0];
    packet.extend(total.to_be_bytes());
    packet.extend([0, 1]);
    packet.extend(fragment.to_be_bytes());
    packet.extend([64, protocol, 0, 0, 10, 0, 0, from, 233, 54, 12, to]);
    packet.extend(std::iter::repeat_n(1, 4 * options));
    packet.extend(body);
    packet
}

pub fn udp(from: Way, to: Way, payload: &[u8]) -> Vec<u8> {
    let mut body = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
    body.extend((8 + payload.len() as u16).to_be_bytes());
    body.extend([0, 0]);
    body.extend(payload);
    ipv4(17, from.0, to.0, 0, 0x4000, &body)
}

pub fn tcp(from: Way, to: Way, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut body = [from.1.to_be_bytes(), to.1.to_be_bytes()].concat();
    body.extend(sequence.to_be_bytes());
    body.extend([0, 0, 0, 0, 6 << 4, flags, 1, 0, 0, 0, 0, 0]);
    body.extend([1; 4]);
    body.extend(payload);
    ipv4(6, from.0, to.0, 0, 0, &body)
}

/// An Ethernet frame with these VLAN tags, each of its own EtherType.
pub fn ethernet(tags: &[u16], packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![1; 12];
    for tag in tags {
        frame.extend(tag.to_be_bytes());
        frame.extend([0, 7]);
    }
    frame.extend([8, 0]);
    frame.extend(packet);
    frame
}

/// How a file is written.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub big: bool,
    pub nanos: bool,
}

impl Style {
    pub const ALL: [Style; 4] = [
        Style { big: false, nanos: false },
        Style { big: false, nanos: true },
        Style { big: true, nanos: false },
        Style { big: true, nanos: true },
    ];

    fn u32(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u16(self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

/// A pcap file of frames at these nanoseconds.
pub fn pcap(style: Style, link: u16, frames: &[(u64, Vec<u8>)]) -> Vec<u8> {
    let mut file = style.u32(if style.nanos { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }).to_vec();
    file.extend([style.u16(2), style.u16(4)].concat());
    file.extend([style.u32(0), style.u32(0), style.u32(65_535), style.u32(link.into())].concat());
    for (time, frame) in frames {
        file.extend(record(style, *time, frame.len() as u32, frame));
    }
    file
}

/// One record, of a frame that was `length` bytes long on the wire.
pub fn record(style: Style, time: u64, length: u32, frame: &[u8]) -> Vec<u8> {
    let fraction = time % 1_000_000_000 / if style.nanos { 1 } else { 1_000 };
    let words = [(time / 1_000_000_000) as u32, fraction as u32, frame.len() as u32, length];
    let mut record = words.map(|word| style.u32(word)).concat();
    record.extend(frame);
    record
}

/// A block of pcapng: its type and body, which is padded.
pub fn block(style: Style, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = style.u32((12 + padded) as u32);
    let mut block = [style.u32(kind), length].concat();
    block.extend(body);
    block.resize(8 + padded, 0);
    block.extend(length);
    block
}

/// Section header and one interface with this resolution byte.
pub fn section(style: Style, link: u16, resolution: u8) -> Vec<u8> {
    let mut body = style.u32(0x1a2b_3c4d).to_vec();
    body.extend([style.u16(1), style.u16(0)].concat());
    body.extend([0xff; 8]);
    let mut file = block(style, 0x0a0d_0d0a, &body);
    let mut body = [style.u16(link), style.u16(0)].concat();
    body.extend(style.u32(65_535));
    body.extend([style.u16(9), style.u16(1)].concat());
    body.extend([resolution, 0, 0, 0]);
    body.extend([0; 4]);
    file.extend(block(style, 1, &body));
    file
}

/// An enhanced packet block.
pub fn enhanced(style: Style, ticks: u64, length: u32, frame: &[u8]) -> Vec<u8> {
    let words = [0, (ticks >> 32) as u32, ticks as u32, frame.len() as u32, length];
    let mut body = words.map(|word| style.u32(word)).concat();
    body.extend(frame);
    block(style, 6, &body)
}
