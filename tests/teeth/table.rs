//! `docs/teeth.md`, from the tables of this test. `TEETH=write` writes it anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use libtest_mimic::Failed;

use crate::claims::Fate;
use crate::{operator, proxied, status, worlds};

const HEAD: &str = "# Teeth

A harness that is green proves something only if it turns red where it must. Here a system has one thing wrong, a *mutant*, and one claim of a
scenario must break by it: the rule of the judge and a part of its message. `just teeth` runs them all; a row that breaks anything that is not
listed here fails too, and so does one that breaks nothing.

This page is written by `just teeth-docs` from `tests/teeth/`, `examples/mutant_status/` and `examples/mutant_operator/`.
";

/// What another tool found; written by hand.
const ASSESSMENT: &str = include_str!("assessment.md");

/// So many mutants of the appliance there must be.
const AT_LEAST: usize = 40;

/// The mutant that is none.
const UNCHANGED: &str = "none";

/// The page is up to date.
pub(crate) fn check() -> Result<(), Failed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/teeth.md");
    let text = page()?;
    if std::env::var("TEETH").is_ok_and(|word| word == "write") {
        return std::fs::write(&path, text).map_err(|error| error.to_string().into());
    }
    match std::fs::read_to_string(&path) {
        Ok(known) if known == text => Ok(()),
        Ok(_) => Err("docs/teeth.md tells of other mutants: just teeth-docs".into()),
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

/// Every mutant that there is has a row, every row a mutant, and every scenario is green behind the proxy alone.
pub(crate) fn complete() -> Result<(), Failed> {
    let status: Vec<(&str, &str)> = status::all().map(|row| (row.name, row.scenario)).collect();
    covered(&proxied::mutant_status()?, &status)?;
    let operator: Vec<(&str, &str)> = operator::MUTANTS.iter().map(|row| (row.name, row.scenario)).collect();
    covered(&proxied::mutant_operator()?, &operator)?;
    let names: BTreeSet<&str> = status.iter().chain(&operator).map(|(name, _)| *name).collect();
    let mutants = names.len() - 1;
    if mutants < AT_LEAST {
        return Err(format!("{mutants} mutants of the appliance, and there must be {AT_LEAST}").into());
    }
    Ok(())
}

fn covered(program: &Path, rows: &[(&str, &str)]) -> Result<(), Failed> {
    let there: BTreeSet<String> = proxied::listed(program)?.into_iter().map(|(name, _)| name).collect();
    let named: BTreeSet<String> = rows.iter().map(|(name, _)| (*name).to_owned()).collect();
    if there != named {
        let differ: Vec<&String> = there.symmetric_difference(&named).collect();
        return Err(format!("mutants without a row, or rows without a mutant: {differ:?}").into());
    }
    match rows.iter().find(|(_, scenario)| !rows.contains(&(UNCHANGED, *scenario))) {
        Some((_, scenario)) => {
            Err(format!("nobody shows that {scenario} is green with nothing changed").into())
        }
        None => Ok(()),
    }
}

fn page() -> Result<String, String> {
    let services = proxied::listed(&proxied::mutant_status()?)?;
    let commands = proxied::listed(&proxied::mutant_operator()?)?;
    let about = |listed: &[(String, String)], name: &str| {
        let known = listed.iter().find(|(known, _)| known == name);
        known.map_or_else(String::new, |(_, about)| about.clone())
    };
    let status: Vec<Row<'_>> =
        status::all().map(|it| Row::new(it.name, about(&services, it.name), it.scenario, it.fate)).collect();
    let operator: Vec<Row<'_>> = operator::MUTANTS
        .iter()
        .map(|it| Row::new(it.name, about(&commands, it.name), it.scenario, it.fate))
        .collect();
    let worlds: Vec<Row<'_>> = worlds::MUTANTS
        .iter()
        .map(|it| Row::new(it.name, it.about.to_owned(), it.scenario, it.fate))
        .collect();
    let mut text = HEAD.to_owned();
    section(
        &mut text,
        "The status service",
        "The real service behind a proxy: `smoke run SCENARIO --status-command 'target/debug/examples/mutant_status MUTANT'`.",
        &status,
    );
    section(
        &mut text,
        "The operator's command",
        "The real command with one thing changed: `smoke run SCENARIO --operator-command 'target/debug/examples/mutant_operator MUTANT target/debug/appliance'`.",
        &operator,
    );
    section(
        &mut text,
        "The world",
        "The simulated world, wrapped. `invalid` means that the run proves nothing about the appliance.",
        &worlds,
    );
    survivors(&mut text, &[status, operator, worlds].concat());
    text.push_str(ASSESSMENT);
    Ok(text)
}

#[derive(Clone)]
struct Row<'r> {
    name: &'r str,
    about: String,
    scenario: &'r str,
    fate: Fate,
}

impl<'r> Row<'r> {
    fn new(name: &'r str, about: String, scenario: &'r str, fate: Fate) -> Self {
        Self { name, about, scenario, fate }
    }
}

fn section(text: &mut String, title: &str, about: &str, rows: &[Row<'_>]) {
    let head = "| mutant | what it does | scenario | verdict | the claim that breaks | and with it |\n|---|---|---|---|---|---|\n";
    // Writing to a String does not fail.
    let _ = write!(text, "\n## {title}\n\n{about}\n\n{head}");
    for row in rows {
        let Row { name, about, scenario, fate } = row;
        let (verdict, claim) = match fate {
            Fate::Green(reason) => ("passed", format!("none: {reason}")),
            Fate::Failed(claim, _) => ("failed", cell(&claim.to_string())),
            Fate::Invalid(claim, _) => ("invalid", cell(&claim.to_string())),
            Fate::Survives(_) => continue,
        };
        let others: Vec<String> = fate.others().iter().map(|other| cell(&other.to_string())).collect();
        let _ = writeln!(
            text,
            "| `{name}` | {about} | {scenario} | {verdict} | {claim} | {} |",
            others.join("<br>")
        );
    }
}

fn survivors(text: &mut String, rows: &[Row<'_>]) {
    text.push_str("\n## Survivors\n\nNobody catches these yet; they are work. A row leaves this list when its scenario turns red by it.\n\n");
    text.push_str("| mutant | what it does | scenario | what is needed |\n|---|---|---|---|\n");
    for Row { name, about, scenario, fate } in rows {
        if let Fate::Survives(need) = fate {
            let _ = writeln!(text, "| `{name}` | {about} | {scenario} | {} |", cell(need));
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
