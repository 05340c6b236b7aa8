//! The table of built-in strategies: what the configuration and the command line may name.
//!
//! A strategy that is not in the table cannot be run. Adding one is a module and one line here.

use crate::{ParameterError, ParameterSpec, Parameters, Strategy};

/// One strategy that can be named.
#[derive(Clone, Copy, Debug)]
pub struct StrategySpec {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// The paper it comes from, or why it is here.
    pub source: &'static str,
    /// What may be set.
    pub parameters: &'static [ParameterSpec],
    /// Makes an instance.
    pub build: fn(&Parameters) -> Result<Box<dyn Strategy>, ParameterError>,
}

/// Every built-in strategy.
pub const STRATEGIES: &[StrategySpec] =
    &[crate::avellaneda_stoikov::SPEC, crate::glft::SPEC, crate::joiner::SPEC];

/// The built-in strategy of that name.
///
/// ```
/// let spec = strategies::find("joiner").unwrap();
/// let parameters = strategies::Parameters::new(spec.parameters, &[("size", 100.0)]).unwrap();
/// assert_eq!((spec.build)(&parameters).unwrap().name(), "joiner");
/// ```
#[must_use]
pub fn find(name: &str) -> Option<&'static StrategySpec> {
    STRATEGIES.iter().find(|spec| spec.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound() {
        for (at, spec) in STRATEGIES.iter().enumerate() {
            assert_eq!(STRATEGIES.iter().position(|other| other.name == spec.name), Some(at));
            let mut given = Vec::new();
            for (at, parameter) in spec.parameters.iter().enumerate() {
                let same = |other: &ParameterSpec| other.key == parameter.key;
                assert_eq!(spec.parameters.iter().position(same), Some(at), "{}", parameter.key);
                assert!(parameter.min <= parameter.max, "{}", parameter.key);
                match parameter.default {
                    Some(default) => assert!((parameter.min..=parameter.max).contains(&default)),
                    None => given.push((parameter.key, parameter.max)),
                }
            }
            let parameters = Parameters::new(spec.parameters, &given).unwrap();
            assert_eq!((spec.build)(&parameters).unwrap().name(), spec.name);
        }
        assert!(find("no such").is_none());
    }
}
