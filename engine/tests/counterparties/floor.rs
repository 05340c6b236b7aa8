//! An engine to be between a market and a venue: the demo exchange publishes the market, the venue
//! takes the orders, and what the engine says at its end is held against the venue's books.

use crate::acceptor::{Acceptor, Venue};
use crate::host::Host;
use crate::lab::{Lab, engine_positions};
use crate::secrets::hold_no_secret;
use crate::tls;
use rust_decimal::Decimal;
use std::cell::RefCell;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

pub(crate) struct Floor {
    lab: Lab,
    profile: String,
    target: String,
    sender: String,
    market: RefCell<Option<Host>>,
}

fn profile(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/venues").join(format!("{name}.toml"))
}

impl Floor {
    /// For the profile of that name, as this SenderCompID.
    pub(crate) fn new(name: &str, sender: &str) -> Floor {
        let profile = std::fs::read_to_string(profile(name)).unwrap();
        let target = profile.lines().find_map(|line| line.strip_prefix("target_comp_id = "));
        let target = target.unwrap().trim_matches('"').to_owned();
        let lab = Lab::synthetic(5);
        Floor { lab, profile, target, sender: sender.to_owned(), market: RefCell::new(None) }
    }

    /// Starts the venue, over TLS with a certificate for `venue.test` if it wants that.
    pub(crate) fn venue(&self, venue: impl Venue, encrypted: bool) -> Acceptor {
        let trust = self.lab.dir().join("roots.pem");
        let config = encrypted.then(|| tls::server("venue.test", &trust));
        let acceptor = Acceptor::start(venue, config);
        std::fs::write(self.lab.dir().join("venues/demo.toml"), &self.profile).unwrap();
        let transport = match encrypted {
            true => "[transport]\nserver_name = \"venue.test\"\ntrust = \"roots.pem\"",
            false => "[transport]",
        };
        let heartbeat = "heartbeat_s = 30";
        let gateway = format!(
            "target_comp_id = \"{}\"\n{heartbeat}\ncredentials = \"venue.credentials\"\n\
             without_cancel_on_disconnect = \"accepted\"",
            self.target
        );
        self.lab.change(
            "engine.toml",
            &[
                ("environment = \"demo\"", "environment = \"test\"".to_owned()),
                (&self.lab.fix.to_string(), acceptor.address.to_string()),
                ("sender_comp_id = \"TOUCHLINE\"", format!("sender_comp_id = \"{}\"", self.sender)),
                ("target_comp_id = \"EXCHANGE\"", gateway),
                ("[transport]", transport.to_owned()),
            ],
        );
        acceptor
    }

    /// Session days that end so many seconds from now, in the place of the profile's.
    pub(crate) fn rollover(&self, seconds: u64) {
        let path = self.lab.dir().join("venues/demo.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + seconds;
        let (hour, minute, second) = (now / 3_600 % 24, now / 60 % 60, now % 60);
        let moment = format!("{hour:02}:{minute:02}:{second:02}");
        let hours = format!("hours = \"{moment} to {moment} UTC\"");
        let own = text.lines().find(|line| line.starts_with("hours = ")).unwrap();
        std::fs::write(&path, text.replace(own, &hours)).unwrap();
    }

    /// The venue is asked to keep orders when the connection ends, where the profile has it cancel.
    pub(crate) fn keeps_orders(&self, cancels: &str, keeps: &str) {
        let path = self.lab.dir().join("venues/demo.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(cancels), "{text}");
        std::fs::write(&path, text.replace(cancels, keeps)).unwrap();
    }

    /// A drop copy session at this venue.
    pub(crate) fn drop_copy(&self, venue: &Acceptor) {
        let section = format!(
            "[drop_copy]\naddress = \"{}\"\nsender_comp_id = \"COPY\"\n\n[transport]",
            venue.address
        );
        self.lab.change("engine.toml", &[("[transport]", section)]);
    }

    /// Another limit in the place of the profile's.
    pub(crate) fn limit(&self, count: u32, window_ms: u32) {
        let path = self.lab.dir().join("venues/demo.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, _) = text.split_once("[[rate]]").unwrap();
        let rate = format!(
            "[[rate]]\nname = \"messages\"\ncount = {count}\nwindow_ms = {window_ms}\n\
             counts = \"all\"\naction = \"refuse\"\ncancel_reserve_percent = 40\n"
        );
        std::fs::write(&path, format!("{before}{rate}")).unwrap();
    }

    /// The file of credentials.
    pub(crate) fn credentials(&self, key: &str, secret: &str, passphrase: &str) {
        let path = self.lab.dir().join("venue.credentials");
        let mut text = format!("key = \"{key}\"\nsecret = \"\"\"{secret}\"\"\"\n");
        if !passphrase.is_empty() {
            text += &format!("passphrase = \"{passphrase}\"\n");
        }
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// Starts the market, if there is none yet, and the engine.
    pub(crate) fn engine(&self) -> Host {
        self.market.borrow_mut().get_or_insert_with(|| self.lab.exchange(&[]));
        self.lab.engine()
    }

    /// What `touchline ctl status` says.
    pub(crate) fn status(&self) -> String {
        let socket = self.lab.dir().join("engine/touchline.sock");
        let socket = socket.to_str().unwrap();
        let args = ["ctl", "--socket", socket, "status"];
        Host::start(self.lab.dir(), "status.out", &args).wait_well()
    }

    /// Opens the page of metrics; gives where.
    pub(crate) fn metrics(&self) -> SocketAddr {
        // The port is free, and no other test has this address.
        let free = TcpListener::bind((*self.lab.fix.ip(), 0)).unwrap().local_addr().unwrap();
        self.lab.change("engine.toml", &[("metrics = false", format!("metrics = \"{free}\""))]);
        free
    }

    /// What a subcommand says, with standard error, in a file below the lab.
    pub(crate) fn says(&self, output: &str, args: &[&str]) -> String {
        Host::start(self.lab.dir(), output, args).wait_well()
    }

    /// The log in a file of its own.
    pub(crate) fn log_to_file(&self) {
        let log = "[log]\nlevel = \"trace\"\nfile = \"engine.log\"\n\n[control]";
        self.lab.change("engine.toml", &[("[control]", log.to_owned())]);
    }

    /// The journal replays to what was decided.
    pub(crate) fn replays(&self) {
        let replayed = crate::host::replay(self.lab.dir(), &self.lab.journal());
        assert!(replayed.contains("\nidentical, state hash "), "{replayed}");
    }

    /// Fills and positions are the venue's, nothing is open there, and nothing went wrong.
    pub(crate) fn agrees(&self, report: &str, venue: &Acceptor) {
        let seen = venue.seen();
        let ours = engine_positions(report);
        let theirs = seen.positions();
        for (symbol, net) in &theirs {
            let held = ours.get(symbol).map_or(0, |position| position.1);
            assert_eq!(Decimal::from(held), *net, "{symbol}: {report}");
        }
        assert_eq!(ours.len(), theirs.len(), "{report}");
        assert_eq!(seen.open_orders(), 0, "left at the venue: {report}");
        for trouble in ["not ours", "contradictions", "illegal", "HALTED", "halted"] {
            assert!(!report.contains(trouble), "{trouble}: {report}");
        }
        assert!(seen.rejects.is_empty(), "{:?}", seen.rejects);
    }

    /// See [`hold_no_secret`].
    pub(crate) fn holds_no_secret(&self, secrets: &[&str]) {
        hold_no_secret([self.lab.dir(), self.lab.hot()], secrets);
    }
}
