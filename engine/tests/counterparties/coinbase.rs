//! Coinbase Exchange as its documentation describes it: FIX.5.0SP2 over FIXT.1.1, numbers from 1 at
//! every logon, UUIDs, a signature over what was sent, cancel on disconnect by tag 8013.
//!
//! Source: docs.cdp.coinbase.com, Exchange, FIX API, "Order Entry Messages" and "Connectivity".

use crate::acceptor::Venue;
use crate::book::{Book, Order, Told};
use crate::text::{Fields, Message, field, joined};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

pub(crate) const KEY: &str = "c0ffee00aa11bb22cc33dd44ee55ff66";
pub(crate) const PASSPHRASE: &str = "open sesame";
/// Base64 of the secret.
pub(crate) const SECRET: &str = "dG91Y2hsaW5lLWNvaW5iYXNlLWNhbmFyeS1zZWNyZXQ=";

#[derive(Default)]
pub(crate) struct Coinbase {
    /// It repeats in its answers what it must not: passphrase and signature of the Logon.
    pub(crate) repeats: bool,
}

/// A UUID of version 4 in lower case.
pub(crate) fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// A UUID for a number.
fn uuid(kind: u64, number: u64) -> String {
    format!("00000000-0000-4000-8{kind:03x}-{number:012x}")
}

impl Venue for Coinbase {
    fn begin_string(&self) -> &'static str {
        "FIXT.1.1"
    }

    fn comp_id(&self) -> &'static str {
        "Coinbase"
    }

    fn logon(&mut self, logon: &Message) -> Result<Fields, String> {
        let must = |tag: u32, value: &str| match logon.get(tag) == value {
            true => Ok(()),
            false => Err(format!("tag {tag} must be {value}: {}", logon.get(tag))),
        };
        must(1137, "9")?;
        must(34, "1")?;
        must(49, KEY)?;
        must(553, KEY)?;
        let said = format!("{} with {}", logon.get(554), logon.get(96));
        if logon.get(554) != PASSPHRASE {
            let said = if self.repeats { format!(": {said}") } else { String::new() };
            return Err(format!("Invalid passphrase{said}"));
        }
        let time = logon.get(52);
        if time.len() != 21 || time.as_bytes()[17] != b'.' {
            return Err(format!("SendingTime needs three fractional digits: {time}"));
        }
        if logon.get(108).parse::<u32>().map_or(true, |beat| beat > 30) {
            return Err("HeartBtInt must be at most 30".to_owned());
        }
        let key = BASE64.decode(SECRET.as_bytes()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(joined(logon, &[52, 35, 34, 49, 56, 554]).as_bytes());
        let expected = BASE64.encode(&mac.finalize().into_bytes());
        if logon.get(96) != expected || logon.get(95) != expected.len().to_string() {
            return Err("Invalid signature".to_owned());
        }
        let mut fields = vec![field(1137, 9)];
        if self.repeats {
            fields.push(field(58, format!("welcome, {said}")));
        }
        Ok(fields)
    }

    fn cancels_on_disconnect(&self, logon: &Message) -> bool {
        matches!(logon.get(8013), "S" | "Y")
    }

    fn report(&self, order: &Order, told: Told) -> Fields {
        let exec_type = match told {
            Told::New => "0",
            Told::Trade => "F",
            Told::Canceled => "4",
            Told::Replaced => "5",
            Told::Status => "I",
            Told::Rejected => "8",
        };
        let mut fields = vec![
            field(37, uuid(1, order.id[2..].parse().unwrap())),
            field(11, &order.client),
            field(17, uuid(2, order.exec)),
            field(150, exec_type),
            field(39, order.status()),
            field(55, &order.symbol),
            field(54, if order.buy { 1 } else { 2 }),
            field(38, order.qty),
            field(44, order.price),
            field(151, order.leaves()),
            field(14, order.cum),
            field(60, crate::acceptor::utc()),
        ];
        if !order.before.is_empty() {
            fields.insert(2, field(41, &order.before));
        }
        if told == Told::Trade {
            fields.extend([field(31, order.price), field(32, order.last), field(1057, "N")]);
        }
        fields
    }

    fn cancel_reject(&self, request: &Message) -> Fields {
        vec![
            field(37, "NONE"),
            field(11, request.get(11)),
            field(41, request.get(41)),
            field(39, 8),
            field(434, if request.msg_type() == "G" { 2 } else { 1 }),
            field(102, 1),
            field(58, "Unknown order"),
        ]
    }

    fn judge_order(&self, order: &Message) -> Result<(), String> {
        let known = |tag: u32, values: &[&str]| match values.contains(&order.get(tag)) {
            true => Ok(()),
            false => Err(format!("tag {tag} is {}", order.get(tag))),
        };
        if !is_uuid(order.get(11)) {
            return Err("ClOrdID must be a UUID in lower case".to_owned());
        }
        known(40, &["2"])?;
        known(54, &["1", "2"])?;
        known(59, &["1", "3", "4", "6"])?;
        known(18, &["", "A"])
    }

    fn other(&mut self, request: &Message, book: &mut Book) -> Option<Vec<Fields>> {
        match request.msg_type() {
            // The session's orders, all at once: the only scope there is.
            "q" if request.get(530) == "6" => {
                let open = book.open();
                let mut answers = vec![vec![
                    field(35, "r"),
                    field(11, request.get(11)),
                    field(1369, uuid(3, 1)),
                    field(530, 6),
                    field(531, 6),
                    field(533, open.len()),
                ]];
                for at in open {
                    let (order, told) = book.cancel(at, "");
                    let mut fields = vec![field(35, "8")];
                    fields.extend(self.report(&order, told));
                    answers.push(fields);
                }
                Some(answers)
            }
            "H" => {
                let mut fields = vec![field(35, "8")];
                match book.find(request.get(11), "") {
                    Some(at) => {
                        let (order, told) = book.status(at);
                        fields.extend(self.report(&order, told));
                    }
                    // One that was lost with a connection: it never came here.
                    None => fields.extend([
                        field(37, "0"),
                        field(11, request.get(11)),
                        field(17, uuid(4, 1)),
                        field(150, "I"),
                        field(39, 8),
                        field(55, request.get(55)),
                        field(54, request.get(54)),
                        field(151, 0),
                        field(14, 0),
                        field(6, 0),
                        field(103, 5),
                    ]),
                }
                Some(vec![fields])
            }
            _ => None,
        }
    }
}
