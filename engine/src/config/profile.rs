//! A venue's profile: a file of kind = "venue" that the configuration of a run names, or its
//! sections in that configuration itself.
//!
//! It is data from the venue's documentation. Nothing of the user's, and no secret, stands in it.

use super::document::{Document, Files, read_text};
use super::fix_choices::{FixVersion, IdField, NonceWord, OpenOrdersBy, RateCounts, ResetRule};
use super::fix_words::{CancelOnDisconnect, FixField, LogonSource};
use super::key::{Section, Table};
use super::problem::{Problem, Problems, SourceId};
use super::profile_sections::{
    LogonSection, OrdersSection, ProfileSection, RateSection, SessionSection,
};
use super::reader::Reader;
use super::resolved::Resolved;
use super::subscription::SubscriptionSection;
use std::path::Path;
use std::sync::Arc;

/// How one venue speaks FIX.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileConfig {
    /// Name and environment.
    pub profile: ProfileSection,
    /// Session.
    pub session: SessionSection,
    /// Logon.
    pub logon: LogonSection,
    /// Orders.
    pub orders: OrdersSection,
    /// Market data.
    pub subscription: SubscriptionSection,
    /// Limits.
    pub rates: Vec<RateSection>,
}

/// The sections of a profile.
pub(crate) const TABLES: &[Table] = &[
    ProfileSection::TABLE,
    SessionSection::TABLE,
    LogonSection::TABLE,
    OrdersSection::TABLE,
    SubscriptionSection::TABLE,
    RateSection::TABLE,
];

/// Tags of an order that the gateway writes itself.
const ORDER_TAGS: &[u32] = &[1, 11, 18, 38, 40, 41, 44, 54, 55, 59, 60];
/// Tags of the header that are the same in every message, CompIDs aside.
const HEADER_TAGS: &[u32] = &[50, 57, 115, 116, 128, 129, 142, 143, 144, 145];
/// Tags of header, trailer and Logon that the session writes itself.
const SESSION_TAGS: &[u32] =
    &[8, 9, 10, 34, 35, 43, 49, 52, 56, 95, 97, 98, 108, 122, 141, 369, 789, 1137];

/// The text of the profile that a run names, which `problems` gets where it cannot be had.
pub(crate) fn text(
    document: &Document<'_>,
    path: &Path,
    files: Files<'_>,
    problems: &mut Problems,
) -> Option<(SourceId, Arc<str>)> {
    for table in TABLES {
        if document.has(table.name) {
            let place = document.place(table.name, "");
            let title =
                format!("[{}] stands here and in the profile that `venue` names", table.name);
            let help = "remove one of the two: a profile is used whole";
            problems.push(Problem::new(place, title, "again here").help(help));
        }
    }
    read_text(path, files, Some(document.place("venue", "")), problems)
}

/// Reads every section before it gives up on any.
pub(crate) fn read(document: &Document<'_>, problems: &mut Problems) -> Option<ProfileConfig> {
    let profile = document.section(problems);
    let session: Option<SessionSection> = document.section(problems);
    let logon: Option<LogonSection> = document.section(problems);
    let orders: Option<OrdersSection> = document.section(problems);
    let subscription = document.section(problems);
    let mut rates = Vec::new();
    let mut whole = true;
    for (span, table) in document.tables("rate", problems) {
        let title = "[[rate]]".to_owned();
        let mut reader = Reader::new(title, document.source, span, Some(table), problems);
        let rate: Option<RateSection> = reader.section();
        if rate.as_ref().is_some_and(|rate| !leaves_room(rate, 0)) {
            let help = "raise count, or lower cancel_reserve_percent";
            reader.refuse("count", "leaves no room for an order", help);
        }
        reader.finish(&[RateSection::TABLE]);
        whole &= rate.is_some();
        rates.extend(rate);
    }
    if let Some(session) = &session {
        check_session(document, session, problems);
    }
    if let (Some(session), Some(logon)) = (&session, &logon) {
        check_logon(document, session, logon, problems);
    }
    if let (Some(session), Some(orders)) = (&session, &orders) {
        check_orders(document, session, orders, problems);
    }
    whole.then_some(ProfileConfig {
        profile: profile?,
        session: session?,
        logon: logon?,
        orders: orders?,
        subscription: subscription?,
        rates,
    })
}

/// At least one order a window: beside what is kept for cancels and, where every message counts, for
/// the session itself and so many others.
pub(crate) fn leaves_room(rate: &RateSection, others: u64) -> bool {
    let own = match rate.counts {
        RateCounts::All => u64::from(rate.count > 1) + others,
        RateCounts::Orders | RateCounts::NewOrders => 0,
    };
    // Cancels that do not count need no place.
    let new_orders = rate.counts == RateCounts::NewOrders;
    let percent = if new_orders { 0 } else { rate.cancel_reserve_percent };
    let kept = (u64::from(rate.count) * u64::from(percent)).div_ceil(100);
    u64::from(rate.count) > own + kept
}

fn refuse(document: &Document<'_>, at: (&str, &str), title: &str, help: &str, p: &mut Problems) {
    let place = document.place(at.0, at.1);
    let title = format!("[{}] {} {title}", at.0, at.1);
    p.push(Problem::new(place, title, "here").help(help));
}

fn check_session(document: &Document<'_>, session: &SessionSection, problems: &mut Problems) {
    if session.heartbeat_min_s > session.heartbeat_max_s {
        let help = "swap the two";
        let at = ("session", "heartbeat_min_s");
        refuse(document, at, "is above heartbeat_max_s", help, problems);
    }
    if session.version == FixVersion::Fix42 && session.next_expected {
        let at = ("session", "next_expected");
        refuse(document, at, "is not of FIX.4.2", "leave it out", problems);
    }
    for field in session.header.iter().filter(|field| !HEADER_TAGS.contains(&field.tag)) {
        let title = format!("has {field}, which is no field of the header that may be set");
        let help = "the tags here are 50, 57, 115, 116, 128, 129, 142, 143, 144, 145";
        refuse(document, ("session", "header"), &title, help, problems);
    }
}

