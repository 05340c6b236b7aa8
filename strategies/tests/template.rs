//! The template that quants copy compiles outside this crate, its own test passes, and the guide
//! shows exactly its code.

#[path = "../templates/my_strategy.rs"]
pub mod my_strategy;

/// Rust blocks of the guide, without the fences.
fn blocks(guide: &str) -> Vec<&str> {
    let after_fences = guide.split("```rust\n").skip(1);
    after_fences.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn the_guide_shows_the_template() {
    let guide = include_str!("../../docs/writing-a-strategy.md");
    let template = include_str!("../templates/my_strategy.rs");
    let blocks = blocks(guide);
    assert!(!blocks.is_empty());
    for block in blocks {
        assert!(template.contains(block), "not in the template:\n{block}");
    }
    let (_, code) = template.split_once("use market").unwrap();
    let (code, _) = code.split_once("\n#[cfg(test)]").unwrap();
    assert!(guide.contains(code), "the guide must show the whole template");
}

#[test]
fn the_guide_lists_every_built_in_and_its_parameters() {
    let guide = include_str!("../../docs/writing-a-strategy.md");
    for spec in strategies::STRATEGIES {
        let row = format!("| `{}` |", spec.name);
        assert!(guide.contains(&row), "docs/writing-a-strategy.md lacks the row {row}");
        for parameter in spec.parameters {
            let row = format!("| `{}` | {} |", parameter.key, parameter.unit);
            assert!(guide.contains(&row), "docs/writing-a-strategy.md lacks the row {row}");
        }
    }
}
