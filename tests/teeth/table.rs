//! `docs/teeth.md`, from the tables of this test. `TEETH=write` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use libtest_mimic::Failed;

use crate::claims::Fate;
use crate::{proxied, status, worlds};

const HEAD: &str = "# Teeth

A harness that is green proves something only if it turns red where it must. Here a system has one thing wrong, a *mutant*, and one claim of a
scenario must break by it: the rule of the judge and a part of its message. `just teeth` runs them all; a row that breaks anything that is not
listed here fails too, and so does one that breaks nothing.

This page is written by `just teeth-docs` from `tests/teeth/` and `examples/mutant_status/`.
";

/// What another tool found; written by hand.
const ASSESSMENT: &str = include_str!("assessment.md");

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
    let mut there: Vec<String> = proxied::listed()?.into_iter().map(|(name, _)| name).collect();
    let mut rows: Vec<String> = status::MUTANTS.iter().map(|row| row.name.to_owned()).collect();
    there.sort();
    rows.sort();
    rows.dedup();
    if there != rows {
        return Err(format!("mutants {there:?}, but rows {rows:?}").into());
    }
    let unchanged =
        |scenario: &str| status::MUTANTS.iter().any(|row| row.name == UNCHANGED && row.scenario == scenario);
    match status::MUTANTS.iter().find(|row| !unchanged(row.scenario)) {
        Some(row) => Err(format!("nobody shows that {} is green behind the proxy", row.scenario).into()),
        None => Ok(()),
    }
}

fn page() -> Result<String, String> {
    let listed = proxied::listed()?;
    let about = |name: &str| {
        let known = listed.iter().find(|(known, _)| known == name);
        known.map_or_else(String::new, |(_, about)| about.clone())
    };
    let status: Vec<Row<'_>> =
        status::MUTANTS.iter().map(|it| Row::new(it.name, about(it.name), it.scenario, it.fate)).collect();
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
        "The world",
        "The simulated world, wrapped. `invalid` means that the run proves nothing about the appliance.",
        &worlds,
    );
    survivors(&mut text, &status, &worlds);
    text.push_str(ASSESSMENT);
    Ok(text)
}

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

fn survivors(text: &mut String, status: &[Row<'_>], worlds: &[Row<'_>]) {
    text.push_str("\n## Survivors\n\nNobody catches these yet; they are work. A row leaves this list when its scenario turns red by it.\n\n");
    text.push_str("| mutant | what it does | scenario | what is needed |\n|---|---|---|---|\n");
    for Row { name, about, scenario, fate } in status.iter().chain(worlds) {
        if let Fate::Survives(need) = fate {
            let _ = writeln!(text, "| `{name}` | {about} | {scenario} | {} |", cell(need));
        }
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
