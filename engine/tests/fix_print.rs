//! `touchline fix`: what is shown of logs, pipes and journals, and what never is.

mod rig;
mod support;

use engine::modes::fix::{Known, Style, Tally, show};
use flate2::read::GzDecoder;
use market::Nanos;
use proptest::prelude::*;
use rig::Rig;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A message around a body in which `|` stands for SOH, as the wire has it.
fn framed(begin: &str, body: &str) -> String {
    let body = body.replace('|', "\x01");
    let text = format!("8={begin}\x019={}\x01{body}", body.len());
    let sum = text.bytes().fold(0u8, u8::wrapping_add);
    format!("{text}10={sum:03}\x01")
}

fn write(dir: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn shown(path: &Path, json: bool) -> (String, Tally) {
    shown_as(path, json, &Known::default())
}

fn shown_as(path: &Path, json: bool, known: &Known) -> (String, Tally) {
    let mut out = Vec::new();
    let tally = show(&[path], Style { json, colour: false }, known, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), tally)
}

/// A small day: a Logon with secrets, an order in another separator, a quote with groups, a wrong
/// length and sum, a message cut off, fields that nobody knows.
fn day() -> String {
    let logon = framed(
        "FIXT.1.1",
        "35=A|49=TLMM1|56=VENUE|34=1|52=20250717-13:16:40.000000001|98=0|108=30|1137=9|\
         553=trader7|554=hunter2|95=6|96=si|nat|",
    );
    let order = framed(
        "FIX.4.2",
        "35=D|34=2|49=TLMM1|52=20250717-13:16:41|56=VENUE|11=7|21=1|55=TLA|54=1|38=100|40=2|\
         44=10.05|18=1 6|59=0|60=20250717-13:16:41|",
    );
    let quote = framed(
        "FIXT.1.1",
        "35=i|34=3|49=TLMM1|52=20250717-13:16:42|56=VENUE|117=q|296=2|302=a|304=2|295=2|299=1|\
         132=1.5|299=2|133=2|302=b|304=1|295=1|299=3|20003=why|",
    );
    let beat = framed("FIX.4.4", "35=0|34=4|49=VENUE|52=20250717-13:16:43|56=TLMM1|");
    let wrong = beat.replace("9=49", "9=48").replace("VENUE", "VENUS");
    let cut = &beat[..30];
    format!(
        "engine started\n2025-07-17T13:16:40.000000002Z OUT {logon}\n\
         2025-07-17 13:16:41,5 sent: {}\n{quote}\n\
         20250717-13:16:43.25 received {wrong}\n20250717-13:16:44 {cut}\n\
         20250717-13:16:45 8=FIX.4.4|9=5|35=0|10=163\nand 58=FIX is no message\n",
        order.replace('\x01', "|"),
    )
}

#[test]
fn a_day_is_shown_field_by_field() {
    let dir = TempDir::new().unwrap();
    let log = write(&dir, "day.log", day().as_bytes());
    let (text, tally) = shown(&log, false);
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fix_print.txt");
    let expected = std::fs::read_to_string(&golden).unwrap_or_default();
    let place = std::env::temp_dir().join("touchline-fix_print.txt");
    if text != expected {
        std::fs::write(&place, &text).unwrap();
    }
    assert_eq!(
        text,
        expected,
        "if this is right, copy {} to {}",
        place.display(),
        golden.display()
    );
    assert_eq!(tally, Tally { messages: 5, wrong: 1, garbled: 1, holes: 0 });
}

#[test]
fn json_is_one_object_a_message() {
    let dir = TempDir::new().unwrap();
    let log = write(&dir, "day.log", day().as_bytes());
    let (text, _) = shown(&log, true);
    let objects: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 6);
    let order = &objects[1];
    assert_eq!(order["name"], "NewOrderSingle");
    assert_eq!(order["time"], "2025-07-17T13:16:41.500000000");
    assert_eq!(order["direction"], "out");
    assert_eq!(order["right"], true);
    let side = order["fields"].as_array().unwrap().iter().find(|f| f["tag"] == "54").unwrap();
    assert_eq!((&side["name"], &side["meaning"]), (&"Side".into(), &"BUY".into()));
    assert_eq!(objects[3]["right"], false);
    assert!(objects[4]["garbled"].as_str().unwrap().contains("before the next message"));
}

