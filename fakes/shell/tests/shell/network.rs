//! Commands with real sockets.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::container::Field;

async fn until_it_listens(address: &str) {
    while TcpStream::connect(address).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn httpd_serves_the_files_of_its_directory_and_says_so_when_asked() {
    let script =
        "mkdir -p /www; echo hello > /www/index.html; echo listening; exec httpd -f -v -p 8080 -h /www";
    let field = Field::at("127.88.2.20", &["sh", "-c", script]);
    let _container = field.start().await.expect("it starts");
    until_it_listens("127.88.2.20:8080").await;
    assert_eq!(field.sh("wget -q -O - http://127.88.2.20:8080/").await.output, "hello\n");
    let missing = field.sh("wget -q -O - http://127.88.2.20:8080/nope").await;
    assert_eq!(
        (missing.output.as_str(), missing.code),
        ("wget: server returned error: HTTP/1.1 404 Not Found\n", 1)
    );
    let log = field.log();
    assert_eq!(log[0], "listening");
    assert!(log.iter().any(|line| line.ends_with(": response:404")), "{log:?}");
}

#[tokio::test]
async fn nc_says_what_went_wrong_as_the_small_form_of_busybox_does() {
    let field = Field::at("127.88.3.20", &["sleep", "1000"]);
    let _container = field.start().await.expect("it starts");
    let unknown = field.sh("nc -z 127.88.3.1 80").await;
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.output.starts_with(
            "nc: invalid option -- 'z'\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) multi-call binary.\n\nUsage: nc [-iN]"
        ),
        "{}",
        unknown.output
    );
    assert_eq!(
        field.sh("nc 127.88.3.1 9 </dev/null").await.output,
        "nc: can't connect to remote host (127.88.3.1): Connection refused\n"
    );
    assert_eq!(field.sh("nc db 5432 </dev/null").await.output, "nc: bad address 'db'\n");
}

#[tokio::test]
async fn nc_copies_both_ways_and_serves_commands() {
    let field =
        Field::at("127.88.4.20", &["nc", "-ll", "-p", "7000", "-e", "sh", "-c", "read x; echo you said $x"]);
    let _container = field.start().await.expect("it starts");
    until_it_listens("127.88.4.20:7000").await;
    assert_eq!(field.sh("echo hi | nc 127.88.4.20 7000").await.output, "you said hi\n");
    let listener = TcpListener::bind("127.88.4.1:7001").await.expect("it can listen");
    let (ran, heard) = tokio::join!(field.sh("echo out | nc 127.88.4.1 7001"), async {
        let (mut stream, peer) = listener.accept().await.expect("somebody comes");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("it sends");
        stream.write_all(b"back\n").await.expect("it listens");
        (text, peer.ip().to_string())
    });
    assert_eq!((ran.output.as_str(), heard), ("back\n", ("out\n".to_owned(), "127.88.4.20".to_owned())));
}

#[tokio::test]
async fn a_dead_name_server_is_told_as_nslookup_tells_it() {
    let field = Field::at("127.88.5.20", &["sleep", "1000"]);
    let _container = field.start().await.expect("it starts");
    let ran = field.sh("nslookup db").await;
    // The refusal is an answer that a kernel gives only so often; without it the questions stay without one.
    let refused = "nslookup: write to '127.88.1.9': Connection refused\n";
    let rest = ran.output.strip_prefix(refused).unwrap_or(&ran.output);
    assert_eq!((rest, ran.code), (";; connection timed out; no servers could be reached\n\n", 1));
}

#[tokio::test]
async fn the_dialer_tells_what_happened_and_leaves_with_its_first_error() {
    let mut field = Field::at("127.88.6.20", &["/usr/local/bin/dialer", "-once", "127.88.6.1:9"]);
    field.spec.image = "kindlab/dialer:2".into();
    let exit = field.start().await.expect("it starts").wait().await;
    assert_eq!(exit.code, 1);
    let log = field.log();
    assert!(log[0].starts_with("127.88.6.1:9: error after "), "{log:?}");
    assert!(log[0].ends_with(": dial tcp 127.88.6.1:9: connect: connection refused"), "{log:?}");
}
