//! What a person asks of Flux: to look at an object now.

use cluster_api::Res;
use serde_json::{Value, json};

use super::WorldError;
use super::objects::Objects;

/// Annotation that asks Flux to look at an object now.
const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
/// Annotation that also lets a release that gave up try again.
const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
/// Annotation that lets a release be applied again although nothing of it changed.
const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";

/// How Flux is to look at an object, in the words of `flux reconcile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As it would by itself.
    Plain,
    /// `--reset`: also where it gave up.
    Reset,
    /// `--force`: and apply it again.
    Force,
}

/// Asks Flux to look at an object, and returns the word by which its answer is known.
///
/// # Errors
/// When there is no such object, or the API refuses.
pub(super) async fn ask(
    objects: &Objects,
    kind: &Res,
    namespace: &str,
    name: &str,
    look: Look,
) -> Result<String, WorldError> {
    let word = objects.clock().now().to_string();
    let also = match look {
        Look::Plain => None,
        Look::Reset => Some(RESET_AT),
        Look::Force => Some(FORCE_AT),
    };
    let annotate = |object: &mut Value| {
        let annotations = &mut object["metadata"]["annotations"];
        if !annotations.is_object() {
            *annotations = json!({});
        }
        for annotation in std::iter::once(REQUESTED_AT).chain(also) {
            annotations[annotation] = json!(word);
        }
    };
    objects.modify(kind, namespace, name, annotate).await?;
    Ok(word)
}

/// Whether Flux has answered that word.
pub(super) fn is_handled(object: &Value, word: &str) -> bool {
    object["status"]["lastHandledReconcileAt"] == word
}
