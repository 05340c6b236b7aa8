//! What no compiler keeps: who may name whom, where `unsafe` may stand, how files begin and how
//! long they may be. Reads the sources of the whole workspace; changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// Crates of the workspace and those of them that each may depend on (its tests may on more).
const CRATES: [(&str, &[&str]); 8] = [
    ("market", &[]),
    ("wire", &[]),
    ("feeds", &["market", "wire"]),
    ("strategies", &["market"]),
    ("gateway", &["market", "wire"]),
    ("sim", &["market"]),
    ("engine", &["market", "wire", "feeds", "strategies", "gateway", "sim"]),
    ("benches", &["market", "wire", "feeds", "strategies", "gateway", "sim", "engine"]),
];

/// Rooms and floors that a module of `engine` may name; all may name `market`.
const MODULES: [(&str, &[&str]); 10] = [
    ("runtime", &["wire"]),
    ("latency", &["wire"]),
    ("journal", &[]),
    ("trading", &["strategies"]),
    // What can be configured has its names there.
    ("config", &["feeds", "strategies", "gateway", "sim", "wire"]),
    ("cli", &[]),
    ("pipeline", &["feeds", "strategies", "gateway", "sim", "wire"]),
    ("report", &[]),
    ("control", &[]),
    ("modes", &["feeds", "strategies", "gateway", "sim", "wire"]),
];

/// Crates that only `engine/src/control` may name.
const CONTROL_ONLY: [&str; 3] = ["tokio", "axum", "prometheus_client"];

/// Files that may hold `unsafe`.
const UNSAFE: [&str; 9] = [
    "engine/src/journal/mapped.rs",
    "engine/src/runtime/ring.rs",
    "engine/tests/no_allocation.rs",
    "market/src/prefetch.rs",
    "wire/src/message.rs",
    "wire/src/stamp.rs",
    "wire/src/uring.rs",
    "wire/src/uring_tests.rs",
    "wire/tests/allocation.rs",
];

/// Lines that a file may have.
const LINES: usize = 500;

/// Columns that a comment may have; rustfmt keeps code to a hundred. Rows of tables cannot be
/// broken, nor can the sentences that become `config/reference.toml`.
const COLUMNS: usize = 104;
const WIDE: [&str; 1] = ["engine/src/config/sections.rs"];

struct Source {
    /// Relative to the workspace, with `/`.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of every crate.
fn sources() -> Vec<Source> {
    let root = root();
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = CRATES.iter().map(|(name, _)| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let skipped = name.starts_with('.') || name.starts_with("target");
                folders.extend((!skipped).then_some(path));
            } else if name.ends_with(".rs") {
                let text = fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.len() > 100, "only {} files: is this the workspace?", found.len());
    found
}

fn manifest(path: &Path) -> Table {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    text.parse().unwrap_or_else(|error| panic!("{path:?}: {error}"))
}

impl Source {
    /// Code without comments and without the module of tests that ends a file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = |line: &str| line.starts_with("#[cfg(") && line.contains("test");
        let lines = (1..).zip(self.text.lines());
        let inline =
            self.text.lines().zip(self.text.lines().skip(1)).position(|(one, next)| {
                tests(one) && next.starts_with("mod ") && next.ends_with('{')
            });
        lines
            .take(inline.unwrap_or(usize::MAX))
            .map(|(number, line)| (number, line.split("//").next().unwrap_or("")))
    }

    /// A file that holds nothing but tests or what only tests use.
    fn is_test(&self) -> bool {
        let stem = self.path.trim_end_matches(".rs");
        !self.path.contains("/src/")
            || self.path.contains("/tests/")
            || ["tests", "testing"].iter().any(|end| stem.ends_with(end))
    }

    /// The module of `engine` that it belongs to.
    fn module(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("engine/src/")?;
        Some(inside.split('/').next()?.trim_end_matches(".rs"))
    }
}

