//! The helm program in cases: its command lines, and a SIGKILL after some seconds.

use std::time::Duration;

use bytes::Bytes;
use cluster_flux::HelmProgram;

use super::ReplayError;
use super::artifacts;
use super::commands::{self, Hand};
use super::steps::unknown;

/// Does a line of commands, of helm and of kubectl, one after the other. What helm refuses was refused to the recorder as well.
pub(super) async fn run(hand: &Hand<'_>, line: &str) -> Result<(), ReplayError> {
    for command in commands_of(line) {
        match command.first().map(String::as_str) {
            None | Some("true") => {}
            Some("helm") => helm(hand, &command[1..]).await,
            Some("timeout") => {
                let Some(at) = command.iter().position(|word| word == "helm") else {
                    return Err(unknown(hand.case, line));
                };
                let seconds = command[..at].last().and_then(|word| word.trim_end_matches('s').parse().ok());
                let Some(seconds) = seconds else { return Err(unknown(hand.case, line)) };
                let clock = hand.lab.cluster.store().clock();
                // A program that is killed leaves everything as it stands.
                let _ = clock.timeout(Duration::from_secs_f64(seconds), helm(hand, &command[at + 1..])).await;
            }
            Some("kubectl") => commands::run(hand, &command.join(" ")).await?,
            Some(_) => return Err(unknown(hand.case, line)),
        }
    }
    Ok(())
}

async fn helm(hand: &Hand<'_>, arguments: &[String]) {
    let store = hand.lab.cluster.store();
    let charts = |reference: &str, version: &str| -> Option<Bytes> {
        let name = reference.rsplit('/').next().unwrap_or(reference);
        artifacts::chart(hand.case, name, version)
    };
    let program = HelmProgram { store, clock: store.clock(), charts: &charts };
    if let Err(error) = program.run(arguments).await {
        tracing::debug!(%error, "the helm program");
    }
}

/// The words of each command of a line, as a shell takes them apart.
fn commands_of(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for letter in line.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, ';' | ' ' | '\n') => {
                commands.last_mut().into_iter().for_each(|command| command.extend(word.take()));
                if letter == ';' {
                    commands.push(Vec::new());
                }
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    commands.last_mut().into_iter().for_each(|command| command.extend(word.take()));
    commands
}

#[cfg(test)]
mod tests {
    use super::commands_of;

    #[test]
    fn quotes_keep_words_together_and_semicolons_part_commands() {
        let words = commands_of("timeout -s KILL 4 helm install a --set b='c d'; true");
        assert_eq!(words[0], ["timeout", "-s", "KILL", "4", "helm", "install", "a", "--set", "b=c d"]);
        assert_eq!(words[1], ["true"]);
    }
}
