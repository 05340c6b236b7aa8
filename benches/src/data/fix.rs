//! FIX messages in memory: fills as a venue sends them in each version, orders as we send them in
//! FIX.4.4, and messages with groups. Seeded. They are put together as text, so that no codec
//! judges itself.

use gateway::spec::Version;
use market::{Command, Instrument, InstrumentId, OrderId, Price, Qty, Rng, Side, Timestamp};

/// Messages of a set: enough that no branch predictor knows them by heart.
pub const MESSAGES: usize = 1_024;
/// What both sides call themselves.
pub const US: &str = "TLMM1";
/// The other side.
pub const VENUE: &str = "VENUE";
/// Symbol (55) of all messages.
pub const SYMBOL: &str = "BTC-USD";
/// When all of it happens, in milliseconds.
pub const SENT: Timestamp = Timestamp::from_nanos(1_752_758_200_012_000_000);
/// The same as FIX writes it.
pub const SENT_TEXT: &str = "20250717-13:16:40.012";
/// Fractional digits of the instrument's quantities.
pub const QTY_DIGITS: u32 = 8;

/// The instrument: quantities in hundred-millionths.
#[must_use]
pub fn instrument() -> Instrument {
    Instrument { qty_digits: QTY_DIGITS, ..Instrument::share(7, SYMBOL) }
}

/// What an ExecutionReport says: ids and codes as they stand there, prices in 1e-9, quantities in
/// 1e-8.
#[allow(missing_docs)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Execution<'a> {
    pub seq: u64,
    pub venue_order: &'a [u8],
    pub exec: &'a [u8],
    pub exec_type: u8,
    pub status: u8,
    pub order: u64,
    pub symbol: &'a [u8],
    pub side: u8,
    pub qty: i64,
    pub price: i64,
    pub last_qty: i64,
    pub last_px: i64,
    pub cum_qty: i64,
    pub leaves_qty: i64,
}

/// An ExecutionReport and what it says.
#[derive(Clone, Debug)]
pub struct Fill {
    /// The message.
    pub bytes: Vec<u8>,
    ids: [String; 2],
    said: Execution<'static>,
}

impl Fill {
    /// What the message says.
    #[must_use]
    pub fn said(&self) -> Execution<'_> {
        let [venue_order, exec] = &self.ids;
        Execution { venue_order: venue_order.as_bytes(), exec: exec.as_bytes(), ..self.said }
    }
}

/// Fills of FIX.4.4, one after the other in sequence.
#[must_use]
pub fn fills() -> Vec<Fill> {
    fills_in(Version::Fix44)
}

/// The same fills in any version.
#[must_use]
pub fn fills_in(version: Version) -> Vec<Fill> {
    let mut rng = Rng::new(4_401);
    (0..MESSAGES as u64).map(|number| fill(number, &mut rng, version)).collect()
}

fn fill(number: u64, rng: &mut Rng, version: Version) -> Fill {
    let mut some = |from: u64, to: u64| from + rng.below(to - from);
    let (seq, order) = (184_000 + number, some(1_000_000, 90_000_000));
    let ids = [
        format!("{}-{:06}", some(100_000_000, 999_999_999), some(0, 999_999)),
        format!("X{:012}", some(0, 999_999_999_999)),
    ];
    let (price, side) = (price(&mut some), some(1, 3));
    let (last, before) = (amount(&mut some), amount(&mut some));
    let leaves = if some(0, 2) == 0 { 0 } else { amount(&mut some) };
    let (cum, status) = (last + before, if leaves == 0 { 2 } else { 1 });
    let qty = cum + leaves;
    let [px, qt, lq, cq, vq] = [
        decimal(price, Price::DIGITS),
        decimal(qty, QTY_DIGITS),
        decimal(last, QTY_DIGITS),
        decimal(cum, QTY_DIGITS),
        decimal(leaves, QTY_DIGITS),
    ];
    let [venue_order, exec] = &ids;
    // FIX.4.2 says by ExecType how the order stands, and knows no LastLiquidityInd.
    let (exec_type, trans, liquidity) = match version {
        Version::Fix42 => (digit(status), "20=0|", ""),
        Version::Fix44 | Version::Fix50Sp2 => (b'F', "", "851=1|"),
    };
    let exec_char = char::from(exec_type);
    let bytes = framed(
        version.begin_string(),
        &format!(
            "35=8|49={VENUE}|56={US}|34={seq}|52={SENT_TEXT}|37={venue_order}|11={order}|17={exec}|\
         {trans}150={exec_char}|39={status}|55={SYMBOL}|54={side}|38={qt}|44={px}|32={lq}|31={px}|\
         151={vq}|14={cq}|6={px}|60={SENT_TEXT}|{liquidity}"
        ),
    );
    let said = Execution {
        seq,
        exec_type,
        status: digit(status),
        order,
        symbol: SYMBOL.as_bytes(),
        side: digit(side),
        qty: signed(qty),
        price: signed(price),
        last_qty: signed(last),
        last_px: signed(price),
        cum_qty: signed(cum),
        leaves_qty: signed(leaves),
        ..Execution::default()
    };
    Fill { bytes, ids, said }
}

