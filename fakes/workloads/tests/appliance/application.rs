use fake_workloads::bootstrap::seeds::{ADMIN_EMAIL, ADMIN_PASSWORD};

use tokio::net::TcpStream;

use crate::world::in_world;

#[test]
fn the_front_page_leads_to_the_dashboard_and_only_a_seeded_person_gets_in() {
    in_world(|world| async move {
        let _db = world.bootstrapped().await;
        let redis = world.start("redis", &[], &[]);
        redis.says("Ready to accept connections").await;
        let app = world.start("/bin/alga-core", &[], &[]);
        app.says("connected to redis").await;
        app.says("connected to database server").await;
        let front = world.http(3000, "GET /", "").await;
        assert!(front.starts_with("HTTP/1.1 307") && front.contains("location: /msp/dashboard"), "{front}");
        assert!(world.http(3000, "GET /msp/dashboard", "").await.contains("location: /auth/signin"));
        let wrong = format!(r#"{{"email":"{ADMIN_EMAIL}","password":"wrong"}}"#);
        assert!(world.http(3000, "POST /api/auth/login", &wrong).await.starts_with("HTTP/1.1 401"));
        let right = format!(r#"{{"email":"{ADMIN_EMAIL}","password":"{ADMIN_PASSWORD}"}}"#);
        let answer = world.http(3000, "POST /api/auth/login", &right).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let cookie = answer
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "))
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        let page =
            world.http(3000, &format!("GET /msp/dashboard HTTP/1.1\r\nCookie: {cookie}\r\nX:"), "").await;
        assert!(page.contains("<h1>Dashboard</h1>"), "{page}");
        assert!(world.http(3000, "POST /", "").await.starts_with("HTTP/1.1 405"));
    });
}

#[test]
fn health_follows_the_database() {
    in_world(|world| async move {
        let db = world.bootstrapped().await;
        let app = world.start("alga-core", &[], &[("REDIS_HOST", "")]);
        app.says("connected to database server").await;
        assert!(world.http(3000, "GET /api/health", "").await.starts_with("HTTP/1.1 200"));
        db.stop().await;
        app.says("lost database server").await;
        assert!(world.http(3000, "GET /api/health", "").await.starts_with("HTTP/1.1 503"));
        let _db = world.database().await;
        app.says_again("connected to database server").await;
        assert!(world.http(3000, "GET /api/health", "").await.starts_with("HTTP/1.1 200"));
    });
}

#[test]
fn the_pool_has_its_port_open_only_while_the_database_lets_it_in() {
    in_world(|world| async move {
        let pool = world.start(
            "pgbouncer",
            &[],
            &[("DB_USER", "app_user_pgbouncer"), ("DB_PASSWORD", "pool-password")],
        );
        pool.says("login failed").await;
        assert!(TcpStream::connect((world.ip, 6432)).await.is_err());
        let db = world.bootstrapped().await;
        pool.says("LOG listening on").await;
        let worker = [
            ("DB_PORT", "6432"),
            ("DB_USER_SERVER", "app_user_pgbouncer"),
            ("DB_PASSWORD_SERVER", "pool-password"),
            ("REDIS_HOST", ""),
        ];
        let worker = world.start("/bin/email-service", &[], &worker);
        worker.says("connected to database server").await;
        assert!(world.http(8080, "GET /health", "").await.starts_with("HTTP/1.1 200"));
        db.stop().await;
        worker.says("lost database server").await;
        assert!(world.http(8080, "GET /health", "").await.starts_with("HTTP/1.1 503"));
        assert!(world.http(8080, "GET /livez", "").await.starts_with("HTTP/1.1 200"));
        assert!(TcpStream::connect((world.ip, 6432)).await.is_err());
    });
}

#[test]
fn redis_keeps_keys_over_a_restart_and_asks_for_the_password() {
    in_world(|world| async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let redis = world.start("redis", &[], &[]);
        redis.says("Ready to accept connections").await;
        let talk = async |text: &str| {
            let mut stream = TcpStream::connect((world.ip, 6379)).await.unwrap();
            stream.write_all(format!("{text}QUIT\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        assert_eq!(talk("GET a\r\n").await, "-NOAUTH Authentication required.\r\n+OK\r\n");
        assert!(talk("AUTH nope\r\n").await.starts_with("-WRONGPASS"));
        assert_eq!(talk("AUTH redis-password\r\nSET a 1\r\nINCR a\r\n").await, "+OK\r\n+OK\r\n:2\r\n+OK\r\n");
        assert_eq!(redis.stop().await, 0);
        let redis = world.start("redis", &[], &[]);
        redis.says("loaded from append only file: 1 keys").await;
        redis.says("Ready to accept connections").await;
        assert_eq!(talk("AUTH redis-password\r\nGET a\r\n").await, "+OK\r\n$1\r\n2\r\n+OK\r\n");
    });
}

#[test]
fn volumes_are_tried_by_writing() {
    in_world(|world| async move {
        for name in ["/bin/volume-prep", "/bin/storage-smoke"] {
            assert_eq!(world.start(name, &["/data"], &[]).end().await.0, 0);
            let (code, log) = world.start(name, &["/elsewhere"], &[]).end().await;
            assert_eq!(code, 1);
            assert!(log[0].ends_with("/elsewhere: No such file or directory"), "{log:?}");
        }
        assert_eq!(std::fs::read_dir(&world.volume).unwrap().count(), 0, "nothing is left behind");
    });
}
