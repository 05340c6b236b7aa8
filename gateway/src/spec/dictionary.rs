//! A version's dictionary: what its fields and messages are called, and whether a message is one of
//! them.
//!
//! It is read once and then shared. A venue's own fields stand beside it, never in it.

use super::format::Format;
use super::scope::{Builder, Scope};
use super::table::{self, FieldRow, Table};
use super::{Validation, Version, Walk};
use crate::fix::{Fault, Message, RejectCode, tags};
use std::sync::OnceLock;

/// Tags from here on are for agreement between two parties (FIX.4.4 Volume 1, "User defined
/// fields").
const USER_DEFINED: u32 = 5_000;

/// What is read from the tables of a version.
#[derive(Debug)]
pub(super) struct Tables {
    /// By tag.
    fields: Vec<FieldRow>,
    /// Place of every tag in `fields`, plus one; zero for none.
    places: Vec<u16>,
    /// By message type.
    messages: Vec<MessageInfo>,
    /// Header and trailer alone, which a message of an unknown type has as well.
    envelope: MessageInfo,
    groups: Vec<Scope>,
}

/// A message that a dictionary defines.
#[derive(Debug)]
pub struct MessageInfo {
    msg_type: &'static str,
    name: &'static str,
    admin: bool,
    pub(super) scope: Scope,
    bounds: [u16; 2],
}

impl MessageInfo {
    /// MsgType (35).
    #[must_use]
    pub const fn msg_type(&self) -> &'static str {
        self.msg_type
    }

    /// Its name, such as `NewOrderSingle`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// True if it belongs to the session layer.
    #[must_use]
    pub const fn is_admin(&self) -> bool {
        self.admin
    }
}

/// A field that a dictionary defines.
#[derive(Clone, Copy, Debug)]
pub struct FieldInfo<'d>(&'d FieldRow);

impl<'d> FieldInfo<'d> {
    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> u32 {
        self.0.tag
    }

    /// Its name, such as `OrderQty`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0.name
    }

    /// Its data type as the dictionary spells it, such as `QTY`.
    #[must_use]
    pub const fn data_type(self) -> &'static str {
        self.0.kind
    }

    /// What one of its values means, such as `BUY`.
    #[must_use]
    pub fn meaning(self, value: &[u8]) -> Option<&'static str> {
        let values = &self.0.values;
        let at = values.binary_search_by_key(&value, |(value, _)| value.as_bytes()).ok()?;
        Some(values[at].1)
    }

    /// What each of the words of a value means; one word unless the type has several.
    pub fn meanings<'v>(
        self,
        value: &'v [u8],
    ) -> impl Iterator<Item = Option<&'static str>> + use<'d, 'v> {
        let many = self.0.format == Format::Words;
        value.split(move |byte| many && *byte == b' ').map(move |word| self.meaning(word))
    }

    /// What is wrong with a value of it.
    fn fault(self, value: &[u8]) -> Option<Fault> {
        if !self.0.format.fits(value) {
            return Some(Fault::new(RejectCode::DataFormat, self.0.tag));
        }
        // MsgType is a field with values, too; it was looked for among the messages.
        let open = self.0.values.is_empty() || self.0.others || self.0.tag == tags::MSG_TYPE;
        let fits = open || self.meanings(value).all(|meaning| meaning.is_some());
        (!fits).then(|| Fault::new(RejectCode::ValueIncorrect, self.0.tag))
    }
}

/// A field that a venue adds: it has a name, any value, and may stand in every message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomField {
    /// Its tag; one of the dictionary is thereby allowed in every message.
    pub tag: u32,
    /// Its name.
    pub name: String,
}

/// A version's messages and fields, with those that a venue adds.
#[derive(Clone, Debug)]
pub struct Dictionary {
    version: Version,
    pub(super) tables: &'static Tables,
    /// By tag.
    custom: Box<[CustomField]>,
}

static TABLES: [OnceLock<Tables>; 3] = [const { OnceLock::new() }; 3];
static DICTIONARIES: [OnceLock<Dictionary>; 3] = [const { OnceLock::new() }; 3];

