//! The tables of text that `generate.py` makes, read into fields, components and messages.
//!
//! Three sections of lines, each line of words, `#` before what is for people:
//!
//! ```text
//! fields
//! 4 AdvSide CHAR B=BUY S=SELL      tag, name, type (`+`: other values too), values and their names
//! components
//! header 8! 9! 627( 628 629 )      name, members in order
//! messages
//! D NewOrderSingle app 11! @Parties @Instrument! 38
//! ```
//!
//! A member is a tag, a component (`@`), or a group: its NumInGroup tag, `(`, members, `)`. `!` is
//! a required one. It must never read anything but what is compiled in: a line that is none of
//! these is left out, and the tests count what is in.

use super::format::Format;

/// The tables.
pub(super) const FIX42: &str = include_str!("FIX42.txt");
pub(super) const FIX44: &str = include_str!("FIX44.txt");
pub(super) const FIXT11: &str = include_str!("FIXT11.txt");
pub(super) const FIX50SP2: &str = include_str!("FIX50SP2.txt");

/// A field as a dictionary defines it.
#[derive(Clone, Debug)]
pub(super) struct FieldRow {
    pub(super) tag: u32,
    pub(super) name: &'static str,
    /// The name of its data type.
    pub(super) kind: &'static str,
    pub(super) format: Format,
    /// The values it may have and their names, sorted; none if it may have any.
    pub(super) values: Box<[(&'static str, &'static str)]>,
    /// Values beside those named are allowed.
    pub(super) others: bool,
}

/// A component: its name and its members, in words.
#[derive(Clone, Debug)]
pub(super) struct ComponentRow {
    pub(super) name: &'static str,
    pub(super) members: &'static str,
}

/// A message: its type, name, layer and members.
#[derive(Clone, Debug)]
pub(super) struct MessageRow {
    pub(super) msg_type: &'static str,
    pub(super) name: &'static str,
    pub(super) admin: bool,
    pub(super) members: &'static str,
}

/// One dictionary.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) fields: Vec<FieldRow>,
    pub(super) components: Vec<ComponentRow>,
    pub(super) messages: Vec<MessageRow>,
}

impl Table {
    /// Reads a table.
    pub(super) fn read(text: &'static str) -> Table {
        let mut table = Table::default();
        let mut section = "";
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            match (section, line.split_once(' ')) {
                (_, None) if matches!(line, "fields" | "components" | "messages") => section = line,
                ("fields", Some((tag, rest))) => table.fields.extend(field(tag, rest)),
                ("components", Some((name, members))) => {
                    table.components.push(ComponentRow { name, members });
                }
                ("messages", Some((msg_type, rest))) => {
                    table.messages.extend(message(msg_type, rest));
                }
                _ => {}
            }
        }
        table
    }

    /// The members of a component; nothing if there is no such.
    pub(super) fn component(&self, name: &str) -> &'static str {
        self.components.iter().find(|row| row.name == name).map_or("", |row| row.members)
    }
}

fn field(tag: &str, rest: &'static str) -> Option<FieldRow> {
    let mut words = rest.split(' ');
    let (name, kind) = (words.next()?, words.next()?);
    let others = kind.ends_with('+');
    let kind = kind.trim_end_matches('+');
    let mut values: Box<[_]> = words.filter_map(|word| word.split_once('=')).collect();
    values.sort_unstable();
    Some(FieldRow { tag: tag.parse().ok()?, name, kind, format: Format::of(kind)?, values, others })
}

fn message(msg_type: &'static str, rest: &'static str) -> Option<MessageRow> {
    let (name, rest) = rest.split_once(' ')?;
    let (layer, members) = rest.split_once(' ').unwrap_or((rest, ""));
    Some(MessageRow { msg_type, name, admin: layer == "admin", members })
}
