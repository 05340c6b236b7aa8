//! The report that a run ends with, as golden text: every section, and none of those that a mode
//! does not have.

use engine::latency::hops::Hop;
use engine::latency::recorder::empty_set;
use engine::pipeline::feed_stage::FeedTroubles;
use engine::pipeline::telemetry::{Blame, CoreBlame, Cycle, StageBlame};
use engine::report::{FeedSummary, GatewaySummary, Report};
use engine::runtime::did::{Act, Did};
use engine::runtime::usage::Usage;
use engine::trading::{OpeningState, TradingLoop, TradingSettings, VenueRules};
use market::book::BookLimits;
use market::{Contract, Instrument, Money, Nanos, Position, Price, Timestamp};
use strategies::QuoterSettings;

/// A loop with three positions: marked, without a mark, and one in an inverse contract.
fn trading() -> TradingLoop {
    let inverse = Instrument {
        contract: Contract::Inverse { multiplier: 100_000_000_000 },
        base: "BTC".into(),
        ..Instrument::share(2, "BTCUSD_PERP")
    };
    let instruments = vec![Instrument::share(0, "TLA"), Instrument::share(1, "TLB"), inverse];
    let money = |text: &str| Money::from_decimal(text.parse().unwrap()).unwrap();
    let tla = Position {
        net: 1_200,
        bought: 2_200,
        sold: 1_000,
        fills: 22,
        cost: money("30000"),
        realised: money("1234.565"),
        fees: money("-1.2"),
        volume: money("80000"),
        spread_captured: money("12.5"),
    };
    let tlb = Position { net: -5, fills: 1, cost: money("-50"), ..Position::default() };
    let perp = Position { net: 10, fills: 1, cost: money("-0.025"), ..Position::default() };
    let opening =
        OpeningState { epoch: 1, positions: vec![tla, tlb, perp], ..OpeningState::default() };
    let settings = TradingSettings {
        limits: vec![None; 3],
        instruments,
        strategies: Vec::new(),
        quoter: QuoterSettings::default(),
        books: BookLimits { instruments: 3, orders: 16, levels: 16 },
        messages: (10, 10),
        stale_after: Nanos::SECOND,
        answer_within: Nanos::SECOND,
        orders: 64,
        executions: 16,
        seed: 1,
        lockstep: false,
        shows_own_orders: true,
        venue: VenueRules::default(),
    };
    TradingLoop::new(settings, &opening)
}

/// Two stages on one core that were measured.
fn blame() -> Blame {
    let mut did = Did::default();
    did.add(Act::Datagrams, 2);
    did.add(Act::Events, 37);
    let at = Timestamp::from_nanos(1_752_758_200_123_456_789);
    let cycle = Cycle { span: Nanos::from_micros(1_240), at, did, warm: true };
    let feed = StageBlame {
        name: "feed",
        polls: [9_000_000, 12_345, 1],
        time: [Nanos::from_millis(300), Nanos::from_millis(25), Nanos::ZERO],
        alive: Nanos::SECOND,
        longest: [None, Some(cycle), None],
    };
    let early = Cycle { span: Nanos::from_micros(9), did: Did::default(), warm: false, ..cycle };
    let trading =
        StageBlame { name: "trading", longest: [Some(early), None, None], ..StageBlame::default() };
    let usage = Usage { involuntary: 7, minor_faults: 3, ..Usage::default() };
    let core = CoreBlame { name: "feed+trading".into(), cpu: Some(1), usage: Some(usage) };
    Blame { stages: vec![feed, trading], cores: vec![core] }
}

fn marks() -> Vec<Option<Price>> {
    vec![Some("26.00".parse().unwrap()), None, Some("50000".parse().unwrap())]
}

#[test]
fn what_a_mode_does_not_have_is_left_out() {
    let (trading, marks) = (trading(), marks());
    let report = Report {
        title: "backtest of nothing".into(),
        facts: vec![("run hash", "00ff".into())],
        trading: &trading,
        marks: &marks,
        feed: None,
        gateway: None,
        hops: None,
        blame: None,
        journal: None,
    };
    let expected = "\
backtest of nothing
run hash      00ff
market data   0 events in 0 packets, 0 trades
books         TLA recovering, TLB recovering, BTCUSD_PERP recovering
orders sent   none
fills         0
order/trade   0 messages, no fill
rejects       none
risk refused  none

instrument    fills    position      realised       marked        fees   spread gain          total
TLA              22       1,200      1,234.57     1,200.00       -1.20         12.50       2,435.77
TLB               1          -5          0.00      no mark        0.00          0.00        no mark
BTCUSD_PERP       1          10    0.00000000   0.00500000  0.00000000    0.00000000     0.00500000
BTC               1                0.00000000   0.00500000  0.00000000    0.00000000     0.00500000
USD              23                  1,234.57     1,200.00       -1.20         12.50       2,435.77
            without 1 position that has no price to mark at
";
    assert_eq!(report.to_string(), expected);
}

#[test]
fn a_live_run_shows_its_feed_its_session_its_hops_and_its_journal() {
    let (trading, marks) = (trading(), marks());
    let mut hops = empty_set();
    for nanos in 1..=1_000 {
        hops[Hop::TickToTrade.index()].record(nanos * 10).unwrap();
    }
    let feed = FeedSummary {
        datagrams: 2_000,
        messages: 1_500,
        gaps: 1,
        recovered: 7,
        waited: (12_000, 34),
        troubles: FeedTroubles { socket_errors: 3, refused: 0 },
        ..FeedSummary::default()
    };
    let gateway = GatewaySummary { sent: 9, received: 8, logons: 1, ..GatewaySummary::default() };
    let report = Report {
        title: "run".into(),
        facts: Vec::new(),
        trading: &trading,
        marks: &marks,
        feed: Some(feed),
        gateway: Some(gateway),
        hops: Some(&hops),
        blame: Some(&blame()),
        journal: Some("touchline-data/journal".into()),
    };
    let text = report.to_string();
    for part in [
        "\nfeed          1,500 messages decoded from 2,000 datagrams\n",
        "\nwaited        12,000 events in the socket, 34 in the ring\n",
        "\ngaps          1 found, 7 messages recovered\n",
        "\ntroubles      3 errors of the feed's sockets\n",
        "\norder session 9 messages sent, 8 received, 1 logons\n",
        "\nhop                  count         p50         p90         p99       p99.9         max\n",
        "\nrecv                     0           -           -           -           -           -\n",
        "\nstage                     idle  of time            busy  of time  back-pressured  of time\n",
        "\nfeed                 9,000,000   30.0 %          12,345    2.5 %               1    0.0 %\n",
        "\nlongest cycle feed busy, 1.24 ms at 13:16:40.123456: 2 datagrams, 37 events\n",
        "\n              trading idle, 9.00 µs at 13:16:40.123456, in warm-up: nothing\n",
        "\ncore          feed+trading on CPU 1: 7 involuntary and 0 voluntary context switches, 3 minor and 0\n",
        "\njournal       touchline-data/journal\n",
        "\nreplay it     touchline replay touchline-data/journal\n",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    let last = text.lines().find(|line| line.starts_with("tick-to-trade")).unwrap();
    let cells: Vec<&str> = last.split_whitespace().collect();
    assert_eq!(cells[1], "1,000");
    assert!(cells[2].starts_with("5.") && cells[3] == "µs", "{last}");
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
}
