//! Binance Spot as its documentation describes it: FIX.4.4, Ed25519 over the Logon, padded BodyLength,
//! numbers from 1 at every logon, no cancel on disconnect, no resend and no status request, a limit of
//! messages that ends the session, News before maintenance.
//!
//! Source: binance/binance-spot-api-docs, `fix-api.md`.

use crate::acceptor::{Venue, utc};
use crate::book::{Book, Order, Told};
use crate::text::{Fields, Message, field, joined};
use data_encoding::BASE64;
use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};

pub(crate) const KEY: &str = "sBRXrJx2DsOraMXOaUovEhgVRcjOvCtQwnWj8VxkOh1xqboS02SPGfKi2h8spZJb";
/// The key that the documentation gives for its example.
pub(crate) const PEM: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u\n\
    -----END PRIVATE KEY-----\n";

pub(crate) struct Binance {
    /// Messages of a client in a second before it is logged out.
    pub(crate) limit: usize,
}

impl Venue for Binance {
    fn begin_string(&self) -> &'static str {
        "FIX.4.4"
    }

    fn comp_id(&self) -> &'static str {
        "SPOT"
    }

    fn length_digits(&self) -> usize {
        7
    }

    fn messages_per_second(&self) -> usize {
        self.limit
    }

    fn logon(&mut self, logon: &Message) -> Result<Fields, String> {
        let sender = logon.get(49);
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if sender.is_empty() || sender.len() > 8 || !sender.bytes().all(known) {
            return Err(format!("SenderCompID {sender} is not allowed"));
        }
        for (tag, value) in [(98, "0"), (141, "Y"), (34, "1"), (553, KEY), (56, "SPOT")] {
            if logon.get(tag) != value {
                return Err(format!("tag {tag} must be {value}: {}", logon.get(tag)));
            }
        }
        if !logon.get(108).parse::<u32>().is_ok_and(|beat| (5..=60).contains(&beat)) {
            return Err("HeartBtInt must be 5 to 60".to_owned());
        }
        if !matches!(logon.get(25_035), "1" | "2") {
            return Err("MessageHandling is required".to_owned());
        }
        let key = SigningKey::from_pkcs8_pem(PEM).unwrap();
        let signature = key.sign(joined(logon, &[35, 49, 56, 34, 52]).as_bytes());
        let expected = BASE64.encode(&signature.to_bytes());
        if logon.get(96) != expected || logon.get(95) != expected.len().to_string() {
            return Err("Signature for this request is not valid.".to_owned());
        }
        Ok(vec![field(25_037, "4392a152-3481-4499-921a-6d42c50702e2")])
    }

    fn cancels_on_disconnect(&self, _logon: &Message) -> bool {
        false
    }

    fn report(&self, order: &Order, told: Told) -> Fields {
        let exec_type = match told {
            Told::New => "0",
            Told::Trade => "F",
            Told::Canceled => "4",
            Told::Replaced | Told::Status => panic!("Binance has no such report"),
            Told::Rejected => "8",
        };
        let mut fields = vec![
            field(17, order.exec),
            field(11, &order.client),
            field(37, &order.id[2..]),
            field(38, order.qty),
            field(40, 2),
            field(54, if order.buy { 1 } else { 2 }),
            field(55, &order.symbol),
            field(44, order.price),
            field(59, 1),
            field(60, utc()),
            field(25_018, utc()),
            field(150, exec_type),
            field(14, order.cum),
            field(151, order.leaves()),
            field(39, order.status()),
        ];
        if !order.before.is_empty() {
            fields.push(field(41, &order.before));
        }
        if told == Told::Trade {
            fields.extend([
                field(31, order.price),
                field(32, order.last),
                field(1003, 50_000 + order.exec),
                field(1057, "N"),
                // A group: one fee, of an amount in a currency.
                field(136, 1),
                field(137, "0.00001"),
                field(138, "BNB"),
                field(139, 4),
            ]);
        }
        fields
    }

    fn cancel_reject(&self, request: &Message) -> Fields {
        vec![
            field(11, request.get(11)),
            field(41, request.get(41)),
            field(55, request.get(55)),
            field(434, 1),
            field(25_016, -2011),
            field(58, "Unknown order sent."),
        ]
    }

    fn judge_order(&self, order: &Message) -> Result<(), String> {
        let id = order.get(11);
        let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.is_empty() || id.len() > 36 || !id.bytes().all(known) {
            return Err(format!("ClOrdID {id}"));
        }
        let one_of = |tag: u32, values: &[&str]| match values.contains(&order.get(tag)) {
            true => Ok(()),
            false => Err(format!("tag {tag} is {}", order.get(tag))),
        };
        one_of(40, &["2"])?;
        one_of(18, &["", "6"])?;
        // A LIMIT_MAKER has no TimeInForce.
        one_of(59, if order.get(18) == "6" { &[""] } else { &["1", "3", "4"] })?;
        let allowed =
            [8, 9, 10, 11, 18, 34, 35, 38, 40, 44, 49, 52, 54, 55, 56, 59, 60, 25_000, 25_001];
        match order.fields.iter().find(|(tag, _)| !allowed.contains(tag)) {
            Some((tag, _)) => Err(format!("tag {tag} is not defined for this message")),
            None => Ok(()),
        }
    }

    fn other(&mut self, request: &Message, book: &mut Book) -> Option<Vec<Fields>> {
        // One symbol only, and everything of the account in it.
        if request.msg_type() != "q" || request.get(530) != "1" || request.get(55).is_empty() {
            return None;
        }
        let symbol = request.get(55);
        let open: Vec<usize> =
            book.open().into_iter().filter(|&at| book.orders[at].symbol == symbol).collect();
        let mut answer =
            vec![field(35, "r"), field(11, request.get(11)), field(55, symbol), field(530, 1)];
        if open.is_empty() {
            answer.extend([field(531, 0), field(532, 99), field(25_016, -2011)]);
            answer.push(field(58, "Unknown order sent."));
            return Some(vec![answer]);
        }
        answer.extend([field(531, 1), field(533, open.len())]);
        let mut answers = Vec::new();
        for at in open {
            let (order, told) = book.cancel(at, "");
            let mut fields = vec![field(35, "8")];
            fields.extend(self.report(&order, told));
            answers.push(fields);
        }
        answers.push(answer);
        Some(answers)
    }
}

/// The countdown before maintenance.
pub(crate) fn maintenance() -> Fields {
    vec![
        field(35, "B"),
        field(148, "Your connection is about to be closed. Please reconnect."),
        field(61, 0),
    ]
}
