//! From a checked profile to what the gateway is told: dialect, session, Logon, and what the loop
//! must know of the venue.
//!
//! The journal's replay makes the same from the same text: nothing here may ask the machine. Only
//! [`logon`] reads a file, which no replay does.

use crate::config::fix_choices as ways;
use crate::config::fix_words as words;
use crate::config::fix_words::FixField;
use crate::config::profile_sections::RateSection;
use crate::config::{ProfileConfig, RunConfig};
use crate::pipeline::credentials;
use crate::pipeline::fix_connection::SessionHours;
use crate::pipeline::fix_feed::{self, Manner, Wish};
use crate::trading::VenueRules;
use anyhow::Context as _;
use gateway::dialect::logon::{LogonField, LogonPlan, Nonce, Random, Value, VenueLogon};
use gateway::dialect::sign::{Join, Output, Piece, Scheme, SecretForm, Signature};
use gateway::dialect::{
    Code, Dialect, DialectError, OpenOrders, OrderIds, OurId, Settings, Target, Uuids,
};
use gateway::fix::Precision;
use gateway::market_data::{Keyed, Settings as MarketDataSettings, UpdateType};
use gateway::rates::{Action, Counts, Limiter, Member, RateError, Rule, Scope, Window};
use gateway::schedule::{Renewal, Schedule, ScheduleError};
use gateway::session::{Resend, Reset, SessionConfig};
use gateway::spec::{Validation, Version};
use market::{Nanos, Timestamp};
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;

fn version(profile: &ProfileConfig) -> Version {
    match profile.session.version {
        ways::FixVersion::Fix42 => Version::Fix42,
        ways::FixVersion::Fix44 => Version::Fix44,
        ways::FixVersion::Fix50Sp2 => Version::Fix50Sp2,
    }
}

/// How orders are written and reports read.
///
/// # Errors
/// [`DialectError`], which a checked configuration rules out.
pub fn dialect(config: &RunConfig) -> Result<Dialect, DialectError> {
    let (orders, session) = (&config.venue.orders, &config.venue.session);
    let version = version(&config.venue);
    let mass_cancel = |scope: words::MaybeChar| scope.0.filter(|_| version != Version::Fix42);
    Dialect::new(Settings {
        version,
        account: config.gateway.account.clone(),
        order_ids: match orders.order_ids {
            ways::OrderIdForm::Decimal => OrderIds::Decimal,
            ways::OrderIdForm::Uuid => OrderIds::Uuid(Uuids::new(&config.gateway.sender_comp_id)),
        },
        our_id: match orders.our_id {
            ways::IdField::ClOrdId => OurId::ClOrdId,
            ways::IdField::OrigClOrdId => OurId::OrigClOrdId,
        },
        target: match orders.target_id {
            ways::IdField::ClOrdId => Target::ClOrdId,
            ways::IdField::OrigClOrdId => Target::OrigClOrdId,
        },
        exec_id_tag: orders.exec_id_tag,
        order_fields: orders.fields.iter().map(ToString::to_string).collect(),
        transact_time: orders.transact_time,
        post_only: orders.post_only.clone(),
        post_only_time_in_force: orders.post_only_time_in_force,
        rest: orders.rest.0.unwrap_or(b'0'),
        immediate: orders.immediate.0.unwrap_or(b'3'),
        mass_cancel_all: mass_cancel(orders.mass_cancel_all),
        mass_cancel_one: mass_cancel(orders.mass_cancel_one),
        open_orders: match orders.open_orders {
            ways::OpenOrdersBy::MassStatus => OpenOrders::MassStatus,
            ways::OpenOrdersBy::OrderStatus => OpenOrders::OrderStatus,
            ways::OpenOrdersBy::Cancel => OpenOrders::Cancel,
        },
        codes: orders
            .reject_codes
            .iter()
            .map(|code| Code { tag: code.tag, value: code.value.clone(), reason: code.reason })
            .collect(),
        news_reconnects: session.news != ways::NewsAction::Ignore,
    })
}

