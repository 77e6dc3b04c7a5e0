//! World kind on a machine that cannot have it.

use crate::smoke::Desk;

/// The runner with no container engine and no kind program.
async fn run(desk: &Desk, arguments: &[&str]) -> crate::smoke::Ran {
    let mut command = desk.command(&["run", "healthy", "--world", "kind"]);
    command.args(arguments).env("SMOKE_DOCKER", "/nowhere/docker").env("SMOKE_KIND", "/nowhere/kind");
    crate::smoke::Ran::of(crate::program::finish(command).await)
}

#[tokio::test]
async fn what_is_missing_for_a_real_cluster_is_said_in_one_table_with_how_to_get_it() {
    let desk = Desk::new();
    let ran = run(&desk, &["--programs", "/nowhere/programs"]).await;
    ran.ended(4).said("Skipped healthy").said("engine     MISSING  start `/nowhere/docker`");
    ran.said("install and start a container engine").said("kind       MISSING  start `/nowhere/kind`");
    ran.said("programs   MISSING  /nowhere/programs/fake-outside").said("scripts/programs.sh");
    assert!(desk.worlds_left().is_empty(), "{:?}", desk.worlds_left());
}

#[tokio::test]
async fn who_must_have_a_real_cluster_is_not_content_with_a_skip() {
    let desk = Desk::new();
    run(&desk, &["--require-world", "kind"]).await.ended(3).said("kind worlds are required here");
}

#[tokio::test]
async fn who_compares_with_a_real_cluster_that_is_not_there_hears_the_same_before_anything_is_run() {
    let desk = Desk::new();
    let mut command =
        desk.command(&["fidelity", "--world", "kind", "healthy", "--programs", "/nowhere/programs"]);
    command.env("SMOKE_DOCKER", "/nowhere/docker").env("SMOKE_KIND", "/nowhere/kind");
    let ran = crate::smoke::Ran::of(crate::program::finish(command).await);
    ran.ended(4).said("engine     MISSING  start `/nowhere/docker`").said("scripts/programs.sh");
    assert!(!desk.report().join("sim").exists(), "nothing was run in the simulated world");
}
