//! The sections of an engine's configuration: every key with its unit, range, default and danger.
//!
//! This is the only list of keys there is. It must hold nothing but descriptions.

use super::choice::{
    Acknowledged, ClockSource, Durability, Environment, Kind, LogLevel, Protocol, Start,
};
use super::key::section;
use super::special::{Core, Endpoint, Metrics, SessionDay, TimeOfDay};
use crate::runtime::stage::Idle;
use market::Nanos;
use rust_decimal::Decimal;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::PathBuf;
use wire::Backend;

section! {
    /// The top of the file, before the first section.
    pub struct TopConfig = "" {
        /// What the file describes.
        kind: Kind => "run";
        /// Files with `[[instrument]]` tables, relative to this file.
        /// The tables may also stand in this file itself.
        instruments: Vec<PathBuf> = [] => ["instruments/demo.toml"];
        /// In the configuration of a run: the profile of its venue, relative to this file.
        /// Its sections may also stand in this file itself; without any, the venue speaks plain FIX.4.4.
        venue: Option<PathBuf> => "venues/demo.toml";
        /// The profile whose `[websocket]` a run reads its market data by, where that is not the profile
        /// of `venue`: market data of one venue, orders to another.
        feed_venue: Option<PathBuf> => "venues/binance-spot.toml";
    }
}

section! {
    /// The engine's name and place.
    pub struct EngineConfig = "engine" {
        /// Name in logs, metrics and the journal.
        name: String = "touchline", [1, 32];
        /// Folder of the journal, the socket of `touchline ctl`, and all state that survives a restart.
        #[danger = "two engines must never share it; deleting it loses positions and the kill latch"]
        data_dir: PathBuf = "touchline-data/engine";
        /// What money stands behind the orders; shown in every report and metric.
        #[danger = "production sends real orders"]
        environment: Environment = "demo";
    }
}

section! {
    /// The clock of the trading loop.
    pub struct ClockConfig = "clock" {
        /// `tsc` for live trading; `feed` takes the exchange's time from the last event, and is what lockstep with a replay needs.
        #[danger = "with `feed`, no timer fires while the market is silent"]
        source: ClockSource = "tsc";
    }
}

section! {
    /// Which stage runs on which CPU. Stages that name the same CPU share a thread; three CPUs, two, or one are all good.
    pub struct CoresConfig = "cores" {
        /// Decodes market data. "auto" fits the machine and must then stand for all three; "none" is a thread that is not pinned.
        #[danger = "CPU 0 serves most interrupts"]
        feed: Core = "auto";
        /// Books, strategy, quoter and risk.
        trading: Core = "auto";
        /// Orders out and reports in.
        #[danger = "on the CPU of trading, only the venue's cancel-on-disconnect guards against a stalled loop"]
        gateway: Core = "auto";
        /// False leaves every thread to the scheduler; CPU numbers then only say which stages share a thread.
        pin: bool = true;
        /// What a core does when there is nothing to do: `kind` sleeps after a bounded spin, `spin` never does.
        #[danger = "`spin` takes its CPUs for itself: leave one for everything else"]
        idle: Idle = "kind";
    }
}

section! {
    /// Sockets.
    pub struct WireConfig = "wire" {
        /// `auto` takes io_uring where the host allows it and says what it took.
        backend: Backend = "auto";
        /// Receive buffer asked for each market data socket; the kernel may grant less and the engine then says so.
        #[danger = "too small a buffer loses packets in bursts"]
        receive_buffer_bytes: usize = 8_388_608, [65_536, 1_073_741_824];
        /// Take the kernel's receive times, for the `recv` hop of the latency table: of one poll in sixteen, since each costs the others time.
        kernel_stamps: bool = true;
    }
}

