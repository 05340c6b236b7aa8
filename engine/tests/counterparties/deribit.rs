//! Deribit as its documentation describes it: FIX.4.4, a nonce and a digest in the Logon, its own id
//! in ClOrdID (11) of reports and ours in OrigClOrdID (41), cancel on disconnect by 9001, mass status.
//!
//! Source: docs.deribit.com, FIX API, "Logon", "New Order Single", "Execution Reports".

use crate::acceptor::{Venue, utc};
use crate::book::{Book, Order, Told};
use crate::text::{Fields, Message, field};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) const KEY: &str = "bDfi3xQ7";
pub(crate) const SECRET: &str = "deribit-canary-secret-0123456789abcdef";

#[derive(Default)]
pub(crate) struct Deribit {
    last_nonce: u64,
}

impl Venue for Deribit {
    fn begin_string(&self) -> &'static str {
        "FIX.4.4"
    }

    fn comp_id(&self) -> &'static str {
        "DERIBITSERVER"
    }

    fn logon(&mut self, logon: &Message) -> Result<Fields, String> {
        if logon.get(553) != KEY {
            return Err("invalid_credentials".to_owned());
        }
        let raw = logon.get(96);
        let Some((stamp, nonce)) = raw.split_once('.') else {
            return Err(format!("RawData is no timestamp.nonce: {raw}"));
        };
        let stamp: u64 = stamp.parse().map_err(|_| "timestamp is no number".to_owned())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        if stamp <= self.last_nonce || now.abs_diff(stamp.into()) > 10_000 {
            return Err("timestamp must be near the server's and increase".to_owned());
        }
        self.last_nonce = stamp;
        if BASE64.decode(nonce.as_bytes()).map_or(0, |bytes| bytes.len()) < 32 {
            return Err("nonce is shorter than 32 bytes".to_owned());
        }
        let expected = BASE64.encode(&Sha256::digest(format!("{raw}{SECRET}")));
        if logon.get(554) != expected {
            return Err("invalid_credentials".to_owned());
        }
        Ok(vec![field(96, raw), field(553, KEY), field(9001, logon.get(9001))])
    }

    fn cancels_on_disconnect(&self, logon: &Message) -> bool {
        logon.get(9001) == "Y"
    }

    fn report(&self, order: &Order, told: Told) -> Fields {
        let status = if told == Told::Rejected { '8' } else { order.status() };
        let mut fields = vec![
            field(527, order.exec),
            field(37, &order.id),
            // The venue's id here, ours there.
            field(11, &order.id),
            field(41, &order.client),
            field(150, if told == Told::Trade { "F" } else { "I" }),
            field(39, status),
            field(54, if order.buy { 1 } else { 2 }),
            field(60, utc()),
            field(151, order.leaves()),
            field(14, order.cum),
            field(38, order.qty),
            field(40, 2),
            field(44, order.price),
            field(55, &order.symbol),
            field(854, 1),
            field(6, 0),
            field(100_010, "touchline"),
        ];
        match told {
            Told::Trade => fields.extend([
                field(31, order.price),
                field(32, order.last),
                field(17, format!("BTC-{}", order.exec)),
            ]),
            _ => fields.push(field(17, 0)),
        }
        fields
    }

    fn cancel_reject(&self, request: &Message) -> Fields {
        vec![
            field(37, "NONE"),
            field(11, request.get(11)),
            field(41, request.get(11)),
            field(39, 8),
            field(102, 1),
            field(434, if request.msg_type() == "G" { 2 } else { 1 }),
            field(58, "not_open_order"),
        ]
    }

    /// By our id, which the order keeps.
    fn target(&self, request: &Message) -> (String, String) {
        (request.get(11).to_owned(), String::new())
    }

    fn renamed(&self, _request: &Message) -> String {
        String::new()
    }

    fn judge_order(&self, order: &Message) -> Result<(), String> {
        let one_of = |tag: u32, values: &[&str]| match values.contains(&order.get(tag)) {
            true => Ok(()),
            false => Err(format!("tag {tag} is {}", order.get(tag))),
        };
        if order.get(11).len() > 64 {
            return Err("ClOrdID".to_owned());
        }
        one_of(40, &["2"])?;
        one_of(59, &["", "1", "3", "4"])?;
        one_of(18, &["", "6", "6A"])
    }

    fn other(&mut self, request: &Message, book: &mut Book) -> Option<Vec<Fields>> {
        match (request.msg_type(), request.get(585), request.get(530)) {
            ("AF", "7", _) => {
                let open = book.open();
                let total = open.len();
                let last = |fields: &mut Fields, done| {
                    fields.extend([field(584, request.get(584)), field(911, total)]);
                    fields.push(field(912, if done { "Y" } else { "N" }));
                };
                if open.is_empty() {
                    let mut none = vec![field(35, "8"), field(150, "I"), field(39, 8)];
                    last(&mut none, true);
                    return Some(vec![none]);
                }
                let mut answers = Vec::new();
                for (place, at) in (1..).zip(open) {
                    let (order, told) = book.status(at);
                    let mut fields = vec![field(35, "8")];
                    fields.extend(self.report(&order, told));
                    last(&mut fields, place == total);
                    answers.push(fields);
                }
                Some(answers)
            }
            ("q", _, scope @ ("1" | "7")) => {
                let symbol = request.get(55);
                let open = book.open();
                let of = |at: &usize| scope == "7" || book.orders[*at].symbol == symbol;
                let wanted: Vec<usize> = open.into_iter().filter(of).collect();
                let mut answers = vec![vec![
                    field(35, "r"),
                    field(11, request.get(11)),
                    field(37, request.get(11)),
                    field(530, scope),
                    field(531, scope),
                    field(533, wanted.len()),
                ]];
                if scope == "1" {
                    answers[0].push(field(55, symbol));
                }
                for at in wanted {
                    let (order, told) = book.cancel(at, "");
                    let mut fields = vec![field(35, "8")];
                    fields.extend(self.report(&order, told));
                    answers.push(fields);
                }
                Some(answers)
            }
            _ => None,
        }
    }
}
