//! The clock contract, clause by clause.

use std::time::Duration;

use field_clock::{Clock, FieldRuntime, Options};
use jiff::{SignedDuration, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

fn world() -> FieldRuntime {
    FieldRuntime::start(Options::default()).expect("a runtime")
}

fn field_seconds(clock: &Clock, since: Timestamp) -> f64 {
    clock.now().duration_since(since).as_secs_f64()
}

#[test]
fn a_quiet_world_jumps_over_a_day() {
    let world = world();
    let clock = world.clock().clone();
    let (start, machine) = (clock.now(), Clock::wall().now());
    world.block_on(clock.sleep(Duration::from_secs(86_400)));
    assert!(field_seconds(&clock, start) >= 86_400.0);
    assert!(Clock::wall().now().duration_since(machine).as_secs() < 60);
}

#[test]
fn sleepers_wake_in_the_order_of_their_deadlines() {
    let world = world();
    let clock = world.clock().clone();
    let (send, mut receive) = tokio::sync::mpsc::unbounded_channel();
    world.block_on(async {
        for seconds in [30, 10, 20] {
            let (clock, send) = (clock.clone(), send.clone());
            tokio::spawn(async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                send.send(seconds).unwrap();
            });
        }
        let mut order = Vec::new();
        for _ in 0..3 {
            order.push(receive.recv().await.unwrap());
        }
        assert_eq!(order, [10, 20, 30]);
    });
}

#[test]
fn a_hold_keeps_time_at_the_machines_pace() {
    let world = world();
    let clock = world.clock().clone();
    let start = clock.now();
    world.block_on(async {
        let far = clock.sleep(Duration::from_secs(3600));
        tokio::pin!(far);
        let hold = clock.hold("the test");
        let child = Command::new("sleep").arg("0.3").spawn().unwrap().wait_with_output();
        tokio::select! {
            () = &mut far => panic!("time jumped under a hold"),
            out = child => assert!(out.unwrap().status.success()),
        }
        let held = field_seconds(&clock, start);
        assert!((0.1..2.0).contains(&held), "{held}");
        drop(hold);
        far.await;
    });
    assert!(field_seconds(&clock, start) >= 3600.0);
}

#[test]
fn a_hold_with_an_end_lets_go_of_who_never_answers() {
    let world = world();
    let clock = world.clock().clone();
    let start = clock.now();
    world.block_on(async {
        let never = clock.timeout(Duration::from_secs(3600), std::future::pending::<()>());
        assert!(clock.hold_during("the test", Duration::from_millis(50), never).await.is_err());
    });
    assert!(field_seconds(&clock, start) >= 3600.0);
}

#[test]
fn time_does_not_jump_while_a_tracked_process_computes() {
    let world = world();
    let clock = world.clock().clone();
    let start = clock.now();
    world.block_on(async {
        let far = clock.sleep(Duration::from_secs(3600));
        tokio::pin!(far);
        let mut child = Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"])
            .spawn()
            .unwrap();
        let _tracked = clock.track_process(child.id().unwrap());
        tokio::select! {
            () = &mut far => panic!("time jumped while a process computed"),
            status = child.wait() => assert!(status.unwrap().success()),
        }
    });
    assert!(field_seconds(&clock, start) < 30.0);
}

#[test]
fn bytes_between_two_tasks_arrive_before_the_next_deadline() {
    let world = world();
    let clock = world.clock().clone();
    world.block_on(async {
        let listener = TcpListener::bind("127.77.1.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut byte = [0];
            while socket.read_exact(&mut byte).await.is_ok() {
                socket.write_all(&byte).await.unwrap();
            }
        });
        let mut socket = TcpStream::connect(address).await.unwrap();
        let start = clock.now();
        for _ in 0..500 {
            let echo = async {
                socket.write_all(b"x").await.unwrap();
                socket.read_exact(&mut [0]).await.unwrap();
            };
            clock.timeout(Duration::from_millis(1), echo).await.expect("an echo takes no field time");
        }
        assert!(field_seconds(&clock, start) < 1.0);
    });
}

#[test]
fn a_ceiling_on_speed_is_kept() {
    let world = FieldRuntime::start(Options { speed: 100.0 }).expect("a runtime");
    let clock = world.clock().clone();
    let machine = Clock::wall().now();
    world.block_on(clock.sleep(Duration::from_secs(20)));
    assert!(Clock::wall().now().duration_since(machine).as_millis() >= 190);
}

#[test]
fn a_timeout_leaves_no_sleeper_behind() {
    let world = world();
    let clock = world.clock().clone();
    let start = clock.now();
    world.block_on(async {
        assert_eq!(clock.timeout(Duration::from_secs(500), async { 7 }).await, Ok(7));
        assert!(clock.timeout(Duration::from_secs(5), std::future::pending::<()>()).await.is_err());
        clock.sleep(Duration::from_secs(1)).await;
    });
    assert!(field_seconds(&clock, start) < 100.0);
}

#[test]
fn a_world_that_follows_the_machine_catches_up_and_then_keeps_pace() {
    let world = world();
    let clock = world.clock().clone();
    assert!(clock.now() < Clock::wall().now());
    world.block_on(async {
        clock.follow_machine();
        clock.sleep(Duration::from_secs(60 * 29)).await;
        let ahead = clock.timeout(Duration::from_secs(120), clock.sleep(Duration::from_secs(7200)));
        tokio::pin!(ahead);
        tokio::select! {
            _ = &mut ahead => panic!("ran ahead of the machine"),
            _ = Command::new("sleep").arg("0.3").status() => {}
        }
    });
    let behind = Clock::wall().now().duration_since(clock.now()).as_secs_f64();
    assert!((-1.0..5.0).contains(&behind), "{behind}");
}

#[test]
fn a_world_that_keeps_step_neither_catches_up_nor_jumps() {
    let world = world();
    let (clock, wall) = (world.clock().clone(), Clock::wall());
    world.block_on(async {
        clock.keep_step();
        let (start, before) = (clock.now(), wall.now());
        clock.sleep(Duration::from_millis(300)).await;
        let (field, machine) = (clock.now().duration_since(start), wall.now().duration_since(before));
        assert!(
            field.as_millis() >= 300 && field <= machine + SignedDuration::from_millis(20),
            "{field} {machine}"
        );
        clock.follow_options();
        clock.sleep(Duration::from_secs(3600)).await;
    });
}

#[test]
fn time_runs_at_most_thirty_times_as_fast_among_programs_that_live_by_the_machines() {
    let world = world();
    let clock = world.clock().clone();
    let (start, machine) = (clock.now(), Clock::wall().now());
    let strangers = clock.among_strangers();
    world.block_on(clock.sleep(Duration::from_secs(6)));
    let took = Clock::wall().now().duration_since(machine).as_secs_f64();
    assert!(took * 30.0 >= 5.9, "{} s in {took} s", field_seconds(&clock, start));
    drop(strangers);
    let machine = Clock::wall().now();
    world.block_on(clock.sleep(Duration::from_secs(86_400)));
    assert!(Clock::wall().now().duration_since(machine).as_secs() < 60);
}
