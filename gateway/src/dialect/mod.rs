//! How one venue speaks FIX: plain data, made once from its profile, and small functions over it.
//!
//! A [`Dialect`] says how commands are written and reports read; [`logon`] says how the Logon is
//! filled in and signed. Messages stay a pure function of command, number, time and dialect, so
//! that a journal can be encoded again. It must never name a venue, and never hold a secret.

mod codes;
pub mod logon;
mod order_ids;
pub mod secret;
pub mod sign;
mod uuid;

pub use codes::Code;
pub(crate) use codes::reason_of;
pub use order_ids::OrderIds;
pub use uuid::Uuids;

use crate::fix::padded::Padded;
use crate::fix::{SOH, tags};
use crate::spec::Version;
use market::TimeInForce;

/// In which field of an ExecutionReport a venue gives our ClOrdID back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OurId {
    /// In ClOrdID (11); OrigClOrdID (41) names the order that a request was about.
    #[default]
    ClOrdId,
    /// In OrigClOrdID (41): the venue puts an id of its own into ClOrdID.
    OrigClOrdId,
}

/// How a request names the order that it is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// By OrigClOrdID (41); ClOrdID (11) is the request's own.
    #[default]
    OrigClOrdId,
    /// By ClOrdID (11); the request has no id.
    ClOrdId,
}

/// How the orders that a venue holds are made sure of after a logon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OpenOrders {
    /// By OrderMassStatusRequest (AF): the venue names them.
    #[default]
    MassStatus,
    /// By an OrderStatusRequest (H) for each that may be open.
    OrderStatus,
    /// By OrderMassCancelRequest (q): what may be open is canceled, and its answer says that nothing
    /// is left.
    Cancel,
}

/// A venue's rules of order entry, as its profile gives them. [`Settings::of`] is the plain FIX of
/// a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Version of the session and its messages.
    pub version: Version,
    /// Account (1) of every order.
    pub account: Option<String>,
    /// Form of our ClOrdIDs.
    pub order_ids: OrderIds,
    /// Where reports hold them.
    pub our_id: OurId,
    /// How requests name an order.
    pub target: Target,
    /// The field that identifies an execution: ExecID (17), or TradeID (1003).
    pub exec_id_tag: u32,
    /// `tag=value` of constant fields in every NewOrderSingle and OrderCancelReplaceRequest.
    pub order_fields: Vec<String>,
    /// TransactTime (60) in requests.
    pub transact_time: bool,
    /// ExecInst (18) of an order that must not take liquidity.
    pub post_only: String,
    /// TimeInForce (59) also stands beside the ExecInst of a post-only order.
    pub post_only_time_in_force: bool,
    /// TimeInForce (59) of an order that rests.
    pub rest: u8,
    /// TimeInForce (59) of an order that trades at once or not at all.
    pub immediate: u8,
    /// MassCancelRequestType (530) for every order of ours; `None` where a venue has none.
    pub mass_cancel_all: Option<u8>,
    /// MassCancelRequestType (530) for one instrument.
    pub mass_cancel_one: Option<u8>,
    /// How open orders are made sure of.
    pub open_orders: OpenOrders,
    /// What numbers and codes of refusals mean where they are not FIX's own.
    pub codes: Vec<Code>,
    /// News (B) announces that the venue closes the connection: log out and come again.
    pub news_reconnects: bool,
}

impl Settings {
    /// Plain FIX of this version.
    #[must_use]
    pub fn of(version: Version) -> Settings {
        let mass_cancel = version != Version::Fix42;
        Settings {
            version,
            account: None,
            order_ids: OrderIds::Decimal,
            our_id: OurId::default(),
            target: Target::default(),
            exec_id_tag: tags::EXEC_ID,
            order_fields: Vec::new(),
            transact_time: true,
            post_only: "6".to_owned(),
            post_only_time_in_force: true,
            rest: b'0',
            immediate: b'3',
            mass_cancel_all: mass_cancel.then_some(b'7'),
            mass_cancel_one: mass_cancel.then_some(b'1'),
            open_orders: match version {
                Version::Fix42 => OpenOrders::OrderStatus,
                Version::Fix44 | Version::Fix50Sp2 => OpenOrders::MassStatus,
            },
            codes: Vec::new(),
            news_reconnects: false,
        }
    }
}

/// Why settings make no dialect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialectError {
    /// Not `tag=value`, or a tag that the gateway writes itself.
    #[error(
        "`{0}` is no field of its own: write `tag=value`, with a tag the gateway does not write"
    )]
    Field(String),
    /// A value that no field can hold.
    #[error("`{0}` cannot be the value of a field")]
    Value(String),
}

