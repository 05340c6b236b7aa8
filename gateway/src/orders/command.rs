//! [`Command`] ↔ NewOrderSingle (D), OrderCancelReplaceRequest (G), OrderCancelRequest (F),
//! OrderStatusRequest (H), OrderMassCancelRequest (q), OrderMassStatusRequest (AF), and our
//! consumption mark (UM).
//!
//! Decoding is exact or refused: a price or quantity that does not fit is never rounded.

use super::Instruments;
use super::instruments::Entry;
use crate::dialect::{Dialect, OpenOrders, OrderIds, Target};
use crate::fix::field_writer::{FieldWriter, Wrote};
use crate::fix::message::{as_bool, as_char, as_decimal, as_u64};
use crate::fix::tags::{self, msg};
use crate::fix::{EncodeError, Encoder, Fault, Message, RejectCode};
use crate::session::{BusinessReason, Verdict};
use market::{Command, CommandKind, Event, OrderId, Price, Qty, Side, TimeInForce, Timestamp};

/// MsgType (35) of a command; `None` for a byte that is no command.
#[must_use]
pub fn msg_type(command: &Command, dialect: &Dialect) -> Option<&'static [u8]> {
    command.kind().map(|kind| match kind {
        CommandKind::New => msg::NEW_ORDER_SINGLE,
        CommandKind::Replace => msg::ORDER_CANCEL_REPLACE_REQUEST,
        CommandKind::Cancel => msg::ORDER_CANCEL_REQUEST,
        CommandKind::Status => msg::ORDER_STATUS_REQUEST,
        CommandKind::MassCancel => msg::ORDER_MASS_CANCEL_REQUEST,
        CommandKind::MassStatus => match dialect.settings().open_orders {
            OpenOrders::Cancel => msg::ORDER_MASS_CANCEL_REQUEST,
            OpenOrders::MassStatus | OpenOrders::OrderStatus => msg::ORDER_MASS_STATUS_REQUEST,
        },
        CommandKind::Mark => msg::MARK,
    })
}

/// Adds the body of `command` to a message of type [`msg_type`]. What cannot be said makes
/// [`Encoder::finish`] fail. The same command, number, time and dialect give the same bytes.
pub fn encode_command(
    command: &Command,
    instruments: &Instruments,
    dialect: &Dialect,
    now: Timestamp,
    encoder: &mut Encoder<'_>,
) {
    let Some(kind) = command.kind() else { return encoder.fail(EncodeError::NoMessage) };
    let ids = dialect.order_ids();
    match kind {
        CommandKind::New | CommandKind::Replace | CommandKind::Cancel | CommandKind::Status => {
            let known = instruments.get(command.instrument).zip(command.side());
            let Some((instrument, side)) = known else {
                return encoder.fail(EncodeError::UnknownInstrument);
            };
            if kind == CommandKind::Status {
                ids.write(encoder, tags::CL_ORD_ID, command.target);
                encoder.padded(tags::SYMBOL, &instrument.symbol);
                return encoder.char(tags::SIDE, side_char(side));
            }
            let order = (kind, side, instrument);
            encoder.at_once(|fields| encode_order(command, order, dialect, now, fields));
        }
        CommandKind::MassCancel => encode_mass_cancel(command, instruments, dialect, now, encoder),
        CommandKind::MassStatus => match dialect.settings().open_orders {
            OpenOrders::MassStatus => {
                ids.write(encoder, tags::MASS_STATUS_REQ_ID, command.id);
                encoder.u64(tags::MASS_STATUS_REQ_TYPE, 7);
            }
            OpenOrders::OrderStatus => encoder.fail(EncodeError::NoMessage),
            OpenOrders::Cancel => encode_mass_cancel(command, instruments, dialect, now, encoder),
        },
        CommandKind::Mark => {
            encoder.u64(tags::NEXT_PACKET, command.id.0);
            encoder.u64(tags::REPORTS_CONSUMED, command.target.0);
        }
    }
}

