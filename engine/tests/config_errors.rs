//! Every class of configuration error with the message a user sees, as golden text in
//! `config_errors.txt`. `TOUCHLINE_UPDATE=1 cargo test -p touchline-engine` writes it anew.

use engine::config::{self, FILE_BYTES_MAX};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;

const INSTRUMENTS: &str = r#"kind = "instruments"

[[instrument]]
symbol = "AAA"
tick = 0.01
lot = 1
qty_digits = 0
price_max = 1000
qty_max = 10000
contract = "linear"
base = "AAA"
quote = "USD"
maker_fee_bps = -0.1
taker_fee_bps = 0.3
reference_price = 25
"#;

const RUN: &str = r#"kind = "run"
instruments = ["list.toml"]

[cores]
feed = 1
trading = 2
gateway = 3

[feed]
line_a = "239.192.77.1:31001"
line_b = "239.192.77.2:31002"
interface = "127.0.0.1"
retransmit = "127.0.0.1:31003"
stale_ms = 3000

[gateway]
address = "127.0.0.1:9880"
sender_comp_id = "US"
target_comp_id = "THEM"

[[strategy]]
name = "joiner"
instruments = ["AAA"]

[strategy.parameters]
size = 100

[risk]
max_order_qty = 500
max_order_value = 100000
max_position = 2000
collar_bps = 300
reference_age_ms = 3000
messages_per_second = 500
messages_burst = 100
order_ack_timeout_ms = 2000

[control]
metrics = "127.0.0.1:9464"
"#;

const EXCHANGE: &str = r#"kind = "exchange"
instruments = ["list.toml"]

[market_data]
line_a = "239.192.77.1:31001"
line_b = "239.192.77.2:31002"
retransmit = "127.0.0.1:31003"

[fix]
listen = "127.0.0.1:9880"
accounts = ["US"]

[flow]
seed = 1
"#;

/// What each case replaces in the good texts.
struct Case {
    name: &'static str,
    edits: &'static [(&'static str, &'static str)],
}

const fn case(name: &'static str, edits: &'static [(&'static str, &'static str)]) -> Case {
    Case { name, edits }
}

/// A file of credentials is named.
const KEYS: (&str, &str) = ("\"US\"", "\"US\"\ncredentials = \"venue.credentials\"");