#[test]
fn secrets_are_never_shown() {
    let dir = TempDir::new().unwrap();
    for separator in ["\x01", "|", "^A"] {
        let good = day().replace('\x01', separator);
        // Wrong sums, wrong lengths and messages cut off keep their secrets as well.
        for text in [good.replace("10=", "10=9"), good.replace("9=1", "9=9"), good] {
            let log = write(&dir, "secret.log", text.as_bytes());
            for json in [false, true] {
                let (text, tally) = shown(&log, json);
                assert!(tally.messages >= 3, "{tally}");
                for secret in ["hunter2", "trader7", "si^Anat", "si|nat"] {
                    assert!(!text.contains(secret), "{secret} in {text}");
                }
            }
        }
    }
}

/// A Logon as a log wraps and indents it, and where a separator was lost.
#[test]
fn secrets_of_a_wrapped_logon_are_never_shown() {
    let dir = TempDir::new().unwrap();
    let body = "35=A|34=1|49=US|56=THEM|98=0|108=30|553=trader7|554=hunter2secret|";
    let whole = framed("FIX.4.4", body).replace('\x01', "|");
    let refusal = framed("FIX.4.4", "35=5|34=1|49=THEM|56=US|58=no trader: hunter2secret|");
    let wraps = [
        ("|554=", "|\n    554="),
        ("|554=", "|\r\n\t554="),
        ("|554=", "| 554="),
        ("|554=", "|5\n54="),
        ("|554=", "|55\n    4="),
        ("|554=", "|554 ="),
        ("|554=", "|0554="),
        ("|554=", "|\u{a0}554="),
        ("|554=", "|?554="),
        ("|554=", "\n554="),
        ("|554=", " 554="),
        ("|554=", "|=554="),
        ("|554=", "|password="),
        ("|554=", "|"),
        ("hunter2", "hun\n    ter2"),
        ("|553=", "|\n    553="),
        ("|553=", "|55\n3="),
        ("|35=A", "|\n  35=A"),
        ("|35=A|", "|3\n5=\n  A|\n 554=hunter2secret|"),
        ("|35=A|", "|\n  554=hunter2secret|"),
        ("|35=A|", "|35=A\n554=hunter2secret|"),
    ];
    for (from, to) in wraps {
        let text = whole.replace(from, to);
        assert_ne!(text, whole);
        for text in [text.clone(), text.replace('|', " | "), format!("{text}\n{refusal}\n")] {
            let log = write(&dir, "wrapped.log", text.as_bytes());
            for json in [false, true] {
                let (shown, tally) = shown(&log, json);
                assert!(tally.messages >= 1, "{text}: {tally}");
                for secret in ["hunter2", "2secret", "ter2", "trader7"] {
                    // Where no tag is told, nobody knows that a later word is the password.
                    let learned = !to.contains("password") && to != "|";
                    if learned || !text.contains("58=") {
                        assert!(!shown.contains(secret), "{secret} of {text} in {shown}");
                    }
                }
            }
        }
    }
}

