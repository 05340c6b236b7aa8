//! Prints Avellaneda and Stoikov's tables of 2008, simulated, beside what the paper printed.
//!
//! ```text
//! cargo run --release -p touchline-strategies --example avellaneda_stoikov_table
//! ```

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]

mod simulation;

use simulation::{Placing, Row, simulate};

const PATHS: usize = 100_000;

/// Spread, profit, its deviation, final inventory, its deviation: the paper's, from 1,000 paths.
type Printed = Option<[f64; 5]>;

const TABLE: [(f64, Placing, Printed); 6] = [
    (0.1, Placing::Inventory, Some([1.49, 65.0, 6.6, 0.08, 2.9])),
    (0.1, Placing::Symmetric, Some([1.49, 68.4, 12.7, 0.26, 8.4])),
    (0.01, Placing::Inventory, Some([1.35, 68.6, 8.7, 0.12, 5.1])),
    (0.01, Placing::Symmetric, Some([1.35, 68.8, 12.8, 0.09, 8.7])),
    (0.5, Placing::Inventory, None),
    (0.5, Placing::Symmetric, None),
];

fn main() {
    println!("{PATHS} paths, with standard errors; in brackets the paper's table of 1,000 paths\n");
    println!(
        "{:<6} {:<10} {:<14} {:<23} {:<23} {:<23} std of inventory",
        "gamma", "strategy", "spread", "profit", "std of profit", "inventory"
    );
    for (seed, (gamma, placing, paper)) in (1..).zip(TABLE) {
        let Row { spread, profit, inventory } = simulate(gamma, placing, PATHS, seed);
        let printed =
            |at: usize| paper.map_or("-".to_owned(), |paper: [f64; 5]| paper[at].to_string());
        print!("{gamma:<6} {:<10} ", format!("{placing:?}").to_lowercase());
        print!("{:<14} ", format!("{spread:.3} [{}]", printed(0)));
        let statistics = [
            (profit.mean, profit.mean_error),
            (profit.deviation, profit.deviation_error),
            (inventory.mean, inventory.mean_error),
            (inventory.deviation, inventory.deviation_error),
        ];
        for (at, (value, error)) in (1..).zip(statistics) {
            print!("{:<23} ", format!("{value:.3} ± {error:.3} [{}]", printed(at)));
        }
        println!();
    }
    println!("\n[-] where the paper's third table could not be had");
}
