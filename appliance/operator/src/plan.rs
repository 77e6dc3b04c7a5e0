//! What `--dry-run` prints: every step, nothing done.

use appliance_status_model::RELEASES;

use crate::cli::Mode;
use crate::failure::Failure;
use crate::objects::{Manifest, manifest};
use crate::report::line;
use crate::settings::Settings;
use crate::site_values::PREFIX;
use crate::{bootstrap, flux, values};

pub(crate) fn print(settings: &Settings, app_url: &str) -> Result<(), Failure> {
    let say = |text: &str| line(&format!("+ {text}"));
    let apply = |objects: Vec<serde_json::Value>| {
        for object in objects {
            say(&format!("apply {}", Manifest::new(object).title()));
        }
    };
    apply(bootstrap::namespaces());
    say(&format!("write {}", settings.site_directory.join("status-token").display()));
    say("apply Secret appliance-system/appliance-status-auth");
    apply(manifest("platform/local-path.yaml")?);
    say("run the storage smoke test local-path-storage/storage-smoke");
    apply(manifest("platform/flux-crds.yaml")?);
    apply(manifest("platform/flux.yaml")?);
    say("wait for the Flux controllers");
    if !settings.dns_servers.is_empty() {
        say(&format!("forward cluster DNS to {}", settings.dns_servers.join(", ")));
    }
    apply(values::config_maps(settings, settings.mode, app_url)?);
    for own in &settings.site_values {
        say(&format!("apply {} from {}", Manifest::new(own.config_map()).title(), own.path.display()));
    }
    for release in RELEASES.iter().filter(|it| settings.site_values.iter().all(|own| own.release != it.name))
    {
        say(&format!("delete ConfigMap alga-system/{PREFIX}{}, where it is there", release.name));
    }
    apply(vec![values::selection(settings)]);
    apply(vec![flux::source(settings), flux::root()]);
    say(
        "where it was installed before: ask Flux to reconcile the source, the Kustomizations and each release that is not Ready or whose values changed",
    );
    say("print the status block");
    say("wait for /healthz, at most 120 s");
    say("wait for release alga-core, its bootstrap job and its rollout");
    if settings.mode == Mode::Fresh {
        say("promote bootstrap mode to recover");
    }
    Ok(())
}
