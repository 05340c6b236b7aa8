//! The sections of the demo exchange, of backtests and of instruments.
//!
//! This is the only list of their keys. It must hold nothing but descriptions.

use super::choice::{BacktestClock, ContractKind, FlowKind, QueueWord};
use super::fix_choices::{FixApplication, FixVersion, ValidationWord};
use super::key::section;
use super::special::{Core, SessionDay, Speed, TimeOfDay};
use crate::runtime::stage::Idle;
use market::{Nanos, Price, Rate};
use rust_decimal::Decimal;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;

section! {
    /// The exchange's name and place.
    pub struct VenueConfig = "exchange" {
        /// Name in its log.
        name: String = "exchange", [1, 32];
        /// Folder of its market data session and of its FIX store, which survive a restart.
        #[danger = "two exchanges must never share it"]
        data_dir: PathBuf = "touchline-data/exchange";
        /// The CPU of its only thread; "auto" takes the first when there are two or more.
        core: Core = "auto";
        /// What the core does when there is nothing to do.
        #[danger = "`spin` takes the CPU for itself"]
        idle: Idle = "kind";
    }
}

section! {
    /// Market data out: ITCH 5.0 in MoldUDP64 packets.
    pub struct MarketDataConfig = "market_data" {
        /// Group and port of line A.
        line_a: SocketAddrV4 => "239.192.77.1:31001", [0, 65_535];
        /// Group and port of line B, which carries the same packets.
        line_b: Option<SocketAddrV4> => "239.192.77.2:31002", [0, 65_535];
        /// Address of the network interface that sends.
        #[danger = "on an interface other than loopback the packets leave this machine"]
        interface: Ipv4Addr = "127.0.0.1";
        /// Where retransmission requests are answered.
        retransmit: SocketAddr => "127.0.0.1:31003", [0, 65_535];
        /// Where ITCH is served over SoupBinTCP, from any message on; nowhere when absent.
        #[danger = "there is no password: keep it on loopback"]
        soupbintcp: Option<SocketAddr> => "127.0.0.1:31005", [0, 65_535];
        /// Where snapshots of the books are served, as GLIMPSE 5.0 gives them; nowhere when absent.
        #[danger = "there is no password: keep it on loopback"]
        glimpse: Option<SocketAddr> => "127.0.0.1:31004", [0, 65_535];
        /// Silence after which a heartbeat is sent.
        heartbeat_ms: Nanos = 1_000, [10, 60_000];
        /// Name of the market data session; chosen anew by `--fresh` when absent.
        session: Option<String> => "DEMO000001", [1, 10];
    }
}

section! {
    /// Order entry: a FIX acceptor.
    pub struct FixConfig = "fix" {
        /// Where engines connect.
        #[danger = "there is no password: keep it on loopback"]
        listen: SocketAddr => "127.0.0.1:9880", [0, 65_535];
        /// The version of its sessions.
        version: FixVersion = "FIX.4.4";
        /// Its SenderCompID (49).
        comp_id: String = "EXCHANGE", [1, 32];
        /// SenderCompIDs that may log on; each is an account.
        accounts: Vec<String> => ["TOUCHLINE"], [1, 32];
        /// Let every SenderCompID log on: one that is not in `accounts` becomes an account.
        #[danger = "whoever reaches the port trades"]
        any_account: bool = false;
        /// SenderCompIDs that may log on and ask for market data (V): they do not trade. For synthetic
        /// flow; a recorded day is published as it stands.
        market_data: Vec<String> = [] => ["TOUCHLINE-MD"], [1, 32];
        /// Who answers: the matching engine, or an echo to test a session with, which sends
        /// NewOrderSingle (D), SecurityDefinition (d) and Email (C) back and refuses the rest.
        application: FixApplication = "matching";
        /// How far a message is held against the dictionary of its version before it is taken.
        validation: ValidationWord = "none";
        /// Begin both sequence numbers anew at every Logon, without ResetSeqNumFlag (141) unless the
        /// client sends it.
        #[danger = "what was sent while a client was away is never sent again"]
        reset_on_logon: bool = false;
        /// Cancel an account's orders when its session ends.
        #[danger = "when false, a crashed engine's orders stay in the market"]
        cancel_on_disconnect: bool = true;
    }
}

section! {
    /// The synthetic order flow.
    pub struct SyntheticConfig = "flow" {
        /// Which set of its parameters.
        parameters: String = "default", [1, 32];
        /// Multiplies all arrival rates.
        rate: Decimal = 1, [0.001, 1_000];
    }
}