section! {
    /// Market data in.
    pub struct FeedConfig = "feed" {
        /// By what market data comes: packets of lines, or a websocket as `[websocket]` says.
        protocol: Protocol = "itch50-moldudp64";
        /// Group and port of line A; `itch50-moldudp64` needs it.
        line_a: Option<SocketAddrV4> => "239.192.77.1:31001", [1, 65_535];
        /// Group and port of line B, where the venue has one: the first copy of a packet wins.
        line_b: Option<SocketAddrV4> => "239.192.77.2:31002", [1, 65_535];
        /// Address of the network interface that joins the groups; `itch50-moldudp64` needs it.
        interface: Option<Ipv4Addr> => "127.0.0.1";
        /// The venue's retransmission server. Without it a gap on both lines stays, and its books with it.
        #[danger = "without it one packet lost on both lines ends quoting for the day"]
        retransmit: Option<SocketAddr> => "127.0.0.1:31003", [1, 65_535];
        /// Day whose midnight the feed's times of day count from.
        session_day: SessionDay = "today";
        /// UTC time of the exchange's midnight, where its times of day are not UTC: NASDAQ's is 04:00:00 in summer and 05:00:00 in winter.
        #[danger = "an hour off moves every exchange time and the trading hours with it"]
        midnight_utc: TimeOfDay = "00:00:00";
        /// How long a gap on one line waits for the other before it is requested.
        arbitration_wait_us: Nanos = 200, [0, 1_000_000];
        /// How long one retransmission request waits for its answer.
        request_timeout_ms: Nanos = 50, [1, 10_000];
        /// Requests for one gap before a snapshot is taken, or it is given up.
        request_tries: u32 = 10, [1, 1_000];
        /// The venue's GLIMPSE server: its snapshot is the last resort for what retransmission does not bring, and lets a late engine begin without the day so far. User and credentials are those of `[soupbintcp]`.
        glimpse: Option<Endpoint> => "127.0.0.1:31004", [1, 65_535];
        /// With `glimpse`: a gap of more messages than this is not requested; a snapshot is quicker.
        gap_max: u64 = 100_000, [1, 1_000_000_000_000];
        /// Snapshots tried for one gap before it is given up and its books are Suspect.
        snapshot_tries: u32 = 10, [1, 1_000];
        /// Wait after the first that failed; it doubles with each, up to sixteen times as much.
        snapshot_retry_ms: Nanos = 500, [10, 60_000];
        /// `first` builds the books from sequence 1 by retransmission, `snapshot` from what `glimpse` says they are now.
        #[danger = "`current` trades on books that lack every older order"]
        start: Start = "first";
        /// Silence after which the books are Stale and quotes are pulled.
        #[danger = "must be longer than the venue's heartbeat"]
        stale_ms: Nanos = 3_000, [1, 600_000];
    }
}

section! {
    /// The SoupBinTCP session of `protocol = "itch50-soupbintcp"`; and who we are to a GLIMPSE server.
    pub struct SoupBinTcpConfig = "soupbintcp" {
        /// The venue's port; `itch50-soupbintcp` needs it.
        address: Option<Endpoint> => "127.0.0.1:31005", [1, 65_535];
        /// User of the login.
        username: Option<String> => "TOUCHL", [1, 6];
        /// File with the password, as `passphrase = "value"`. It must be ours alone: mode 0600.
        credentials: Option<PathBuf> => "/etc/touchline/feed.credentials";
        /// The only session to take; the present one when absent, and whichever follows it.
        session: Option<String> => "DEMO000001", [1, 10];
        /// Silence of ours after which a heartbeat is sent.
        heartbeat_ms: Nanos = 1_000, [10, 60_000];
        /// Silence of the venue after which the connection is made anew; it sends a heartbeat a second.
        silence_ms: Nanos = 15_000, [100, 600_000];
        /// Wait after a session, and after the first attempt that failed.
        reconnect_ms: Nanos = 250, [10, 60_000];
        /// Longest wait between attempts.
        reconnect_max_ms: Nanos = 30_000, [10, 600_000];
    }
}

section! {
    /// Sizes of the books. All memory is taken at start; a full table makes the instrument Suspect.
    pub struct BookConfig = "book" {
        /// Open orders of all instruments together.
        orders: usize = 65_536, [16, 67_108_864];
        /// Price levels on one side of one instrument.
        levels: usize = 4_096, [16, 65_536];
    }
}

section! {
    /// Orders out: one FIX session, in the way of the venue's profile. What is ours stands here; address, CompIDs and heartbeat are taken from the profile where it gives them and this section does not.
    pub struct GatewayConfig = "gateway" {
        /// The venue's order entry port.
        address: Endpoint => "127.0.0.1:9880", [1, 65_535];
        /// SenderCompID (49): us. It must not change while orders are open: ids in UUID form are made with it.
        sender_comp_id: String => "TOUCHLINE", [1, 64];
        /// TargetCompID (56): the venue.
        target_comp_id: String => "EXCHANGE", [1, 64];
        /// Account (1) of every order.
        account: Option<String> => "MM-1", [1, 64];
        /// File with those of `key`, `secret` and `passphrase` that the venue's Logon uses, each `name = "value"`. It must be ours alone: mode 0600.
        #[danger = "whoever reads it trades in our name"]
        credentials: Option<PathBuf> => "/etc/touchline/venue.credentials";
        /// HeartBtInt (108).
        heartbeat_s: u32 = 5, [1, 3_600];
        /// Ask the venue to begin at sequence 1 at every logon (141=Y).
        #[danger = "reports sent while we were away are then never resent"]
        reset_on_logon: bool = false;
        /// Needed for real money: what the venue holds is not compared with our record yet beyond its open orders.
        #[danger = "a fill that the venue does not tell us of stays unknown"]
        accept_no_reconciliation: bool = false;
        /// Send orders again that the venue asks for after a gap: the last 4,096 messages or mebibyte of
        /// them, also of the runs before. When false, their numbers are filled and it never sees them; and
        /// so they are when all that it asks for would break a limit of the venue.
        #[danger = "an order made for an old price may trade at it"]
        replay_orders: bool = false;
        /// Needed when the venue does not cancel on disconnect: nothing then stops the orders of a stalled loop.
        #[danger = "orders of a stalled engine stay in the market"]
        without_cancel_on_disconnect: Option<Acknowledged> => "accepted";
    }
}

