//! The tour of the documentation.

use std::path::Path;

use crate::program::{Desk, find, say};

#[tokio::test]
async fn the_tour_of_the_documentation_works() {
    if find().is_none() {
        return;
    }
    let desk = Desk::start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/kubectl-tour.sh");
    let output = desk.command("bash").arg(script).output().await.expect("bash runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{errors}");
    let commands = said.lines().last().and_then(|line| line.strip_suffix(" commands"));
    let commands: usize = commands.and_then(|count| count.parse().ok()).expect("a count");
    assert!(commands >= 50, "{commands}");
    say(&format!("lanes: kubectl ran {commands}"));
    desk.cluster.stop().await;
}