/// An order of ours, and the text of its numbers for codecs that write no decimals.
#[derive(Clone, Debug)]
pub struct Order {
    /// MsgSeqNum (34).
    pub seq: u64,
    /// The order.
    pub command: Command,
    /// OrderQty (38).
    pub qty: String,
    /// Price (44).
    pub price: String,
}

/// Limit orders, one after the other in sequence.
#[must_use]
pub fn orders() -> Vec<Order> {
    let mut rng = Rng::new(4_402);
    let mut some = |from: u64, to: u64| from + rng.below(to - from);
    let orders = (0..MESSAGES as u64).map(|number| {
        let (qty, price) = (amount(&mut some), price(&mut some));
        let side = if some(0, 2) == 0 { Side::Buy } else { Side::Sell };
        let (px, quantity) = (Price::from_raw(signed(price)), Qty::from_raw(signed(qty)));
        let id = OrderId(17_000_000 + number);
        Order {
            seq: 184_000 + number,
            command: Command::new(id, InstrumentId(7), side, px, quantity),
            qty: decimal(qty, QTY_DIGITS),
            price: decimal(price, Price::DIGITS),
        }
    });
    orders.collect()
}

/// 50,000 to 120,000 in ticks of 0.01, as a count of 1e-9.
fn price(some: &mut impl FnMut(u64, u64) -> u64) -> u64 {
    some(5_000_000, 12_000_000) * 10_000_000
}

/// Up to three coins in steps of 0.0001, as a count of 1e-8.
fn amount(some: &mut impl FnMut(u64, u64) -> u64) -> u64 {
    some(1, 30_000) * 10_000
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).expect("far below the limit")
}

fn digit(value: u64) -> u8 {
    b'0' + u8::try_from(value).expect("one digit")
}

/// `raw` × 10^-`scale` without trailing zeros.
fn decimal(raw: u64, scale: u32) -> String {
    let unit = 10u64.pow(scale);
    let text = format!("{}.{:0width$}", raw / unit, raw % unit, width = scale as usize);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Snapshots of a book of five levels a side, as FIX.4.2 has them.
#[must_use]
pub fn snapshots() -> Vec<Vec<u8>> {
    let mut rng = Rng::new(4_403);
    let mut some = |from: u64, to: u64| from + rng.below(to - from);
    let messages = (0..MESSAGES as u64).map(|number| {
        let mut body = format!(
            "35=W|49={VENUE}|56={US}|34={}|52={SENT_TEXT}|262=7|55={SYMBOL}|268=10|",
            184_000 + number
        );
        for entry in 0..10 {
            let px = decimal(price(&mut some), Price::DIGITS);
            let qty = decimal(amount(&mut some), QTY_DIGITS);
            body += &format!("269={}|270={px}|271={qty}|", entry % 2);
        }
        framed("FIX.4.2", &body)
    });
    messages.collect()
}

/// Mass quotes of two sets of five, groups in groups, as FIX.5.0SP2 has them.
#[must_use]
pub fn mass_quotes() -> Vec<Vec<u8>> {
    let mut rng = Rng::new(4_404);
    let mut some = |from: u64, to: u64| from + rng.below(to - from);
    let messages = (0..MESSAGES as u64).map(|number| {
        let seq = 184_000 + number;
        let mut body =
            format!("35=i|1128=9|49={US}|56={VENUE}|34={seq}|52={SENT_TEXT}|117={number}|296=2|");
        for set in 0..2 {
            body += &format!("302={set}|304=5|295=5|");
            for entry in 0..5 {
                let [bid, ask] = [(); 2].map(|()| decimal(price(&mut some), Price::DIGITS));
                let [buy, sell] = [(); 2].map(|()| decimal(amount(&mut some), QTY_DIGITS));
                let id = 10 * set + entry;
                body += &format!("299={id}|55={SYMBOL}|132={bid}|133={ask}|134={buy}|135={sell}|");
            }
        }
        framed("FIXT.1.1", &body)
    });
    messages.collect()
}

/// A whole message around a body in which `|` stands for SOH.
#[must_use]
pub fn framed(begin_string: &str, body: &str) -> Vec<u8> {
    let body = body.replace('|', "\x01");
    let mut bytes = format!("8={begin_string}\x019={}\x01{body}", body.len()).into_bytes();
    let sum = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    bytes.extend(format!("10={sum:03}\x01").bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_size_of_the_peers_comparison() {
        for fill in fills() {
            assert!((240..=275).contains(&fill.bytes.len()), "{}", fill.bytes.len());
        }
        assert_eq!(decimal(1_500, 3), "1.5");
        assert_eq!(decimal(2_000, 3), "2");
        assert_eq!(decimal(1, 8), "0.00000001");
    }
}