/// OrderMassCancelRequest (q) of one instrument, or of all.
fn encode_mass_cancel(
    command: &Command,
    instruments: &Instruments,
    dialect: &Dialect,
    now: Timestamp,
    encoder: &mut Encoder<'_>,
) {
    if command.instrument == Event::ALL {
        let Some(scope) = dialect.settings().mass_cancel_all else {
            return encoder.fail(EncodeError::NoMessage);
        };
        dialect.order_ids().write(encoder, tags::CL_ORD_ID, command.id);
        encoder.char(tags::MASS_CANCEL_REQUEST_TYPE, scope);
    } else {
        let known = instruments.get(command.instrument);
        let Some(instrument) = known else { return encoder.fail(EncodeError::UnknownInstrument) };
        let Some(scope) = dialect.settings().mass_cancel_one else {
            return encoder.fail(EncodeError::NoMessage);
        };
        dialect.order_ids().write(encoder, tags::CL_ORD_ID, command.id);
        encoder.char(tags::MASS_CANCEL_REQUEST_TYPE, scope);
        encoder.padded(tags::SYMBOL, &instrument.symbol);
    }
    if dialect.settings().transact_time {
        encoder.time(tags::TRANSACT_TIME, now);
    }
}

#[inline(always)]
#[allow(clippy::inline_always)]
fn encode_order(
    command: &Command,
    (kind, side, instrument): (CommandKind, Side, &Entry),
    dialect: &Dialect,
    now: Timestamp,
    fields: &mut FieldWriter<'_>,
) -> Wrote {
    let (ids, settings) = (dialect.order_ids(), dialect.settings());
    let new = kind == CommandKind::New;
    match settings.target {
        _ if new => ids.write_among(fields, tags::CL_ORD_ID, command.id)?,
        Target::OrigClOrdId => {
            ids.write_among(fields, tags::ORIG_CL_ORD_ID, command.target)?;
            ids.write_among(fields, tags::CL_ORD_ID, command.id)?;
        }
        // Such an order keeps its first id: a replace would have to name that, which nobody knows.
        Target::ClOrdId if kind == CommandKind::Replace => return Err(EncodeError::NoMessage),
        Target::ClOrdId => ids.write_among(fields, tags::CL_ORD_ID, command.target)?,
    }
    fields.whole(dialect.account())?;
    let post_only = command.post_only() && kind != CommandKind::Cancel;
    if post_only {
        fields.whole(dialect.post_only())?;
    }
    fields.padded(tags::SYMBOL, &instrument.symbol)?;
    fields.char(tags::SIDE, side_char(side))?;
    if settings.transact_time {
        fields.time(tags::TRANSACT_TIME, now)?;
    }
    if kind == CommandKind::Cancel {
        return Ok(());
    }
    fields.decimal(tags::ORDER_QTY, command.qty.raw(), instrument.qty_digits)?;
    fields.char(tags::ORD_TYPE, b'2')?;
    fields.decimal(tags::PRICE, command.price.raw(), Price::DIGITS)?;
    if !post_only || settings.post_only_time_in_force {
        fields.char(tags::TIME_IN_FORCE, dialect.time_in_force(command.time_in_force()))?;
    }
    fields.whole(dialect.order_fields())
}

/// Side (54).
pub(super) const fn side_char(side: Side) -> u8 {
    match side {
        Side::Buy => b'1',
        Side::Sell => b'2',
    }
}

/// The side of tag 54.
pub(super) fn side_of(value: &[u8]) -> Result<Side, Fault> {
    match value {
        b"1" => Ok(Side::Buy),
        b"2" => Ok(Side::Sell),
        _ => Err(Fault::new(RejectCode::ValueIncorrect, tags::SIDE)),
    }
}

/// Why a message is no command, and so how it is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// With a Reject (3).
    #[error(transparent)]
    Fault(#[from] Fault),
    /// With a BusinessMessageReject (j).
    #[error("refused: {0:?}")]
    Business(BusinessReason),
}

impl From<CommandError> for Verdict {
    fn from(error: CommandError) -> Verdict {
        match error {
            CommandError::Fault(fault) => Verdict::Reject(fault),
            CommandError::Business(reason) => Verdict::Business(reason),
        }
    }
}

