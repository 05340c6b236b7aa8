//! The storm: both lines drop, double, reorder and delay; answers are lost; snapshots are refused
//! and cut. Whatever the seed, no book is said to be fine that is not the exchange's, and in the
//! end every one is.

use super::lab::{NOON, buy, config};
use super::weather::{Sea, Weather, receiver, snapshots};
use feeds::moldudp64::{Recoveries, Start};
use market::{Nanos, Rng};

const SEEDS: u64 = 60;

fn weather(rng: &mut Rng) -> Weather {
    let mut up_to = |most: f64| most * rng.below(1_000) as f64 / 1_000.0;
    Weather {
        loss: up_to(0.4),
        twice: up_to(0.3),
        late: (up_to(0.3), 20_000),
        dark: (up_to(0.02), 150),
        cut: up_to(0.5),
    }
}

#[test]
fn no_storm_makes_a_wrong_book_look_fine() {
    let (mut by_messages, mut by_snapshot, mut cuts, mut compared) = (0, 0, 0, 0);
    for seed in 0..SEEDS {
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(folder.path(), &["A"]);
        config.flow.seed = seed;
        let late = seed % 2 == 0;
        let start = if late { Start::FromSnapshot } else { Start::FromFirst };
        // Tries without end: in the storm nothing may be given up, or no book could be whole after
        // it.
        let settings = (receiver(start), snapshots(u32::MAX));
        let open = if late { Nanos::from_secs(2) } else { Nanos::ZERO };
        let mut sea = Sea::new(&config, settings, (seed, open), NOON);
        sea.lab.log_on(0);
        sea.weather = weather(&mut Rng::new(seed));
        for _ in 0..6 {
            sea.run(Nanos::from_millis(400));
            // Orders of our own: one that rests, and one that takes.
            let (id, price) = (sea.lab.engines[0].id(), sea.lab.ask());
            sea.lab.command(0, &buy(id, "1.00".parse().unwrap(), 5));
            sea.lab.buy_at_market(0, 20);
            assert!(price.raw() > 0);
        }
        sea.assert_whole();
        let counters = sea.feed.receiver().counters();
        assert_eq!((counters.lost, counters.mismatches), (0, 0), "seed {seed}");
        let count = |of: Recoveries| of.count;
        by_messages += count(counters.by_messages);
        by_snapshot += count(counters.by_snapshot);
        cuts += sea.cuts;
        compared += sea.compared;
    }
    // It was a storm indeed.
    let hurt = [by_messages, by_snapshot, cuts, compared];
    assert!(hurt.iter().zip([500, 100, 100, 10_000]).all(|(&is, least)| is > least), "{hurt:?}");
}
