//! The echo application: what a client sends comes back to it, to test a session with.
//!
//! NewOrderSingle (D), SecurityDefinition (d) and Email (C) return with their body in the order of
//! tags, groups behind their count; what may have been sent before (PossResend) returns once. Every
//! other message is refused. It must never keep more than one message, nor answer a refusal, nor grow
//! with what a client sends.

use gateway::fix::tags::{self, msg};
use gateway::fix::{Encoder, Message};
use gateway::session::{Application, BusinessReason, Meta, Verdict};
use gateway::spec::Dictionary;
use market::Timestamp;
use std::collections::BTreeSet;
use xxhash_rust::xxh3::xxh3_128;

/// Most ClOrdIDs that are remembered of a connection.
const IDS_MAX: usize = 65_536;

/// One message on its way back.
#[derive(Debug)]
pub struct Echo {
    dictionary: &'static Dictionary,
    waiting: Option<Back>,
    /// Digests of the ClOrdIDs that came since the logon: an id may be as long as a message.
    seen: BTreeSet<u128>,
}

/// A message that goes back.
#[derive(Debug)]
pub struct Back {
    /// MsgType (35).
    pub msg_type: Vec<u8>,
    /// The number that it came under.
    seq: u64,
    fields: Vec<(u32, Vec<u8>)>,
}

impl Back {
    /// Writes what stands behind the standard header.
    pub fn write(&self, encoder: &mut Encoder<'_>) {
        for (tag, value) in &self.fields {
            encoder.data(*tag, value);
        }
    }

    /// Writes the body of a refusal (j): with our header it is longer than any message of ours.
    pub fn refuse(&self, encoder: &mut Encoder<'_>) {
        let reason = BusinessReason::Other;
        encoder.u64(tags::REF_SEQ_NUM, self.seq);
        encoder.bytes(tags::TEXT, b"too long to be sent back");
        encoder.bytes(tags::REF_MSG_TYPE, &self.msg_type);
        encoder.u64(tags::BUSINESS_REJECT_REASON, reason as u64);
    }
}

impl Echo {
    /// An echo in the version of `dictionary`.
    #[must_use]
    pub fn new(dictionary: &'static Dictionary) -> Echo {
        Echo { dictionary, waiting: None, seen: BTreeSet::new() }
    }

    /// The message that waits to go back, if there is one.
    pub fn take(&mut self) -> Option<Back> {
        self.waiting.take()
    }

    /// True while a message waits.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    /// False for an order that may have been sent before, and was.
    fn is_new(&mut self, poss_resend: bool, message: &Message<'_>) -> bool {
        let Some(id) = message.get(tags::CL_ORD_ID) else { return true };
        let id = xxh3_128(id);
        if poss_resend && self.seen.contains(&id) {
            return false;
        }
        if self.seen.len() < IDS_MAX {
            self.seen.insert(id);
        }
        true
    }

    /// The body in the order of tags, each group behind its count.
    fn sorted(&self, message: &Message<'_>) -> Vec<(u32, Vec<u8>)> {
        let mut walk = self.dictionary.walk(message.msg_type());
        let mut parts: Vec<Vec<(u32, Vec<u8>)>> = Vec::new();
        for (tag, value) in message.fields() {
            let depth = walk.step(tag, value).depth;
            if tags::is_header(tag) || tag == tags::CHECK_SUM {
                continue;
            }
            let field = (tag, value.to_vec());
            match parts.last_mut().filter(|_| depth > 0) {
                Some(part) => part.push(field),
                None => parts.push(vec![field]),
            }
        }
        parts.sort_by_key(|part| part.first().map(|field| field.0));
        parts.into_iter().flatten().collect()
    }
}

impl Application for Echo {
    fn ready(&self) -> bool {
        !self.is_waiting()
    }

    fn message(&mut self, meta: &Meta, message: &Message<'_>) -> Verdict {
        match message.msg_type() {
            msg::NEW_ORDER_SINGLE | msg::SECURITY_DEFINITION | msg::EMAIL => {}
            msg::REJECT | msg::BUSINESS_MESSAGE_REJECT => return Verdict::Taken,
            _ => return Verdict::Business(BusinessReason::UnsupportedMessage),
        }
        if self.is_new(meta.poss_resend, message) {
            let mut fields = self.sorted(message);
            if meta.poss_resend {
                fields.insert(0, (tags::POSS_RESEND, b"Y".to_vec()));
            }
            let (msg_type, seq) = (message.msg_type().to_vec(), meta.seq);
            self.waiting = Some(Back { msg_type, seq, fields });
        }
        Verdict::Taken
    }

    fn up(&mut self, _now: Timestamp) {
        // Also without an end before: then numbers began anew.
        self.seen.clear();
    }

    fn down(&mut self, _now: Timestamp) {
        self.waiting = None;
        self.seen.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gateway::fix::FieldIndex;
    use gateway::spec::Version;

    fn back(echo: &mut Echo, body: &str, poss_resend: bool) -> Option<String> {
        let text = format!("8=FIX.4.4|9=1|{body}").replace('|', "\x01");
        let mut index = FieldIndex::new(64);
        let (now, tsc, seq, poss_dup) = (Timestamp::ZERO, 0, 1, false);
        let meta = Meta { now, tsc, seq, poss_dup, poss_resend };
        assert_eq!(echo.message(&meta, &index.parse(text.as_bytes())), Verdict::Taken);
        let text =
            |(tag, value): (u32, Vec<u8>)| format!("{tag}={}|", String::from_utf8_lossy(&value));
        echo.take().map(|back| back.fields.into_iter().map(text).collect())
    }

    #[test]
    fn fields_come_back_in_the_order_of_tags_and_groups_stay_whole() {
        let mut echo = Echo::new(Dictionary::of(Version::Fix44));
        let body =
            "35=D|34=2|49=A|56=B|52=20250717-13:16:40|60=t|386=2|336=Z|625=1|336=A|54=1|11=x|";
        let sorted = "11=x|54=1|60=t|386=2|336=Z|625=1|336=A|";
        assert_eq!(back(&mut echo, body, false).unwrap(), sorted);
        assert_eq!(back(&mut echo, body, true), None, "it came back before");
        let other = body.replace("11=x", "11=y");
        assert!(back(&mut echo, &other, true).unwrap().starts_with("97=Y|11=y|"));
    }

    #[test]
    fn ids_are_forgotten_with_the_connection() {
        let mut echo = Echo::new(Dictionary::of(Version::Fix44));
        let body = format!("35=D|34=2|11={}|54=1|", "x".repeat(8_000));
        assert!(back(&mut echo, &body, false).is_some());
        assert!(back(&mut echo, &body, true).is_none(), "it came back before");
        echo.down(Timestamp::ZERO);
        assert!(echo.seen.is_empty());
        assert!(back(&mut echo, &body, true).is_some());
        assert_eq!(size_of_val(echo.seen.first().unwrap()), 16, "whatever the length of an id");
    }
}