/// The session as initiator.
#[must_use]
pub fn session(config: &RunConfig) -> SessionConfig {
    let (session, ours) = (&config.venue.session, &config.gateway);
    let always = ours.reset_on_logon || config.venue.resets_always();
    SessionConfig {
        version: version(&config.venue),
        header: session.header.iter().map(|field| (field.tag, field.value.clone())).collect(),
        heartbeat: Nanos::from_secs(ours.heartbeat_s.into()),
        resend: if ours.replay_orders { Resend::Everything } else { Resend::GapFillOrders },
        reset_on_logon: match session.reset_at_logon {
            ways::ResetRule::Refused => Reset::Never,
            _ if always => Reset::Always,
            _ => Reset::WhenNew,
        },
        chunk: session.resend_chunk,
        next_expected: session.next_expected,
        precision: match session.time_digits {
            ways::TimeDigits::Seconds => Precision::Seconds,
            ways::TimeDigits::Millis => Precision::Millis,
            ways::TimeDigits::Micros => Precision::Micros,
            ways::TimeDigits::Nanos => Precision::Nanos,
        },
        validation: match session.validation {
            ways::ValidationWord::None => Validation::None,
            ways::ValidationWord::Structure => Validation::Structure,
            ways::ValidationWord::Full => Validation::Full,
        },
        ..SessionConfig::initiator(&ours.sender_comp_id, &ours.target_comp_id)
    }
}

/// The session of the drop copy: the venue's, with CompIDs and heartbeat of its own where it has them.
#[must_use]
pub fn drop_copy_session(config: &RunConfig) -> SessionConfig {
    let (own, order) = (&config.drop_copy, session(config));
    SessionConfig {
        sender: own.sender_comp_id.clone().unwrap_or(order.sender.clone()),
        target: own.target_comp_id.clone().unwrap_or(order.target.clone()),
        heartbeat: own.heartbeat_s.map_or(order.heartbeat, |s| Nanos::from_secs(s.into())),
        ..order
    }
}

/// The session of market data: the venue's, with CompIDs and heartbeat of its own where it has them,
/// and messages as long as a book. Nothing of it is resent, so numbers begin anew each time.
#[must_use]
pub fn market_data_session(config: &RunConfig) -> SessionConfig {
    let (own, order) = (&config.market_data, session(config));
    SessionConfig {
        sender: own.sender_comp_id.clone().unwrap_or(order.sender.clone()),
        target: own.target_comp_id.clone().unwrap_or(order.target.clone()),
        heartbeat: own.heartbeat_s.map_or(order.heartbeat, |s| Nanos::from_secs(s.into())),
        reset_on_logon: Reset::Always,
        next_expected: false,
        max_message: fix_feed::MESSAGE_MAX,
        max_fields: fix_feed::FIELDS_MAX,
        ..order
    }
}

/// What is asked for in it.
#[must_use]
pub fn wish(config: &RunConfig) -> Wish {
    let (asked, news) = (&config.venue.subscription, config.venue.session.news);
    Wish {
        settings: MarketDataSettings {
            keyed: match asked.book {
                ways::BookBy::Levels => Keyed::ByLevel,
                ways::BookBy::Orders => Keyed::ByOrder,
            },
            trade_id_tag: asked.trade_id_tag,
        },
        depth: asked.depth,
        updates: match asked.updates {
            ways::MdUpdates::Incremental => Some(UpdateType::Incremental),
            ways::MdUpdates::Full => Some(UpdateType::FullRefresh),
            ways::MdUpdates::None => None,
        },
        aggregated: asked.aggregated,
        types: asked.trades != ways::TradesBy::Unasked,
        trades: asked.trades == ways::TradesBy::Together,
        definition: asked.security_list.unwrap_or_default(),
        manner: Manner {
            definitions: asked.security_list.is_some(),
            trades_apart: asked.trades == ways::TradesBy::Apart,
            every: asked.request_every_ms,
            answer_within: asked.answer_within_ms,
        },
        news_reconnects: news != ways::NewsAction::Ignore,
    }
}

