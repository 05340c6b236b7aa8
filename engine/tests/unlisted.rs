//! What a venue tells of instruments that the run does not list, through gateway stage and loopback:
//! orders of others are counted, and only what may be ours is for people to look at.

mod gateway_rig;

use engine::runtime::stage::Stage;
use gateway::dialect::{Dialect, OrderIds, Settings, Uuids};
use gateway::spec::Version;
use gateway_rig::venue::Venue;
use gateway_rig::{BEGIN, PATIENCE, Setup, instruments};
use market::{OrderId, ReportKind};
use std::time::Duration;

/// Kinds of the reports that reach the loop of one ExecutionReport on `ZZZ`.
fn heard(dialect: Dialect, id: Option<&str>, more: &[(u32, &str)]) -> Vec<ReportKind> {
    let folder = tempfile::tempdir().unwrap();
    let mut venue = Venue::new(&instruments(), "US");
    let setup = Setup { dialect, ..Setup::default() };
    let mut rig = gateway_rig::Rig::new(venue.address(), setup, folder.path());
    let mut kinds = Vec::new();
    let (mut told, mut taken) = (false, 0);
    for _ in 0..PATIENCE {
        rig.stage.poll(BEGIN);
        venue.poll(BEGIN);
        kinds.extend(std::iter::from_fn(|| rig.reports.pop()).filter_map(|report| report.kind()));
        let counters = rig.stage.session().counters();
        if rig.stage.session().is_up() && !told {
            let mut fields = vec![(37, "9"), (17, "1"), (150, "F"), (39, "2"), (55, "ZZZ")];
            fields.extend([(54, "2"), (31, "1.5"), (32, "10"), (14, "10"), (151, "0")]);
            fields.extend(id.map(|id| (11, id)));
            fields.extend(more);
            venue.execution(BEGIN, &fields);
            (told, taken) = (true, counters.received);
        } else if told && counters.received > taken {
            // The session came up before.
            assert_eq!(kinds.remove(0), ReportKind::SessionUp);
            return kinds;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("nothing came: {:?}", rig.stage.told());
}

#[test]
fn orders_of_others_halt_nothing_and_what_may_be_ours_does() {
    let decimal = || Dialect::of(Version::Fix44);
    let uuids = Uuids::new("key");
    let uuid = String::from_utf8(uuids.text(OrderId(7 << 32 | 1)).to_vec()).unwrap();
    let by_uuid = || {
        let order_ids = OrderIds::Uuid(uuids.clone());
        Dialect::new(Settings { order_ids, ..Settings::of(Version::Fix44) }).unwrap()
    };
    // By the website, by an API with ids of its own, by the venue itself.
    for id in [Some("web-1"), Some("f47ac10b-58cc-4372-a567-0e02b2c3d479"), None] {
        assert_eq!(heard(decimal(), id, &[]), [], "{id:?}");
        assert_eq!(heard(by_uuid(), id, &[]), [], "{id:?}");
    }
    let unreadable = [ReportKind::Unreadable];
    assert_eq!(heard(decimal(), Some("30064771073"), &[]), unreadable);
    assert_eq!(heard(by_uuid(), Some(&uuid), &[]), unreadable);
    // Another request on an order of ours.
    assert_eq!(heard(decimal(), Some("web-1"), &[(41, "30064771073")]), unreadable);
}

/// The answer to the question which orders are open may end with somebody else's.
#[test]
fn the_last_answer_is_the_last_whatever_it_is_of() {
    let status = [(584, "30064771080"), (912, "Y")];
    let heard = heard(Dialect::of(Version::Fix44), Some("web-1"), &status);
    assert_eq!(heard, [ReportKind::StatusDone]);
}
