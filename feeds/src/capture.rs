//! Captures of packets: pcap and pcapng, and the datagrams and segments in their frames.
//!
//! [`Walker`] goes from frame to frame without copying, [`transport`] finds what a frame carries,
//! [`CaptureFile`] reads the protocol inside, which shows by content, and [`Flows`] puts TCP in order
//! for whoever reads a protocol of streams. What is not used (sliced,
//! fragmented, IPv6, …) is a counted skip. Checksums are not looked at: cards fill in those of sent
//! packets after they are captured.
//! Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng, the LINKTYPE_ registry of tcpdump.org.

mod early;
mod flows;
mod held;
mod packet;
mod pcapng;
mod protocols;
pub mod recording;
mod tcp;
mod walker;

pub use flows::{FlowCounts, Flows, StreamId};
pub use held::Held;
pub use packet::{Carried, Datagram, Segment, transport};
pub use protocols::Protocol;
pub use recording::CaptureFile;
pub use tcp::{Hole, InOrder, Stretch};
pub use walker::{Frame, Walker};
