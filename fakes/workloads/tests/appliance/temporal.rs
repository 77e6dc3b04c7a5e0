use crate::world::in_world;

#[test]
fn without_autosetup_the_server_finds_no_schema() {
    in_world(|world| async move {
        let _db = world.database().await;
        let (code, log) = world.start("/bin/temporal", &[], &[]).end().await;
        assert_eq!(code, 1);
        let said = "Unable to create server. Error: sql schema version compatibility check failed: pq: database \"temporal\" does not exist";
        assert_eq!(log, [said]);
    });
}

#[test]
fn with_autosetup_the_server_waits_for_the_database_and_makes_its_schema() {
    in_world(|world| async move {
        let temporal = world.start("/bin/temporal", &["autosetup"], &[]);
        temporal.says("Waiting for PostgreSQL").await;
        let _db = world.database().await;
        temporal.says("Frontend is now healthy").await;
        let worker =
            [("TEMPORAL_ADDRESS", "temporal-frontend.msp.svc.cluster.local:7233"), ("REDIS_HOST", "")];
        let worker = world.start("temporal-worker", &[], &worker);
        worker.says("connected to temporal").await;
        assert_eq!(temporal.stop().await, 0);
        worker.says("lost temporal").await;
        let again = world.start("/bin/temporal", &[], &[]);
        again.says("Frontend is now healthy").await;
    });
}

#[test]
fn a_wrong_password_is_told_in_the_words_of_the_driver() {
    in_world(|world| async move {
        let _db = world.database().await;
        let (code, log) = world.start("temporal", &["autosetup"], &[("POSTGRES_PWD", "other")]).end().await;
        assert_eq!(code, 1);
        assert!(
            log.last().unwrap().ends_with("pq: password authentication failed for user \"postgres\""),
            "{log:?}"
        );
    });
}

#[test]
fn a_service_link_keeps_the_web_interface_from_starting() {
    in_world(|world| async move {
        let links =
            [("TEMPORAL_UI_PORT", "tcp://127.1.2.130:8080"), ("TEMPORAL_UI_SERVICE_HOST", "127.1.2.130")];
        let (code, log) = world.start("/bin/temporal-ui", &[], &links).end().await;
        assert_eq!(code, 1);
        assert!(log[0].contains("cannot unmarshal !!str `tcp://1...` into int"), "{log:?}");
        let ui = world.start("/bin/temporal-ui", &[], &[]);
        ui.says("http server started").await;
        assert!(world.http(8080, "GET /", "").await.starts_with("HTTP/1.1 200"));
        assert_eq!(ui.stop().await, 0);
    });
}