section! {
    /// One strategy instance. An instrument is quoted by one instance only. Its parameters stand in `[strategy.parameters]`.
    pub struct StrategySection = "strategy" repeats {
        /// Which strategy.
        name: String => "glft", [1, 64];
        /// Symbols it quotes.
        instruments: Vec<String> => ["TLA"], [1, 32];
        /// False checks the table and leaves the strategy out of the run.
        enabled: bool = true;
    }
}

section! {
    /// How quotes follow what a strategy wants.
    pub struct QuoterConfig = "quoter" {
        /// An order stays while the wanted price is fewer ticks away; 1 follows every move.
        min_move_ticks: u32 = 1, [1, 10_000];
        /// An order rests this long before it moves toward the market or is refilled; retreats never wait.
        min_rest_ms: Nanos = 0, [0, 600_000];
        /// A partly filled order is refilled once less than this share of its wanted quantity is left.
        refill_below_percent: u32 = 50, [0, 100];
        /// Orders that would take liquidity are refused by the venue.
        #[danger = "when false, a late quote pays the taker fee"]
        post_only: bool = true;
    }
}

section! {
    /// Limits of each instrument; `[risk.instrument.SYMBOL]` overrides them for one. Without a limit there is no order.
    pub struct InstrumentLimits = "risk" {
        /// Largest quantity of one order, in units of the instrument.
        #[danger = "too large a value lets one mistake fill"]
        max_order_qty: Decimal => 500, [0.000000001, 1_000_000_000_000];
        /// Largest value of one order, in the settlement currency.
        #[danger = "in money, not in units"]
        max_order_value: Decimal => 100_000, [0.000000001, 1_000_000_000_000_000];
        /// Largest position, long or short, with every open, in-flight and unknown order filled.
        max_position: Decimal => 2_000, [0.000000001, 1_000_000_000_000];
        /// Farthest an order's price may be beyond the reference price.
        #[danger = "10000 basis points are 100 %"]
        collar_bps: u32 => 300, [1, 10_000];
        /// Oldest reference price that counts; an older one blocks orders.
        reference_age_ms: Nanos => 3_000, [1, 600_000];
    }
}

section! {
    /// Limits of the session.
    pub struct SessionLimits = "risk" {
        /// Messages a second that the venue allows, cancels included; cancels keep a reserve of their own.
        #[danger = "venues disconnect sessions that send more"]
        messages_per_second: u32 => 500, [1, 1_000_000];
        /// Messages at once after a silence.
        messages_burst: u32 => 100, [1, 1_000_000];
        /// An order without an answer for longer is Unknown: it counts as open until the venue says otherwise.
        order_ack_timeout_ms: Nanos => 2_000, [1, 600_000];
    }
}

section! {
    /// The journal.
    pub struct JournalConfig = "journal" {
        /// Its folder; `data_dir`/journal when absent.
        dir: Option<PathBuf> => "touchline-data/engine/journal";
        /// Folder in memory (tmpfs) of the segment being written; what is there survives the process.
        #[danger = "on a disk, each write may stall the trading loop"]
        hot_dir: PathBuf = "/dev/shm";
        /// Size of a segment; two are held in memory.
        segment_bytes: usize = 16_777_216, [1_048_576, 4_294_967_296];
        /// `power` holds each command until its record is on the disk, at most for `[watchdog] stall_ms`.
        #[danger = "with `process`, a power cut loses the last records; with `power`, every order waits for the disk"]
        durability: Durability = "process";
    }
}

section! {
    /// Guards against a stalled trading loop.
    pub struct WatchdogConfig = "watchdog" {
        /// Stall after which the order session is cut, so that the venue cancels on disconnect; with
        /// `durability = "power"` also the longest that a command may wait for the disk.
        #[danger = "too short a time pulls quotes on a busy machine, or disk"]
        stall_ms: Nanos = 1_000, [10, 60_000];
    }
}

section! {
    /// Operators.
    pub struct ControlConfig = "control" {
        /// Unix socket of `touchline ctl`, mode 0600; `data_dir`/touchline.sock when absent.
        socket: Option<PathBuf> => "touchline-data/engine/touchline.sock";
        /// Address of the Prometheus endpoint, on loopback; false for none.
        metrics: Metrics = false => "127.0.0.1:9464", [0, 65_535];
    }
}

section! {
    /// The log. It never comes from a hot core's own hand.
    pub struct LogConfig = "log" {
        /// The least important line that is written.
        level: LogLevel = "info";
        /// Its file; the terminal when absent.
        file: Option<PathBuf> => "touchline-data/engine/touchline.log";
    }
}

section! {
    /// When the run ends by itself.
    pub struct StopConfig = "stop" {
        /// Time from the start to a clean stop; absent runs until told.
        after_s: Option<Nanos> => 15, [0.001, 604_800];
    }
}