/// The fields of the requests that stand outside groups, each at most once.
#[derive(Default)]
struct Fields<'a> {
    id: Option<&'a [u8]>,
    target: Option<&'a [u8]>,
    symbol: Option<&'a [u8]>,
    side: Option<&'a [u8]>,
    qty: Option<&'a [u8]>,
    price: Option<&'a [u8]>,
    ord_type: Option<&'a [u8]>,
    time_in_force: Option<&'a [u8]>,
    exec_inst: Option<&'a [u8]>,
    scope: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Finds those of a message; none of them is of the header.
    fn find(&mut self, message: &Message<'a>) -> Result<(), Fault> {
        let this = self;
        for (tag, value) in message.body() {
            let slot = match tag {
                tags::CL_ORD_ID | tags::MASS_STATUS_REQ_ID | tags::NEXT_PACKET => &mut this.id,
                tags::ORIG_CL_ORD_ID | tags::REPORTS_CONSUMED => &mut this.target,
                tags::SYMBOL => &mut this.symbol,
                tags::SIDE => &mut this.side,
                tags::ORDER_QTY => &mut this.qty,
                tags::PRICE => &mut this.price,
                tags::ORD_TYPE => &mut this.ord_type,
                tags::TIME_IN_FORCE => &mut this.time_in_force,
                tags::EXEC_INST => &mut this.exec_inst,
                tags::MASS_CANCEL_REQUEST_TYPE | tags::MASS_STATUS_REQ_TYPE => &mut this.scope,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(Fault::new(RejectCode::Repeated, tag));
            }
        }
        Ok(())
    }
}

/// The command that a message received by a venue asks for.
///
/// # Errors
/// [`CommandError`] says how to answer.
pub fn decode_command(
    message: &Message<'_>,
    instruments: &Instruments,
    dialect: &Dialect,
) -> Result<Command, CommandError> {
    let mut fields = Fields::default();
    fields.find(message)?;
    let ids = dialect.order_ids();
    let missing = |tag| Fault::new(RejectCode::RequiredTagMissing, tag);
    match message.msg_type() {
        msg::NEW_ORDER_SINGLE => decode_order(CommandKind::New, &fields, instruments, dialect),
        msg::ORDER_CANCEL_REPLACE_REQUEST => {
            decode_order(CommandKind::Replace, &fields, instruments, dialect)
        }
        msg::ORDER_CANCEL_REQUEST => {
            decode_order(CommandKind::Cancel, &fields, instruments, dialect)
        }
        msg::ORDER_STATUS_REQUEST => {
            let order = order_id(tags::CL_ORD_ID, fields.id, ids)?;
            let instrument = known(&fields, instruments)?;
            let side = side_of(fields.side.ok_or(missing(tags::SIDE))?)?;
            // The request has no id of its own: its answer names the order.
            Ok(Command::status(order, order, instrument.id, side))
        }
        msg::ORDER_MASS_CANCEL_REQUEST => {
            let id = order_id(tags::CL_ORD_ID, fields.id, ids)?;
            let tag = tags::MASS_CANCEL_REQUEST_TYPE;
            let settings = dialect.settings();
            match Some(as_char(tag, fields.scope.ok_or(missing(tag))?)?) {
                all if all == settings.mass_cancel_all => Ok(Command::mass_cancel(id, Event::ALL)),
                one if one == settings.mass_cancel_one => {
                    Ok(Command::mass_cancel(id, known(&fields, instruments)?.id))
                }
                _ => Err(Fault::new(RejectCode::ValueIncorrect, tag).into()),
            }
        }
        msg::ORDER_MASS_STATUS_REQUEST => {
            let tag = tags::MASS_STATUS_REQ_TYPE;
            match as_u64(tag, fields.scope.ok_or(missing(tag))?)? {
                7 => Ok(Command::mass_status(order_id(tags::MASS_STATUS_REQ_ID, fields.id, ids)?)),
                _ => Err(Fault::new(RejectCode::ValueIncorrect, tag).into()),
            }
        }
        msg::MARK => {
            let next = fields.id.ok_or(missing(tags::NEXT_PACKET))?;
            let reports = fields.target.ok_or(missing(tags::REPORTS_CONSUMED))?;
            Ok(Command::mark(
                as_u64(tags::NEXT_PACKET, next)?,
                as_u64(tags::REPORTS_CONSUMED, reports)?,
            ))
        }
        _ => Err(CommandError::Business(BusinessReason::UnsupportedMessage)),
    }
}

