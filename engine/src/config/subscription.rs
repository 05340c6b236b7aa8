//! Market data by FIX: how a venue is asked for it, and the session of a run that asks.
//!
//! Descriptions and what contradicts them; nothing is opened here.

use super::choice::{ClockSource, Protocol};
use super::document::Document;
use super::fix_choices::{BookBy, MdUpdates, ResetRule, TradesBy};
use super::fix_words::FixField;
use super::key::section;
use super::problem::{Problem, Problems};
use super::profile::ProfileConfig;
use super::sections::{ClockConfig, FeedConfig};
use super::special::Endpoint;
use market::Nanos;
use std::path::PathBuf;

section! {
    /// Market data of a venue by FIX, for `[feed] protocol = "fix"`: how it is asked for and read.
    pub struct SubscriptionSection = "subscription" {
        /// The venue's market data port.
        address: Option<Endpoint> => "fix-md.example.com:9000", [1, 65_535];
        /// TargetCompID (56) there, where it is not that of orders.
        target_comp_id: Option<String> => "VENUE-MD", [1, 64];
        /// What an entry of a book is: the total at a price, or an order that MDEntryID (278) names.
        book: BookBy = "levels";
        /// MarketDepth (264): levels of a side, 0 for all; not sent when absent.
        #[danger = "not every venue tells which levels fell out of a book that is cut at a depth"]
        depth: Option<u32> => 100, [0, 5_000];
        /// MDUpdateType (265): what changed, or the whole at each change; `none` does not send it.
        updates: MdUpdates = "incremental";
        /// AggregatedBook (266); not sent when absent.
        aggregated: Option<bool> => true;
        /// Whether trades are asked for together with the book, apart from it, or not at all; `unasked`
        /// where the venue tells them in any case: then no entry types (267, 269) are sent.
        trades: TradesBy = "together";
        /// Where the id of a trade stands; MDEntryID (278) where that is not there.
        trade_id_tag: u32 = 1003, [1, 9_999_999];
        /// SecurityListRequestType (559) of a question about one instrument: its answer must fit tick,
        /// lot and smallest quantity of the configuration, or the instrument has no book. Not asked
        /// when absent.
        security_list: Option<u32> => 0, [0, 9];
        /// Shortest time between two requests.
        #[danger = "venues disconnect or ban sessions that ask too often"]
        request_every_ms: Nanos = 100, [1, 60_000];
        /// How long a request waits for its snapshot before the next.
        answer_within_ms: Nanos = 10_000, [100, 600_000];
        /// Most instruments of one session.
        instruments_max: usize = 100, [1, 4_096];
    }
}

section! {
    /// The session of `[feed] protocol = "fix"`. It speaks as the order session does, begins numbers
    /// anew with each Logon, and connects as `[transport]` says. Address and TargetCompID are those
    /// of the profile's `[subscription]` where this section does not give them.
    pub struct MarketDataSession = "market_data_session" {
        /// The venue's market data port.
        address: Option<Endpoint> => "127.0.0.1:9880", [1, 65_535];
        /// SenderCompID (49): us; that of `[gateway]` when absent.
        sender_comp_id: Option<String> => "TOUCHLINE-MD", [1, 64];
        /// TargetCompID (56): the venue; that of `[gateway]` when absent.
        target_comp_id: Option<String> => "EXCHANGE", [1, 64];
        /// HeartBtInt (108); that of `[gateway]` when absent.
        heartbeat_s: Option<u32> => 30, [1, 3_600];
        /// File of its credentials, as that of `[gateway]`, which is taken when absent.
        #[danger = "whoever reads it may listen in our name, or trade if the key may"]
        credentials: Option<PathBuf> => "/etc/touchline/market-data.credentials";
        /// Constant fields of its Logon, beside those of the profile.
        fields: Vec<FixField> = [] => ["9406=Y"];
    }
}

/// A feed by FIX has a session, and a venue that can have one.
pub(crate) fn check(
    document: &Document<'_>,
    (feed, clock): (&FeedConfig, &ClockConfig),
    session: &MarketDataSession,
    venue: &ProfileConfig,
    instruments: usize,
    problems: &mut Problems,
) {
    if feed.protocol != Protocol::Fix {
        return;
    }
    let mut refuse = |key: &str, title: String, label: &str, help: String| {
        problems.push(Problem::new(document.place("feed", key), title, label).help(help));
    };
    if session.address.is_none() {
        let title = "[market_data_session] address is missing, and so is the profile's".to_owned();
        let help = "add, for example, address = \"127.0.0.1:9880\" to [market_data_session]";
        refuse("protocol", title, "needs it", help.to_owned());
    }
    if venue.session.reset_at_logon == ResetRule::Refused {
        let title = "[feed] protocol is \"fix\", and the venue refuses to begin numbers anew";
        let help = "take market data by another protocol: nothing is resent of it in any case";
        refuse("protocol", title.to_owned(), "begins them at each Logon", help.to_owned());
    }
    let most = venue.subscription.instruments_max;
    if instruments > most {
        let title = format!("[feed] protocol is \"fix\", and there are {instruments} instruments");
        let help = format!("the venue's [subscription] instruments_max is {most}: remove some");
        refuse("protocol", title, "too many for a session", help);
    }
    if clock.source == ClockSource::Feed {
        let title = "[feed] protocol is \"fix\", and the clock is the feed's".to_owned();
        let help = "write [clock] source = \"tsc\": only a recording that is stepped has a clock";
        refuse("protocol", title, "by the wall's time", help.to_owned());
    }
    let lines = [
        ("line_a", feed.line_a.is_some()),
        ("line_b", feed.line_b.is_some()),
        ("retransmit", feed.retransmit.is_some()),
    ];
    for (key, _) in lines.iter().filter(|(_, given)| *given) {
        let title = format!("[feed] {key} is given, and protocol is \"fix\"");
        refuse(key, title, "of no effect", "remove the key".to_owned());
    }
}