impl Dictionary {
    /// The dictionary of a version. It is read from its tables when first asked for, which takes
    /// milliseconds: ask before trading.
    #[must_use]
    pub fn of(version: Version) -> &'static Dictionary {
        DICTIONARIES[version as usize].get_or_init(|| Self::with_custom(version, Vec::new()))
    }

    /// The dictionary of a version with a venue's own fields.
    #[must_use]
    pub fn with_custom(version: Version, mut custom: Vec<CustomField>) -> Dictionary {
        custom.sort_by_key(|field| field.tag);
        let tables = TABLES[version as usize].get_or_init(|| Tables::read(version));
        Dictionary { version, tables, custom: custom.into() }
    }

    /// The version that it is of.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// The message of this type, if the version has one.
    #[must_use]
    pub fn message(&self, msg_type: &[u8]) -> Option<&'static MessageInfo> {
        let messages = &self.tables.messages;
        let at = messages.binary_search_by_key(&msg_type, |info| info.msg_type.as_bytes()).ok()?;
        messages.get(at)
    }

    /// The field of this tag, if the version has one; a venue's own is none.
    #[must_use]
    #[inline]
    pub fn field(&self, tag: u32) -> Option<FieldInfo<'static>> {
        self.tables.field(tag).map(FieldInfo)
    }

    /// The name of a tag, a venue's own included.
    #[must_use]
    pub fn name(&self, tag: u32) -> Option<&str> {
        let custom = self.custom(tag).map(|field| field.name.as_str());
        custom.or_else(|| self.field(tag).map(FieldInfo::name))
    }

    /// Every field of the version, by tag.
    pub fn fields(&self) -> impl Iterator<Item = FieldInfo<'static>> + use<> {
        self.tables.fields.iter().map(FieldInfo)
    }

    /// Every message of the version, by type.
    #[must_use]
    pub fn messages(&self) -> &'static [MessageInfo] {
        &self.tables.messages
    }

    /// The way of a message of this type through the dictionary, field by field. Of one that the
    /// version does not have, header and trailer are known alone.
    #[must_use]
    pub fn walk(&self, msg_type: &[u8]) -> Walk<'static> {
        let info = self.message(msg_type).unwrap_or(&self.tables.envelope);
        Walk::new(self.tables, &info.scope, info.bounds)
    }

    /// Holds a message against the dictionary, as far as `validation` says. Messages that
    /// [`Message::fault`] speaks of have more wrong with them than is found here.
    ///
    /// User-defined fields (from 5000 on) that nobody defined are carried under `Structure`; `Full`
    /// refuses them as test case 14.a of the FIX session layer has it. Messages of user-defined
    /// types (`U…`) are held to their header, their trailer and the values of known fields.
    ///
    /// # Errors
    /// The first [`Fault`], in the order of the wire; what is missing comes last. A group's count is
    /// wrong before the values in it.
    pub fn check(&self, message: &Message<'_>, validation: Validation) -> Result<(), Fault> {
        if validation == Validation::None {
            return Ok(());
        }
        let msg_type = message.msg_type();
        let known = self.message(msg_type).is_some();
        if !known && !matches!(msg_type, [b'U', _, ..]) {
            return Err(Fault::new(RejectCode::MsgType, 0));
        }
        let full = validation == Validation::Full;
        let mut walk = self.walk(msg_type);
        // A value within a group: said unless the group turns out to be miscounted, as its count
        // stands before its values.
        let mut held = None;
        let settle = |fault: Fault, held: Option<Fault>| match fault.code {
            RejectCode::GroupCount => fault,
            _ => held.unwrap_or(fault),
        };
        for (tag, value) in message.fields() {
            let step = walk.step(tag, value);
            let field = self.field(tag);
            let place = step
                .fault
                .or_else(|| if step.member { None } else { self.stray(tag, field, known, full) });
            let wrong = || field.filter(|_| full).and_then(|field| field.fault(value));
            match place.or_else(wrong) {
                Some(fault) if place.is_none() && step.depth > 0 => held = held.or(Some(fault)),
                Some(fault) => return Err(settle(fault, held)),
                None => {}
            }
        }
        match walk.end() {
            Some(fault) => Err(settle(fault, held)),
            None => held.map_or(Ok(()), Err),
        }
    }

    /// What is wrong with a field that its message does not have.
    fn stray(
        &self,
        tag: u32,
        field: Option<FieldInfo<'_>>,
        known: bool,
        full: bool,
    ) -> Option<Fault> {
        if self.custom(tag).is_some() {
            return None;
        }
        match field {
            Some(_) => known.then(|| Fault::new(RejectCode::NotOfMessage, tag)),
            None if tag >= USER_DEFINED && !full => None,
            None => Some(Fault::new(RejectCode::InvalidTag, tag)),
        }
    }

    fn custom(&self, tag: u32) -> Option<&CustomField> {
        let at = self.custom.binary_search_by_key(&tag, |field| field.tag).ok()?;
        self.custom.get(at)
    }
}

impl Tables {
    fn read(version: Version) -> Tables {
        let texts: &[&'static str] = match version {
            Version::Fix42 => &[table::FIX42],
            Version::Fix44 => &[table::FIX44],
            Version::Fix50Sp2 => &[table::FIXT11, table::FIX50SP2],
        };
        let tables: Vec<Table> = texts.iter().map(|text| Table::read(text)).collect();
        let mut builder = Builder::new(&tables);
        let (header, trailer) = (builder.component("header"), builder.component("trailer"));
        let mut define = |msg_type, name, admin, members| {
            let (scope, bounds) = builder.message([header, members, trailer]);
            MessageInfo { msg_type, name, admin, scope, bounds }
        };
        let envelope = define("", "", false, "");
        let rows = tables.iter().flat_map(|table| &table.messages);
        let mut messages: Vec<MessageInfo> =
            rows.map(|row| define(row.msg_type, row.name, row.admin, row.members)).collect();
        messages.sort_by_key(|info| info.msg_type);
        let groups = builder.groups;
        // The later table is the application's and knows more values of a shared field.
        let mut fields: Vec<FieldRow> = tables.into_iter().rev().flat_map(|t| t.fields).collect();
        fields.sort_by_key(|field| field.tag);
        fields.dedup_by_key(|field| field.tag);
        let mut places = vec![0; fields.last().map_or(0, |field| field.tag as usize + 1)];
        for (place, field) in (1..).zip(&fields) {
            places[field.tag as usize] = place;
        }
        Tables { fields, places, messages, envelope, groups }
    }

    #[inline]
    fn field(&self, tag: u32) -> Option<&FieldRow> {
        let place = *self.places.get(tag as usize)?;
        self.fields.get(usize::from(place).checked_sub(1)?)
    }

    #[inline]
    pub(super) fn group(&self, at: usize) -> Option<&Scope> {
        self.groups.get(at)
    }
}
