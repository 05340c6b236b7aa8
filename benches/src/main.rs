//! Runs the figures named, or all, and prints each beside its rival and its floor.

use benches::figure::{Figure, HEAD};
use benches::figures::GROUPS;
use benches::machine::Machine;
use clap::Parser;
use serde::Serialize;

/// How fast each hop is, beside its rivals and its floor in the same run.
#[derive(Parser)]
#[command(about, after_help = "Example:\n  benches/run ring book --json")]
struct Args {
    /// Groups of figures; all, when none is named.
    names: Vec<String>,
    /// One JSON object instead of the table.
    #[arg(long)]
    json: bool,
    /// Only names the groups.
    #[arg(long)]
    list: bool,
}

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    machine: Machine,
    figures: Vec<Figure>,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if args.list {
        GROUPS.iter().for_each(|group| println!("{:<10} {}", group.name, group.about));
        return Ok(());
    }
    let known = |name: &String| GROUPS.iter().any(|group| group.name == *name);
    if let Some(unknown) = args.names.iter().find(|name| !known(name)) {
        anyhow::bail!("no group is called {unknown}; --list names them");
    }
    let machine = Machine::here();
    if !args.json {
        let Machine { cpu_model, cpus, kernel, commit, flags, scheduling, .. } = &machine;
        println!(
            "{cpu_model}, {cpus} CPUs, Linux {kernel}, commit {commit}, {flags}, {scheduling}\n"
        );
        println!("{HEAD}");
    }
    let mut figures = Vec::new();
    for group in GROUPS {
        if !args.names.is_empty() && !args.names.iter().any(|name| name == group.name) {
            continue;
        }
        if machine.cpus < group.cpus {
            eprintln!("{} is left out: it needs {} CPUs", group.name, group.cpus);
            continue;
        }
        for mut figure in (group.run)()? {
            if !machine.real_time && figure.name.contains("/p99") {
                figure = figure.void("not real-time here");
            }
            if !args.json {
                println!("{figure}");
            }
            figures.push(figure);
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&Page { machine, figures })?);
    }
    Ok(())
}