section! {
    /// Where the other orders come from.
    pub struct FlowConfig = "flow" {
        /// Synthetic flow, or a recorded day.
        kind: FlowKind = "synthetic";
        /// The same seed gives the same flow.
        seed: u64 = 1, [0, 18_446_744_073_709_551_615];
        /// The recording to replay (ITCH 5.0 in a BinaryFILE or a capture, packed or not).
        file: Option<PathBuf> => "ARL_20250717.itch50.gz";
        /// Day whose midnight a recording's times of day count from.
        session_day: SessionDay = "today" => "2025-07-17";
        /// UTC time of that midnight: NASDAQ's is 04:00:00 in summer and 05:00:00 in winter.
        midnight_utc: TimeOfDay = "00:00:00" => "04:00:00";
        /// Times the recorded speed, or "max".
        speed: Speed = 1;
        /// Publish the next packet only when the engine has answered the last.
        lockstep: bool = false;
    }
}

section! {
    /// A backtest.
    pub struct BacktestSection = "backtest" {
        /// The same seed gives the same run.
        seed: u64 = 1, [0, 18_446_744_073_709_551_615];
        /// "synthetic", or the path of a recording.
        data: PathBuf = "synthetic";
        /// Recordings of the days that follow; without dates, each counts from a midnight later.
        then: Vec<PathBuf> = [] => ["day2.itch50.gz"];
        /// Day whose midnight a recording's times of day count from.
        session_day: SessionDay = "today" => "2025-07-17";
        /// UTC time of that midnight: NASDAQ's is 04:00:00 in summer and 05:00:00 in winter.
        midnight_utc: TimeOfDay = "00:00:00" => "04:00:00";
        /// Simulated time of a synthetic run; a recording ends by itself.
        duration_s: Nanos = 600, [0.001, 604_800];
        /// `virtual` counts latencies; `feed` takes the exchange's time from the last event.
        clock: BacktestClock = "virtual";
        /// From the exchange to the trading loop.
        #[danger = "zero is faster than any machine: results look too good"]
        feed_latency_us: Nanos = 20, [0, 10_000_000];
        /// From the trading loop to the exchange, and the same back.
        #[danger = "zero is faster than any machine: results look too good"]
        order_latency_us: Nanos = 50, [0, 10_000_000];
        /// Data by level only: where in the queue of a level what was canceled there stood. For
        /// `risk-averse` behind us, so that only trades advance us; `power` and `log` spread it by
        /// f(behind) / (f(behind) + f(ahead)), f(x) = x^`queue_exponent` or ln(1 + x) of lots.
        #[danger = "`power` and `log` mostly fill earlier, and such data cannot say if rightly"]
        queue_model: QueueWord = "risk-averse";
        /// Exponent of `power`. With 1 every unit is as likely to be canceled as any other.
        queue_exponent: Decimal = 3, [0.1, 20];
    }
}

section! {
    /// The journal of the backtest.
    pub struct BacktestJournal = "journal" {
        /// Its folder.
        dir: PathBuf = "touchline-data/backtest/journal";
    }
}

section! {
    /// One instrument. The order of the tables is the order of the run.
    pub struct InstrumentSection = "instrument" repeats {
        /// The venue's symbol.
        symbol: String => "TLA", [1, 16];
        /// Smallest price step.
        #[danger = "a wrong tick gets every order rejected"]
        tick: Price => 0.01, [0.000000001, 1_000_000_000];
        /// Smallest quantity step.
        lot: Decimal => 1, [0.000000001, 1_000_000_000];
        /// Fractional digits of quantities.
        qty_digits: u32 => 0, [0, 9];
        /// Lowest price of an order; one tick when absent.
        price_min: Option<Price> => 0.01, [0.000000001, 9_000_000_000];
        /// Highest price of an order.
        price_max: Price => 199_999.99, [0.000000001, 9_000_000_000];
        /// Smallest quantity of an order; one lot when absent.
        qty_min: Option<Decimal> => 1, [0.000000001, 1_000_000_000_000];
        /// Largest quantity of an order.
        qty_max: Decimal => 999_999, [0.000000001, 1_000_000_000_000];
        /// Linear (shares, spot, linear futures) or inverse (coin-margined futures).
        #[danger = "the wrong kind makes every profit and limit wrong"]
        contract: ContractKind => "linear";
        /// Units of the underlying (linear) or of the quote currency (inverse) in one contract.
        multiplier: Decimal = 1, [0.000000001, 1_000_000_000];
        /// What is traded.
        base: String => "TLA", [1, 16];
        /// Currency of the price.
        quote: String => "USD", [1, 16];
        /// Fee for resting orders, of the value traded; negative is a rebate.
        maker_fee_bps: Rate => -0.1, [-100, 1_000];
        /// Fee for orders that take liquidity.
        taker_fee_bps: Rate => 0.3, [-100, 1_000];
        /// Start of trading hours in UTC; always open when both are absent.
        open: Option<TimeOfDay> => "13:30:00";
        /// End of trading hours in UTC; before `open` when they pass midnight.
        close: Option<TimeOfDay> => "20:00:00";
        /// Price at which synthetic order flow begins; drawn from the seed when absent.
        reference_price: Option<Price> => 25.00, [0.000000001, 9_000_000_000];
    }
}
