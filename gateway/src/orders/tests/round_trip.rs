//! Commands and reports through bytes and back: equal, or the encoder refused.

use super::*;
use market::{
    CommandKind, Event, ExecId, InstrumentId, Liquidity, OrderId, Price, Qty, RejectReason,
    ReportKind, Side, TimeInForce, VenueOrderId,
};
use proptest::prelude::*;

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn instrument() -> impl Strategy<Value = InstrumentId> {
    prop_oneof![Just(InstrumentId(0)), Just(InstrumentId(7))]
}

fn id() -> impl Strategy<Value = OrderId> {
    prop_oneof![1u64..100, 1u64..=u64::MAX].prop_map(OrderId)
}

fn price() -> impl Strategy<Value = Price> {
    prop_oneof![any::<i64>(), -99i64..99, Just(15_370_000_000)].prop_map(Price::from_raw)
}

fn amount() -> impl Strategy<Value = Qty> {
    prop_oneof![0..=i64::MAX, 1i64..999].prop_map(Qty::from_raw)
}

pub(super) fn command() -> impl Strategy<Value = Command> {
    let order = (id(), id(), instrument(), side(), price(), any::<i64>(), any::<[bool; 3]>());
    prop_oneof![
        4 => order.prop_map(|(id, target, instrument, side, price, qty, [new, ioc, post])| {
            let qty = Qty::from_raw(qty);
            let command = match new {
                true => Command::new(id, instrument, side, price, qty),
                false => Command::replace(id, target, instrument, side, price, qty),
            };
            let time =
                if ioc { TimeInForce::ImmediateOrCancel } else { TimeInForce::Day };
            command.with_time_in_force(time).with_post_only(post)
        }),
        2 => (id(), id(), instrument(), side()).prop_map(|(a, b, c, d)| Command::cancel(a, b, c, d)),
        1 => (id(), instrument(), side()).prop_map(|(id, i, s)| Command::status(id, id, i, s)),
        1 => (id(), instrument()).prop_map(|(id, i)| Command::mass_cancel(id, i)),
        1 => id().prop_map(|id| Command::mass_cancel(id, Event::ALL)),
        1 => id().prop_map(Command::mass_status),
        1 => any::<(u64, u64)>().prop_map(|(next, reports)| Command::mark(next, reports)),
    ]
}

fn execution() -> impl Strategy<Value = Report> {
    let kinds = prop::sample::select(vec![
        ReportKind::Accepted,
        ReportKind::Rejected,
        ReportKind::Filled,
        ReportKind::Replaced,
        ReportKind::Canceled,
        ReportKind::Expired,
        ReportKind::Busted,
        ReportKind::Corrected,
        ReportKind::Status,
    ]);
    let ids = (any::<[u64; 2]>(), any::<[u64; 2]>(), id(), any::<u64>());
    let amounts = (amount(), amount(), amount(), price());
    let rest = (0u8..=15, 0u8..3, any::<Option<i64>>(), 0u64..=u64::MAX);
    (kinds, instrument(), side(), ids, amounts, rest).prop_map(
        |(kind, instrument, side, ids, (qty, cum_qty, leaves_qty, price), rest)| {
            let mut report = built(Report::new(kind, ids.2, instrument), |r| {
                r.target = OrderId(ids.3);
                r.venue_order = VenueOrderId(ids.0);
                r.exec = ExecId(ids.1);
                r.price = price;
                r.qty = Qty::from_raw(qty.raw().max(1));
                // A fill is a part of what is filled.
                r.cum_qty = if kind == ReportKind::Filled { cum_qty.max(r.qty) } else { cum_qty };
                r.leaves_qty = leaves_qty;
                r.exchange_time = Timestamp::from_nanos(rest.3);
                r.received = 5;
            })
            .with_side(side)
            .with_reason(RejectReason::from_byte(rest.0));
            if let Some(liquidity) = Liquidity::from_byte(rest.1) {
                report = report.with_liquidity(liquidity);
            }
            match rest.2 {
                Some(fee) => report.with_fee(fee),
                None => report,
            }
        },
    )
}

proptest! {
    #[test]
    fn commands(command in command()) {
        prop_assert_eq!(read_command(&command_frame(&command)), Ok(command));
    }

    #[test]
    fn executions(report in execution()) {
        let requests = Requests::new(16);
        let frame = report_frame(&report, &requests, StatusAnswer { request: OrderId(3), told: 0 });
        prop_assert_eq!(read_reports(&frame, &requests), Ok(vec![report]));
    }

    #[test]
    fn cancel_rejects(id in id(), target in id(), venue: [u64; 2], reason in 0u8..=15, replace: bool) {
        let mut requests = Requests::new(16);
        let (arl, price, qty) = (InstrumentId(0), Price::ONE, Qty::from_raw(1));
        requests.remember(4, &match replace {
            true => Command::replace(id, target, arl, Side::Sell, price, qty),
            false => Command::cancel(id, target, arl, Side::Sell),
        });
        let report = built(Report::new(ReportKind::CancelRejected, id, arl), |r| {
            r.target = target;
            r.venue_order = VenueOrderId(venue);
            r.exchange_time = NOW;
            r.received = 5;
        })
        .with_side(Side::Sell)
        .with_reason(RejectReason::from_byte(reason));
        let frame = report_frame(&report, &requests, StatusAnswer::default());
        prop_assert_eq!(read_reports(&frame, &requests), Ok(vec![report]));
    }

    #[test]
    fn mass_cancels(id in id(), one: bool, reason in 0u8..=15) {
        let instrument = if one { InstrumentId(7) } else { Event::ALL };
        let report = built(Report::new(ReportKind::MassCanceled, id, instrument), |r| {
r.exchange_time = NOW;
r.received = 5;
})
        .with_reason(RejectReason::from_byte(reason));
        let frame = report_frame(&report, &Requests::new(16), StatusAnswer::default());
        prop_assert_eq!(read_reports(&frame, &Requests::new(16)), Ok(vec![report]));
    }

    #[test]
    fn no_bytes_panic(
        kind in prop::sample::select(vec!["D", "G", "F", "q", "AF", "UM", "8", "9", "r", "3", "j"]),
        fields in prop::collection::vec(
            (
                prop::sample::select(vec![
                    11u32, 41, 55, 54, 38, 40, 44, 59, 18, 60, 530, 531, 584, 585, 20001, 20002,
                    20003, 37, 17, 19, 150, 39, 31, 32, 14, 151, 12, 13, 851, 102, 103, 380, 379,
                    45, 371, 911, 912,
                ]),
                prop_oneof![
                    Just("1".to_owned()), Just("2".to_owned()), Just("ARL".to_owned()),
                    Just("Y".to_owned()), Just("F".to_owned()), Just("I".to_owned()),
                    Just(u64::MAX.to_string()), Just("-1".to_owned()), "[ -~]{1,12}",
                ],
            ),
            0..30,
        )
    ) {
        let body: String = fields.iter().map(|(tag, value)| format!("{tag}={value}|")).collect();
        let bytes = message_of(kind, &body);
        let mut requests = Requests::new(16);
        requests.remember(1, &Command::mass_status(OrderId(1)));
        requests.remember(2, &Command::mass_cancel(OrderId(2), Event::ALL));
        let _ = read_reports(&bytes, &requests);
        if let Ok(command) = read_command(&bytes) {
            prop_assert!(command.kind().is_some_and(|kind| kind != CommandKind::New || command.id.0 > 0));
        }
    }
}
