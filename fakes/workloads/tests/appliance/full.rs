//! Volumes without room.

use std::time::Duration;

use fake_workloads::BLOCK;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_postgres::error::SqlState;

use crate::world::{SUPERUSER, in_world};

#[test]
fn a_database_that_does_not_fit_into_its_volume_leaves_nothing_behind_and_begins_when_there_is_room() {
    in_world(|world| async move {
        world.quotas.leave(&world.volume, BLOCK);
        let (code, log) = world.start("/bin/volume-prep", &["/data"], &[]).end().await;
        assert_eq!(code, 0, "a small file fits: {log:#?}");
        let (code, log) = world.start("/bin/db", &[], &[]).end().await;
        assert_eq!(code, 1);
        assert!(log.iter().any(|line| line.ends_with("No space left on device")), "{log:#?}");
        assert!(log.last().unwrap().starts_with("initdb: removing contents of data directory"), "{log:#?}");
        assert_eq!(world.quotas.refusals().len(), 1);
        world.quotas.lift(&world.volume);
        world.database().await;
    });
}

#[test]
fn a_running_database_reads_on_in_a_full_volume_until_it_has_to_write_its_log() {
    in_world(|world| async move {
        let db = world.database().await;
        let client = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        client.batch_execute("CREATE TABLE kept (what text)").await.unwrap();
        world.quotas.leave(&world.volume, 0);
        client.query_one("SELECT count(*) FROM kept", &[]).await.unwrap();
        let refused = client.batch_execute("INSERT INTO kept VALUES ('x')").await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::DISK_FULL));
        let began = world.clock.now();
        let (code, log) = db.end().await;
        assert_eq!(code, 1);
        assert!(world.clock.now().duration_since(began) <= jiff::SignedDuration::from_secs(301));
        assert!(
            log.iter().any(|line| line.contains("PANIC:  could not write to file \"pg_wal/")),
            "{log:#?}"
        );
        let (code, log) = world.start("/bin/db", &[], &[]).end().await;
        assert_eq!(code, 1);
        assert!(log.iter().any(|line| line.contains("FATAL:  could not write to file")), "{log:#?}");
        world.quotas.lift(&world.volume);
        world.database().await;
        world.clock.sleep(Duration::from_secs(1)).await;
        let client = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        client.batch_execute("INSERT INTO kept VALUES ('x')").await.unwrap();
    });
}

#[test]
fn redis_neither_begins_nor_writes_where_there_is_no_room() {
    in_world(|world| async move {
        world.quotas.leave(&world.volume, BLOCK);
        let (code, log) = world.start("/bin/redis", &[], &[]).end().await;
        assert_eq!(code, 1);
        assert!(log[0].contains("append-only file in /data/redis: No space left on device"), "{log:#?}");
        world.quotas.lift(&world.volume);
        let redis = world.start("/bin/redis", &[], &[]);
        redis.says("Ready to accept connections").await;
        world.quotas.leave(&world.volume, 0);
        let mut stream = TcpStream::connect((world.ip, 6379)).await.unwrap();
        stream.write_all(b"AUTH redis-password\r\nSET a b\r\nPING\r\nQUIT\r\n").await.unwrap();
        let mut said = String::new();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(
            said.matches("MISCONF Errors writing to the AOF file: No space left on device").count(),
            2,
            "{said}"
        );
        assert!(redis.has_said("Error writing to the AOF file"));
    });
}
