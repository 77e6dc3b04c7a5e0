//! The simulated world by itself.

use std::sync::{Arc, Mutex};

use field_clock::Clock;
use jiff::Timestamp;
use smoke_harness::world::factories;

use crate::empty::request;
use crate::lanes;

#[test]
fn an_empty_world_boots_is_a_cluster_and_is_gone_afterwards() {
    let home = tempfile::tempdir().expect("a place for files");
    let request = request(home.path());
    let wall = Clock::wall();
    let sim = factories().into_iter().find(|factory| factory.name() == "sim").expect("there is a sim");
    let booted: Arc<Mutex<Vec<Timestamp>>> = Arc::default();
    // The second one finds everything warm.
    for _ in 0..2 {
        let began = wall.now();
        let note = Arc::clone(&booted);
        let wall = wall.clone();
        let play = sim.play(
            &request,
            Box::new(move |world| {
                Box::pin(async move {
                    note.lock().expect("nobody panicked").push(wall.now());
                    let kubeconfig =
                        std::fs::read_to_string(&world.access().kubeconfig).expect("a kubeconfig");
                    assert!(kubeconfig.contains(&world.access().node_ip.to_string()), "{kubeconfig}");
                    assert_eq!(world.status_token().await, None, "nobody has installed anything");
                    world.down().await.expect("it leaves nothing behind");
                })
            }),
        );
        play.expect("a world");
        let there = booted.lock().expect("nobody panicked").pop().expect("it was played");
        lanes::say(&format!("a sim world boots in {} ms", there.duration_since(began).as_millis()));
    }
}
