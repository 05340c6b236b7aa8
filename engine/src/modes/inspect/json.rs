//! What was found, for machines: one object a file. `docs/feeds.md` names the fields.

use super::Inspected;
use super::book::Shown;
use super::look::{Look, Span, time_text};
use crate::cli::InspectArgs;
use crate::report::words;
use feeds::recording::{Clock, Noted};
use serde_json::{Map, Value, json};

/// The object of one file.
pub(super) fn object(inspected: &Inspected, args: &InspectArgs) -> Value {
    let mut object = Map::new();
    if let [look] = inspected.looks.as_slice() {
        object = facts(look, args);
    } else if !inspected.looks.is_empty() {
        let members = inspected.looks.iter().map(|look| Value::Object(facts(look, args)));
        object.insert("members".into(), members.collect());
    }
    let others = inspected.others.iter().map(|(name, why)| json!({"name": name, "error": why}));
    let others: Vec<Value> = others.collect();
    if !others.is_empty() {
        object.insert("others".into(), others.into());
    }
    object.insert("file".into(), inspected.file.as_str().into());
    object.insert("messages".into(), inspected.messages().into());
    let error =
        inspected.error.as_ref().or_else(|| inspected.looks.iter().find_map(|l| l.error.as_ref()));
    object.insert("error".into(), json!(error));
    Value::Object(object)
}

fn facts(look: &Look, args: &InspectArgs) -> Map<String, Value> {
    let description = &look.description;
    let clock = description.clock;
    let pairs = |pairs: &mut dyn Iterator<Item = (&str, u64)>| -> Map<String, Value> {
        pairs.map(|(name, count)| (name.to_owned(), count.into())).collect()
    };
    let by_type = look.counts.by_type.iter().map(|(name, count)| (name.as_str(), *count));
    let instruments = look.busiest().into_iter().map(|(symbol, id, events)| {
        let known = look.instruments.find(symbol);
        let digits = known.map_or(0, |known| known.qty_digits);
        json!({"symbol": symbol, "id": id, "events": events, "qty_digits": digits})
    });
    let (gaps, first_gaps) = look.log.gaps();
    let first_gaps = first_gaps.iter().map(|gap| {
        json!({"position": gap.position, "stream": gap.stream, "first": gap.first, "count": gap.count})
    });
    let skipped = look.log.skipped().map(
        |(reason, count, places)| json!({"reason": reason, "count": count, "positions": places}),
    );
    let (damaged, first_damaged) = look.log.damaged();
    let (seams, first_seams) = look.log.seams();
    let object = json!({
        "name": look.name,
        "format": description.format,
        "version": description.version,
        "books": words(description.books),
        "clock": words(clock),
        "messages": look.counts.messages,
        "by_type": pairs(&mut by_type.into_iter()),
        "counts": pairs(&mut look.counts.others.iter().copied()),
        "events": look.events,
        "exchange_time": span(look.exchange, clock),
        "received": span(look.received, Clock::Utc),
        "instruments": instruments.collect::<Vec<_>>(),
        "gaps": {"count": gaps, "first": first_gaps.collect::<Vec<_>>()},
        "skipped": skipped.collect::<Vec<_>>(),
        "damaged": {"count": damaged, "first": first_damaged.iter().map(noted).collect::<Vec<_>>()},
        "seams": {"count": seams, "first": first_seams.iter().map(noted).collect::<Vec<_>>()},
        "cut": look.log.is_cut().map(noted),
        "error": look.error,
    });
    let Value::Object(mut object) = object else { return Map::new() };
    if args.head.is_some() {
        object.insert("head".into(), json!(look.head));
    }
    if let Some(view) = &look.book {
        let book =
            view.show().map_or_else(|why| json!({"error": why}), |shown| book(&shown, clock));
        object.insert("book".into(), book);
    }
    object
}

fn noted(noted: &Noted) -> Value {
    json!({"position": noted.position, "reason": noted.reason})
}

fn span(span: Option<Span>, clock: Clock) -> Value {
    span.map_or(Value::Null, |Span { first, last }| {
        json!({
            "first": time_text(first, clock),
            "last": time_text(last, clock),
            "first_ns": first.nanos(),
            "last_ns": last.nanos(),
        })
    })
}

fn book(shown: &Shown, clock: Clock) -> Value {
    let side = |(levels, depth): &(Vec<market::Level>, usize)| {
        let levels = levels.iter().map(|level| {
            json!({
                "price": level.price.to_string(),
                "qty": level.qty.to_decimal(shown.qty_digits).normalize().to_string(),
                "orders": level.orders,
            })
        });
        json!({"depth": depth, "levels": levels.collect::<Vec<_>>()})
    };
    let contradictions = shown.contradictions.iter();
    json!({
        "symbol": shown.symbol,
        "state": shown.state,
        "updated": time_text(shown.updated, clock),
        "bids": side(&shown.sides[0]),
        "asks": side(&shown.sides[1]),
        "contradictions": contradictions.map(|&(reason, count)| (reason.to_owned(), json!(count))).collect::<Map<_, _>>(),
    })
}