/// A message that is no user's keeps what it says.
#[test]
fn what_is_no_secret_is_shown_though_wrapped() {
    let dir = TempDir::new().unwrap();
    let order = "8=FIX.4.4|9=999|35=D|\n    11=7|\n    x=y|text|10=000|\n";
    let beat = framed("FIX.4.4", "35=0|34=4|49=A|56=B|58=of 554=none|");
    let log = write(&dir, "day.log", format!("{order}{beat}").as_bytes());
    let (text, _) = shown(&log, false);
    for said in ["11 = 7", "x = y", "= text", "58 Text = of 554=none"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// A venue with a secret field of its own, and codes and fields that no dictionary has.
const PROFILE: &str = r#"kind = "venue"

[profile]
name = "somewhere"

[session]
cancel_on_disconnect = "20010=1"

[logon]
fields = ["553={key}", "20011={passphrase}", "20012={nonce}"]
nonce = "ms"
secret_tags = [20013]

[orders]
exec_id_tag = 20014
reject_codes = ["103:99=rate"]
"#;

#[test]
fn a_profile_says_what_is_secret_and_what_fields_are() {
    let dir = TempDir::new().unwrap();
    let profile = write(&dir, "somewhere.toml", PROFILE.as_bytes());
    let known = Known::read(&profile).unwrap();
    let logon = "35=A|34=1|49=US|56=THEM|553=trader7|20010=1|20011=hunter2|20012=17|20013=tok3n|";
    let report = "35=8|34=2|49=THEM|56=US|150=8|39=8|103=99|20014=x|";
    let frames = [logon, report].map(|body| framed("FIX.4.4", body));
    let log = write(&dir, "day.log", frames.concat().as_bytes());
    // The control: nobody else knows of these fields.
    let (text, _) = shown(&log, false);
    assert!(text.contains("20011 = hunter2") && text.contains("20013 = tok3n"), "{text}");
    for json in [false, true] {
        let (text, tally) = shown_as(&log, json, &known);
        assert_eq!((tally.messages, tally.wrong), (2, 0), "{text}");
        for secret in ["hunter2", "tok3n", "trader7"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    let (text, _) = shown_as(&log, false, &known);
    for line in [
        "20010 CancelOnDisconnect = 1",
        "20011 Passphrase = *******",
        "20012 Nonce = 17",
        "20013 = *****",
        "103 OrdRejReason = 99 (rate)",
        "20014 ExecutionID = x",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // What a journal blanked is not called wrong by whoever does not know the profile.
    let blanked = frames.concat().replace("hunter2", "*******").replace("tok3n", "*****");
    let (_, tally) = shown(&write(&dir, "kept.log", blanked.as_bytes()), false);
    assert_eq!((tally.messages, tally.wrong), (2, 0));
}

/// A run names its venue's profile; other files are none.
#[test]
fn a_profile_is_a_file_or_a_run_that_names_one() {
    let dir = TempDir::new().unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config");
    for name in ["demo.toml", "venues/kraken-uat.toml"] {
        Known::read(&config.join(name)).unwrap();
    }
    let error = Known::read(&config.join("exchange.toml")).unwrap_err().to_string();
    assert!(error.contains("kind = \"venue\""), "{error}");
    let wrong = write(&dir, "wrong.toml", PROFILE.replace("[session]", "[sesion]").as_bytes());
    let wrong = program(&["--profile", wrong.to_str().unwrap(), "-"], b"");
    assert_eq!(wrong.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("did you mean"));
}

/// Whatever stands in the Logon's secret fields stays hidden where a later message repeats it.
#[test]
fn a_refusal_that_repeats_the_password_does_not_show_it() {
    let dir = TempDir::new().unwrap();
    let refusal =
        framed("FIXT.1.1", "35=5|34=1|49=VENUE|56=TLMM1|58=user trader7: hunter2 is wrong|");
    let log = write(&dir, "day.log", format!("{}{refusal}", day()).as_bytes());
    let (text, tally) = shown(&log, false);
    assert_eq!(tally.messages, 6);
    assert!(text.contains("58 Text = user trader7: ******* is wrong"), "{text}");
    let (text, _) = shown(&write(&dir, "end.log", refusal.as_bytes()), false);
    assert!(text.contains("hunter2"), "the control: alone, it is a word like any other");
}

/// Logs of another program, with many separators, broken lines and text between.
#[test]
fn recorded_logs_are_read() {
    let Some(path) = support::data("fix/log4fix-sample-logs.tar.gz") else { return };
    let mut archive = Vec::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut archive).unwrap();
    let dir = TempDir::new().unwrap();
    let (mut messages, mut files) = (0, 0);
    for (name, bytes) in tar_files(&archive) {
        if !name.ends_with(".log") {
            continue;
        }
        files += 1;
        let said = String::from_utf8_lossy(bytes).into_owned();
        let expected = said.lines().find_map(|l| l.trim().strip_prefix("ExpectedMessageCount="));
        let expected: u64 = expected.unwrap().parse().unwrap();
        let (text, tally) = shown(&write(&dir, "sample.log", bytes), false);
        assert_eq!((tally.messages, tally.garbled), (expected, 0), "{name}: {text}");
        messages += tally.messages;
    }
    assert_eq!((files, messages), (11, 39));
}

/// Names and contents of the files in a tar archive, which are blocks of 512 bytes.
fn tar_files(archive: &[u8]) -> Vec<(String, &[u8])> {
    let text = |bytes: &[u8]| {
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
    };
    let (mut files, mut at) = (Vec::new(), 0);
    while let Some(head) = archive.get(at..at + 512).filter(|head| head[0] != 0) {
        let size = usize::from_str_radix(&text(&head[124..136]), 8).unwrap();
        files.push((text(&head[..100]), &archive[at + 512..at + 512 + size]));
        at += 512 + size.next_multiple_of(512);
    }
    files
}

#[test]
fn a_journal_is_shown_with_times_and_directions() {
    let root = TempDir::new().unwrap();
    let mut rig = Rig::new(root.path(), 3);
    rig.start();
    rig.run_for(Nanos::from_secs(3));
    rig.stop();

    let (text, tally) = shown(&rig.dir, false);
    assert!(tally.messages > 4 && tally.wrong == 0 && tally.garbled == 0, "{tally}");
    let head = |name: &str, way: &str| {
        let heads = text.lines().filter(|line| line.starts_with("20") && line.contains(name));
        heads.filter(|line| line.contains(&format!("Z {way} record "))).count()
    };
    assert!(head("NewOrderSingle (D) FIX.4.4", "out") > 0, "{text}");
    assert!(head("ExecutionReport (8) FIX.4.4", "in") > 0, "{text}");
    let segment = rig.dir.join("gateway-00000001.journal");
    assert_eq!(shown(&segment, false), (text, tally), "the same from its first segment on");
}

fn program(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_touchline"))
        .arg("fix")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_program_ends_with_what_it_found() {
    let good = framed("FIX.4.4", "35=0|34=4|49=A|52=20250717-13:16:43|56=B|");
    let found = program(&["-"], good.as_bytes());
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    assert_eq!(found.status.code(), Some(0), "{text}");
    assert!(text.contains("Heartbeat (0)") && !text.contains('\x1b'), "{text}");
    let wrong = program(&["--json", "-"], good.replace("49=A", "49=B").as_bytes());
    assert_eq!(wrong.status.code(), Some(1));
    let missing = program(&["no/such/file.log"], b"");
    assert_eq!(missing.status.code(), Some(4));
    assert!(String::from_utf8_lossy(&missing.stderr).contains("no/such/file.log"));
    assert_eq!(program(&[], b"").status.code(), Some(2), "a file must be named");
}

#[test]
fn a_closed_pipe_ends_it_quietly() {
    let dir = TempDir::new().unwrap();
    let beat = framed("FIX.4.4", "35=0|34=4|49=A|52=20250717-13:16:43|56=B|");
    let log = write(&dir, "long.log", beat.repeat(20_000).as_bytes());
    let mut child = Command::new(env!("CARGO_BIN_EXE_touchline"))
        .args(["fix".as_ref(), log.as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut some).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_panic(
        noise in prop::collection::vec(any::<u8>(), 0..200),
        pieces in "(8=FIX\\.4\\.4|8=FIXT\\.1\\.1|9=[0-9]{1,2}|35=[0ADi8]|10=[0-9]{3}|453=2|448=x|95=3|[|\x01\n])*",
    ) {
        let dir = TempDir::new().unwrap();
        for bytes in [noise.clone(), pieces.clone().into_bytes(), [pieces.as_bytes(), &noise].concat()] {
            let log = write(&dir, "noise.log", &bytes);
            shown(&log, false);
            let (text, _) = shown(&log, true);
            for line in text.lines() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(line).is_ok());
            }
        }
    }
}
