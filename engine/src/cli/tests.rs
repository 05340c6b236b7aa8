//! The command line as a user types it.

use super::*;
use clap::CommandFactory;

fn parse(line: &str) -> Result<Command, String> {
    let words = line.split_whitespace();
    Cli::try_parse_from(words).map(Cli::chosen).map_err(|error| error.to_string())
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn nothing_is_the_demo() {
    let Ok(Command::Demo(args)) = parse("touchline") else { panic!("not the demo") };
    assert_eq!((args.seconds, args.seed), (15, 1));
    let Ok(Command::Demo(args)) = parse("touchline demo --seconds 3 --seed 9") else { panic!() };
    assert_eq!((args.seconds, args.seed), (3, 9));
    assert!(parse("touchline demo --seconds 0").is_err());
}

#[test]
fn every_help_has_an_example() {
    fn visit(command: &mut clap::Command, path: &str) {
        let help = command.render_long_help().to_string();
        let leaf = !command.has_subcommands();
        let example = help.contains("Example") && help.contains("touchline ");
        assert!(example || !leaf, "no example in the help of {path}:\n{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{path}:\n{help}");
        for argument in command.get_arguments() {
            let described = argument.get_help().is_some_and(|help| !help.to_string().is_empty());
            assert!(described, "{path} {} has no help", argument.get_id());
        }
        for sub in command.get_subcommands_mut() {
            let path = format!("{path} {}", sub.get_name());
            visit(sub, &path);
        }
    }
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    visit(&mut command, "touchline");
}

#[test]
fn what_needs_a_replay_says_so() {
    let error = parse("touchline exchange --lockstep").unwrap_err();
    assert!(error.contains("--replay"), "{error}");
    let Ok(Command::Exchange(args)) = parse("touchline exchange --replay f.gz --speed max") else {
        panic!("refused");
    };
    assert_eq!(args.speed, Some(Speed::Max));
    let error = parse("touchline exchange --replay f.gz --speed 0").unwrap_err();
    assert!(error.contains("0.001 to 1000000"), "{error}");
}

#[test]
fn moments() {
    let time = parse_moment("13:30:00.25").unwrap();
    assert_eq!((time.day, time.time), (None, Nanos::new(48_600_250_000_000)));
    let full = parse_moment("2025-07-17T00:00:01Z").unwrap();
    assert_eq!(full.day.unwrap().to_string(), "2025-07-17T00:00:00.000000000Z");
    assert_eq!(full.time, Nanos::SECOND);
    for wrong in ["", "1", "25:00:00", "2025-02-30T00:00:00", "10:00:00.0000000001", "10:00:00.-1"]
    {
        assert!(parse_moment(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_command_line_changes_the_built_in_configurations() {
    let cpus = BTreeSet::from([0, 1]);
    let Ok(Command::Exchange(args)) =
        parse("touchline exchange --replay arl.gz --speed 10 --lockstep")
    else {
        panic!("refused");
    };
    let config = args.config(&cpus).unwrap();
    assert_eq!(config.flow.file, Some("arl.gz".into()));
    assert!(config.flow.lockstep && config.flow.speed == Speed::Times(10.0));
    assert_eq!(config.instruments[0].instrument.symbol, "ARL");

    let line = "touchline backtest --data arl.gz --strategy joiner --seed 4";
    let Ok(Command::Backtest(args)) = parse(line) else { panic!("refused") };
    let config = args.config().unwrap();
    assert!(!config.is_synthetic() && config.backtest.seed == 4);
    assert_eq!(config.trading.strategies.len(), 1);
    assert_eq!(config.trading.strategies[0].name, "joiner");
    assert_eq!(config.trading.strategies[0].instruments.len(), 1);

    let Ok(Command::Backtest(args)) = parse("touchline backtest --strategy martingale") else {
        panic!("refused");
    };
    let error = args.config().unwrap_err().to_string();
    assert!(error.contains("no [[strategy]] of name martingale"), "{error}");
}