fn decode_order(
    kind: CommandKind,
    fields: &Fields<'_>,
    instruments: &Instruments,
    dialect: &Dialect,
) -> Result<Command, CommandError> {
    let (ids, settings) = (dialect.order_ids(), dialect.settings());
    let missing = |tag| Fault::new(RejectCode::RequiredTagMissing, tag);
    let wrong = |tag| Fault::new(RejectCode::ValueIncorrect, tag);
    let id = order_id(tags::CL_ORD_ID, fields.id, ids)?;
    let target = match kind {
        CommandKind::New => OrderId::NONE,
        _ => order_id(tags::ORIG_CL_ORD_ID, fields.target, ids)?,
    };
    let instrument = known(fields, instruments)?;
    let side = side_of(fields.side.ok_or(missing(tags::SIDE))?)?;
    if kind == CommandKind::Cancel {
        return Ok(Command::cancel(id, target, instrument.id, side));
    }
    match fields.ord_type.ok_or(missing(tags::ORD_TYPE))? {
        b"2" => {}
        _ => return Err(wrong(tags::ORD_TYPE).into()),
    }
    let qty = fields.qty.ok_or(missing(tags::ORDER_QTY))?;
    let qty = Qty::from_raw(as_decimal(tags::ORDER_QTY, qty, instrument.qty_digits)?);
    let price = fields.price.ok_or(missing(tags::PRICE))?;
    let price = Price::from_raw(as_decimal(tags::PRICE, price, Price::DIGITS)?);
    let time_in_force = match fields.time_in_force {
        None => TimeInForce::Day,
        Some([byte]) if *byte == settings.rest => TimeInForce::Day,
        Some([byte]) if *byte == settings.immediate => TimeInForce::ImmediateOrCancel,
        Some(_) => return Err(wrong(tags::TIME_IN_FORCE).into()),
    };
    let post_only = match fields.exec_inst {
        None => false,
        Some(value) if value == settings.post_only.as_bytes() => true,
        Some(_) => return Err(wrong(tags::EXEC_INST).into()),
    };
    let command = match kind {
        CommandKind::Replace => Command::replace(id, target, instrument.id, side, price, qty),
        _ => Command::new(id, instrument.id, side, price, qty),
    };
    Ok(command.with_time_in_force(time_in_force).with_post_only(post_only))
}

fn known<'a>(fields: &Fields<'_>, instruments: &'a Instruments) -> Result<&'a Entry, CommandError> {
    let symbol = fields.symbol.ok_or(Fault::new(RejectCode::RequiredTagMissing, tags::SYMBOL))?;
    instruments.named(symbol).ok_or(CommandError::Business(BusinessReason::UnknownSecurity))
}

/// A ClOrdID in the dialect's form.
fn order_id(tag: u32, value: Option<&[u8]>, ids: &OrderIds) -> Result<OrderId, Fault> {
    let value = value.ok_or(Fault::new(RejectCode::RequiredTagMissing, tag))?;
    match ids.read(value) {
        // What is no number at all is told from what is none of ours.
        OrderId::NONE if *ids == OrderIds::Decimal => {
            as_u64(tag, value)?;
            Err(Fault::new(RejectCode::ValueIncorrect, tag))
        }
        OrderId::NONE => Err(Fault::new(RejectCode::ValueIncorrect, tag)),
        id => Ok(id),
    }
}

/// `Y` or `N` where it may be missing.
pub(super) fn flag_of(tag: u32, value: Option<&[u8]>) -> Result<bool, Fault> {
    value.map_or(Ok(false), |value| as_bool(tag, value))
}
