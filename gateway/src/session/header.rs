//! The standard header of a message, and what makes one unreadable.

use crate::fix::message::{as_bool, as_u64};
use crate::fix::{Fault, Message, RejectCode, tags};

/// The standard header, read in one pass.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) msg_type: &'a [u8],
    pub(super) seq: Result<u64, Fault>,
    pub(super) begin_string: &'a [u8],
    pub(super) sender: &'a [u8],
    pub(super) target: &'a [u8],
    pub(super) sending_time: Option<&'a [u8]>,
    pub(super) orig_sending_time: Option<&'a [u8]>,
    pub(super) poss_dup: bool,
    pub(super) poss_resend: bool,
    /// A header field that stands twice or cannot be read.
    pub(super) fault: Option<Fault>,
}

/// Beyond any number a session can reach; larger ones are nonsense, and could overflow.
pub(super) const SEQ_MAX: u64 = 1 << 62;

/// The fields that nearly every header has and no other, in the order in which nearly everyone
/// sends them.
const USUAL: [u32; 7] = [
    tags::BEGIN_STRING,
    tags::BODY_LENGTH,
    tags::MSG_TYPE,
    tags::MSG_SEQ_NUM,
    tags::SENDER_COMP_ID,
    tags::SENDING_TIME,
    tags::TARGET_COMP_ID,
];

/// What stands in a header that has no field.
const NOTHING: Header<'static> = Header {
    msg_type: b"",
    seq: Err(Fault::new(RejectCode::RequiredTagMissing, tags::MSG_SEQ_NUM)),
    begin_string: b"",
    sender: b"",
    target: b"",
    sending_time: None,
    orig_sending_time: None,
    poss_dup: false,
    poss_resend: false,
    fault: None,
};

fn seq_of(tag: u32, value: &[u8]) -> Result<u64, Fault> {
    match as_u64(tag, value)? {
        // Zero is the number of a SequenceReset that has none of its own.
        seq @ 0..SEQ_MAX => Ok(seq),
        _ => Err(Fault::new(RejectCode::ValueIncorrect, tag)),
    }
}

impl<'a> Header<'a> {
    /// The header of a message, whatever is wrong with that.
    #[inline]
    pub(super) fn of(message: &Message<'a>) -> Header<'a> {
        // A header that is out of order is looked for in the whole message, to answer under its
        // number.
        let mixed = message.fault().is_some_and(|fault| fault.code == RejectCode::Order);
        match message.header(USUAL) {
            Some([begin_string, _, msg_type, seq, sender, sending_time, target]) if !mixed => {
                let sending_time = Some(sending_time);
                let seq = seq_of(tags::MSG_SEQ_NUM, seq);
                Header { msg_type, seq, begin_string, sender, target, sending_time, ..NOTHING }
            }
            _ => Header::search_on(message, mixed),
        }
    }

    /// The same field by field; behind another fault, the order may be wrong too.
    fn search_on(message: &Message<'a>, mixed: bool) -> Header<'a> {
        let this = Header::search(message, mixed);
        let hidden = this.seq.is_err() && message.fault().is_some() && !mixed;
        if hidden { Header::search(message, true) } else { this }
    }

    /// The fields of the header, in the whole message if it is mixed.
    fn search(message: &Message<'a>, mixed: bool) -> Header<'a> {
        let mut this = NOTHING;
        for (tag, value) in message.fields() {
            // What stands twice counts as it stood first.
            let text = |slot: &mut &'a [u8]| {
                let again = !slot.is_empty();
                if !again {
                    *slot = value;
                }
                again
            };
            let again = match tag {
                tags::BEGIN_STRING => text(&mut this.begin_string),
                tags::MSG_TYPE => text(&mut this.msg_type),
                tags::SENDER_COMP_ID => text(&mut this.sender),
                tags::TARGET_COMP_ID => text(&mut this.target),
                tags::SENDING_TIME => this.sending_time.replace(value).is_some(),
                tags::ORIG_SENDING_TIME => this.orig_sending_time.replace(value).is_some(),
                tags::MSG_SEQ_NUM => {
                    let again = this.seq.is_ok();
                    if !again {
                        this.seq = seq_of(tag, value);
                    }
                    again
                }
                tags::POSS_DUP_FLAG | tags::POSS_RESEND => {
                    let flag = match tag {
                        tags::POSS_DUP_FLAG => &mut this.poss_dup,
                        _ => &mut this.poss_resend,
                    };
                    match as_bool(tag, value) {
                        Ok(value) => *flag = value,
                        Err(fault) => this.fault = this.fault.or(Some(fault)),
                    }
                    false
                }
                _ if !mixed && !tags::is_header(tag) => break,
                _ => false,
            };
            if again {
                this.fault = this.fault.or(Some(Fault::new(RejectCode::Repeated, tag)));
            }
        }
        this
    }
}
