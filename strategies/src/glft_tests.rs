//! The formulas against numbers computed independently (spectral and ODE solutions in double
//! precision), to 1e-5.

use super::*;
use crate::ExactQuotes;

/// σ, A, k, γ, T; then c, C; then exact (δb, δa) and closed (δb, δa) at q = 0, 1 and 5. Q is 30.
type Row = ([f64; 5], [f64; 2], [[f64; 2]; 3], [[f64; 2]; 3]);

const ROWS: [Row; 3] = [
    (
        [0.3, 0.9, 0.3, 0.01, 600.0],
        [3.278_982, 0.067_866],
        [[3.313_05, 3.313_05], [3.381_17, 3.244_92], [3.653_48, 2.972_52]],
        [[3.312_92, 3.312_92], [3.380_78, 3.245_05], [3.652_24, 2.973_59]],
    ),
    (
        [0.6, 0.9, 0.9, 0.01, 600.0],
        [1.104_984, 0.077_937],
        [[1.144_47, 1.144_47], [1.223_40, 1.065_49], [1.536_59, 0.751_10]],
        [[1.143_95, 1.143_95], [1.221_89, 1.066_02], [1.533_64, 0.754_27]],
    ),
    (
        [2.0, 140.0, 1.5, 0.1, 1.0],
        [0.645_385, 0.051_717],
        [[0.671_63, 0.671_63], [0.724_07, 0.619_14], [0.931_78, 0.410_45]],
        [[0.671_24, 0.671_24], [0.722_96, 0.619_53], [0.929_83, 0.412_66]],
    ),
];

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-5, "{found} is not {expected}");
}

#[test]
fn quotes_match_the_reference_table() {
    for ([sigma, intensity, k, gamma, horizon], [base, slope], exact, closed) in ROWS {
        let model = GlftModel { sigma, intensity, k, gamma };
        close(model.base(), base);
        close(model.slope(), slope);
        let solution = ExactQuotes::new(&model, 30.0, horizon).unwrap();
        for (q, (exact, closed)) in [0.0, 1.0, 5.0].into_iter().zip(exact.into_iter().zip(closed)) {
            let (found, asymptotic) = (solution.at(q), model.asymptotic(q));
            close(found.bid, exact[0]);
            close(found.ask, exact[1]);
            close(asymptotic.bid, closed[0]);
            close(asymptotic.ask, closed[1]);
            close(solution.at(-q).ask, exact[0]);
        }
    }
}

#[test]
fn without_time_left_only_the_base_is_quoted() {
    let model = GlftModel { sigma: 0.3, intensity: 0.9, k: 0.3, gamma: 0.01 };
    let solution = ExactQuotes::new(&model, 10.0, 1e-9).unwrap();
    for q in [-9.0, 0.0, 4.5] {
        close(solution.at(q).bid, model.base());
    }
}

#[test]
fn between_whole_inventories_and_beyond_the_limit() {
    let model = GlftModel { sigma: 0.3, intensity: 0.9, k: 0.3, gamma: 0.01 };
    let solution = ExactQuotes::new(&model, 10.0, 60.0).unwrap();
    close(solution.at(2.5).bid, 0.5 * (solution.at(2.0).bid + solution.at(3.0).bid));
    assert_eq!(solution.at(99.0).bid, solution.at(9.0).bid);
    assert!(solution.at(f64::NAN).bid.is_nan());
}

#[test]
fn what_cannot_be_solved_is_refused() {
    let model = GlftModel { sigma: 0.3, intensity: 0.9, k: 0.3, gamma: 0.01 };
    let refused = |model: &GlftModel, limit, horizon| {
        ExactQuotes::new(model, limit, horizon).unwrap_err().to_string()
    };
    assert!(refused(&model, 1e6, 1.0).contains("max_inventory"));
    assert!(refused(&model, 30.0, 1e9).contains("horizon"));
    assert!(refused(&GlftModel { sigma: f64::NAN, ..model }, 30.0, 1.0).contains("horizon"));
    assert!(refused(&GlftModel { sigma: 1e3, ..model }, 30.0, f64::INFINITY).contains("horizon"));
}

#[test]
fn an_estimated_sigma_excludes_a_horizon() {
    let given = [
        ("gamma", 0.1),
        ("a", 1.0),
        ("k", 1.0),
        ("sigma", 1.0),
        ("size", 1.0),
        ("horizon", 60.0),
        ("sigma_half_life", 60.0),
    ];
    let parameters = Parameters::new(SPEC.parameters, &given).unwrap();
    let refused = (SPEC.build)(&parameters).err().unwrap().to_string();
    assert!(refused.contains("set `sigma_half_life` to 0"), "{refused}");
}