/// [`Settings`] in the form that messages are made with.
#[derive(Clone, Debug)]
pub struct Dialect {
    settings: Settings,
    /// `1=…|`.
    account: Padded,
    /// `18=…|`.
    post_only: Padded,
    /// Constant fields of orders, whole.
    order_fields: Padded,
}

/// Tags of an order that no constant field may repeat.
const OWN: [u32; 10] = [
    tags::ACCOUNT,
    tags::CL_ORD_ID,
    tags::ORIG_CL_ORD_ID,
    tags::EXEC_INST,
    tags::SYMBOL,
    tags::SIDE,
    tags::TRANSACT_TIME,
    tags::ORDER_QTY,
    tags::PRICE,
    tags::TIME_IN_FORCE,
];

impl Dialect {
    /// The dialect of these settings. FIX.4.2 wants HandlInst (21) in every order: `21=1` (automated,
    /// no broker) is added where the settings give none.
    ///
    /// # Errors
    /// [`DialectError`].
    pub fn new(settings: Settings) -> Result<Dialect, DialectError> {
        let mut fields = settings.order_fields.clone();
        let has = |tag: &str| fields.iter().any(|field| field.starts_with(tag));
        if settings.version == Version::Fix42 && !has("21=") {
            fields.insert(0, "21=1".to_owned());
        }
        let mut order_fields = Vec::new();
        for field in &fields {
            order_fields.extend_from_slice(constant(field)?.as_bytes());
            order_fields.push(SOH);
        }
        let whole = |tag: u32, value: &str| {
            let bad = value.is_empty() || value.as_bytes().contains(&SOH);
            match bad {
                true => Err(DialectError::Value(value.to_owned())),
                false => Ok(Padded::new(format!("{tag}={value}\x01").as_bytes())),
            }
        };
        let account = match &settings.account {
            Some(account) => whole(tags::ACCOUNT, account)?,
            None => Padded::new(b""),
        };
        Ok(Dialect {
            account,
            post_only: whole(tags::EXEC_INST, &settings.post_only)?,
            order_fields: Padded::new(&order_fields),
            settings,
        })
    }

    /// Plain FIX of this version.
    #[must_use]
    pub fn of(version: Version) -> Dialect {
        let settings = Settings::of(version);
        let order_fields: &[u8] = if version == Version::Fix42 { b"21=1\x01" } else { b"" };
        Dialect {
            account: Padded::new(b""),
            post_only: Padded::new(b"18=6\x01"),
            order_fields: Padded::new(order_fields),
            settings,
        }
    }

    /// What it was made from.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) const fn version(&self) -> Version {
        self.settings.version
    }

    pub(crate) const fn order_ids(&self) -> &OrderIds {
        &self.settings.order_ids
    }

    pub(crate) const fn account(&self) -> &Padded {
        &self.account
    }

    pub(crate) const fn post_only(&self) -> &Padded {
        &self.post_only
    }

    pub(crate) const fn order_fields(&self) -> &Padded {
        &self.order_fields
    }

    /// A mass cancel of everything goes out as one for each instrument.
    pub(crate) const fn cancels_by_instrument(&self) -> bool {
        self.settings.mass_cancel_all.is_none() && self.settings.mass_cancel_one.is_some()
    }

    /// TimeInForce (59).
    pub(crate) const fn time_in_force(&self, time_in_force: TimeInForce) -> u8 {
        match time_in_force {
            TimeInForce::Day => self.settings.rest,
            TimeInForce::ImmediateOrCancel => self.settings.immediate,
        }
    }
}

impl Default for Dialect {
    /// Plain FIX.4.4.
    fn default() -> Dialect {
        Dialect::of(Version::Fix44)
    }
}

/// A constant field that the gateway does not write itself.
fn constant(field: &str) -> Result<&str, DialectError> {
    let wrong = || DialectError::Field(field.to_owned());
    let (tag, value) = field.split_once('=').ok_or_else(wrong)?;
    let plain = !tag.starts_with('0') && tag.bytes().all(|byte| byte.is_ascii_digit());
    let tag: u32 = tag.parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    let own = OWN.contains(&tag) || tag == tags::ORD_TYPE || tags::is_header(tag);
    let bad = value.is_empty() || value.as_bytes().contains(&SOH);
    if own || bad || tag == tags::CHECK_SUM { Err(wrong()) } else { Ok(field) }
}

#[cfg(test)]
mod tests;
