//! Parameters of strategies: a table of what may be set, and values checked against it.
//!
//! The configuration, the command line and an operator all come through here; a strategy never
//! sees a value that its own table does not allow.

use market::StateHasher;

/// One parameter of a strategy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParameterSpec {
    /// Its key in configurations.
    pub key: &'static str,
    /// Its unit, in words.
    pub unit: &'static str,
    /// What it is when not given; `None` if it must be given.
    pub default: Option<f64>,
    /// Smallest value allowed.
    pub min: f64,
    /// Largest value allowed.
    pub max: f64,
    /// What it does, in one sentence.
    pub doc: &'static str,
}

/// What is wrong with a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterError {
    /// The strategy has no such parameter; the keys it has follow.
    Unknown {
        /// The key given.
        key: String,
        /// The keys there are.
        known: String,
    },
    /// The same key was given twice.
    Twice {
        /// The key.
        key: String,
    },
    /// A parameter without default was not given.
    Missing {
        /// The parameter.
        spec: ParameterSpec,
    },
    /// The value is not a number in the range allowed.
    OutOfRange {
        /// The parameter.
        spec: ParameterSpec,
        /// The value given.
        value: f64,
    },
    /// Two parameters, each within its range, exclude each other.
    Conflict {
        /// Which, and what to change.
        reason: &'static str,
    },
    /// No order of this size can be of an instrument.
    TooSmall {
        /// The parameter.
        key: &'static str,
        /// The value given, in whole units.
        size: f64,
        /// The instrument.
        symbol: String,
        /// Its smallest order, in whole units.
        smallest: f64,
    },
}

impl std::fmt::Display for ParameterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ParameterError::Unknown { key, known } => {
                write!(f, "no parameter `{key}`: the strategy has {known}")
            }
            ParameterError::Twice { key } => write!(f, "`{key}` is given twice"),
            ParameterError::Missing { spec } => write!(
                f,
                "`{}` is missing ({}): give a value from {} to {} {}",
                spec.key, spec.doc, spec.min, spec.max, spec.unit
            ),
            ParameterError::OutOfRange { spec, value } => write!(
                f,
                "`{}` = {value} is out of range: {} to {} {} is allowed",
                spec.key, spec.min, spec.max, spec.unit
            ),
            ParameterError::Conflict { reason } => f.write_str(reason),
            ParameterError::TooSmall { key, size, symbol, smallest } => {
                write!(
                    f,
                    "`{key}` = {size} is less than the smallest order of {symbol}, {smallest}"
                )
            }
        }
    }
}

impl std::error::Error for ParameterError {}

/// A value for every parameter of a table, each within its range.
///
/// ```
/// use strategies::{ParameterSpec, Parameters};
/// const TABLE: &[ParameterSpec] = &[ParameterSpec {
///     key: "size", unit: "units", default: Some(1.0), min: 0.0, max: 10.0, doc: "order size",
/// }];
/// assert_eq!(Parameters::new(TABLE, &[])?.get("size"), Ok(1.0));
/// let errors = Parameters::new(TABLE, &[("size", 11.0)]).unwrap_err();
/// assert_eq!(errors[0].to_string(), "`size` = 11 is out of range: 0 to 10 units is allowed");
/// # Ok::<(), Vec<strategies::ParameterError>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
    specs: &'static [ParameterSpec],
    values: Box<[f64]>,
}

impl Parameters {
    /// The given values over the defaults of `specs`.
    ///
    /// # Errors
    /// Every [`ParameterError`] found, in the order of the given keys, then of the table.
    pub fn new(
        specs: &'static [ParameterSpec],
        given: &[(&str, f64)],
    ) -> Result<Parameters, Vec<ParameterError>> {
        let mut errors = Vec::new();
        let mut values: Vec<Option<f64>> = vec![None; specs.len()];
        for &(key, value) in given {
            let Some(at) = specs.iter().position(|spec| spec.key == key) else {
                let known = specs.iter().map(|spec| spec.key).collect::<Vec<_>>().join(", ");
                errors.push(ParameterError::Unknown { key: key.to_owned(), known });
                continue;
            };
            let spec = specs[at];
            if values[at].replace(value).is_some() {
                errors.push(ParameterError::Twice { key: key.to_owned() });
            } else if !(spec.min..=spec.max).contains(&value) {
                errors.push(ParameterError::OutOfRange { spec, value });
            }
        }
        for (value, spec) in values.iter_mut().zip(specs) {
            *value = value.or(spec.default);
            if value.is_none() {
                errors.push(ParameterError::Missing { spec: *spec });
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Parameters { specs, values: values.into_iter().flatten().collect() })
    }

    /// The value of `key`.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`] if the table has no such key.
    pub fn get(&self, key: &str) -> Result<f64, ParameterError> {
        let found = self.iter().find(|(spec, _)| spec.key == key);
        found.map(|(_, value)| value).ok_or_else(|| ParameterError::Unknown {
            key: key.to_owned(),
            known: self.specs.iter().map(|spec| spec.key).collect::<Vec<_>>().join(", "),
        })
    }

    /// Every parameter with its value, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static ParameterSpec, f64)> + '_ {
        self.specs.iter().zip(self.values.iter().copied())
    }

    /// Adds keys and values to `hasher`.
    pub fn hash_into(&self, hasher: &mut StateHasher) {
        for (spec, value) in self.iter() {
            hasher.bytes(spec.key.as_bytes());
            hasher.word(value.to_bits());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[ParameterSpec] = &[
        ParameterSpec {
            key: "gamma",
            unit: "per price unit",
            default: None,
            min: 1e-9,
            max: 10.0,
            doc: "risk aversion",
        },
        ParameterSpec {
            key: "size",
            unit: "units",
            default: Some(1.0),
            min: 0.5,
            max: 9.0,
            doc: "order size",
        },
    ];

    fn errors(given: &[(&str, f64)]) -> Vec<String> {
        let errors = Parameters::new(TABLE, given).unwrap_err();
        errors.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_error_says_what_to_change() {
        assert_eq!(
            errors(&[("gama", 1.0), ("size", f64::NAN), ("size", 2.0)]),
            [
                "no parameter `gama`: the strategy has gamma, size",
                "`size` = NaN is out of range: 0.5 to 9 units is allowed",
                "`size` is given twice",
                "`gamma` is missing (risk aversion): give a value from 0.000000001 to 10 per price unit",
            ]
        );
        assert_eq!(errors(&[("gamma", f64::INFINITY)]).len(), 1);
    }

    #[test]
    fn defaults_fill_in() {
        let parameters = Parameters::new(TABLE, &[("gamma", 0.1)]).unwrap();
        assert_eq!(parameters.get("gamma"), Ok(0.1));
        assert_eq!(parameters.get("size"), Ok(1.0));
        assert!(parameters.get("horizon").is_err());
        let hash = |parameters: &Parameters| {
            let mut hasher = StateHasher::new();
            parameters.hash_into(&mut hasher);
            hasher.finish()
        };
        let other = Parameters::new(TABLE, &[("gamma", 0.2)]).unwrap();
        assert_ne!(hash(&parameters), hash(&other));
    }
}
