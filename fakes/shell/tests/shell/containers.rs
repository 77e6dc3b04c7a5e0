//! Starting, ending and running commands.

use std::time::Duration;

use cluster_node::{Access, ExecIo, ExecOutcome, Exit, Runtime, StartError};
use field_clock::Clock;

use super::container::Field;

#[tokio::test]
async fn what_cannot_be_started_is_told_in_the_words_of_runc() {
    for (argv, text) in [
        (
            vec!["/usr/local/bin/not-there", "--serve"],
            "exec: \"/usr/local/bin/not-there\": stat /usr/local/bin/not-there: no such file or directory",
        ),
        (vec!["not-there"], "exec: \"not-there\": executable file not found in $PATH"),
        (vec!["/etc/passwd"], "exec: \"/etc/passwd\": permission denied"),
    ] {
        let refused = Field::new(&argv).start().await.err().expect("it cannot be started");
        assert_eq!(refused.to_string(), text);
    }
    let mut field = Field::new(&["sh"]);
    field.spec.working_dir = "/etc/passwd".into();
    let refused = field.start().await.err().expect("that is no directory");
    assert_eq!(refused.to_string(), "mkdir /etc/passwd: not a directory");
}

#[tokio::test]
async fn a_shell_without_a_script_ends_at_once() {
    for argv in [vec!["/bin/sh"], vec![]] {
        let field = Field::new(&argv);
        assert_eq!(field.start().await.expect("it starts").wait().await, Exit::code(0));
    }
}

#[tokio::test]
async fn a_working_directory_is_made_when_it_is_not_there() {
    let mut field = Field::new(&["pwd"]);
    field.spec.working_dir = "/srv/app".into();
    field.start().await.expect("it starts").wait().await;
    assert_eq!(field.log(), ["/srv/app"]);
}

#[tokio::test]
async fn a_first_process_without_a_handler_is_killed_after_its_grace() {
    for argv in [vec!["sh", "-c", "sleep 1000"], vec!["sleep", "1000"]] {
        let field = Field::new(&argv);
        let mut container = field.start().await.expect("it starts");
        container.stop(Duration::from_millis(50)).await;
        assert_eq!(container.wait().await, Exit::code(137), "{argv:?}");
    }
}

#[tokio::test]
async fn a_handler_may_end_a_container_in_time() {
    let script = "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done";
    let field = Field::new(&["sh", "-c", script]);
    let mut container = field.start().await.expect("it starts");
    while field.log().is_empty() {
        tokio::task::yield_now().await;
    }
    container.stop(Duration::from_secs(20)).await;
    assert_eq!((container.wait().await, field.log()), (Exit::code(0), vec!["up".to_owned(), "bye".into()]));
}

#[tokio::test]
async fn whoever_eats_memory_is_killed_for_it() {
    for script in [
        "tail /dev/zero",
        "x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done",
        "dd if=/dev/zero of=/dev/shm/x bs=1M",
    ] {
        let mut field = Field::new(&["sh", "-c", script]);
        field.spec.memory_limit = Some(24 << 20);
        let mut container = field.start().await.expect("it starts");
        assert_eq!(container.wait().await, Exit::out_of_memory(), "{script}");
    }
}

#[tokio::test]
async fn a_new_container_has_a_fresh_root_and_the_same_volumes() {
    let mut field = Field::new(&["sh", "-c", "ls /tmp; ls /v; touch /tmp/t /v/v"]);
    field.mount("/v", Access::ReadWrite);
    for _ in 0..2 {
        field.start().await.expect("it starts").wait().await;
    }
    assert_eq!(field.log(), ["v"]);
}

#[tokio::test]
async fn commands_run_beside_the_first_process_and_end_with_it() {
    let field = Field::new(&["sh", "-c", "sleep 0.2"]);
    let mut container = field.start().await.expect("it starts");
    let ran = field.sh("echo out; echo err >&2; exit 5").await;
    assert_eq!((ran.output.as_str(), ran.code), ("out\nerr\n", 5));
    let (long, ended) = tokio::join!(field.sh("sleep 1000"), container.wait());
    assert_eq!((long.code, ended), (137, Exit::code(0)));
    let (io, _) = ExecIo::captured();
    let late = field.runtime.exec(field.target(), vec!["true".into()], io).await;
    assert!(matches!(late, ExecOutcome::NotStarted(StartError::Other { .. })), "{late:?}");
}

#[tokio::test]
async fn a_command_that_nobody_waits_for_any_more_is_killed() {
    let field = Field::new(&["sleep", "1000"]);
    let _container = field.start().await.expect("it starts");
    let late = Clock::wall().timeout(Duration::from_millis(50), field.sh("sleep 999")).await;
    assert!(late.is_err());
    let mut left = field.sh("ps").await.output;
    for _ in 0..100 {
        if !left.contains("sleep 999") {
            return;
        }
        tokio::task::yield_now().await;
        left = field.sh("ps").await.output;
    }
    panic!("still there:\n{left}");
}

#[tokio::test]
async fn commands_read_what_is_sent_to_them() {
    let field = Field::new(&["sleep", "1000"]);
    let _container = field.start().await.expect("it starts");
    let (mut io, output) = ExecIo::captured();
    io.stdin = Box::new(std::io::Cursor::new(b"read x\nsecond line\necho got $x\n".to_vec()));
    let ran = field.runtime.exec(field.target(), vec!["sh".into()], io).await;
    assert_eq!((ran, output.text().as_str()), (ExecOutcome::Ran { code: 0 }, "got second line\n"));
    let (io, _) = ExecIo::captured();
    let none = field.runtime.exec(field.target(), vec!["bash".into()], io).await;
    assert_eq!(none, ExecOutcome::NotStarted(StartError::not_found("bash")));
}

#[tokio::test]
async fn a_sleeper_ends_when_it_is_asked_to_and_has_no_shell() {
    let mut field = Field::new(&["/usr/local/bin/sleeper"]);
    field.spec.image = "kindlab/sleeper:1".into();
    let mut container = field.start().await.expect("it starts");
    let (io, _) = ExecIo::captured();
    let none = field.runtime.exec(field.target(), vec!["sh".into()], io).await;
    assert_eq!(none, ExecOutcome::NotStarted(StartError::not_found("sh")));
    container.stop(Duration::from_secs(20)).await;
    assert_eq!(container.wait().await, Exit::code(0));
}