/// When its sessions are open and begin anew. `used` is when a session's numbers were last used.
///
/// # Errors
/// [`ScheduleError`], which a checked configuration rules out.
pub fn hours(config: &RunConfig, used: Option<Timestamp>) -> Result<SessionHours, ScheduleError> {
    let session = &config.venue.session;
    let renewal = Renewal {
        each_day: session.reset_each_day,
        at_number: session.reset_at_number,
        on_news: session.news == ways::NewsAction::Reset,
    };
    Ok(SessionHours::new(Schedule::parse(&session.hours.0)?, renewal, used))
}

/// The limits of the venue, for its order session and, where they are shared, the drop copy, which
/// has the same key and account.
///
/// # Errors
/// [`RateError`]: a limit that cannot be kept.
pub fn limiter(config: &RunConfig) -> Result<Limiter, RateError> {
    let rules: Vec<Rule> = config.venue.rates.iter().map(rate).collect();
    let shared: Vec<Rule> =
        rules.iter().filter(|rule| rule.scope != Scope::Session).cloned().collect();
    let (venue, ours) = (&config.venue.profile.name, &config.gateway);
    let key = format!("{venue}/{}", ours.sender_comp_id);
    let account = format!("{venue}/{}", ours.account.as_deref().unwrap_or_default());
    let order = Member { rules: &rules, key: &key, account: &account };
    let drop_copy = config.drop_copy.address.as_ref().map(|_| Member { rules: &shared, ..order });
    let members: Vec<Member<'_>> = [Some(order), drop_copy].into_iter().flatten().collect();
    Limiter::new(&members)
}

fn rate(rate: &RateSection) -> Rule {
    Rule {
        name: rate.name.clone(),
        window: match rate.window {
            ways::WindowWord::Fixed => Window::Fixed,
            ways::WindowWord::FixedClock => Window::FixedClock,
            ways::WindowWord::Sliding => Window::Sliding,
            ways::WindowWord::Leaky => Window::Leaky,
        },
        count: rate.count,
        span: rate.window_ms,
        scope: match rate.scope {
            ways::RateScope::Session => Scope::Session,
            ways::RateScope::Key => Scope::Key,
            ways::RateScope::Account => Scope::Account,
        },
        counts: match rate.counts {
            ways::RateCounts::Orders => Counts::Orders,
            ways::RateCounts::NewOrders => Counts::NewOrders,
            ways::RateCounts::All => Counts::All,
        },
        action: match rate.action {
            ways::RateAction::Hold => Action::Hold,
            ways::RateAction::Refuse => Action::Refuse,
        },
        cancel_reserve: u8::try_from(rate.cancel_reserve_percent).unwrap_or(u8::MAX),
    }
}

/// What the trading loop must know.
#[must_use]
pub fn rules(profile: &ProfileConfig) -> VenueRules {
    VenueRules {
        replaces: profile.orders.replace,
        asks_each_order: profile.orders.open_orders == ways::OpenOrdersBy::OrderStatus,
    }
}

/// What the Logon says beyond FIX's own fields.
#[must_use]
pub fn plan(profile: &ProfileConfig) -> LogonPlan {
    let logon = &profile.logon;
    let field = |text: &words::LogonText| LogonField {
        tag: text.field.tag,
        value: match text.source {
            words::LogonSource::Constant => Value::Constant(text.field.value.clone()),
            words::LogonSource::Key => Value::Key,
            words::LogonSource::Passphrase => Value::Passphrase,
            words::LogonSource::Nonce => Value::Nonce,
            words::LogonSource::Signature => Value::Signature,
        },
    };
    let mut fields: Vec<_> = logon.fields.iter().map(field).collect();
    if let words::CancelOnDisconnect::Asked(ask) = &profile.session.cancel_on_disconnect {
        fields.push(LogonField { tag: ask.tag, value: Value::Constant(ask.value.clone()) });
    }
    LogonPlan {
        fields,
        secret_tags: profile.secret_tags(),
        nonce: logon.nonce.map(|nonce| match nonce {
            ways::NonceWord::Millis => Nonce::Millis,
            ways::NonceWord::MillisAndRandom => Nonce::MillisAndRandom,
        }),
        signature: logon.scheme.map(|scheme| Signature {
            pieces: logon
                .sign
                .iter()
                .map(|piece| piece.0.map_or(Piece::Nonce, Piece::Field))
                .collect(),
            join: match logon.join {
                ways::JoinWord::None => Join::None,
                ways::JoinWord::Soh => Join::Soh,
                ways::JoinWord::Fields => Join::Fields,
            },
            scheme: match scheme {
                ways::SchemeWord::HmacSha256 => Scheme::HmacSha256,
                ways::SchemeWord::HmacSha512OfSha256 => Scheme::HmacSha512OfSha256,
                ways::SchemeWord::Sha256WithSecret => Scheme::Sha256WithSecret,
                ways::SchemeWord::Ed25519 => Scheme::Ed25519,
            },
            secret_form: match logon.secret {
                ways::SecretWord::Text => SecretForm::Text,
                ways::SecretWord::Base64 => SecretForm::Base64,
                ways::SecretWord::Pem => SecretForm::Pem,
            },
            output: match logon.output {
                ways::OutputWord::Base64 => Output::Base64,
                ways::OutputWord::Hex => Output::Hex,
            },
        }),
    }
}

