//! The simulation of Avellaneda and Stoikov 2008, section 3.3, on the quote functions that the
//! strategy itself uses. The example prints its table; a test holds it to reference numbers.
//!
//! s = 100, T = 1, σ = 2, dt = 0.005, q = 0, k = 1.5, A = 140. In every step each quote trades one
//! unit with probability min(1, A e^(−kδ) dt); then the mid moves by ±σ √dt.

use market::Rng;
use strategies::Distances;
use strategies::avellaneda_stoikov::{distances, half_spread};

const STEPS: usize = 200;
const DT: f64 = 0.005;
const START: f64 = 100.0;
const SIGMA: f64 = 2.0;
const K: f64 = 1.5;
const INTENSITY: f64 = 140.0;
/// No path of the table comes near this inventory; one that did would quote as if at it.
const LIMIT: i32 = 100;
const WIDTH: usize = 2 * LIMIT as usize + 1;
/// Chances are thresholds for 31 random bits.
const BITS: f64 = 2_147_483_648.0;

/// How quotes are placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placing {
    /// Around the reservation price.
    Inventory,
    /// With the same spread, which narrows as the session ends, around the mid price.
    Symmetric,
}

/// What is known of one quantity from a sample of paths.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    /// Mean.
    pub(crate) mean: f64,
    /// Standard deviation.
    pub(crate) deviation: f64,
    /// Standard error of the mean.
    pub(crate) mean_error: f64,
    /// Standard error of the standard deviation.
    pub(crate) deviation_error: f64,
}

impl Sample {
    /// Standard errors from the sample's own moments: s/√n for the mean, and for the standard
    /// deviation √((m₄ − s⁴)/n) / 2s, by the delta method on the variance.
    fn of(values: &[f64]) -> Sample {
        let paths = values.len() as f64;
        let mean = values.iter().sum::<f64>() / paths;
        let moment =
            |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / paths;
        let (second, fourth) = (moment(2), moment(4));
        let deviation = libm::sqrt(second);
        Sample {
            mean,
            deviation,
            mean_error: deviation / libm::sqrt(paths),
            deviation_error: libm::sqrt((fourth - second * second) / paths) / (2.0 * deviation),
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    /// Spread quoted, averaged over the session.
    pub(crate) spread: f64,
    /// Profit at T, the inventory valued at the mid.
    pub(crate) profit: Sample,
    /// Inventory at T.
    pub(crate) inventory: Sample,
}

/// What the strategy does at one time and inventory.
#[derive(Clone, Copy)]
struct Cell {
    distances: Distances,
    /// Chance of a fill of the bid and of the ask.
    chances: [u32; 2],
}

fn chance(distance: f64) -> u32 {
    (BITS * (INTENSITY * libm::exp(-K * distance) * DT).min(1.0)) as u32
}

/// The quotes of every step and inventory, and the average spread.
fn policy(gamma: f64, placing: Placing) -> (Vec<[Cell; WIDTH]>, f64) {
    let remaining = |step: usize| 1.0 - step as f64 * DT;
    let halves = (0..STEPS).map(|step| half_spread(gamma, K, SIGMA, remaining(step)));
    let spread = 2.0 * halves.sum::<f64>() / STEPS as f64;
    let cell = |step: usize, at: usize| {
        let inventory = f64::from(at as i32 - LIMIT);
        let distances = match placing {
            Placing::Inventory => distances(inventory, gamma, K, SIGMA, remaining(step)),
            Placing::Symmetric => distances(0.0, gamma, K, SIGMA, remaining(step)),
        };
        Cell { distances, chances: [chance(distances.bid), chance(distances.ask)] }
    };
    let steps = (0..STEPS).map(|step| std::array::from_fn(|at| cell(step, at))).collect();
    (steps, spread)
}

/// Profit and inventory at T of one path.
fn path(policy: &[[Cell; WIDTH]], rng: &mut Rng) -> (f64, f64) {
    let step_size = SIGMA * libm::sqrt(DT);
    let (mut mid, mut cash, mut inventory) = (START, 0.0, 0i32);
    for step in policy {
        let cell = &step[(inventory.clamp(-LIMIT, LIMIT) + LIMIT) as usize];
        // One draw serves the step: 31 bits for each fill, one for the move.
        let random = rng.next_u64();
        if ((random >> 33) as u32) < cell.chances[0] {
            cash -= mid - cell.distances.bid;
            inventory += 1;
        }
        if ((random >> 2) as u32 & 0x7fff_ffff) < cell.chances[1] {
            cash += mid + cell.distances.ask;
            inventory -= 1;
        }
        mid += if random & 1 == 0 { step_size } else { -step_size };
    }
    (cash + f64::from(inventory) * mid, f64::from(inventory))
}

/// Simulates `paths` paths from `seed`.
pub(crate) fn simulate(gamma: f64, placing: Placing, paths: usize, seed: u64) -> Row {
    let (policy, spread) = policy(gamma, placing);
    let mut rng = Rng::new(seed);
    let (profits, inventories): (Vec<f64>, Vec<f64>) =
        (0..paths).map(|_| path(&policy, &mut rng)).unzip();
    Row { spread, profit: Sample::of(&profits), inventory: Sample::of(&inventories) }
}
