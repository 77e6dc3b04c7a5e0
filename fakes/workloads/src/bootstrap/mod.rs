//! `bootstrap`: makes an empty database server into one that the application can start on, or finds that it is one.
//!
//! Environment: `BOOTSTRAP_MODE` (`fresh`, `recover`), `DB_HOST`, `DB_PORT`, `DB_USER_ADMIN`, `DB_PASSWORD_SUPERUSER`, names and
//! passwords of the application's roles and databases, `RUN_MIGRATIONS`, `RUN_SEEDS`, `SEED_DIRECTORY`,
//! `WAIT_TIMEOUT_SECONDS` (300), `RETRY_INTERVAL_SECONDS` (2), and for the result `RELEASE_REVISION`, `POSTGRES_CLAIM`,
//! `POD_NAMESPACE`.

mod migrations;
mod result;
pub mod seeds;
mod server;

use std::fmt::Write as _;
use std::time::Duration;

use jiff::SignedDuration;
use server::Databases;

use crate::context::Context;
use crate::link::chain;
use crate::postgres::{Login, Said, Session, SignInError};
use crate::settings::SettingError;

/// Why the job ends without success; each is the last line of its log.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BootstrapError {
    #[error("ERROR: {0}")]
    Setting(#[from] SettingError),
    #[error("ERROR: unknown bootstrap mode: {0}")]
    UnknownMode(String),
    #[error("ERROR: PostgreSQL did not become reachable within {seconds}s at {address}")]
    Unreachable { seconds: u64, address: String },
    #[error("ERROR: PostgreSQL authentication failed for {user} at {address}")]
    Authentication { user: String, address: String },
    #[error("ERROR: Use bootstrap.mode=recover to keep it, or reset the appliance to wipe it.")]
    ExistingState,
    #[error("ERROR: Migration failed: {name}: {reason}")]
    Migration { name: String, reason: String },
    #[error("ERROR: Configured seed directory does not exist: {0}")]
    NoSeedDirectory(String),
    #[error("ERROR: Appliance bootstrap finished seed execution but no admin users exist")]
    NoUsers,
    #[error("ERROR: {}", Said(.0))]
    Sql(#[from] tokio_postgres::Error),
    #[error("ERROR: {0}")]
    SignIn(#[from] SignInError),
}

/// Runs the job.
pub async fn run(context: Context) -> i32 {
    match bootstrap(&context).await {
        Ok(()) => 0,
        Err(error) => context.fail(error.to_string()),
    }
}

async fn bootstrap(context: &Context) -> Result<(), BootstrapError> {
    let mode = context.text("BOOTSTRAP_MODE", "recover");
    if mode != "fresh" && mode != "recover" {
        return Err(BootstrapError::UnknownMode(mode));
    }
    let databases = Databases::of(context)?;
    let admin = wait_for_server(context, &databases.admin).await?;
    let users = preflight(context, &admin, &databases, &mode).await?;
    if mode == "fresh" && users.is_some() {
        context.say("ERROR: Existing application database state detected while bootstrap.mode=fresh.");
        return Err(BootstrapError::ExistingState);
    }
    server::create(context, &admin, &databases).await?;
    let app = Session::open(context, &databases.admin.in_database(&databases.server)).await?;
    server::extend(context, &app).await?;
    if context.flag("RUN_MIGRATIONS") {
        migrations::run(context, &app).await?;
    }
    if context.flag("RUN_SEEDS") {
        seeds::run(context, &app).await?;
    }
    let users = count_users(&app).await?;
    if users == 0 {
        return Err(BootstrapError::NoUsers);
    }
    // The cluster still has the Job itself to show for it.
    if let Err(error) = result::record(context, &mode, users).await {
        context.say(format!("WARNING: could not record the bootstrap result: {error}"));
    }
    context.say("Appliance setup completed");
    Ok(())
}

/// Tries until the server lets us in, says no, or time runs out.
async fn wait_for_server(context: &Context, login: &Login) -> Result<Session, BootstrapError> {
    let seconds = context.number("WAIT_TIMEOUT_SECONDS", 300_u64)?;
    let retry = context.retry_interval()?;
    let address = login.address();
    context.say(format!("Waiting for PostgreSQL at {address} (up to {seconds}s)"));
    let begun = context.clock.now();
    let mut said = String::new();
    loop {
        match Session::open(context, login).await {
            Ok(session) => {
                context.say(format!("PostgreSQL is reachable at {address}"));
                return Ok(session);
            }
            Err(error) if error.is_authentication() => {
                context.say(error.to_string());
                context.say("Existing appliance data may not match the current db-credentials secret.");
                return Err(BootstrapError::Authentication { user: login.user.clone(), address });
            }
            Err(error) => {
                let reason = chain(&error);
                if reason != said {
                    context.say(format!("PostgreSQL is not reachable yet: {reason}"));
                    said = reason;
                }
            }
        }
        let waited = context.clock.now().duration_since(begun);
        if waited + SignedDuration::try_from(retry).unwrap_or_default() > whole_seconds(seconds) {
            return Err(BootstrapError::Unreachable { seconds, address });
        }
        context.clock.sleep(retry).await;
    }
}

fn whole_seconds(seconds: u64) -> SignedDuration {
    SignedDuration::try_from(Duration::from_secs(seconds)).unwrap_or(SignedDuration::MAX)
}

/// Says what is there; the number of users, if there is any state at all.
async fn preflight(
    context: &Context,
    admin: &Session,
    databases: &Databases,
    mode: &str,
) -> Result<Option<u64>, BootstrapError> {
    let mut line = format!("Database preflight: bootstrap_mode={mode}");
    let exists = server::database_exists(admin, &databases.server).await?;
    let mut state = None;
    let mut table = "missing";
    if exists {
        let session = Session::open(context, &databases.admin.in_database(&databases.server)).await?;
        let has_table = session.scalar("SELECT to_regclass('public.users')").await?.is_some();
        state = Some(if has_table { count_users(&session).await? } else { 0 });
        table = if has_table { "present" } else { "missing" };
    }
    let database = if exists { "present" } else { "missing" };
    // Writing to a String cannot fail.
    let _ = write!(line, " server_db={database} users_table={table} user_count={}", state.unwrap_or(0));
    context.say(line);
    Ok(state)
}

async fn count_users(session: &Session) -> Result<u64, tokio_postgres::Error> {
    if session.scalar("SELECT to_regclass('public.users')").await?.is_none() {
        return Ok(0);
    }
    let count = session.scalar("SELECT count(*) FROM users").await?;
    Ok(count.and_then(|count| count.parse().ok()).unwrap_or(0))
}
