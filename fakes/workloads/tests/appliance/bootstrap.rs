use std::time::Duration;

use crate::world::{SUPERUSER, in_world};

#[test]
fn a_fresh_bootstrap_goes_through_all_steps_and_a_second_one_is_refused() {
    in_world(|world| async move {
        let _db = world.database().await;
        let (code, log) = world.start("/bin/bootstrap", &[], &[]).end().await;
        assert_eq!(code, 0, "{log:#?}");
        let preflight =
            "Database preflight: bootstrap_mode=fresh server_db=missing users_table=missing user_count=0";
        let steps = [
            preflight,
            "Created database server",
            "Role app_user created",
            "Batch 1 run: 5 migrations",
            "running seeds",
        ];
        let mut lines = log.iter();
        for step in steps {
            assert!(lines.any(|line| line == step), "{step} is missing or out of order: {log:#?}");
        }
        assert_eq!(log.last().unwrap(), "Appliance setup completed");
        let (code, log) = world.start("/bin/bootstrap", &[], &[]).end().await;
        assert_eq!(code, 1);
        assert_eq!(
            log[log.len() - 2..],
            [
                "ERROR: Existing application database state detected while bootstrap.mode=fresh.",
                "ERROR: Use bootstrap.mode=recover to keep it, or reset the appliance to wipe it."
            ]
        );
    });
}

#[test]
fn recovering_keeps_what_is_there() {
    in_world(|world| async move {
        let _db = world.bootstrapped().await;
        let (code, log) = world.start("/bin/bootstrap", &[], &[("BOOTSTRAP_MODE", "recover")]).end().await;
        assert_eq!(code, 0, "{log:#?}");
        assert!(
            log.iter().any(|line| line.ends_with("server_db=present users_table=present user_count=1")),
            "{log:#?}"
        );
        assert!(log.contains(&"seeds already present, skipping".to_owned()), "{log:#?}");
        assert!(log.contains(&"Already up to date".to_owned()), "{log:#?}");
    });
}

#[test]
fn a_database_that_never_comes_is_given_up_after_the_time_that_was_set() {
    in_world(|world| async move {
        let begun = world.clock.now();
        let (code, log) = world.start("/bin/bootstrap", &[], &[]).end().await;
        assert_eq!(code, 1);
        let last = "ERROR: PostgreSQL did not become reachable within 300s at db.msp.svc.cluster.local:5432";
        assert_eq!(log.last().unwrap(), last);
        let seconds = world.clock.now().duration_since(begun).as_secs();
        assert!((295..=301).contains(&seconds), "{seconds}");
    });
}

#[test]
fn a_refused_password_ends_the_job_at_once() {
    in_world(|world| async move {
        let _db = world.database().await;
        let (code, log) =
            world.start("/bin/bootstrap", &[], &[("DB_PASSWORD_SUPERUSER", "other")]).end().await;
        assert_eq!(code, 1);
        assert!(
            log.contains(&"FATAL:  password authentication failed for user \"postgres\"".to_owned()),
            "{log:#?}"
        );
        let last = "ERROR: PostgreSQL authentication failed for postgres at db.msp.svc.cluster.local:5432";
        assert_eq!(log.last().unwrap(), last);
    });
}

#[test]
fn seeds_that_are_not_in_the_image_are_missed() {
    in_world(|world| async move {
        let _db = world.database().await;
        let (code, log) =
            world.start("/bin/bootstrap", &[], &[("SEED_DIRECTORY", "/app/server/seeds/onprem")]).end().await;
        assert_eq!(code, 1);
        assert_eq!(
            log.last().unwrap(),
            "ERROR: Configured seed directory does not exist: /app/server/seeds/onprem"
        );
        let (_, log) = world
            .start("/bin/bootstrap", &[], &[("RUN_SEEDS", "false"), ("BOOTSTRAP_MODE", "recover")])
            .end()
            .await;
        assert_eq!(
            log.last().unwrap(),
            "ERROR: Appliance bootstrap finished seed execution but no admin users exist"
        );
    });
}

#[test]
fn a_migration_that_cannot_be_done_is_named_and_leaves_nothing_behind() {
    in_world(|world| async move {
        let _db = world.database().await;
        let admin = world.client("postgres", SUPERUSER, "postgres").await.unwrap();
        admin.batch_execute("CREATE DATABASE server").await.unwrap();
        let server = world.client("postgres", SUPERUSER, "server").await.unwrap();
        server.batch_execute("CREATE TABLE users (id int)").await.unwrap();
        let (code, log) = world.start("/bin/bootstrap", &[], &[("BOOTSTRAP_MODE", "recover")]).end().await;
        assert_eq!(code, 1);
        let last = "ERROR: Migration failed: 202409071803_initial_schema.cjs: ERROR:  relation \"users\" already exists";
        assert_eq!(log.last().unwrap(), last);
        let tables = server
            .query_one("SELECT count(*) FROM pg_tables WHERE tablename = 'tenants'", &[])
            .await
            .unwrap();
        assert_eq!(tables.get::<_, i64>(0), 0);
    });
}

#[test]
fn the_application_is_held_back_until_the_users_table_is_there() {
    in_world(|world| async move {
        let _db = world.database().await;
        let gate = world.start("/bin/wait-for-bootstrap", &[], &[]);
        gate.says("the application database is not ready").await;
        world.clock.sleep(Duration::from_secs(60)).await;
        assert_eq!(gate.log().len(), 1, "one complaint is enough");
        world.start("/bin/bootstrap", &[], &[]).end().await;
        assert_eq!(gate.end().await.0, 0);
    });
}
