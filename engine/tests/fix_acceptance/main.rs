//! The published session test scripts of QuickFIX against our acceptor: every script in virtual
//! time, and over TCP against `touchline exchange` those that do not wait for heartbeats. What the
//! scripts ask for and how it is read: docs/fix-conformance.md.

mod lines;
mod script;
#[path = "../support/mod.rs"]
mod support;

use gateway::fix::{Frame, frame};
use lines::{Came, InMemory, Lines, Process};
use script::{Act, differs, filled, parse};
use std::collections::BTreeMap;
use std::io::Read;

/// The published archive, below the recorded data.
const ARCHIVE: &str = "fix/quickfix-AT-server-fix42-fix44.tar.gz";
/// Longest message.
const MESSAGE_MAX: usize = 8_192;
/// Scripts of heartbeats of six seconds: too slow for a clock on the wall.
const SLOW: [&str; 2] = ["4a_NoDataSentDuringHeartBtInt", "6_SendTestRequest"];

/// A script by its name.
struct Script {
    name: String,
    text: String,
}

/// The scripts of a version, by name; `None` where the archive is missing.
fn scripts(folder: &str) -> Option<Vec<Script>> {
    let path = support::data(ARCHIVE)?;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    let mut found = Vec::new();
    let mut rest = &bytes[..];
    // A tar archive: blocks of 512 bytes, a header before each file.
    while let Some((header, after)) = rest.split_first_chunk::<512>() {
        let text = |range: std::ops::Range<usize>| {
            let text = header[range].split(|byte| *byte == 0).next().unwrap_or_default();
            String::from_utf8_lossy(text).trim().to_owned()
        };
        let size = usize::from_str_radix(&text(124..136), 8).unwrap_or(0);
        let name = text(0..100);
        let name = name.trim_start_matches("./");
        if let Some(name) = name.strip_prefix(folder).and_then(|name| name.strip_suffix(".def")) {
            let text = String::from_utf8_lossy(&after[..size]).into_owned();
            found.push(Script { name: name.trim_start_matches('/').to_owned(), text });
        }
        rest = &after[size.next_multiple_of(512)..];
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    Some(found)
}

/// Runs a script; the error names its line.
fn run(script: &Script, lines: &mut dyn Lines) -> Result<(), String> {
    let mut inputs: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
    let mut done = || {
        for step in parse(&script.text) {
            let input = inputs.entry(step.connection).or_default();
            let result = match &step.act {
                Act::Connect => {
                    input.clear();
                    lines.connect(step.connection);
                    Ok(())
                }
                Act::Disconnect => {
                    lines.hang_up(step.connection);
                    Ok(())
                }
                Act::Send(text) => {
                    let message = filled(text, lines.now());
                    lines.send(step.connection, message.as_bytes());
                    Ok(())
                }
                Act::Expect(text) => {
                    let expected = filled(text, lines.now());
                    next(step.connection, input, lines)
                        .and_then(|found| differs(&expected, &found).map_or(Ok(()), Err))
                }
                Act::ExpectDisconnect => {
                    let ended = match lines.wait(step.connection) {
                        _ if !input.is_empty() => Err("a message where the end is expected".into()),
                        Came::Closed => Ok(()),
                        other => Err(format!("{other:?} where the end is expected")),
                    };
                    lines.hang_up(step.connection);
                    ended
                }
            };
            result.map_err(|why| format!("line {}: {why}", step.line))?;
        }
        Ok(())
    };
    let result = done();
    for connection in inputs.keys() {
        lines.hang_up(*connection);
    }
    result
}

/// The next message of a connection.
fn next(connection: usize, input: &mut Vec<u8>, lines: &mut dyn Lines) -> Result<String, String> {
    loop {
        match frame(input, MESSAGE_MAX) {
            Frame::Complete { len, .. } => {
                let message: Vec<u8> = input.drain(..len).collect();
                return Ok(String::from_utf8_lossy(&message).into_owned());
            }
            Frame::Garbled { reason, .. } => return Err(reason.to_string()),
            Frame::Incomplete => match lines.wait(connection) {
                Came::Bytes(bytes) => input.extend_from_slice(&bytes),
                Came::Closed => return Err("the end where a message is expected".to_owned()),
                Came::Nothing => return Err("nothing where a message is expected".to_owned()),
            },
        }
    }
}

/// Runs scripts one after the other; says all that failed.
fn run_all(scripts: &[Script], lines: &mut dyn Lines) {
    let failed: Vec<String> = scripts
        .iter()
        .filter_map(|script| run(script, lines).err().map(|why| format!("{}: {why}", script.name)))
        .collect();
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), scripts.len(), failed.join("\n"));
}

