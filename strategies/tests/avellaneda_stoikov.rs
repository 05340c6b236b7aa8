//! The paper's simulation against reference numbers from an independent program of 400,000 paths
//! with the same rule of fills.
//!
//! Every number must lie within four standard errors of the difference: of our sample by its own
//! moments, and of the reference, which had 400,000 paths of the same law.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

#[path = "../examples/avellaneda_stoikov_table/simulation.rs"]
mod simulation;

use simulation::{Placing, simulate};

const PATHS: usize = 150_000;
const REFERENCE_PATHS: f64 = 400_000.0;

/// `expected` is spread, profit, its deviation, final inventory, its deviation.
fn holds(gamma: f64, placing: Placing, expected: [f64; 5]) {
    let row = simulate(gamma, placing, PATHS, 2008);
    let [spread, profit, profit_deviation, inventory, inventory_deviation] = expected;
    assert!((row.spread - spread).abs() <= 0.5e-4, "spread {}", row.spread);
    for (name, found, error, expected) in [
        ("profit", row.profit.mean, row.profit.mean_error, profit),
        ("std of profit", row.profit.deviation, row.profit.deviation_error, profit_deviation),
        ("inventory", row.inventory.mean, row.inventory.mean_error, inventory),
        (
            "std of inventory",
            row.inventory.deviation,
            row.inventory.deviation_error,
            inventory_deviation,
        ),
    ] {
        let both = error * (1.0 + PATHS as f64 / REFERENCE_PATHS).sqrt();
        let away = (found - expected) / both;
        assert!(away.abs() < 4.0, "{name} {found} is {away:.1} errors from {expected}");
    }
}

#[test]
fn inventory_gamma_0_1() {
    holds(0.1, Placing::Inventory, [1.4918, 64.911, 6.547, 0.000, 2.934]);
}

#[test]
fn symmetric_gamma_0_1() {
    holds(0.1, Placing::Symmetric, [1.4918, 68.008, 13.266, 0.019, 8.387]);
}

#[test]
fn inventory_gamma_0_01() {
    holds(0.01, Placing::Inventory, [1.3490, 68.396, 8.954, -0.010, 5.214]);
}

#[test]
fn symmetric_gamma_0_01() {
    holds(0.01, Placing::Symmetric, [1.3490, 68.685, 13.693, 0.010, 8.708]);
}

#[test]
fn inventory_gamma_0_5() {
    holds(0.5, Placing::Inventory, [2.1557, 48.588, 5.895, -0.003, 1.958]);
}

#[test]
fn symmetric_gamma_0_5() {
    holds(0.5, Placing::Symmetric, [2.1557, 58.366, 11.508, -0.004, 7.072]);
}