/// The path segments that `line` begins paths with, such as `sim` of `sim::Exchange`; and with
/// `before`, those that follow it.
fn named<'a>(line: &'a str, before: &'a str) -> impl Iterator<Item = &'a str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices("::").filter_map(move |(at, _)| {
        let head = &line[..at];
        let start = head.rfind(|c| !is_word(c)).map_or(0, |end| end + 1);
        let (prefix, word) = head.split_at(start);
        let begins = !prefix.ends_with([':', '.']);
        let wanted = if before.is_empty() { begins } else { prefix.ends_with(before) };
        (wanted && !word.is_empty()).then_some(word)
    })
}

#[test]
fn crates_depend_only_on_those_below() {
    for (name, allowed) in CRATES {
        let manifest = manifest(&root().join(name).join("Cargo.toml"));
        let Some(dependencies) = manifest.get("dependencies").and_then(Value::as_table) else {
            continue;
        };
        for dependency in dependencies.keys() {
            let ours = CRATES.iter().any(|(other, _)| other == dependency);
            assert!(!ours || allowed.contains(&dependency.as_str()), "{name} names {dependency}");
            let control = CONTROL_ONLY.contains(&dependency.replace('-', "_").as_str());
            assert!(!control || name == "engine", "{name} names {dependency}");
        }
    }
}

#[test]
fn modules_of_engine_stand_bottom_up() {
    let library = fs::read_to_string(root().join("engine/src/lib.rs")).unwrap();
    let order: Vec<&str> = library
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert_eq!(order, MODULES.map(|(name, _)| name), "lib.rs and this table differ");
    let mut checked = 0;
    for source in sources().iter().filter(|source| !source.is_test()) {
        let Some(place) = source.module().and_then(|m| order.iter().position(|o| *o == m)) else {
            continue;
        };
        checked += 1;
        let rooms = MODULES[place].1;
        for (number, line) in source.code() {
            let at = format!("{}:{number}", source.path);
            assert!(
                !line.contains("crate::{"),
                "{at}: one module a `use`, so that this test sees it"
            );
            for module in named(line, "crate::") {
                let below = order.iter().position(|other| *other == module);
                assert!(below.is_none_or(|below| below <= place), "{at} names {module} above it");
            }
            for word in named(line, "") {
                let room = CRATES.iter().any(|(name, _)| *name == word) && word != "market";
                assert!(!room || rooms.contains(&word), "{at} names the room {word}");
                let control = CONTROL_ONLY.contains(&word);
                assert!(!control || order[place] == "control", "{at} names {word}");
            }
        }
    }
    assert!(checked > 50, "only {checked} files");
}

#[test]
fn unsafe_stands_where_it_may_and_says_why() {
    let mut holding = Vec::new();
    // Not this file, whose strings speak of it.
    for source in sources().into_iter().filter(|source| source.path != "engine/tests/tidy.rs") {
        let (mut blocks, mut reasons) = (0, 0);
        for line in source.text.lines() {
            reasons += usize::from(line.contains("// SAFETY:"));
            let code = line.split("//").next().unwrap_or("");
            let word = |word: &str| code.match_indices(word).count();
            blocks += word("unsafe {") + word("unsafe impl");
        }
        assert!(reasons >= blocks, "{}: {blocks} unsafe, {reasons} SAFETY", source.path);
        if blocks > 0 {
            holding.push(source.path);
        }
    }
    assert_eq!(holding, UNSAFE, "files that hold unsafe");
}

#[test]
fn nothing_is_left_undone() {
    // In halves, so that this file does not hold them.
    let words = ["todo", "dbg", "unimplemented"].map(|word| format!("{word}!"));
    let marks = [("FIX", "ME"), ("XX", "X"), ("#[ign", "ore")].map(|(a, b)| format!("{a}{b}"));
    for source in sources() {
        for (number, line) in (1..).zip(source.text.lines()) {
            let found = words.iter().chain(&marks).find(|word| line.contains(word.as_str()));
            assert_eq!(found, None, "{}:{number}", source.path);
        }
    }
}