const RUN_CASES: &[Case] = &[
    case("a misspelt key", &[("max_position", "max_postion")]),
    case("a key in another unit", &[("stale_ms = 3000", "stale_s = 3")]),
    case("a key without its unit", &[("stale_ms = 3000", "stale = 3000")]),
    case("a value with its unit", &[("stale_ms = 3000", "stale_ms = \"3000ms\"")]),
    case("a key of another section", &[("[cores]", "[cores]\npost_only = true")]),
    case(
        "instruments below a section",
        &[
            ("instruments = [\"list.toml\"]\n", ""),
            ("[cores]", "[cores]\ninstruments = [\"list.toml\"]"),
        ],
    ),
    case("a misspelt section", &[("[control]", "[contorl]")]),
    case("a section of another kind of file", &[("[control]", "[fix]\n[control]")]),
    case(
        "a section that is a value",
        &[
            ("[control]\nmetrics = \"127.0.0.1:9464\"\n", ""),
            ("instruments = [\"list.toml\"]", "instruments = [\"list.toml\"]\nlog = \"loud\""),
        ],
    ),
    case("negative", &[("collar_bps = 300", "collar_bps = -300")]),
    case("zero", &[("max_position = 2000", "max_position = 0")]),
    case("not a number", &[("max_order_value = 100000", "max_order_value = nan")]),
    case("infinite", &[("max_order_value = 100000", "max_order_value = inf")]),
    case("an exponent", &[("max_order_value = 100000", "max_order_value = 1e5")]),
    case(
        "a fraction where a whole number stands",
        &[("messages_burst = 100", "messages_burst = 1.5")],
    ),
    case("more than 64 bits", &[("messages_burst = 100", "messages_burst = 99999999999999999999")]),
    case(
        "a decimal beyond all bounds",
        &[("max_order_value = 100000", "max_order_value = 99999999999999999999999999999999")],
    ),
    case(
        "a decimal too fine for the instrument",
        &[("max_order_qty = 500", "max_order_qty = 0.5")],
    ),
    case("a text where a number stands", &[("collar_bps = 300", "collar_bps = \"wide\"")]),
    case("a number where a text stands", &[("\"US\"", "7")]),
    case("a text with the separator of FIX", &[("\"US\"", "\"U\\u0001S\"")]),
    case(
        "a word that is none of the list",
        &[("[control]", "[clock]\nsource = \"tcs\"\n\n[control]")],
    ),
    case(
        "a backend that is not offered",
        &[("[control]", "[wire]\nbackend = \"sqpoll\"\n\n[control]")],
    ),
    case("an address without port", &[("\"239.192.77.1:31001\"", "\"239.192.77.1\"")]),
    case("an address with a slip", &[("\"127.0.0.1:9880\"", "\"127.0.01.300:9880\"")]),
    case("port 0 where a peer listens", &[("\"127.0.0.1:9880\"", "\"127.0.0.1:0\"")]),
    case("metrics for everyone", &[("\"127.0.0.1:9464\"", "\"0.0.0.0:9464\"")]),
    case(
        "two things on one port",
        &[
            ("\"127.0.0.1:9464\"", "\"127.0.0.1:9880\""),
            ("239.192.77.2:31002", "239.192.77.1:31001"),
        ],
    ),
    case(
        "no limits",
        &[(
            "[risk]\nmax_order_qty = 500\nmax_order_value = 100000\nmax_position = 2000\n\
         collar_bps = 300\nreference_age_ms = 3000\nmessages_per_second = 500\n\
         messages_burst = 100\norder_ack_timeout_ms = 2000\n",
            "",
        )],
    ),
    case("one limit missing", &[("collar_bps = 300\n", "")]),
    case(
        "limits of an instrument that is not there",
        &[("[control]", "[risk.instrument.AAB]\nmax_position = 5\n\n[control]")],
    ),
    case(
        "a limit of one instrument that is wrong",
        &[("[control]", "[risk.instrument.AAA]\nmax_position = -5\nmax_qty = 1\n\n[control]")],
    ),
    case("a CPU that is not there", &[("gateway = 3", "gateway = 7")]),
    case("auto for one stage only", &[("gateway = 3", "gateway = \"auto\"")]),
    case("feed and gateway share a core around trading", &[("gateway = 3", "gateway = 1")]),
    case(
        "a shared core on a venue that does not cancel on disconnect",
        &[
            ("gateway = 3", "gateway = 2"),
            (
                "target_comp_id = \"THEM\"",
                "target_comp_id = \"THEM\"\n\n[session]\ncancel_on_disconnect = \"none\"",
            ),
        ],
    ),
    case(
        "two strategies on one instrument",
        &[(
            "[risk]\n",
            "[[strategy]]\nname = \"joiner\"\ninstruments = [\"AAA\"]\nparameters = { size = 1 }\n\n[risk]\n",
        )],
    ),
    case("a strategy that is none", &[("\"joiner\"", "\"joyner\"")]),
    case("a strategy on an instrument that is none", &[("[\"AAA\"]", "[\"AAB\"]")]),
    case("strategy parameters", &[("size = 100", "siez = 100\nmax_inventory = -1")]),
    case("a strategy parameter that is a text", &[("size = 100", "size = \"100\"")]),
    case("both sides of the session the same", &[("\"THEM\"", "\"US\"")]),
    case(
        "a version of TLS that is none",
        &[("[control]", "[transport]\ntls = \"1.1\"\n\n[control]")],
    ),
    case(
        "a name and a pin without TLS",
        &[(
            "[control]",
            "[transport]\nserver_name = \"venue.example\"\npin_sha256 = \"00ff\"\n\n[control]",
        )],
    ),
    case(
        "a name without TLS",
        &[("[control]", "[transport]\nserver_name = \"venue.example\"\n\n[control]")],
    ),
    case(
        "a name that no certificate can bear",
        &[("[control]", "[transport]\ntls = \"1.3\"\nserver_name = \"venue:9880\"\n\n[control]")],
    ),
    case(
        "a source address that is a name, and waits that shrink",
        &[(
            "[control]",
            "[transport]\nsource_address = \"eth0\"\nkernel_stamps = 1\nreconnect_ms = 60_000\n\n[control]",
        )],
    ),
    case("waits that shrink", &[("[control]", "[transport]\nreconnect_ms = 60_000\n\n[control]")]),
    case("a duplicate key", &[("stale_ms = 3000", "stale_ms = 3000\nstale_ms = 4000")]),
    case("a duplicate table", &[("[control]", "[feed]\nstale_ms = 1\n\n[control]")]),
    case("not TOML", &[("stale_ms = 3000", "stale_ms 3000")]),
    case("no kind", &[("kind = \"run\"\n", "")]),
    case("another kind of file", &[("list.toml", "run.toml")]),
    case("a file that is not there", &[("list.toml", "lost.toml")]),
    case("no instruments", &[("instruments = [\"list.toml\"]\n", "")]),
    case(
        "several at once, in two files",
        &[
            ("collar_bps = 300", "collar_bps = 0"),
            ("max_position", "max_postion"),
            ("gateway = 3", "gateway = 7"),
            ("127.0.0.1:9464", "0.0.0.0:9464"),
            ("tick = 0.01", "tick = 0.03"),
        ],
    ),
    case(
        "an instrument that lacks keys",
        &[("tick = 0.01\n", ""), ("taker_fee_bps = 0.3\n", ""), ("contract = \"linear\"\n", "")],
    ),
    case(
        "an instrument whose steps do not agree",
        &[
            ("lot = 1", "lot = 3"),
            ("qty_digits = 0", "qty_digits = 0\nqty_min = 5"),
            ("reference_price = 25", "reference_price = 25.005"),
        ],
    ),
    case("a lot finer than its digits", &[("lot = 1", "lot = 0.5")]),
    case(
        "an instrument that ITCH cannot carry",
        &[
            ("symbol = \"AAA\"", "symbol = \"AAA-LONG-NAME\""),
            ("tick = 0.01", "tick = 0.00001"),
            ("[\"AAA\"]", "[\"AAA-LONG-NAME\"]"),
        ],
    ),
    case(
        "an instrument defined twice",
        &[(
            "[cores]",
            "[[instrument]]\nsymbol = \"AAA\"\n\
         tick = 0.01\nlot = 1\nqty_digits = 0\nprice_max = 1000\nqty_max = 10000\n\
         contract = \"linear\"\nbase = \"AAA\"\nquote = \"USD\"\nmaker_fee_bps = 0\n\
         taker_fee_bps = 0\n\n[cores]",
        )],
    ),
    case("half of the trading hours", &[("quote = \"USD\"", "quote = \"USD\"\nopen = 09:30:00")]),
    case(
        "a profile that is not there, and one beside it",
        &[("[cores]", "venue = \"lost.toml\"\n\n[session]\nheartbeat_s = 5\n\n[cores]")],
    ),
    case(
        "a profile that is another kind of file",
        &[("[cores]", "venue = \"list.toml\"\n\n[cores]")],
    ),
    case(
        "what is ours and the venue does not take",
        &[
            ("\"US\"", "\"US.1\"\nheartbeat_s = 90\nreset_on_logon = true"),
            (
                "[cores]",
                "[session]\nsender_comp_id_max = 3\nsender_comp_id_plain = true\n\
                 heartbeat_max_s = 60\nreset_at_logon = \"refused\"\n\n[cores]",
            ),
        ],
    ),
    case(
        "a Logon with braces around no known word",
        &[("[cores]", "[logon]\nfields = [\"554={pass}\"]\n\n[cores]")],
    ),
    case(
        "a Logon with a field of the session's own",
        &[("[cores]", "[logon]\nfields = [\"98=0\"]\n\n[cores]")],
    ),
    case(
        "a signature that nothing makes",
        &[KEYS, ("[cores]", "[logon]\nfields = [\"96={signature}\"]\n\n[cores]")],
    ),
    case(
        "a nonce of no form",
        &[KEYS, ("[cores]", "[logon]\nfields = [\"5025={nonce}\"]\n\n[cores]")],
    ),
    case(
        "a signature over what is not sent",
        &[
            KEYS,
            (
                "[cores]",
                "[logon]\nfields = [\"96={signature}\"]\nscheme = \"hmac-sha256\"\n\
                 sign = [\"52\", \"553\"]\n\n[cores]",
            ),
        ],
    ),
    case(
        "a signature over nothing",
        &[
            KEYS,
            (
                "[cores]",
                "[logon]\nfields = [\"96={signature}\"]\nscheme = \"hmac-sha256\"\n\n[cores]",
            ),
        ],
    ),
    case(
        "a Logon of secrets, and no file of them",
        &[("[cores]", "[logon]\nfields = [\"554={passphrase}\"]\n\n[cores]")],
    ),
    case(
        "a header with a field of the session's own",
        &[("[cores]", "[session]\nheader = [\"49=X\"]\n\n[cores]")],
    ),
    case("a mass status in FIX.4.2", &[("[cores]", "[session]\nversion = \"FIX.4.2\"\n\n[cores]")]),
    case(
        "orders with a field of the gateway's own",
        &[("[cores]", "[orders]\nfields = [\"44=1\"]\n\n[cores]")],
    ),
    case(
        "replaces of orders that keep their id",
        &[("[cores]", "[orders]\ntarget_id = \"11\"\n\n[cores]")],
    ),
    case("orders that cannot rest", &[("[cores]", "[orders]\nrest = \"none\"\n\n[cores]")]),
    case(
        "open orders that nothing cancels",
        &[(
            "[cores]",
            "[orders]\nmass_cancel_all = \"none\"\nmass_cancel_one = \"none\"\n\
             open_orders = \"cancel\"\n\n[cores]",
        )],
    ),
    case(
        "a code that means nothing known",
        &[("[cores]", "[orders]\nreject_codes = [\"103:8=tired\"]\n\n[cores]")],
    ),
    case(
        "a limit of nothing",
        &[("[cores]", "[[rate]]\nname = \"all\"\ncount = 0\nwindow = \"jumping\"\n\n[cores]")],
    ),
    case(
        "a drop copy that shares a limit, and not the core",
        &[(
            "[cores]",
            "[[rate]]\nname = \"all\"\ncount = 9\nwindow_ms = 1000\nscope = \"key\"\n\n\
             [drop_copy]\naddress = \"127.0.0.1:9881\"\ncore = 2\n\n[cores]",
        )],
    ),
    case(
        "a limit without room for a drop copy",
        &[(
            "[cores]",
            "[[rate]]\nname = \"all\"\ncount = 3\nwindow_ms = 1000\nscope = \"account\"\n\n\
             [drop_copy]\naddress = \"127.0.0.1:9881\"\ncore = 3\n\n[cores]",
        )],
    ),
];

