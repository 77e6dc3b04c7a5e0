//! What cases say in words: a controller that goes away, an artifact that nobody can use, a helm program.

use std::sync::LazyLock;

use regex::Regex;

use super::ReplayError;
use super::artifacts;
use super::commands::{self, Hand};
use super::helm;
use super::steps::unknown;

static SCALED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^(?:the )?([a-z-]+-controller) to (\d+)$").ok());
static DELETED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^the ([a-z-]+-controller)'s pod is deleted(.*)$").ok());
static KILLED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^SIGKILL for the ([a-z-]+-controller)").ok());

fn found<'a>(rule: &LazyLock<Option<Regex>>, words: &'a str) -> Option<[&'a str; 2]> {
    let captures = rule.as_ref()?.captures(words)?;
    let part = |number: usize| captures.get(number).map_or("", |part| part.as_str());
    Some([part(1), part(2)])
}

/// Does what the words say.
pub(super) async fn done(hand: &Hand<'_>, words: &str) -> Result<(), ReplayError> {
    if let Some([controller, replicas]) = found(&SCALED, words) {
        let mut line = format!("kubectl -n flux-system scale deployment/{controller} --replicas={replicas}");
        if replicas == "0" {
            line +=
                &format!("; kubectl -n flux-system wait --for=delete pod -l app={controller} --timeout=60s");
        }
        return commands::run(hand, &line).await;
    }
    if let Some([controller, how]) = found(&DELETED, words) {
        let force = if how.contains("without grace") { " --grace-period=0 --force" } else { "" };
        return commands::run(hand, &format!("kubectl -n flux-system delete pod -l app={controller}{force}"))
            .await;
    }
    if let Some([controller, _]) = found(&KILLED, words) {
        hand.lab.cluster.kill(controller);
        return Ok(());
    }
    if words.starts_with("push ") {
        return artifacts::push_broken(hand.case, words, &hand.lab.registry.control());
    }
    if let Some(line) = words.strip_prefix('`').and_then(|words| words.strip_suffix('`')) {
        return helm::run(hand, line).await;
    }
    Err(unknown(hand.case, words))
}