/// Who fills in the Logons of the order session; `None` where FIX's own fields are all there is.
/// Reads the credentials.
///
/// # Errors
/// The file of credentials, or what is in it, will not do.
pub fn logon(config: &RunConfig) -> anyhow::Result<Option<VenueLogon>> {
    let file = config.gateway.credentials.as_ref();
    filled(config, plan(&config.venue), &[], ("gateway", file))
}

/// The same of the drop copy, which has no orders to cancel either.
///
/// # Errors
/// The file of credentials, or what is in it, will not do.
pub fn drop_copy_logon(config: &RunConfig) -> anyhow::Result<Option<VenueLogon>> {
    let (own, fields) = (config.drop_copy.credentials.as_ref(), &config.drop_copy.fields);
    filled(config, quiet_plan(&config.venue), fields, its_file(config, "drop_copy", own))
}

/// The same of the session of market data.
///
/// # Errors
/// The file of credentials, or what is in it, will not do.
pub fn market_data_logon(config: &RunConfig) -> anyhow::Result<Option<VenueLogon>> {
    let (own, fields) = (config.market_data.credentials.as_ref(), &config.market_data.fields);
    let file = its_file(config, "market_data_session", own);
    filled(config, quiet_plan(&config.venue), fields, file)
}

/// The Logon of a session without orders: a break of it must not cancel those of another.
fn quiet_plan(profile: &ProfileConfig) -> LogonPlan {
    let mut plan = plan(profile);
    if let words::CancelOnDisconnect::Asked(ask) = &profile.session.cancel_on_disconnect {
        plan.fields.retain(|field| field.tag != ask.tag);
    }
    plan
}

/// A session's own file of credentials, else that of orders, and the section that names it.
fn its_file<'c>(
    config: &'c RunConfig,
    section: &'static str,
    own: Option<&'c PathBuf>,
) -> (&'static str, Option<&'c PathBuf>) {
    match own {
        Some(_) => (section, own),
        None => ("gateway", config.gateway.credentials.as_ref()),
    }
}

fn filled(
    config: &RunConfig,
    mut plan: LogonPlan,
    more: &[FixField],
    (section, file): (&str, Option<&PathBuf>),
) -> anyhow::Result<Option<VenueLogon>> {
    let constant = |field: &FixField| Value::Constant(field.value.clone());
    plan.fields
        .extend(more.iter().map(|field| LogonField { tag: field.tag, value: constant(field) }));
    if plan.fields.is_empty() {
        return Ok(None);
    }
    let path = file.filter(|_| plan.wants_credentials());
    let held = path.map(|path| credentials::read(section, path)).transpose()?;
    let random: Random = if config.venue.wants_random() {
        let mut source = File::open("/dev/urandom").context("/dev/urandom, for nonces")?;
        Box::new(move |bytes| source.read_exact(bytes).is_ok())
    } else {
        Box::new(|_| false)
    };
    let logon = VenueLogon::new(plan, held.as_ref(), random);
    Ok(Some(logon.with_context(|| format!("[{section}] credentials"))?))
}