/// Fields that the gateway writes itself would stand twice.
fn no_own(
    document: &Document<'_>,
    at: (&str, &str),
    fields: &[FixField],
    own: &[u32],
    problems: &mut Problems,
) {
    for field in fields.iter().filter(|field| own.contains(&field.tag)) {
        let title = format!("has {field}, which the gateway writes itself");
        refuse(document, at, &title, "take it out", problems);
    }
}

fn check_logon(
    document: &Document<'_>,
    session: &SessionSection,
    logon: &LogonSection,
    problems: &mut Problems,
) {
    let fields: Vec<_> = logon.fields.iter().map(|text| text.field.clone()).collect();
    no_own(document, ("logon", "fields"), &fields, SESSION_TAGS, problems);
    let has = |source| logon.fields.iter().any(|field| field.source == source);
    let nonce = has(LogonSource::Nonce) || logon.sign.iter().any(|piece| piece.0.is_none());
    let pairs = [
        (has(LogonSource::Signature), logon.scheme.is_some(), "scheme", "{signature}"),
        (nonce, logon.nonce.is_some(), "nonce", "{nonce}"),
    ];
    for (used, given, key, word) in pairs {
        if used != given {
            let title = format!("and {word} go together, and one of them is missing");
            refuse(document, ("logon", key), &title, "give both or neither", problems);
        }
    }
    if logon.scheme.is_some() && logon.sign.is_empty() {
        let help = "name what is signed, such as sign = [\"52\", \"35\"]";
        refuse(document, ("logon", "sign"), "is empty", help, problems);
    }
    for tag in logon.sign.iter().filter_map(|piece| piece.0) {
        let known = [8, 34, 35, 49, 52, 56, 108].contains(&tag)
            || fields.iter().any(|field| field.tag == tag);
        if !known {
            let title = format!("names {tag}, which no field of the Logon is");
            let help = "sign what is sent: fields of the header, or of `fields`";
            refuse(document, ("logon", "sign"), &title, help, problems);
        }
    }
    if let CancelOnDisconnect::Asked(field) = &session.cancel_on_disconnect
        && fields.iter().any(|other| other.tag == field.tag)
    {
        let help = "leave it to [session] cancel_on_disconnect";
        let title = format!("has {} too", field.tag);
        refuse(document, ("logon", "fields"), &title, help, problems);
    }
}

fn check_orders(
    document: &Document<'_>,
    session: &SessionSection,
    orders: &OrdersSection,
    problems: &mut Problems,
) {
    no_own(document, ("orders", "fields"), &orders.fields, ORDER_TAGS, problems);
    let fix42 = session.version == FixVersion::Fix42;
    let scopes = [orders.mass_cancel_all.0, orders.mass_cancel_one.0];
    let mass_cancel = !fix42 && scopes.iter().any(Option::is_some);
    match orders.open_orders {
        OpenOrdersBy::MassStatus if fix42 => {
            let help = "write open_orders = \"order_status\"";
            let at = ("orders", "open_orders");
            refuse(document, at, "is \"mass_status\", which FIX.4.2 has not", help, problems);
        }
        OpenOrdersBy::Cancel if !mass_cancel => {
            let help = "write open_orders = \"order_status\"";
            let at = ("orders", "open_orders");
            refuse(document, at, "is \"cancel\" without a mass cancel", help, problems);
        }
        _ => {}
    }
    if orders.target_id == IdField::ClOrdId && orders.replace {
        let help = "write replace = false: an order keeps its id there, so that a replace has none";
        refuse(document, ("orders", "replace"), "needs target_id = \"41\"", help, problems);
    }
    for (key, value) in [("rest", orders.rest), ("immediate", orders.immediate)] {
        if value.0.is_none() {
            let help = "give the character of TimeInForce (59)";
            refuse(document, ("orders", key), "must not be \"none\"", help, problems);
        }
    }
}

impl ProfileConfig {
    /// True if a Logon needs a file of credentials.
    #[must_use]
    pub fn wants_credentials(&self) -> bool {
        let secret = |source| !matches!(source, LogonSource::Constant | LogonSource::Nonce);
        self.logon.scheme.is_some() || self.logon.fields.iter().any(|field| secret(field.source))
    }

    /// Tags whose values are secret at this venue beside those that always are: those that the
    /// profile names, and where its Logon holds a passphrase or a signature.
    #[must_use]
    pub fn secret_tags(&self) -> Vec<u32> {
        let secret = [LogonSource::Passphrase, LogonSource::Signature];
        let fields = self.logon.fields.iter().filter(|field| secret.contains(&field.source));
        let tags = self.logon.secret_tags.iter().copied();
        tags.chain(fields.map(|field| field.field.tag)).collect()
    }

    /// True if a Logon has a nonce with random bytes.
    #[must_use]
    pub fn wants_random(&self) -> bool {
        self.logon.nonce == Some(NonceWord::MillisAndRandom)
    }

    /// True if every Logon must begin sequence numbers anew.
    #[must_use]
    pub fn resets_always(&self) -> bool {
        self.session.reset_at_logon == ResetRule::Required
    }

    /// Adds the profile's sections.
    pub(crate) fn resolve(&self, text: &mut Resolved) {
        text.section(&self.profile);
        text.section(&self.session);
        text.section(&self.logon);
        text.section(&self.orders);
        text.section(&self.subscription);
        for rate in &self.rates {
            text.section(rate);
        }
    }
}
