//! Installing a release.

use cluster_api::kinds;
use serde_json::{Value, json};

use super::{Crds, Engine, Failure, Hooks, Made, Namespace, Settings};
use crate::apply::Target;
use crate::helm::release::{Desired, Release};
use crate::render::Occasion;

impl Engine<'_> {
    /// Installs what is wanted as the next version.
    pub(in crate::helm) async fn install(
        &self,
        desired: &Desired,
        history: &[Release],
        settings: &Settings,
    ) -> Result<Made, Failure> {
        let version = history.first().map_or(0, |latest| latest.version) + 1;
        let mut rendered = self.render(desired, version, Occasion::Install)?;
        if settings.crds == Crds::Create {
            self.install_definitions(std::mem::take(&mut rendered.definitions));
        }
        let objects = std::mem::take(&mut rendered.objects);
        let objects = self.prepared(objects).map_err(Failure::Unrecorded)?;
        if settings.namespace == Namespace::Create {
            self.create_namespace();
        }
        crate::pace::spend(self.clock, 300, &self.names.release).await;
        let mut release =
            self.record(desired, version, "pending-install", "Initial install underway", rendered);
        self.records().create(&release).map_err(|error| Failure::create(&error))?;
        let targets: Vec<Target> = objects.iter().map(|(target, _)| target.clone()).collect();
        let outcome = async {
            if settings.hooks == Hooks::Run {
                self.run_hooks(&release, "pre-install", settings).await?;
            }
            crate::pace::spend(self.clock, 50, &self.names.release).await;
            self.create(objects)?;
            self.wait(&targets, settings).await?;
            if settings.hooks == Hooks::Run {
                self.run_hooks(&release, "post-install", settings).await?;
            }
            Ok::<(), String>(())
        }
        .await;
        match outcome {
            Ok(()) => {
                "deployed".clone_into(&mut release.status);
                "Helm install complete".clone_into(&mut release.description);
                self.update(&release);
                Ok((release, targets))
            }
            Err(message) => {
                self.give_up(&mut release, "Release", &message);
                Err(Failure::Recorded(message))
            }
        }
    }

    fn create_namespace(&self) {
        let name = &self.names.namespace;
        if self.store.get(&kinds::NAMESPACES, "", name).is_some() {
            return;
        }
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"name": name}}});
        if let Err(error) = self.store.create(&kinds::NAMESPACES, namespace) {
            tracing::debug!(%error, "create the namespace of a release");
        }
    }

    /// The chart's CRDs, before anything else; those that exist stay as they are.
    fn install_definitions(&self, definitions: Vec<Value>) {
        for definition in definitions {
            if let Err(error) = self.store.create(&kinds::CRDS, definition)
                && !error.is_already_exists()
            {
                tracing::debug!(%error, "create a chart's CRD");
            }
        }
    }
}
