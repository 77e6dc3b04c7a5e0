//! Scripts, and what busybox's shell makes of them.

use super::container::{Ran, run};

async fn expect(cases: &[(&str, &str, i32)]) {
    for (script, output, code) in cases {
        let ran = run(script).await;
        assert_eq!(ran, Ran { output: (*output).into(), code: *code }, "{script}");
    }
}

#[tokio::test]
async fn errors_are_worded_as_busybox_words_them() {
    expect(&[
        ("foo", "sh: foo: not found\n", 127),
        ("/nowhere/foo", "sh: /nowhere/foo: not found\n", 127),
        ("/etc/passwd", "sh: /etc/passwd: Permission denied\n", 126),
        ("echo x > /no/such", "sh: can't create /no/such: nonexistent directory\n", 1),
        ("cat < /no/such", "sh: can't open /no/such: no such file\n", 1),
        ("cat /no/such", "cat: can't open '/no/such': No such file or directory\n", 1),
        ("cd /no/such", "sh: cd: line 0: can't cd to /no/such: No such file or directory\n", 2),
        ("set -u; echo $NOPE", "sh: NOPE: parameter not set\n", 2),
        ("echo ${NOPE:?is needed}", "sh: NOPE: is needed\n", 2),
        ("if true; then", "sh: syntax error: unexpected end of file (expecting \"fi\")\n", 2),
        ("echo )", "sh: syntax error: unexpected \")\"\n", 2),
        ("echo 'x", "sh: syntax error: unterminated quoted string\n", 2),
        ("echo $((1/0))", "sh: divide by zero\n", 2),
        ("readonly a=1; a=2; echo no", "sh: a: is read only\n", 2),
        ("[ 1 -eq x ]", "sh: x: bad number\n", 2),
        ("ls /no", "ls: /no: No such file or directory\n", 1),
        ("rm /no", "rm: can't remove '/no': No such file or directory\n", 1),
        ("mkdir /etc", "mkdir: can't create directory '/etc': File exists\n", 1),
        ("sleep x", "sleep: invalid number 'x'\n", 1),
    ])
    .await;
}

#[tokio::test]
async fn a_killed_child_is_mourned_and_its_signal_is_in_the_status() {
    expect(&[
        ("sh -c 'kill -TERM $$'; echo $?", "Terminated\n143\n", 0),
        ("sh -c 'kill -9 $$'; echo $?", "Killed\n137\n", 0),
        ("timeout 0.1 sleep 5; echo $?", "Terminated\n143\n", 0),
        ("sleep 5 & kill $!; wait $!; echo $?", "143\n", 0),
        ("yes | head -n 2", "y\ny\n", 0),
    ])
    .await;
}

#[tokio::test]
async fn traps_run_when_their_time_has_come() {
    expect(&[
        ("trap 'echo bye' EXIT; echo hi; exit 3", "hi\nbye\n", 3),
        ("trap 'echo got' USR1; kill -USR1 $$; echo on", "got\non\n", 0),
        ("trap 'echo t; exit 4' TERM; (sleep 0.05; kill -TERM $$) & wait; echo no", "t\n", 4),
        ("trap '' TERM; sh -c 'kill -TERM $$; echo alive'", "alive\n", 0),
    ])
    .await;
}

#[tokio::test]
async fn the_first_process_of_a_container_does_not_die_of_its_own_signals() {
    expect(&[("kill -TERM 1; kill -9 1; echo alive", "alive\n", 0)]).await;
}

#[tokio::test]
async fn a_script_that_only_computes_lets_others_work() {
    let busy = run("while :; do :; done & sleep 0.1; kill $!; echo done").await;
    assert_eq!(busy, Ran { output: "done\n".into(), code: 0 });
}

#[tokio::test]
async fn both_outputs_stand_in_the_log_each_in_whole_lines() {
    expect(&[("printf part; echo whole >&2; printf 'ial\\nrest'", "whole\npartial\nrest\n", 0)]).await;
}
