//! The tables: all there, read whole, and in agreement with what the codec knows by itself.

use crate::fix::tags;
use crate::spec::scope::{LEVELS, SEEN_WORDS, Scope};
use crate::spec::table::{FIX42, FIX44, FIX50SP2, FIXT11, Table};
use crate::spec::{CustomField, Dictionary, MessageInfo, Version};
use std::collections::BTreeSet;

/// Table, fields, components with header and trailer, messages.
const TABLES: [(&str, usize, usize, usize); 4] =
    [(FIX42, 405, 2, 46), (FIX44, 912, 106, 93), (FIXT11, 71, 3, 8), (FIX50SP2, 6_028, 725, 156)];

fn all() -> impl Iterator<Item = Table> {
    TABLES.iter().map(|(text, ..)| Table::read(text))
}

#[test]
fn every_line_is_read() {
    for (text, fields, components, messages) in TABLES {
        let table = Table::read(text);
        let found = (table.fields.len(), table.components.len(), table.messages.len());
        assert_eq!(found, (fields, components, messages));
        let lines = text.lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(lines, fields + components + messages + 3, "the three heads of sections");
        assert!(text.contains("quickfixengine.org"), "the origin is named");
    }
}

#[test]
fn members_are_defined() {
    for version in Version::ALL {
        let texts: &[&'static str] = match version {
            Version::Fix42 => &[FIX42],
            Version::Fix44 => &[FIX44],
            Version::Fix50Sp2 => &[FIXT11, FIX50SP2],
        };
        let tables: Vec<_> = texts.iter().map(|text| Table::read(text)).collect();
        let dictionary = Dictionary::of(version);
        let lists = tables.iter().flat_map(|table| {
            let components = table.components.iter().map(|row| row.members);
            components.chain(table.messages.iter().map(|row| row.members))
        });
        for word in lists.flat_map(|list| list.split(' ')).filter(|w| !matches!(*w, ")" | "")) {
            let word = word.trim_end_matches('(').trim_end_matches('!');
            match word.strip_prefix('@') {
                Some(name) => {
                    let found = tables.iter().any(|table| !table.component(name).is_empty());
                    assert!(found, "{version:?}: component {name}");
                }
                None => {
                    let tag = word.parse().unwrap();
                    assert!(dictionary.field(tag).is_some(), "{version:?}: tag {tag}");
                }
            }
        }
    }
}

#[test]
fn a_walk_has_room_for_every_scope() {
    fn depth(scope: &Scope, dictionary: &Dictionary) -> usize {
        assert!(scope.tags.len() <= SEEN_WORDS * 64, "{} members", scope.tags.len());
        let unique: BTreeSet<_> = scope.tags.iter().collect();
        assert_eq!(unique.len(), scope.tags.len(), "no member stands twice");
        let members = scope.tags.iter().map(|tag| scope.find(*tag).unwrap());
        let groups = members.filter_map(|member| dictionary.tables.group(member.group()?));
        1 + groups.map(|group| depth(group, dictionary)).max().unwrap_or(0)
    }
    let deepest = Version::ALL.map(|version| {
        let dictionary = Dictionary::of(version);
        let scopes = dictionary.messages().iter().map(|message| &message.scope);
        scopes.map(|scope| depth(scope, dictionary)).max().unwrap()
    });
    assert_eq!(deepest, [3, 5, LEVELS]);
}

#[test]
fn the_codec_knows_the_header_of_every_version() {
    let mut header = BTreeSet::new();
    for table in all() {
        for word in table.component("header").split(' ') {
            let tag = word.trim_end_matches('(').trim_end_matches('!').parse::<u32>();
            header.extend(tag.ok());
        }
    }
    let known: BTreeSet<u32> = (0..100_000).filter(|tag| tags::is_header(*tag)).collect();
    assert_eq!(header, known);
}

#[test]
fn the_codec_knows_every_length_of_a_data_field() {
    let mut pairs = BTreeSet::new();
    let mut alone = BTreeSet::new();
    for table in all() {
        let tag_of = |name: &str| {
            let field = table.fields.iter().find(|field| field.name == name);
            field.filter(|field| matches!(field.kind, "DATA" | "XMLDATA")).map(|field| field.tag)
        };
        for field in table.fields.iter().filter(|field| field.kind == "LENGTH") {
            let name = field.name.trim_end_matches("Length").trim_end_matches("Len");
            // The one field whose name the dictionary cut short.
            match tag_of(name).or_else(|| tag_of(&name.replace("SecDesc", "SecurityDesc"))) {
                Some(data) => pairs.insert((field.tag, data)),
                None => alone.insert(field.name),
            };
        }
    }
    let known = (0..100_000).filter_map(|tag| Some((tag, tags::data_field_of(tag)?)));
    assert_eq!(pairs, known.collect());
    assert_eq!(alone, BTreeSet::from(["BodyLength", "MaxMessageSize"]));
}

#[test]
fn names_are_those_of_the_specification() {
    let fix42 = Dictionary::of(Version::Fix42);
    let order = fix42.message(b"D").unwrap();
    assert_eq!((order.name(), order.is_admin()), ("NewOrderSingle", false));
    assert!(fix42.message(b"A").unwrap().is_admin());
    assert!(fix42.message(b"AF").is_none(), "OrderMassStatusRequest came with 4.3");
    let side = fix42.field(54).unwrap();
    assert_eq!((side.name(), side.data_type(), side.meaning(b"1")), ("Side", "CHAR", Some("BUY")));
    assert_eq!(side.meaning(b"x"), None);
    let inst = fix42.field(18).unwrap();
    let meanings: Vec<_> = inst.meanings(b"1 6 ?").collect();
    assert_eq!(meanings, [Some("NOT_HELD"), Some("PARTICIPATE_DO_NOT_INITIATE"), None]);
    assert_eq!(fix42.field(373).unwrap().meaning(b"13"), None, "4.2 has reasons to 11");

    let fix44 = Dictionary::of(Version::Fix44);
    assert_eq!(fix44.message(b"AF").unwrap().name(), "OrderMassStatusRequest");
    assert_eq!(fix44.field(373).unwrap().meaning(b"13"), Some("TAG_APPEARS_MORE_THAN_ONCE"));
    assert_eq!(fix44.name(1128), None);

    let fix50 = Dictionary::of(Version::Fix50Sp2);
    assert_eq!(fix50.name(1128), Some("ApplVerID"));
    assert_eq!(fix50.message(b"A").unwrap().name(), "Logon");
    assert_eq!(fix50.message(b"i").unwrap().name(), "MassQuote");
    assert_eq!(fix50.field(1409).unwrap().meaning(b"0"), Some("SESSION_ACTIVE"));
    let types: Vec<_> = fix50.messages().iter().map(MessageInfo::msg_type).collect();
    assert!(types.is_sorted_by(|one, other| one < other), "each type once");
}

#[test]
fn what_a_venue_adds_has_a_name() {
    let custom = |tag, name: &str| CustomField { tag, name: name.to_owned() };
    let fields = vec![custom(100_010, "DeribitLabel"), custom(5_001, "EnableCOD")];
    let dictionary = Dictionary::with_custom(Version::Fix44, fields);
    assert_eq!(dictionary.name(5_001), Some("EnableCOD"));
    assert_eq!(dictionary.name(100_010), Some("DeribitLabel"));
    assert_eq!(dictionary.name(54), Some("Side"));
    assert_eq!(dictionary.name(5_002), None);
    assert_eq!(Dictionary::of(Version::Fix44).name(5_001), None);
}
