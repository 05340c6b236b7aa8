//! The kernel's receive times of FIX sessions, as users ask for them: the report says how long what the
//! exchange sent waited, with either backend; without the key it says nothing.

use crate::fix_feed;
use crate::host::eventually;
use crate::lab::Lab;
use crate::story::Story;

/// Count of a hop in a report.
pub(crate) fn count(report: &str, hop: &str) -> u64 {
    let line = report.lines().find(|line| line.split_whitespace().next() == Some(hop)).unwrap();
    line.split_whitespace().nth(1).unwrap().replace(',', "").parse().unwrap()
}

/// What the engine reports after some fills, with these lines in its configuration.
fn report(lab: &Lab, changes: &[(&str, String)]) -> String {
    lab.change("engine.toml", changes);
    let exchange = lab.exchange(&[]);
    eventually("a session", || lab.session());
    let engine = lab.engine();
    Story::of(lab).wait("fills", |told| told.now.fills >= 3);
    let report = engine.stop();
    exchange.stop();
    report
}

fn asked() -> (&'static str, String) {
    ("[transport]", "[transport]\nkernel_stamps = true".to_owned())
}

#[test]
fn what_the_exchange_answers_is_counted_with_its_wait_if_asked_for() {
    let report_of = |changes: &[(&str, String)]| report(&Lab::synthetic(5), changes);
    for backend in ["auto", "plain"] {
        let wire = ("[transport]", format!("[wire]\nbackend = \"{backend}\"\n\n[transport]"));
        let said = report_of(&[asked(), wire]);
        assert!(count(&said, "gateway-recv") > 0, "{backend}: {said}");
    }
    let said = report_of(&[]);
    assert_eq!(count(&said, "gateway-recv"), 0, "{said}");
    assert!(count(&said, "order-to-ack") > 0, "{said}");
}

#[test]
fn market_data_by_fix_is_counted_too() {
    let said = report(&fix_feed::lab(), &[asked()]);
    assert!(count(&said, "recv") > 0 && count(&said, "gateway-recv") > 0, "{said}");
    let said = report(&fix_feed::lab(), &[]);
    assert_eq!(count(&said, "recv"), 0, "{said}");
}