#[test]
fn files_say_what_they_are_for_and_are_short() {
    for source in sources() {
        assert!(source.text.starts_with("//! "), "{} does not begin with //!", source.path);
        let lines = source.text.lines().count();
        assert!(lines <= LINES, "{} has {lines} lines", source.path);
        if WIDE.contains(&source.path.as_str()) {
            continue;
        }
        for (number, line) in (1..).zip(source.text.lines()) {
            let text = line.trim_start();
            let table = text.starts_with("//! |") || text.starts_with("/// |");
            let wide = text.starts_with("//") && !table && line.chars().count() > COLUMNS;
            assert!(!wide, "{}:{number} is wider than {COLUMNS} columns", source.path);
        }
    }
}

#[test]
fn crates_inherit_what_the_workspace_says() {
    let workspace = manifest(&root().join("Cargo.toml"));
    let workspace = workspace["workspace"].as_table().unwrap();
    let members: Vec<_> =
        workspace["members"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let mut crates = CRATES.map(|(name, _)| name);
    crates.sort_unstable();
    let mut sorted = members.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, crates, "members of the workspace and this table differ");
    for member in members {
        let manifest = manifest(&root().join(member).join("Cargo.toml"));
        let inherits = |table: &Value, key: &str| {
            let value = table.get(key).and_then(|value| value.get("workspace"));
            assert_eq!(value.and_then(Value::as_bool), Some(true), "{member}: {key}");
        };
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            inherits(&manifest["package"], key);
        }
        let lints = manifest["lints"].get("workspace").and_then(Value::as_bool);
        assert_eq!(lints, Some(true), "{member}: lints");
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(table) else { continue };
            for name in table.as_table().unwrap().keys() {
                inherits(table, name);
            }
        }
    }
}

/// Crates outside of the workspace repeat what it says; where they differ, they are wrong.
#[test]
fn excluded_crates_repeat_what_the_workspace_says() {
    let all = manifest(&root().join("Cargo.toml"));
    let workspace = all["workspace"].as_table().unwrap();
    let versions: BTreeMap<&str, &str> = workspace["dependencies"]
        .as_table()
        .unwrap()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), version(value)?)))
        .collect();
    for excluded in workspace["exclude"].as_array().unwrap().iter().filter_map(Value::as_str) {
        let path = root().join(excluded).join("Cargo.toml");
        if !path.exists() {
            continue;
        }
        let manifest = manifest(&path);
        for key in ["version", "edition", "rust-version", "license", "publish"] {
            let said = &workspace["package"][key];
            assert_eq!(manifest["package"].get(key), Some(said), "{excluded}: {key}");
        }
        assert_eq!(manifest.get("lints"), workspace.get("lints"), "{excluded}: lints");
        let dependencies = manifest.get("dependencies").and_then(Value::as_table);
        for (name, value) in dependencies.into_iter().flatten() {
            if let (Some(ours), Some(theirs)) = (versions.get(name.as_str()), version(value)) {
                assert_eq!(theirs, *ours, "{excluded}: {name}");
            }
        }
    }
}

fn version(dependency: &Value) -> Option<&str> {
    dependency.as_str().or_else(|| dependency.get("version")?.as_str())
}

/// The judge itself: names are found where they are names.
#[test]
fn names_are_told_from_other_words() {
    let line =
        "use crate::pipeline::gate; let x = sim::run(config.gateway::<u8>(), a::feeds::b());";
    assert_eq!(named(line, "").collect::<Vec<_>>(), ["crate", "sim", "a"]);
    assert_eq!(named(line, "crate::").collect::<Vec<_>>(), ["pipeline"]);
    let text = "use sim::X; // gateway::Y\n#[cfg(test)]\nmod tests {\n    use feeds::Z;\n}\n";
    let source = Source { path: "engine/src/trading/a.rs".into(), text: text.into() };
    let names: Vec<_> = source.code().flat_map(|(_, line)| named(line, "")).collect();
    assert_eq!(names, ["sim"]);
    assert_eq!(source.module(), Some("trading"));
}
