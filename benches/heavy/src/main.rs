//! The FIX codec beside crate `fefix`: the same messages, pairs and figures as group `fix`.
//!
//! `fefix` has no decimals to integers and back, so it gets our routines for them. Every message is
//! compared before any is measured.

use benches::data::fix::{
    Execution, Order, QTY_DIGITS, SENT_TEXT, SYMBOL, US, VENUE, fills, orders,
};
use benches::figure::{Figure, HEAD};
use benches::figures::fix::{Sender, beside, decode, empty_index};
use benches::machine::on_core;
use fefix::prelude::*;
use fefix::tagvalue::{Config, Decoder, Encoder, FvWrite as _};
use gateway::fix::number::{ROOM, parse_decimal, write_decimal};
use gateway::fix::tags;
use market::Price;
use std::hint::black_box;

fn main() {
    println!("{HEAD}");
    for figure in on_core(0, || [decoding(), encoding()]) {
        println!("{figure}");
    }
}

fn decoding() -> Figure {
    let fills = fills();
    let mut theirs = Decoder::<Config>::new(Dictionary::fix44());
    for fill in &fills {
        assert_eq!(read(&mut theirs, &fill.bytes, |said| *said == fill.said()), Some(true));
    }
    let mut index = empty_index();
    let paired = beside(
        &fills,
        |fill| {
            black_box(decode(&mut index, black_box(&fill.bytes)));
        },
        |fill| {
            read(&mut theirs, black_box(&fill.bytes), |said| {
                black_box(said);
            });
        },
    );
    Figure::new("fix/decode", "ns", "fefix", &paired)
        .note("the same; fefix has our decimals' reader, having none to integers")
}

/// Bytes to values; the message lives as long as `show` looks at it.
fn read<T>(
    decoder: &mut Decoder<Config>,
    bytes: &[u8],
    show: impl FnOnce(&Execution<'_>) -> T,
) -> Option<T> {
    let message = decoder.decode(bytes).ok()?;
    let text = |tag: u32| message.fv_raw(&tag);
    let number = |tag: u32, scale| parse_decimal(text(tag)?, scale).ok();
    let code = |tag: u32| text(tag)?.first().copied();
    Some(show(&Execution {
        seq: message.fv(&tags::MSG_SEQ_NUM).ok()?,
        venue_order: text(tags::ORDER_ID)?,
        exec: text(tags::EXEC_ID)?,
        exec_type: code(tags::EXEC_TYPE)?,
        status: code(tags::ORD_STATUS)?,
        order: message.fv(&tags::CL_ORD_ID).ok()?,
        symbol: text(tags::SYMBOL)?,
        side: code(tags::SIDE)?,
        qty: number(tags::ORDER_QTY, QTY_DIGITS)?,
        price: number(tags::PRICE, Price::DIGITS)?,
        last_qty: number(tags::LAST_QTY, QTY_DIGITS)?,
        last_px: number(tags::LAST_PX, Price::DIGITS)?,
        cum_qty: number(tags::CUM_QTY, QTY_DIGITS)?,
        leaves_qty: number(tags::LEAVES_QTY, QTY_DIGITS)?,
    }))
}

fn encoding() -> Figure {
    let orders = orders();
    let (mut sender, mut encoder, mut buffer) =
        (Sender::of_ours(), Encoder::<Config>::default(), Vec::with_capacity(1_024));
    for order in &orders {
        let theirs = write(&mut encoder, &mut buffer, order).to_vec();
        let ours = sender.encode(order).expect("an order of ours");
        assert_eq!(body(&theirs), body(ours), "{}", String::from_utf8_lossy(&theirs));
    }
    let paired = beside(
        &orders,
        |order| {
            black_box(sender.encode(black_box(order)));
        },
        |order| {
            black_box(write(&mut encoder, &mut buffer, black_box(order)));
        },
    );
    Figure::new("fix/encode", "ns", "fefix", &paired)
        .note("the same; fefix has our decimals' writer, having none from integers")
}

/// From MsgType to the last field before CheckSum: BodyLength they pad.
fn body(message: &[u8]) -> Option<&[u8]> {
    let start = message.windows(4).position(|part| part == b"\x0135=")?;
    message.get(start..message.len().checked_sub(7)?)
}

fn write<'a>(encoder: &'a mut Encoder<Config>, buffer: &'a mut Vec<u8>, order: &Order) -> &'a [u8] {
    let (mut price, mut qty) = ([0; ROOM], [0; ROOM]);
    let written = |out: &mut _, raw, scale| write_decimal(out, raw, scale).unwrap_or(0);
    let price_len = written(&mut price, order.command.price.raw(), Price::DIGITS);
    let qty_len = written(&mut qty, order.command.qty.raw(), QTY_DIGITS);
    let side = if order.command.side() == Some(market::Side::Buy) { b"1" } else { b"2" };
    buffer.clear();
    let mut message = encoder.start_message(b"FIX.4.4", buffer, b"D");
    message.set_fv(&tags::SENDER_COMP_ID, US.as_bytes());
    message.set_fv(&tags::TARGET_COMP_ID, VENUE.as_bytes());
    message.set_fv(&tags::MSG_SEQ_NUM, order.seq);
    message.set_fv(&tags::SENDING_TIME, SENT_TEXT.as_bytes());
    message.set_fv(&tags::CL_ORD_ID, order.command.id.0);
    message.set_fv(&tags::SYMBOL, SYMBOL.as_bytes());
    message.set_fv(&tags::SIDE, side.as_slice());
    message.set_fv(&tags::TRANSACT_TIME, SENT_TEXT.as_bytes());
    message.set_fv(&tags::ORDER_QTY, &qty[..qty_len]);
    message.set_fv(&tags::ORD_TYPE, b"2".as_slice());
    message.set_fv(&tags::PRICE, &price[..price_len]);
    message.set_fv(&tags::TIME_IN_FORCE, b"0".as_slice());
    message.wrap()
}
