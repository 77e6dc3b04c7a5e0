//! `wait-for-bootstrap`: ends when the bootstrap job has made the table `users`.

use crate::context::Context;
use crate::postgres::{Login, Session};
use crate::settings::SettingError;

/// Waits for the table, for as long as it takes.
pub async fn run(context: Context) -> i32 {
    match wait(&context).await {
        Ok(()) => 0,
        Err(error) => context.fail(format!("ERROR: {error}")),
    }
}

async fn wait(context: &Context) -> Result<(), SettingError> {
    let login = Login::of_server(context)?;
    let retry = context.retry_interval()?;
    let mut said = String::new();
    while let Some(state) = look(context, &login).await {
        if state != said {
            context.say(format!("Waiting for the bootstrap job: {state}"));
            said = state;
        }
        context.clock.sleep(retry).await;
    }
    context.say("Application schema detected; starting the application");
    Ok(())
}

/// What is missing; nothing when all is there. Neither role nor database exist before the job has run, so a refusal of
/// the server is no failure here.
async fn look(context: &Context, login: &Login) -> Option<String> {
    let session = match Session::open(context, login).await {
        Ok(session) => session,
        Err(error) if error.is_authentication() => {
            return Some(format!("the application database is not ready: {error}"));
        }
        Err(_) => return Some("the application database is not ready".to_owned()),
    };
    match session.scalar("SELECT to_regclass('public.users')").await {
        Ok(Some(_)) => None,
        Ok(None) | Err(_) => Some("the users table is not there".to_owned()),
    }
}
