//! Jobs: commands that are answered before they are done.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::{Event, Qmp, QmpError};

/// A job, as the monitor lists it.
#[derive(Debug, Deserialize)]
struct Listed {
    id: String,
    status: String,
    error: Option<String>,
}

impl Qmp {
    /// Carries out a command that begins a job, and waits for the job's end, for `limit` at most. `arguments` lack only the
    /// `job-id`, which is this command's name.
    ///
    /// # Errors
    /// The command is refused, the job fails, or it does not end in time; such a job goes on.
    pub async fn job(&self, command: &str, mut arguments: Value, limit: Duration) -> Result<(), QmpError> {
        // Followed before it begins, so that its end cannot be missed.
        let mut events = self.events();
        arguments["job-id"] = json!(command);
        self.execute(command, arguments).await?;
        let ended = self.clock().timeout(limit, self.concluded(command, &mut events)).await;
        let job = ended.map_err(|_| QmpError::Silent { command: command.to_owned(), limit })??;
        self.execute("job-dismiss", json!({ "id": command })).await?;
        match job.error {
            None => Ok(()),
            Some(reason) => Err(QmpError::Job { command: command.to_owned(), reason }),
        }
    }

    async fn concluded(&self, id: &str, events: &mut broadcast::Receiver<Event>) -> Result<Listed, QmpError> {
        let gone = || QmpError::Gone { command: id.to_owned() };
        loop {
            let listed: Vec<Listed> =
                serde_json::from_value(self.execute("query-jobs", json!({})).await?).map_err(|_| gone())?;
            if let Some(job) = listed.into_iter().find(|job| job.id == id && job.status == "concluded") {
                return Ok(job);
            }
            loop {
                match events.recv().await {
                    Ok(event) if event.name == "JOB_STATUS_CHANGE" && event.text("id") == Some(id) => break,
                    Ok(_) => {}
                    // What was missed the list of jobs still tells.
                    Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return Err(gone()),
                }
            }
        }
    }
}
