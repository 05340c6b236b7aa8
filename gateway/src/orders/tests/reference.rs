//! The encoder's bytes beside those of a writer that only formats: the same for every command, time,
//! number, account and name, and valid by a sum and a length of its own.

use super::*;
use crate::fix::number::Written;
use crate::fix::{EncodeError, TimeText};
use market::{CommandKind, Event, OrderId, TimeInForce};
use proptest::prelude::*;
use rust_decimal::Decimal;

fn decimal(raw: i64, scale: u32) -> String {
    Decimal::from_i128_with_scale(raw.into(), scale).normalize().to_string()
}

/// The symbol of an instrument of the table, and the digits of its quantities.
fn listed(command: &Command) -> (&'static str, u32) {
    match command.instrument.0 {
        0 => ("ARL", 0),
        _ => ("BTC-USD", 8),
    }
}

fn order(command: &Command, account: Option<&str>, time: &str) -> String {
    let (symbol, digits) = listed(command);
    let kind = command.kind().unwrap();
    let mut body = String::new();
    if kind != CommandKind::New {
        body += &format!("41={}|", command.target.0);
    }
    body += &format!("11={}|", command.id.0);
    if let Some(account) = account {
        body += &format!("1={account}|");
    }
    if command.post_only() && kind != CommandKind::Cancel {
        body += "18=6|";
    }
    let side = if command.side() == Some(market::Side::Buy) { 1 } else { 2 };
    body += &format!("55={symbol}|54={side}|60={time}|");
    if kind != CommandKind::Cancel {
        let (qty, price) = (decimal(command.qty.raw(), digits), decimal(command.price.raw(), 9));
        let until = if command.time_in_force() == TimeInForce::Day { 0 } else { 3 };
        body += &format!("38={qty}|40=2|44={price}|59={until}|");
    }
    body
}

fn body(command: &Command, account: Option<&str>, time: &str) -> (&'static str, String) {
    let id = command.id.0;
    match command.kind().unwrap() {
        CommandKind::New => ("D", order(command, account, time)),
        CommandKind::Replace => ("G", order(command, account, time)),
        CommandKind::Cancel => ("F", order(command, account, time)),
        CommandKind::MassCancel if command.instrument == Event::ALL => {
            ("q", format!("11={id}|530=7|60={time}|"))
        }
        CommandKind::MassCancel => {
            ("q", format!("11={id}|530=1|55={}|60={time}|", listed(command).0))
        }
        CommandKind::Status => {
            let side = if command.side() == Some(market::Side::Buy) { 1 } else { 2 };
            ("H", format!("11={}|55={}|54={side}|", command.target.0, listed(command).0))
        }
        CommandKind::MassStatus => ("AF", format!("584={id}|585=7|")),
        CommandKind::Mark => ("UM", format!("20001={id}|20002={}|", command.target.0)),
    }
}

/// The whole message as text would have it.
fn written(
    head: (&str, &str, &str),
    seq: u64,
    time: &str,
    (kind, body): (&str, String),
) -> Vec<u8> {
    let (begin, us, them) = head;
    let body = format!("35={kind}|34={seq}|49={us}|52={time}|56={them}|{body}");
    let text = format!("8={begin}|9={}|{body}", body.len()).replace('|', "\x01");
    let sum: u32 = text.bytes().map(u32::from).sum();
    format!("{text}10={:03}\x01", sum % 256).into_bytes()
}

/// Small, usual and the greatest numbers.
fn number() -> impl Strategy<Value = u64> {
    (any::<u64>(), 0u32..64).prop_map(|(number, shift)| number >> shift)
}

proptest! {
    #[test]
    fn bytes_are_those_of_a_plain_writer(
        command in super::round_trip::command(),
        (id, target, seq) in (number(), number(), number()),
        times in prop::collection::vec(any::<u64>(), 1..4),
        begin in prop::sample::select(vec!["FIX.4.2", "FIX.4.4", "FIXT.1.1", "FIX.5.0.SP2.X"]),
        (us, them) in ("[A-Z0-9]{1,40}", "[A-Z0-9]{1,12}"),
        account in prop::option::of("[A-Z0-9-]{1,60}"),
        precision in prop::sample::select(vec![
            Precision::Seconds, Precision::Millis, Precision::Micros, Precision::Nanos,
        ]),
    ) {
        let mut command = command;
        (command.id, command.target) = (OrderId(id), OrderId(target));
        let mut template = Template::new(begin, &us, &them, precision).unwrap();
        let mut buffer = vec![0xff; 512 + Encoder::SLACK];
        // The template remembers a time; another must not be taken for it.
        for now in times.into_iter().map(Timestamp::from_nanos) {
            let settings = Settings { account: account.clone(), ..Settings::of(Version::Fix44) };
            let dialect = Dialect::new(settings).unwrap();
            let kind = super::super::msg_type(&command, &dialect).unwrap();
            let account = account.as_deref();
            let mut encoder = Encoder::begin(&mut buffer, &mut template, now, seq, kind);
            super::super::encode_command(&command, &instruments(), &dialect, now, &mut encoder);
            let mut writer = TimeText::new(precision);
            let (text, Written { len, .. }) = writer.text(now);
            let time = std::str::from_utf8(&text[..len]).unwrap();
            let expected = written((begin, &us, &them), seq, time, body(&command, account, time));
            prop_assert_eq!(encoder.finish().map(<[u8]>::to_vec), Ok::<_, EncodeError>(expected));
        }
    }
}
