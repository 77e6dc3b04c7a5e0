use std::process::{Command, Output};

use tokio_postgres::error::SqlState;

use crate::world::{SUPERUSER, World, in_world};

/// Runs the stock client, where there is one.
async fn psql(world: &World, password: &str, sql: &str) -> Option<Output> {
    let address = format!("host={} port=5432 user=postgres dbname=postgres sslmode=disable", world.ip);
    let mut command = Command::new("psql");
    command
        .args(["-X", "-At", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", &address, "-c", sql])
        .env("PGPASSWORD", password);
    let _hold = world.clock.hold("psql");
    match tokio::task::spawn_blocking(move || command.output()).await.unwrap() {
        Ok(output) => Some(output),
        Err(_) => {
            println!("skipped: there is no psql on this machine");
            None
        }
    }
}

#[test]
fn a_stock_client_with_a_wrong_password_gets_28p01() {
    in_world(|world| async move {
        let db = world.database().await;
        if let Some(output) = psql(&world, "wrong", "SELECT 1").await {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(said.contains("FATAL:  password authentication failed for user \"postgres\""), "{said}");
        }
        assert_eq!(
            world.client("postgres", "wrong", "postgres").await.unwrap_err().code(),
            Some(&SqlState::INVALID_PASSWORD)
        );
        assert_eq!(
            world.client("nobody", "x", "postgres").await.unwrap_err().code(),
            Some(&SqlState::INVALID_PASSWORD)
        );
        assert!(db.has_said("FATAL:  password authentication failed for user \"postgres\""));
    });
}

#[test]
fn a_stock_client_makes_a_table_that_survives_a_restart_and_a_new_password_does_not_count() {
    in_world(|world| async move {
        let db = world.database().await;
        let sql = "CREATE TABLE kept (id serial PRIMARY KEY, what text); INSERT INTO kept (what) VALUES ('it''s here')";
        let Some(output) = psql(&world, SUPERUSER, sql).await else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(db.stop().await, 0);
        let db = world.start("/bin/db", &[], &[("POSTGRES_PASSWORD", "another")]);
        db.says("Skipping initialization").await;
        db.says("ready to accept connections").await;
        assert!(world.client("postgres", "another", "postgres").await.is_err());
        let output = psql(&world, SUPERUSER, "SELECT id, what, count(*) OVER () FROM kept").await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "1|it's here|1\n", "{output:?}");
    });
}

#[test]
fn prepared_statements_have_types() {
    in_world(|world| async move {
        let _db = world.database().await;
        let client = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        client
            .batch_execute(
                "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(9), ok BOOLEAN DEFAULT true, n INT)",
            )
            .await
            .unwrap();
        let insert = "INSERT INTO t (id, name, n) VALUES ($1, $2, $3) RETURNING id, ok";
        let row = client.query_one(insert, &[&7_i64, &"seven", &Some(1_i32)]).await.unwrap();
        assert_eq!((row.get::<_, i64>("id"), row.get::<_, bool>("ok")), (7, true));
        let row = client
            .query_one(
                "SELECT count(*), n IS NULL AS none, name, $1::int FROM t WHERE id = $2",
                &[&5_i32, &7_i64],
            )
            .await
            .unwrap();
        assert_eq!(
            (row.get::<_, i64>(0), row.get::<_, bool>(1), row.get::<_, &str>(2), row.get::<_, i32>(3)),
            (1, false, "seven", 5)
        );
        assert_eq!(row.columns()[0].name(), "count");
    });
}

#[test]
fn errors_carry_the_codes_of_postgresql() {
    in_world(|world| async move {
        let _db = world.database().await;
        let client = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        client.batch_execute("CREATE TABLE t (id int PRIMARY KEY, n text NOT NULL)").await.unwrap();
        for (sql, code) in [
            ("SELECT * FROM absent", "42P01"),
            ("SELECT absent FROM t", "42703"),
            ("SELEC 1", "42601"),
            ("CREATE TABLE t (id int)", "42P07"),
            ("INSERT INTO t VALUES (1, 'a'); INSERT INTO t VALUES (1, 'b')", "23505"),
            ("INSERT INTO t VALUES (2, NULL)", "23502"),
            ("CREATE DATABASE postgres", "42P04"),
            ("CREATE ROLE postgres", "42710"),
        ] {
            let error = client.batch_execute(sql).await.unwrap_err();
            assert_eq!(error.code().map(SqlState::code), Some(code), "{sql}: {error:?}");
        }
        let none = client.query_one("SELECT count(*) FROM t", &[]).await.unwrap();
        assert_eq!(none.get::<_, i64>(0), 0, "statements that were sent together are undone together");
        let missing = world.client("postgres", SUPERUSER, "absent").await.unwrap_err();
        assert_eq!(missing.code(), Some(&SqlState::UNDEFINED_DATABASE));
    });
}

#[test]
fn a_failed_transaction_accepts_nothing_but_its_end() {
    in_world(|world| async move {
        let _db = world.database().await;
        let client = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        client.batch_execute("CREATE TABLE t (id int); BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
        assert!(client.batch_execute("SELECT * FROM absent").await.is_err());
        let refused = client.batch_execute("SELECT 1").await.unwrap_err();
        assert_eq!(refused.code(), Some(&SqlState::IN_FAILED_SQL_TRANSACTION));
        client.batch_execute("COMMIT").await.unwrap();
        assert_eq!(client.query_one("SELECT count(*) FROM t", &[]).await.unwrap().get::<_, i64>(0), 0);
    });
}

#[test]
fn schemas_and_catalogues_are_seen_by_sessions_that_are_open_already() {
    in_world(|world| async move {
        let _db = world.database().await;
        let early = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        let late = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        late.batch_execute("CREATE SCHEMA pgboss").await.unwrap();
        late.batch_execute("CREATE TABLE pgboss.job (id int); CREATE TABLE public.job (id int)")
            .await
            .unwrap();
        early.batch_execute("INSERT INTO pgboss.job VALUES (1), (2)").await.unwrap();
        let found = early
            .simple_query("SELECT to_regclass('pgboss.job'), to_regclass('public.job'), to_regclass('none')")
            .await
            .unwrap();
        let row = found.iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some((row.get(0), row.get(1), row.get(2))),
            _ => None,
        });
        assert_eq!(row, Some((Some("pgboss.job"), Some("job"), None)));
        let count = early
            .query_one("SELECT count(*) FROM information_schema.tables WHERE table_name = 'job'", &[])
            .await
            .unwrap();
        assert_eq!(count.get::<_, i64>(0), 2);
    });
}

#[test]
fn the_data_directory_must_be_empty_or_a_cluster() {
    in_world(|world| async move {
        std::fs::create_dir(world.volume.join("pgdata")).unwrap();
        std::fs::write(world.volume.join("pgdata/lost+found"), "").unwrap();
        let (code, log) = world.start("db", &[], &[]).end().await;
        assert_eq!(code, 1);
        assert_eq!(log.last().unwrap(), "initdb: error: directory \"/data/pgdata\" exists but is not empty");
    });
}

#[test]
fn a_stopped_server_leaves_no_port_open() {
    in_world(|world| async move {
        let db = world.database().await;
        let client = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        assert_eq!(db.stop().await, 0);
        assert!(tokio::net::TcpStream::connect((world.ip, 5432)).await.is_err());
        assert!(client.simple_query("SELECT 1").await.is_err());
    });
}