const EXCHANGE_CASES: &[Case] = &[
    case("an exchange for nobody", &[("[\"US\"]", "[]")]),
    case(
        "an account twice, and the exchange's own",
        &[("[\"US\"]", "[\"US\", \"US\", \"EXCHANGE\"]")],
    ),
    case("a replay of nothing", &[("seed = 1", "kind = \"replay\"")]),
    case("lockstep without a replay", &[("seed = 1", "lockstep = true")]),
    case("flow parameters that are none", &[("seed = 1", "parameters = \"clam\"")]),
    case("the lines and the server on one port", &[("127.0.0.1:31003", "0.0.0.0:31001")]),
    case("a seed below zero", &[("seed = 1", "seed = -1")]),
];

/// The message for the edited texts, free of where the files stood.
fn message(file: &str, good: &str, case: &Case) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (mut main, mut list) = (good.to_owned(), INSTRUMENTS.to_owned());
    for (old, new) in case.edits {
        let hit = if main.contains(old) { &mut main } else { &mut list };
        assert!(hit.contains(old), "{}: nothing to edit: {old}", case.name);
        *hit = hit.replacen(old, new, 1);
    }
    std::fs::write(folder.path().join(file), main).unwrap();
    std::fs::write(folder.path().join("list.toml"), list).unwrap();
    refused(folder.path(), file, case.name)
}

