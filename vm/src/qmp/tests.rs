//! Our side of the line against a monitor that a test plays.

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

use super::*;

const GREETING: &str =
    r#"{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}}}"#;

struct Played {
    commands: Lines<BufReader<OwnedReadHalf>>,
    say: OwnedWriteHalf,
}

impl Played {
    async fn say(&mut self, value: &str) {
        self.say.write_all(format!("{value}\r\n").as_bytes()).await.unwrap();
    }

    /// The next command; its id is kept for the answer.
    async fn next(&mut self) -> (String, Value) {
        let command: Value =
            serde_json::from_str(&self.commands.next_line().await.unwrap().unwrap()).unwrap();
        (command["execute"].as_str().unwrap().to_owned(), command["id"].clone())
    }

    async fn answer(&mut self, expected: &str, value: Value) {
        let (command, id) = self.next().await;
        assert_eq!(command, expected);
        self.say(&json!({ "return": value, "id": id }).to_string()).await;
    }
}

async fn greeted() -> (Qmp, Played) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (read, say) = theirs.into_split();
    let mut played = Played { commands: BufReader::new(read).lines(), say };
    let greet = async {
        played.say(GREETING).await;
        played.answer("qmp_capabilities", json!({})).await;
    };
    let (qmp, ()) = tokio::join!(Qmp::over(ours, Clock::wall()), greet);
    (qmp.unwrap(), played)
}

#[tokio::test]
async fn answers_find_the_commands_they_are_for_whatever_their_order() {
    let (qmp, mut played) = greeted().await;
    let play = async {
        let (first, second) = (played.next().await, played.next().await);
        for (command, id) in [second, first] {
            played.say(&json!({ "event": "RESUME" }).to_string()).await;
            played.say(&json!({ "return": command, "id": id }).to_string()).await;
        }
    };
    let (one, two, ()) = tokio::join!(qmp.execute("one", json!({})), qmp.execute("two", json!({})), play);
    assert_eq!((one.unwrap(), two.unwrap()), (json!("one"), json!("two")));
}

#[tokio::test]
async fn a_refusal_is_told_in_the_monitors_words() {
    let (qmp, mut played) = greeted().await;
    let play = async {
        let (_, id) = played.next().await;
        let error = json!({ "class": "GenericError", "desc": "no such thing" });
        played.say(&json!({ "error": error, "id": id }).to_string()).await;
    };
    let (answer, ()) = tokio::join!(qmp.execute("stop", json!({})), play);
    assert_eq!(answer.unwrap_err().to_string(), "carry out `stop`: no such thing (GenericError)");
}

#[tokio::test]
async fn a_command_that_waits_learns_that_the_monitor_is_gone() {
    let (qmp, mut played) = greeted().await;
    let play = async {
        played.next().await;
        drop(played);
    };
    let (answer, ()) = tokio::join!(qmp.execute("stop", json!({})), play);
    assert!(matches!(answer.unwrap_err(), QmpError::Gone { .. }));
    assert!(matches!(qmp.execute("cont", json!({})).await.unwrap_err(), QmpError::Gone { .. }));
}

#[tokio::test]
async fn a_job_that_fails_after_its_command_was_answered_has_failed() {
    let (qmp, mut played) = greeted().await;
    let play = async {
        let id = "snapshot-load";
        played.answer(id, json!({})).await;
        played.answer("query-jobs", json!([{ "id": id, "status": "running" }])).await;
        let event = json!({ "event": "JOB_STATUS_CHANGE", "data": { "id": id, "status": "concluded" } });
        played.say(&event.to_string()).await;
        let listed = json!([{ "id": id, "status": "concluded", "error": "no snapshot" }]);
        played.answer("query-jobs", listed).await;
        played.answer("job-dismiss", json!({})).await;
    };
    let (ended, ()) = tokio::join!(qmp.job("snapshot-load", json!({}), PATIENCE), play);
    assert_eq!(ended.unwrap_err().to_string(), "finish `snapshot-load`: no snapshot");
}

#[tokio::test]
async fn who_does_not_greet_is_no_monitor() {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    theirs.write_all(b"SSH-2.0\n").await.unwrap();
    assert!(matches!(Qmp::over(ours, Clock::wall()).await.unwrap_err(), QmpError::Foreign { .. }));
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    assert!(matches!(Qmp::over(ours, Clock::wall()).await.unwrap_err(), QmpError::Io(_)));
}
