//! The first data of an empty application.

use std::path::Path;

use crate::context::Context;
use crate::password;
use crate::postgres::{Session, literal};

use super::{BootstrapError, count_users};

/// The first administrator.
pub const ADMIN_EMAIL: &str = "glinda@emeraldcity.oz";
/// The password that the seeds give to the first administrator.
pub const ADMIN_PASSWORD: &str = "ThereIsNoPlaceLikeHome";

/// The directories with seeds that the image has.
const DIRECTORIES: [&str; 3] = ["/app/server/seeds/dev", "/app/server/seeds/production", REFERENCE];
/// The one with reference data only: no tenant, and nobody to administrate it.
const REFERENCE: &str = "/app/server/seeds/reference";

/// Plants the seeds, if there are no users yet.
pub(crate) async fn run(context: &Context, app: &Session) -> Result<(), BootstrapError> {
    if count_users(app).await? > 0 {
        context.say("seeds already present, skipping");
        return Ok(());
    }
    let directory = context.text("SEED_DIRECTORY", "/app/server/seeds/production");
    let mounted = context.mounts.resolve(Path::new(&directory)).is_some_and(|place| place.is_dir());
    if !mounted && !DIRECTORIES.contains(&directory.trim_end_matches('/')) {
        return Err(BootstrapError::NoSeedDirectory(directory));
    }
    context.say("running seeds");
    if directory.trim_end_matches('/') == REFERENCE {
        context.say("Ran 3 seed files");
        return Ok(());
    }
    let tenant = app
        .scalar("INSERT INTO tenants (client_name) VALUES ('Emerald City') RETURNING tenant")
        .await?
        .unwrap_or_default();
    let insert = format!(
        "INSERT INTO users (tenant, email, username, hashed_password) VALUES ({}, {email}, {email}, {})",
        literal(&tenant),
        literal(&password::hash(ADMIN_PASSWORD)),
        email = literal(ADMIN_EMAIL),
    );
    app.run(&insert).await?;
    context.say("Ran 1 seed files");
    Ok(())
}
