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
    let mut said = "nothing yet";
    loop {
        let state = look(context, &login).await;
        if state != said {
            context.say(match state {
                "" => "Application schema detected; starting the application".to_owned(),
                state => format!("Waiting for the bootstrap job: {state}"),
            });
            said = state;
        }
        if state.is_empty() {
            return Ok(());
        }
        context.clock.sleep(retry).await;
    }
}

/// What is missing; nothing when all is there. Neither role nor database exist before the job has run, so a refusal of
/// the server is no failure here.
async fn look(context: &Context, login: &Login) -> &'static str {
    let Ok(session) = Session::open(context, login).await else {
        return "the application database is not ready";
    };
    match session.scalar("SELECT to_regclass('public.users')").await {
        Ok(Some(_)) => "",
        Ok(None) | Err(_) => "the users table is not there",
    }
}
