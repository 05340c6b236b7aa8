//! Kraken (UAT) as its documentation describes it: FIX.4.4 over TLS 1.3, HMAC-SHA512 over a digest,
//! cancel on disconnect by a flag whose zero means "cancel", sequence numbers that begin anew at the
//! daily rollover.
//!
//! Source: docs.kraken.com, "Unified FIX", Logon and session management.

use crate::acceptor::{Venue, utc};
use crate::book::{Book, Order, Told};
use crate::text::{Fields, Message, field};
use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const KEY: &str = "krakenFixApiKey/0123456789";
/// Base64 of the secret.
pub(crate) const SECRET: &str = "a3Jha2VuLWNhbmFyeS1zZWNyZXQtMDEyMzQ1Njc4OWFiY2RlZg==";

pub(crate) struct Kraken;

impl Venue for Kraken {
    fn begin_string(&self) -> &'static str {
        "FIX.4.4"
    }

    fn comp_id(&self) -> &'static str {
        "KRAKEN-TRD"
    }

    fn logon(&mut self, logon: &Message) -> Result<Fields, String> {
        if logon.get(553) != KEY {
            return Err("EAPI:Invalid key".to_owned());
        }
        let nonce = logon.get(5025);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        if !nonce.parse::<u128>().is_ok_and(|nonce| now.abs_diff(nonce) <= 5_000) {
            return Err("EAPI:Invalid nonce".to_owned());
        }
        let mut message = String::new();
        for tag in [35, 34, 49, 56, 553] {
            message += &format!("{tag}={}\x01", logon.get(tag));
        }
        let digest = Sha256::digest(format!("{message}{nonce}"));
        let key = BASE64.decode(SECRET.as_bytes()).unwrap();
        let mut mac = Hmac::<Sha512>::new_from_slice(&key).unwrap();
        mac.update(&digest);
        if logon.get(554) != BASE64.encode(&mac.finalize().into_bytes()) {
            return Err("EAPI:Invalid signature".to_owned());
        }
        Ok(Vec::new())
    }

    fn cancels_on_disconnect(&self, logon: &Message) -> bool {
        // Inverted: 0 cancels, and is the default.
        logon.get(8674) != "1"
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
            field(37, format!("OKRKN-{}", order.id)),
            field(11, &order.client),
            field(17, format!("TKRKN-{:08}", order.exec)),
            field(150, exec_type),
            field(39, order.status()),
            field(55, &order.symbol),
            field(54, if order.buy { 1 } else { 2 }),
            field(38, order.qty),
            field(40, 2),
            field(44, order.price),
            field(151, order.leaves()),
            field(14, order.cum),
            field(6, 0),
            field(60, utc()),
        ];
        if !order.before.is_empty() {
            fields.push(field(41, &order.before));
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
            field(58, "EOrder:Unknown order"),
        ]
    }

    fn judge_order(&self, order: &Message) -> Result<(), String> {
        let one_of = |tag: u32, values: &[&str]| match values.contains(&order.get(tag)) {
            true => Ok(()),
            false => Err(format!("tag {tag} is {}", order.get(tag))),
        };
        one_of(40, &["2"])?;
        one_of(59, &["", "1", "3", "4", "6"])?;
        one_of(18, &["", "6"])
    }

    fn other(&mut self, request: &Message, book: &mut Book) -> Option<Vec<Fields>> {
        match (request.msg_type(), request.get(530)) {
            ("q", "7") => {
                let open = book.open();
                let mut answers = Vec::new();
                for at in open.iter().copied() {
                    let (order, told) = book.cancel(at, "");
                    let mut fields = vec![field(35, "8")];
                    fields.extend(self.report(&order, told));
                    answers.push(fields);
                }
                answers.push(vec![
                    field(35, "r"),
                    field(11, request.get(11)),
                    field(37, "NONE"),
                    field(530, 7),
                    field(531, 7),
                    field(533, open.len()),
                ]);
                Some(answers)
            }
            ("H", _) => {
                let fields = match book.find(request.get(11), "") {
                    Some(at) => {
                        let (order, told) = book.status(at);
                        self.report(&order, told)
                    }
                    None => vec![
                        field(37, "NONE"),
                        field(11, request.get(11)),
                        field(17, 0),
                        field(150, "I"),
                        field(39, 8),
                        field(55, request.get(55)),
                        field(54, request.get(54)),
                        field(151, 0),
                        field(14, 0),
                        field(6, 0),
                        field(58, "EOrder:Unknown order"),
                    ],
                };
                Some(vec![[vec![field(35, "8")], fields].concat()])
            }
            _ => None,
        }
    }
}
