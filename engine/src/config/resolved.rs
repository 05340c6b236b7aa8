//! The canonical text of a configuration: what the journal keeps, and reads back to the same.
//!
//! It must hold every key, so that a change of a default never changes a replay.

use super::choice::Kind;
use super::key::Section;
use super::trading::TradingConfig;
use super::value::quoted;
use std::fmt::Write;

/// A text being written.
pub(crate) struct Resolved(String);

impl Resolved {
    pub(crate) fn new(kind: Kind) -> Self {
        Resolved(format!("kind = {}\n", quoted(kind.word())))
    }

    /// `[name]` and its keys.
    pub(crate) fn section<T: Section>(&mut self, section: &T) {
        self.header(&T::TABLE.header());
        self.keys(section);
    }

    /// A header.
    pub(crate) fn header(&mut self, header: &str) {
        self.line(&format!("\n{header}"));
    }

    /// The keys of a section, below a header.
    pub(crate) fn keys<T: Section>(&mut self, section: &T) {
        for (name, value) in section.write() {
            self.line(&format!("{name} = {value}"));
        }
    }

    /// Everything that the trading loop is built from.
    pub(crate) fn trading(&mut self, trading: &TradingConfig) {
        for listed in &trading.instruments {
            self.section(&listed.to_section());
        }
        let symbol = |index: usize| {
            trading.instruments.get(index).map_or("", |listed| listed.instrument.symbol.as_str())
        };
        for strategy in &trading.strategies {
            self.section(&super::sections::StrategySection {
                name: strategy.name.clone(),
                instruments: strategy
                    .instruments
                    .iter()
                    .map(|i| symbol(i.index()).into())
                    .collect(),
                enabled: true,
            });
            self.header("[strategy.parameters]");
            for (spec, value) in strategy.parameters.iter() {
                self.line(&format!("{} = {value}", spec.key));
            }
        }
        self.section(&trading.quoter);
        let limits = trading.instruments.iter().zip(&trading.limits);
        let limits = limits.map(|(listed, limits)| limits.to_section(&listed.instrument));
        for (index, limits) in limits.enumerate() {
            // `[risk]` itself is required; what it says is overridden for every instrument.
            if index == 0 {
                self.section(&limits);
                self.keys(&trading.session);
            }
            self.header(&format!("[risk.instrument.{}]", quoted(symbol(index))));
            self.keys(&limits);
        }
    }

    pub(crate) fn finish(self) -> String {
        self.0
    }

    fn line(&mut self, line: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}