fn in_virtual_time(folder: &str, version: &str, account: &str, count: usize) {
    let Some(scripts) = scripts(folder) else { return };
    assert_eq!(scripts.len(), count);
    let place = tempfile::tempdir().unwrap();
    let (path, _) = lines::config(place.path(), version, account);
    run_all(&scripts, &mut InMemory::open(&path));
}

#[test]
fn fix42_in_virtual_time() {
    in_virtual_time("fix42", "FIX.4.2", "TW42", 58);
}

#[test]
fn fix44_in_virtual_time() {
    in_virtual_time("fix44", "FIX.4.4", "TW44", 59);
}

/// What the scripts of FIX.4.4 say that is otherwise in FIX.5.0SP2: its dictionary has a field 999, and
/// no TradingSessionID (336) in a SecurityDefinition.
const OF_FIX44: [(&str, &str, &str); 2] = [
    ("14a_BadField", "999", "4999"),
    ("21_RepeatingGroupSpecifierWithValueOfZero", "336=ONE_MAIN\x01", ""),
];

/// A script of FIX.4.4 as FIXT.1.1 and FIX.5.0SP2 would have it: another BeginString and name, and
/// DefaultApplVerID in each Logon.
fn as_fixt11(script: &Script) -> Script {
    let line = |line: &str| {
        let mut text = line.replace("FIX.4.4", "FIXT.1.1").replace("TW44", "TW50SP2");
        for (_, from, to) in OF_FIX44.iter().filter(|(name, ..)| *name == script.name) {
            text = text.replace(from, to);
        }
        if text.contains("\x0135=A\x01") {
            let end = text.find("\x0110=").map_or(text.len(), |at| at + 1);
            text.insert_str(end, "1137=9\x01");
        }
        if text.starts_with('E') {
            // The lengths of the answers are others.
            let fields = text.split('\x01').filter(|field| !field.starts_with("9="));
            let fields = fields.map(|field| match field.starts_with("52=") {
                true => "52=00000000-00:00:00.000",
                false => field,
            });
            text = fields.collect::<Vec<_>>().join("\x01");
        }
        text
    };
    let lines: Vec<_> = script.text.lines().map(line).collect();
    Script { name: script.name.clone(), text: lines.join("\n") }
}

#[test]
fn fixt11_in_virtual_time() {
    let Some(scripts) = scripts("fix44") else { return };
    let scripts: Vec<_> = scripts.iter().map(as_fixt11).collect();
    let place = tempfile::tempdir().unwrap();
    let (path, _) = lines::config(place.path(), "FIXT.1.1", "TW50SP2");
    run_all(&scripts, &mut InMemory::open(&path));
}

fn over_tcp(folder: &str, version: &str, account: &str) {
    let Some(mut scripts) = scripts(folder) else { return };
    scripts.retain(|script| !SLOW.contains(&script.name.as_str()));
    let place = tempfile::tempdir().unwrap();
    let (path, address) = lines::config(place.path(), version, account);
    run_all(&scripts, &mut Process::start(&path, address));
}

#[test]
fn fix42_over_tcp() {
    over_tcp("fix42", "FIX.4.2", "TW42");
}

#[test]
fn fix44_over_tcp() {
    over_tcp("fix44", "FIX.4.4", "TW44");
}

/// A script that expects what does not come must fail.
#[test]
fn a_wrong_expectation_is_noticed() {
    let place = tempfile::tempdir().unwrap();
    let (path, _) = lines::config(place.path(), "FIX.4.4", "TW44");
    let mut lines = InMemory::open(&path);
    let logon = "I8=FIX.4.4|35=A|34=1|49=TW44|52=<TIME>|56=ISLD|98=0|108=30|";
    let answer = "E8=FIX.4.4|35=A|34=1|49=ISLD|52=00000000-00:00:00.000|56=TW44|98=0|108=30|";
    for (text, expected) in [
        (format!("iCONNECT\n{logon}\n{answer}\niDISCONNECT\n"), Ok(())),
        (
            format!("iCONNECT\n{logon}\n{}\n", answer.replace("108=30", "108=31")),
            Err("line 3: 108=30 where 108=31 is expected".to_owned()),
        ),
        (
            format!("iCONNECT\n{logon}\n{answer}\n{answer}\n"),
            Err("line 4: 9=51 where 9=63 is expected".to_owned()),
        ),
        (
            format!("iCONNECT\n{}\n{answer}\n", logon.replace("TW44", "WT")),
            Err("line 3: the end where a message is expected".to_owned()),
        ),
    ] {
        let script = Script { name: String::new(), text: text.replace('|', "\x01") };
        assert_eq!(run(&script, &mut lines), expected);
    }
}
