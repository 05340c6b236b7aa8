//! The text of `config/reference.toml`: every key with its type, unit, range, default and danger.
//!
//! A test compares it with the committed file, and reads it back as configurations.

use super::choice::Kind;
use super::key::{Key, Section, Table};
use super::load::tables;
use super::sections::TopConfig;

const HEAD: &str = "\
# Every key of Touchline's configuration files. `touchline check FILE` judges a file.
#
#   #key = value     shows the default, or an example where the key is required
#   ##key = value    shows an example of a key that is absent unless given
#
# Keys end in their unit: _us, _ms, _s, _bytes, _bps, _ticks. Prices and quantities are exact
# decimals, quoted or not. This file is written from the code; a test keeps the two equal.
";

/// The whole text.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(HEAD);
    let mut seen: Vec<&str> = Vec::new();
    let rule = "=".repeat(98);
    let top: Vec<_> = TopConfig::TABLE.doc.iter().map(|line| line.trim()).collect();
    text.push_str(&format!("\n# {rule}\n# {}\n", top.join(" ")));
    for key in TopConfig::TABLE.keys {
        push_key(&mut text, key);
    }
    for kind in Kind::ALL {
        text.push_str(&format!("\n# {rule}\n# kind = \"{kind}\"\n# {rule}\n"));
        let described = tables(*kind);
        let mut again: Vec<String> = Vec::new();
        for table in described.iter().filter(|table| seen.contains(&table.name)) {
            let keys: Vec<_> = table.keys.iter().map(|key| key.name).collect();
            // A backtest takes some keys of the exchange's [flow] only.
            let part = *kind == Kind::Backtest && table.name == "flow";
            let part = if part { format!(" ({} only)", keys.join(", ")) } else { String::new() };
            again.push(format!("{}{part}", table.header()));
        }
        again.dedup();
        if !again.is_empty() {
            text.push('\n');
            push_wrapped(&mut text, &format!("As above: {}.", again.join(", ")));
        }
        let mut new: Vec<&str> = Vec::new();
        for table in described.iter().filter(|table| !seen.contains(&table.name)) {
            push_table(&mut text, table, new.last() != Some(&table.name));
            new.push(table.name);
        }
        seen.extend(new);
    }
    text
}

fn push_table(text: &mut String, table: &Table, header: bool) {
    text.push('\n');
    for line in table.doc {
        push_wrapped(text, line.trim());
    }
    if header {
        text.push_str(&format!("#{}\n", table.header()));
    }
    for key in table.keys {
        push_key(text, key);
    }
    if table.name == "strategy" {
        push_parameters(text);
    }
}

fn push_key(text: &mut String, key: &Key) {
    text.push('\n');
    for line in key.doc {
        push_wrapped(text, line.trim());
    }
    let state = match (key.is_required(), key.default) {
        (true, _) => "required",
        (false, Some(_)) => "default",
        (false, None) => "absent unless given",
    };
    push_wrapped(text, &format!("Value: {} ({state}).", key.allowed()));
    if let Some(danger) = key.danger {
        push_wrapped(text, &format!("Danger: {danger}."));
    }
    let mark = if key.is_required() || key.default.is_some() { "#" } else { "##" };
    text.push_str(&format!("{mark}{} = {}\n", key.name, key.sample().unwrap_or("?")));
}

/// The parameters of each strategy, which its own table describes.
fn push_parameters(text: &mut String) {
    for strategy in strategies::STRATEGIES {
        text.push('\n');
        let summary = format!("[strategy.parameters] of {}: {}.", strategy.name, strategy.summary);
        push_wrapped(text, &summary);
        push_wrapped(text, &format!("Source: {}.", strategy.source));
        for spec in strategy.parameters {
            let default = match spec.default {
                Some(default) => format!("default {default}"),
                None => "required".to_owned(),
            };
            let range = format!("{} to {}", spec.min, spec.max);
            let line = format!("  {}: {}. {}, {range} ({default}).", spec.key, spec.doc, spec.unit);
            push_wrapped(text, &line);
        }
    }
}

/// A comment, in lines of at most 100 characters.
fn push_wrapped(text: &mut String, prose: &str) {
    let indent = &prose[..prose.len() - prose.trim_start().len()];
    let mut line = format!("# {indent}");
    for (at, word) in prose.split_whitespace().enumerate() {
        if at > 0 && line.chars().count() + word.chars().count() >= 100 {
            text.push_str(line.trim_end());
            text.push('\n');
            line = format!("# {indent}{}", if indent.is_empty() { "" } else { "  " });
        }
        line.push_str(word);
        line.push(' ');
    }
    text.push_str(line.trim_end());
    text.push('\n');
}
