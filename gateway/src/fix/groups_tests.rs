//! Groups that are right, in all the places where they stand, and each way in which one is wrong.

use super::*;
use crate::fix::FieldIndex;
use proptest::prelude::*;

const COUNT: u32 = tags::NO_MD_ENTRIES;
const FIRST: u32 = tags::MD_ENTRY_TYPE;

/// What a group of entries (268, each from 269 on) comes to: the fields of each instance.
fn read(body: &str) -> Result<Vec<Vec<(u32, String)>>, Fault> {
    let bytes = body.replace('|', "\x01").into_bytes();
    let mut index = FieldIndex::new(64);
    let message = index.parse(&bytes);
    let group = message.group(COUNT, FIRST)?;
    let text = |(tag, value): (u32, &[u8])| (tag, String::from_utf8_lossy(value).into_owned());
    let instances: Vec<Vec<_>> =
        group.instances().map(|instance| instance.fields().map(text).collect()).collect();
    assert_eq!((instances.len(), group.is_empty()), (group.len(), instances.is_empty()));
    Ok(instances)
}

fn fields(of: &[(u32, &str)]) -> Vec<(u32, String)> {
    of.iter().map(|(tag, value)| (*tag, (*value).to_owned())).collect()
}

#[test]
fn instances_are_what_stands_between_delimiters() {
    assert_eq!(
        read("35=W|55=ARL|268=2|269=0|270=1.5|100009=x|269=1|270=1.6|10=000|"),
        Ok(vec![
            fields(&[(269, "0"), (270, "1.5"), (100_009, "x")]),
            fields(&[(269, "1"), (270, "1.6")]),
        ])
    );
    // A field behind the group is found in its last instance, the trailer is not.
    assert_eq!(
        read("268=1|269=0|5041=77|93=1|89=x|10=000|"),
        Ok(vec![fields(&[(269, "0"), (5_041, "77")])])
    );
    assert_eq!(read("35=W|268=0|10=000|"), Ok(vec![]));
    assert_eq!(read("268=0|5041=77|10=000|"), Ok(vec![]));
    assert_eq!(
        read("268=002|269=0|269=1|"),
        Ok(vec![fields(&[(269, "0")]), fields(&[(269, "1")])])
    );
}

#[test]
fn groups_stand_in_groups() {
    let text = "296=2|302=A|304=2|295=2|299=1|132=5|299=2|132=6|302=B|295=1|299=3|10=000|";
    let bytes = text.replace('|', "\x01").into_bytes();
    let mut index = FieldIndex::new(64);
    let message = index.parse(&bytes);
    let quotes = |set: Instance<'_>| {
        let entries = set.group(295, 299).unwrap();
        let ids = entries.instances().map(|entry| entry.get(299).unwrap().to_vec());
        (set.get(302).unwrap().to_vec(), ids.collect::<Vec<_>>())
    };
    let sets: Vec<_> = message.group(296, 302).unwrap().instances().map(quotes).collect();
    let id = |text: &str| text.as_bytes().to_vec();
    assert_eq!(sets, [(id("A"), vec![id("1"), id("2")]), (id("B"), vec![id("3")])]);
}

#[test]
fn wrong_groups_are_told_apart() {
    let fault = |code, tag| Err(Fault::new(code, tag));
    for (body, code, tag) in [
        // No count, with instances and without.
        ("35=W|10=000|", RejectCode::RequiredTagMissing, COUNT),
        ("35=W|269=0|10=000|", RejectCode::RequiredTagMissing, COUNT),
        // More and fewer than told; none, and some of them behind a zero.
        ("268=3|269=0|269=1|10=000|", RejectCode::GroupCount, COUNT),
        ("268=1|269=0|269=1|10=000|", RejectCode::GroupCount, COUNT),
        ("268=1|10=000|", RejectCode::GroupCount, COUNT),
        ("268=1|", RejectCode::GroupCount, COUNT),
        ("268=0|269=0|10=000|", RejectCode::GroupCount, COUNT),
        // Counts that no message holds, and what no number is.
        ("268=4294967297|269=0|10=000|", RejectCode::GroupCount, COUNT),
        ("268=99999999999999999999999|269=0|10=000|", RejectCode::GroupCount, COUNT),
        ("268=-1|269=0|10=000|", RejectCode::DataFormat, COUNT),
        ("268=1.0|269=0|10=000|", RejectCode::DataFormat, COUNT),
        // An instance that begins with another field.
        ("268=1|270=5|269=0|10=000|", RejectCode::GroupOrder, FIRST),
        // The delimiter outside of the group, before and behind it.
        ("269=0|268=1|269=1|10=000|", RejectCode::GroupOrder, FIRST),
        ("268=1|269=0|58=x|269=1|10=000|", RejectCode::GroupCount, COUNT),
        // Two groups of one count.
        ("268=1|269=0|268=1|269=1|10=000|", RejectCode::Repeated, COUNT),
    ] {
        assert_eq!(read(body), fault(code, tag), "{body}");
    }
}

proptest! {
    /// What is written as a group is read as it was; what is counted wrong is not read at all.
    #[test]
    fn round_trip(
        instances in prop::collection::vec(
            prop::collection::vec((270u32..300, "[a-z0-9]{1,4}"), 0..4), 0..6),
        off in -1i64..=1,
    ) {
        let told = instances.len() as i64 + off;
        let mut text = format!("35=W|268={}|", told.max(0));
        let mut written = Vec::new();
        for (number, fields) in instances.iter().enumerate() {
            let mut one = vec![(269, number.to_string())];
            one.extend(fields.iter().cloned());
            one.iter().for_each(|(tag, value)| text += &format!("{tag}={value}|"));
            written.push(one);
        }
        text += "10=000|";
        match told.max(0) == instances.len() as i64 {
            true => prop_assert_eq!(read(&text), Ok(written)),
            false => prop_assert_eq!(read(&text), Err(Fault::new(RejectCode::GroupCount, COUNT))),
        }
    }
}
