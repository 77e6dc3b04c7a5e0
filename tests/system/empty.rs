//! A simulated world in which nothing is installed yet.

use std::path::{Path, PathBuf};

use smoke_harness::world::{Binaries, BootRequest, Speed, World, factories};

/// What is installed where nothing else is said.
pub(crate) const RELEASE: &str = "1.0-rc5";
pub(crate) const PROFILE: &str = "single-node";

/// The world, with its files in this directory.
pub(crate) fn request(directory: &Path) -> BootRequest {
    BootRequest {
        beginning: Default::default(),
        cluster: Default::default(),
        machine: Default::default(),
        directory: directory.to_owned(),
        release: RELEASE.to_owned(),
        profile: PROFILE.to_owned(),
        speed: Speed::UNLIMITED,
        seed: 1,
        binaries: Binaries {
            appliance: PathBuf::from(env!("CARGO_BIN_EXE_appliance")),
            appliance_status: PathBuf::from(env!("CARGO_BIN_EXE_appliance-status")),
        },
        status_command: None,
        operator_command: None,
    }
}

/// Plays in it; afterwards it leaves nothing behind.
pub(crate) fn play(request: &BootRequest, story: impl AsyncFnOnce(&dyn World)) {
    let sim = factories().into_iter().find(|factory| factory.name() == "sim").expect("there is a sim");
    let play = sim.play(
        request,
        Box::new(move |world| {
            Box::pin(async move {
                story(world.as_ref()).await;
                world.down().await.expect("it leaves nothing behind");
            })
        }),
    );
    play.expect("a world");
}
