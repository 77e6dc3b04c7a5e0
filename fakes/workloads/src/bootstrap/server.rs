//! Databases, roles, schemas.

use crate::context::Context;
use crate::postgres::{Login, Session, identifier, literal};
use crate::settings::SettingError;

/// What the server is to hold.
pub(crate) struct Databases {
    /// The superuser, in `postgres`.
    pub(crate) admin: Login,
    /// The application's database.
    pub(crate) server: String,
    hocuspocus: Option<String>,
    /// Names and passwords.
    roles: Vec<(String, String)>,
}

impl Databases {
    pub(crate) fn of(context: &Context) -> Result<Self, SettingError> {
        let admin = Login {
            host: context.required("DB_HOST")?,
            port: context.number("DB_PORT", 5432)?,
            user: context.text("DB_USER_ADMIN", "postgres"),
            password: context.required("DB_PASSWORD_SUPERUSER")?,
            database: "postgres".to_owned(),
        };
        let mut roles =
            vec![(context.text("DB_USER_SERVER", "app_user"), context.required("DB_PASSWORD_SERVER")?)];
        for (user, password) in
            [("DB_USER_PGBOUNCER", "DB_PASSWORD_PGBOUNCER"), ("DB_USER_HOCUSPOCUS", "DB_PASSWORD_HOCUSPOCUS")]
        {
            if let (Some(user), Some(password)) = (context.var(user), context.var(password)) {
                roles.push((user.to_owned(), password.to_owned()));
            }
        }
        let server = context.text("DB_NAME_SERVER", "server");
        Ok(Self { admin, server, hocuspocus: context.var("DB_NAME_HOCUSPOCUS").map(str::to_owned), roles })
    }
}

pub(crate) async fn database_exists(admin: &Session, name: &str) -> Result<bool, tokio_postgres::Error> {
    let query = format!("SELECT 1 FROM pg_database WHERE datname = {}", literal(name));
    Ok(admin.scalar(&query).await?.is_some())
}

/// Makes the databases that are missing, and the roles; roles that exist get the passwords that the Secret holds.
pub(crate) async fn create(
    context: &Context,
    admin: &Session,
    wanted: &Databases,
) -> Result<(), tokio_postgres::Error> {
    for name in std::iter::once(&wanted.server).chain(&wanted.hocuspocus) {
        if database_exists(admin, name).await? {
            context.say(format!("Database {name} already exists"));
        } else {
            admin.run(&format!("CREATE DATABASE {}", identifier(name))).await?;
            context.say(format!("Created database {name}"));
        }
    }
    for (role, password) in &wanted.roles {
        let known = admin
            .scalar(&format!("SELECT 1 FROM pg_roles WHERE rolname = {}", literal(role)))
            .await?
            .is_some();
        let verb = if known { "ALTER" } else { "CREATE" };
        admin
            .run(&format!("{verb} ROLE {} WITH LOGIN PASSWORD {}", identifier(role), literal(password)))
            .await?;
        admin
            .run(&format!(
                "GRANT ALL PRIVILEGES ON DATABASE {} TO {}",
                identifier(&wanted.server),
                identifier(role)
            ))
            .await?;
        context.say(format!("Role {role} {}", if known { "updated" } else { "created" }));
    }
    Ok(())
}

/// Adds to the application's database what migrations build on.
pub(crate) async fn extend(context: &Context, app: &Session) -> Result<(), tokio_postgres::Error> {
    app.run("CREATE EXTENSION IF NOT EXISTS vector").await?;
    app.run("CREATE SCHEMA IF NOT EXISTS pgboss").await?;
    context.say("Extension vector and schema pgboss are in place");
    Ok(())
}
