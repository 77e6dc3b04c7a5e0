//! Several suites on one machine.

use crate::smoke::Desk;

#[tokio::test]
async fn two_suites_at_once_do_not_disturb_each_other() {
    let (one, two) = (Desk::new(), Desk::new());
    // One place for the worlds of both, as two suites of one user have it.
    let run = async |desk: &Desk| {
        let mut command = desk.command(&["run", "healthy", "missing-worker-tag", "--repeat", "2"]);
        command.env("SMOKE_RUN_DIR", one.worlds());
        crate::smoke::Ran::of(crate::program::finish(command).await)
    };
    let sweeps = async {
        let mut ran = Vec::new();
        for _ in 0..5 {
            ran.push(one.smoke(&["clean"]).await);
        }
        ran
    };
    let (first, second, swept) = tokio::join!(run(&one), run(&two), sweeps);
    first.ended(0).said("4 passed");
    second.ended(0).said("4 passed");
    for ran in swept {
        ran.ended(0);
        assert!(ran.out.contains(" 0 left by dead runners removed, 0 process groups killed"), "{ran}");
    }
    assert_eq!(one.worlds_left(), Vec::<std::path::PathBuf>::new());
}
