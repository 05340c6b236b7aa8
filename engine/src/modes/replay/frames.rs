//! The gateway's stream: every application frame is encoded again from its command, its MsgSeqNum
//! and its SendingTime, and must come out byte for byte. Admin frames are outside.

use super::compare::Difference;
use super::open::{GATEWAY, Journal};
use super::text::frame_text;
use crate::config::RunConfig;
use crate::pipeline::fix_store::StoredFrame;
use crate::report::grouped;
use gateway::fix::tags::{self, msg};
use gateway::fix::{Encoder, FieldIndex, Message, Template};
use gateway::orders::{Instruments, encode_command, msg_type};
use gateway::session::{FrameKind, SessionConfig};
use market::{Command, CommandKind};
use std::collections::BTreeSet;
use std::fmt;

/// Application frames that agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    /// Frames made from a command of the loop.
    pub equal: u64,
    /// Frames that the gateway sent of its own: rejects, and what its watchdog cancels.
    pub own: u64,
    /// Commands published that no frame was made from: the gateway kept them back, and said so.
    pub kept_back: u64,
    /// Frames of commands behind the end of a trading stream that lost its last records.
    pub beyond: u64,
}

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} frames encoded again, all identical", grouped(self.equal))?;
        if self.own > 0 {
            write!(f, "; {} of the gateway's own", grouped(self.own))?;
        }
        if self.kept_back > 0 {
            write!(f, "; {} commands kept back", grouped(self.kept_back))?;
        }
        if self.beyond > 0 {
            write!(f, "; {} behind the end of the trading stream", grouped(self.beyond))?;
        }
        Ok(())
    }
}

/// What frames are checked against: the commands, and how each start encodes.
#[derive(Default)]
pub(super) struct FrameCheck {
    starts: Vec<Coder>,
    /// Published commands by id, with the index of their start. Ids only grow.
    commands: Vec<(Command, u32)>,
    marks: BTreeSet<(u64, u64)>,
}

/// How one start encodes.
struct Coder {
    template: Template,
    instruments: Instruments,
    max_message: usize,
}

impl FrameCheck {
    /// The commands that follow belong to this start.
    pub(super) fn start(&mut self, config: &RunConfig) -> anyhow::Result<()> {
        let gateway = &config.gateway;
        let session = SessionConfig::initiator(&gateway.sender_comp_id, &gateway.target_comp_id);
        let template = Template::new(
            session.version.begin_string(),
            &session.sender,
            &session.target,
            session.precision,
        )?;
        let instruments =
            Instruments::new(&crate::pipeline::assembly::instruments(&config.trading))?;
        self.starts.push(Coder { template, instruments, max_message: session.max_message });
        Ok(())
    }

    /// A command that the loop published.
    pub(super) fn published(&mut self, command: &Command) {
        if command.kind() == Some(CommandKind::Mark) {
            self.marks.insert((command.id.0, command.target.0));
        } else {
            let start = self.starts.len().saturating_sub(1);
            self.commands.push((*command, u32::try_from(start).unwrap_or(u32::MAX)));
        }
    }

    /// Reads the gateway's stream and compares. `ended`: the trading stream has its end, so that no
    /// command can be behind it.
    ///
    /// # Errors
    /// The stream is damaged.
    pub(super) fn compare(
        mut self,
        journal: &Journal,
        ended: bool,
    ) -> anyhow::Result<Result<Frames, Difference>> {
        let mut reader = journal.reader(GATEWAY)?;
        let mut index = FieldIndex::new(256);
        let mut frames = Frames::default();
        let mut from_orders = 0;
        while let Some(record) = reader.next_record()? {
            let Some(frame) = StoredFrame::of(&record) else { continue };
            if frame.kind != Some(FrameKind::Application) {
                continue;
            }
            let message = index.parse(frame.bytes);
            let differs = |replayed: String| Difference {
                place: format!("record {} of the gateway's stream", record.sequence),
                recorded: frame_text(frame.bytes),
                replayed,
            };
            let Some((command, start)) = self.command_of(&message) else {
                if !ended && self.is_beyond(&message) {
                    frames.beyond += 1;
                    continue;
                }
                if is_own(&message) {
                    frames.own += 1;
                    continue;
                }
                return Ok(Err(differs("no frame: the loop published no such command".into())));
            };
            let again = self.encode(&command, start, &message, frame.seq);
            if again.as_deref() != Ok(frame.bytes) {
                let text = again.map_or_else(|error| error, |bytes| frame_text(&bytes));
                return Ok(Err(differs(text)));
            }
            frames.equal += 1;
            from_orders += u64::from(command.kind() != Some(CommandKind::Mark));
        }
        frames.kept_back = (self.commands.len() as u64).saturating_sub(from_orders);
        Ok(Ok(frames))
    }

    /// The command that a frame was made from, and the start it belongs to.
    fn command_of(&self, message: &Message<'_>) -> Option<(Command, usize)> {
        if message.msg_type() == msg::MARK {
            let mark =
                (message.u64(tags::NEXT_PACKET).ok()?, message.u64(tags::REPORTS_CONSUMED).ok()?);
            let start = self.starts.len().checked_sub(1)?;
            return self.marks.contains(&mark).then(|| (Command::mark(mark.0, mark.1), start));
        }
        let id = id_of(message)?;
        let at = self.commands.binary_search_by_key(&id, |(command, _)| command.id.0).ok()?;
        self.commands.get(at).map(|&(command, start)| (command, start as usize))
    }

    /// True if the frame's command would be younger than all that are known.
    fn is_beyond(&self, message: &Message<'_>) -> bool {
        let last = self.commands.last().map_or(0, |(command, _)| command.id.0);
        message.msg_type() == msg::MARK || id_of(message).is_some_and(|id| id > last)
    }

    fn encode(
        &mut self,
        command: &Command,
        start: usize,
        message: &Message<'_>,
        seq: u64,
    ) -> Result<Vec<u8>, String> {
        let coder = self.starts.get_mut(start).ok_or("a command of no start")?;
        let sent = message
            .time(tags::SENDING_TIME)
            .map_err(|_| "no frame without a readable SendingTime".to_owned())?;
        let mut buffer = vec![0; coder.max_message + Encoder::SLACK];
        let msg_type = msg_type(command).ok_or("no frame: the command is none")?;
        let mut encoder = Encoder::begin(&mut buffer, &mut coder.template, sent, seq, msg_type);
        encode_command(command, &coder.instruments, None, sent, &mut encoder);
        let frame = encoder.finish().map_err(|error| error.to_string())?;
        Ok(frame.to_vec())
    }
}

/// The id of the command that a frame says it was made from.
fn id_of(message: &Message<'_>) -> Option<u64> {
    message.u64(tags::CL_ORD_ID).or_else(|_| message.u64(tags::MASS_STATUS_REQ_ID)).ok()
}

/// True for what a gateway sends without being asked by the loop.
fn is_own(message: &Message<'_>) -> bool {
    matches!(message.msg_type(), msg::BUSINESS_MESSAGE_REJECT | msg::ORDER_MASS_CANCEL_REQUEST)
}
