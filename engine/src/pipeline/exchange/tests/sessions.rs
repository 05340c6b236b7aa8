//! Who is let in, who is turned away, who is cut.

use super::lab::{Engine, Lab, NOON, buy, config, instruments, kinds, lose};
use market::{Command, Event, Nanos, ReportKind as K};

/// Adds an engine of this name, which tries to log on.
fn stranger(lab: &mut Lab, name: &str) -> usize {
    lab.engines.push(Engine::new(name, &instruments(&lab.config)));
    lab.log_on(lab.engines.len() - 1);
    lab.engines.len() - 1
}

#[test]
fn an_unknown_comp_id_is_cut_without_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    let at = stranger(&mut lab, "MALLORY");
    assert_eq!(lab.engines[at].connection, None, "cut");
    assert_eq!(lab.engines[at].told(), "");
    let report = lab.core.report();
    let why = "MALLORY is no account of this exchange";
    assert_eq!((report.refused, report.last_refused.as_deref()), (1, Some(why)));
    lab.log_on(0);
    assert!(lab.engines[0].session.is_up());
}

#[test]
fn an_account_is_on_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.log_on(0);
    let again = stranger(&mut lab, "A");
    assert_eq!(lab.engines[again].connection, None);
    let why = "A: this account is logged on already";
    assert_eq!(lab.core.report().last_refused.as_deref(), Some(why));
    assert!(lab.engines[0].session.is_up(), "the first is not disturbed");
    lab.run(Nanos::from_millis(10));
    assert_eq!(lab.core.sessions_up(), 1);
}

#[test]
fn any_comp_id_makes_an_account_where_that_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), &[]);
    config.fix.any_account = true;
    let mut lab = Lab::new(&config, NOON);
    let mut names: Vec<String> = Vec::new();
    while lab.core.report().refused == 0 {
        let name = format!("CLIENT{}", names.len());
        let at = stranger(&mut lab, &name);
        if lab.engines[at].session.is_up() {
            let id = lab.engines[at].id();
            lab.command(at, &buy(id, "1.00".parse().unwrap(), 7));
            assert!(kinds(&lab.engines[at].heard()).ends_with(&[K::Accepted]), "{name} trades");
            lab.hang_up(at);
            names.push(name);
        }
        assert!(names.len() < 1_000, "there is an end");
    }
    let why = lab.core.report().last_refused.unwrap();
    assert!(why.ends_with("accounts are the most that trade at once"), "{why}");
    let known: Vec<_> = lab.core.accounts().iter().map(|account| account.name.clone()).collect();
    assert_eq!(known, names);
    // One that was here before is let in again.
    let again = stranger(&mut lab, "CLIENT0");
    assert!(lab.engines[again].session.is_up());
}

#[test]
fn who_says_nothing_is_cut_and_nonsense_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    let (silent, rude) = (lab.core.connect(lab.now).unwrap(), lab.core.connect(lab.now).unwrap());
    lab.core.receive(rude, lab.now, b"GET / HTTP/1.1\r\n", &mut lab.net);
    assert!(lab.net.cut[rude]);
    lab.core.receive(silent, lab.now, b"8=FIX.4.4\x019=", &mut lab.net);
    lab.run(Nanos::from_secs(9));
    assert!(!lab.net.cut[silent]);
    lab.run(Nanos::from_secs(2));
    assert!(lab.net.cut[silent]);
}

#[test]
fn a_client_that_does_not_read_is_cut_and_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A", "B"]), NOON);
    lab.log_on(0);
    lab.log_on(1);
    let slow = lab.engines[0].connection.unwrap();
    let id = lab.engines[0].id();
    lab.command(0, &buy(id, "1.00".parse().unwrap(), 7));
    lab.engines[0].heard();
    lab.net.pipes[slow].capacity = 300;
    let id = lab.engines[0].id();
    lab.command(0, &Command::mass_status(id));
    assert_eq!(lab.engines[0].connection, None, "one report did not fit");
    let ended = lab.core.report().accounts[0].last_end.clone().unwrap();
    assert_eq!(ended, "the client does not read");
    let id = lab.engines[1].id();
    lab.command(1, &Command::mass_status(id));
    assert!(kinds(&lab.engines[1].heard()).ends_with(&[K::StatusDone]));
    // Nothing was lost: it is numbered, and resent.
    lab.net.pipes[slow].capacity = 1 << 20;
    lab.engines[0].heard();
    lab.log_on(0);
    let heard = kinds(&lab.engines[0].heard());
    assert!(heard.contains(&K::Canceled) && heard.contains(&K::StatusDone), "{heard:?}");
}

#[test]
fn a_stop_says_goodbye_and_leaves_the_session_open() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A", "B"]), NOON);
    lab.log_on(0);
    lab.run(Nanos::from_secs(1));
    let id = lab.engines[0].id();
    lab.command(0, &buy(id, "1.00".parse().unwrap(), 7));
    let before = lab.core.report().next_sequence;
    lab.core.stop(lab.now, &mut lab.net);
    lab.exchange_bytes();
    assert_eq!(lab.engines[0].told(), "the exchange stops");
    lab.run(Nanos::from_millis(5));
    assert!(lab.core.is_stopped());
    assert_eq!(lab.core.report().next_sequence, before + 1, "one delete, and no flow");
    let last = lab.net.packets.last().unwrap();
    assert_ne!(last[18..20], [0xff, 0xff], "not the end of the session");
    assert_eq!(lab.core.connect(lab.now), None);
}

#[test]
fn a_client_that_begins_anew_loses_no_position() {
    let folder = tempfile::tempdir().unwrap();
    let mut lab = Lab::new(&config(folder.path(), &["A"]), NOON);
    lab.log_on(0);
    lab.run(Nanos::from_secs(3));
    let used = lab.buy_at_market(0, 10);
    lab.hang_up(0);
    // A new store asks for new numbers (141=Y): the exchange's own forgets its frames.
    lab.engines[0] = Engine::new("A", &instruments(&lab.config));
    lab.log_on(0);
    assert!(lab.engines[0].session.is_up());
    let before = lab.position(0);
    let mut lab = lab.restart();
    assert_eq!(lab.position(0), before);
    lab.log_on(0);
    lab.engines[0].heard();
    lab.command(0, &buy(used, "1.00".parse().unwrap(), 7));
    assert_eq!(kinds(&lab.engines[0].heard()), [K::Rejected], "the id is used for ever");
    lab.buy_at_market_and_check();
}

impl Lab {
    /// Trading goes on where it was.
    fn buy_at_market_and_check(&mut self) {
        self.run(Nanos::from_secs(3));
        let before = self.position(0).net;
        self.engines[0].id();
        self.buy_at_market(0, 3);
        assert_eq!(self.position(0).net, before + 3);
        let cancel = self.engines[0].id();
        self.command(0, &Command::mass_cancel(cancel, Event::ALL));
        lose(&mut self.engines[0], self.now);
    }
}
