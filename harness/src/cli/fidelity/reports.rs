//! `smoke fidelity --reports ONE OTHER`

use std::path::Path;

use super::super::arguments::FidelityArguments;
use super::super::{Refusal, print};
use crate::chain::chain;
use crate::fidelity;
use crate::run::ExitStatus;
use crate::scenario::{choose, load};

/// Two worlds, by what they have reported; a difference that nobody has accepted fails.
pub(super) fn execute(
    arguments: &FidelityArguments,
    one: &Path,
    other: &Path,
) -> Result<ExitStatus, Refusal> {
    let folder = &arguments.conditions.scenarios;
    let scenarios = choose(load(folder)?, &arguments.names, folder)?;
    let found =
        fidelity::agreements(&scenarios, one, other).map_err(|error| Refusal::usage(chain(&error)))?;
    if found.is_empty() {
        let text = format!("no scenario is in both {} and {}", one.display(), other.display());
        return Err(Refusal { status: ExitStatus::Invalid, text });
    }
    print(&fidelity::agreement_table(&found, ["one", "other"]));
    let same = found.iter().all(fidelity::Agreement::is_exact);
    Ok(if same { ExitStatus::Passed } else { ExitStatus::Failed })
}