fn refused(folder: &Path, file: &str, name: &str) -> String {
    let errors = match config::load(&folder.join(file), &BTreeSet::from([0, 1, 2, 3])) {
        Ok(_) => panic!("{name}: accepted"),
        Err(errors) => errors,
    };
    assert!(errors.count() > 0, "{name}: refused without a reason");
    let text = errors.render(false).replace(&format!("{}/", folder.display()), "");
    text.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn messages_are_as_committed() {
    let mut text = String::from("What `touchline check` says of each class of error.\n");
    let cases = RUN_CASES.iter().map(|case| (case, message("run.toml", RUN, case)));
    let exchange = EXCHANGE_CASES.iter().map(|c| (c, message("exchange.toml", EXCHANGE, c)));
    for (case, message) in cases.chain(exchange) {
        write!(text, "\n==== {}\n{message}", case.name).unwrap();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config_errors.txt");
    if std::env::var_os("TOUCHLINE_UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    for (ours, theirs) in text.split("\n==== ").zip(committed.split("\n==== ")) {
        assert_eq!(ours, theirs, "run with TOUCHLINE_UPDATE=1 if this is wanted");
    }
    assert_eq!(text, committed, "run with TOUCHLINE_UPDATE=1 if this is wanted");
}

#[test]
fn the_good_texts_are_good() {
    let folder = tempfile::tempdir().unwrap();
    let cpus = BTreeSet::from([0, 1, 2, 3]);
    std::fs::write(folder.path().join("list.toml"), INSTRUMENTS).unwrap();
    for (file, text) in [("run.toml", RUN), ("exchange.toml", EXCHANGE)] {
        let path = folder.path().join(file);
        // A byte order mark and the line ends of another system change nothing.
        for text in [text.to_owned(), format!("\u{feff}{text}"), text.replace('\n', "\r\n")] {
            std::fs::write(&path, text).unwrap();
            if let Err(errors) = config::load(&path, &cpus) {
                panic!("{errors}");
            }
        }
    }
}

#[test]
fn files_that_are_no_text_are_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |bytes: &[u8]| {
        std::fs::write(folder.path().join("run.toml"), bytes).unwrap();
        refused(folder.path(), "run.toml", "bytes")
    };
    let not_text = refused(b"kind = \"run\"\nname = \"\xff\"\n");
    assert!(not_text.contains("run.toml is not UTF-8 text (line 2)"), "{not_text}");
    assert!(refused(&vec![b'#'; FILE_BYTES_MAX + 1]).contains("larger than 1048576 bytes"));
    assert!(refused(b"").contains("lacks kind"));
    assert!(refused(b"kind = \"run\"\n\0").contains("not valid TOML"));
    let errors = config::load(folder.path(), &BTreeSet::from([0])).unwrap_err().to_string();
    assert!(errors.contains("not a regular file"), "{errors}");
}

#[test]
fn hostile_texts_neither_panic_nor_flood() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.toml");
    let deep = format!("a = {}", "[".repeat(100_000));
    let many: String = (0..20_000).map(|n| format!("key{n} = 1\n")).collect();
    let wide = format!("{} = \"{}\"\n", "k".repeat(1_000), "v".repeat(500_000));
    for text in [deep, many, wide, "\"\\u001b[31m\" = 1\n".to_owned()] {
        std::fs::write(&path, format!("kind = \"run\"\n{text}")).unwrap();
        let errors = config::load(&path, &BTreeSet::from([0])).unwrap_err().to_string();
        assert!(errors.len() < 100_000, "{} bytes of message", errors.len());
        assert!(!errors.contains('\u{1b}'), "control characters reach the terminal");
    }
}

#[test]
fn every_cut_of_a_good_file_is_an_error_and_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("list.toml"), INSTRUMENTS).unwrap();
    let path = folder.path().join("run.toml");
    let (needed, cpus) = (RUN.find("[control]").unwrap() - 1, BTreeSet::from([0, 1, 2, 3]));
    // A cut in the last number leaves a good, other number.
    for end in (0..needed).step_by(7).filter(|&end| RUN[end..needed].contains('\n')) {
        std::fs::write(&path, &RUN[..end]).unwrap();
        assert!(config::load(&path, &cpus).is_err(), "{}", &RUN[..end]);
    }
}
