//! The application's schema, step by step. Each step is recorded, and never done twice.

use crate::context::Context;
use crate::postgres::{Said, Session, literal};

use super::BootstrapError;

const STEPS: [(&str, &str); 5] = [
    (
        "202409071803_initial_schema.cjs",
        "CREATE TABLE tenants (tenant UUID PRIMARY KEY DEFAULT gen_random_uuid(), client_name TEXT NOT NULL, created_at TIMESTAMPTZ DEFAULT now());
         CREATE TABLE users (user_id UUID PRIMARY KEY DEFAULT gen_random_uuid(), tenant UUID NOT NULL REFERENCES tenants(tenant), \
           email TEXT NOT NULL UNIQUE, username TEXT NOT NULL, hashed_password TEXT NOT NULL, is_inactive BOOLEAN NOT NULL DEFAULT false, \
           created_at TIMESTAMPTZ DEFAULT now())",
    ),
    (
        "202409071805_add_roles_and_permissions.cjs",
        "CREATE TABLE roles (role_id UUID PRIMARY KEY DEFAULT gen_random_uuid(), tenant UUID NOT NULL, role_name TEXT NOT NULL);
         CREATE TABLE user_roles (user_id UUID NOT NULL REFERENCES users(user_id), role_id UUID NOT NULL REFERENCES roles(role_id), PRIMARY KEY (user_id, role_id))",
    ),
    (
        "202411021000_create_tickets.cjs",
        "CREATE TABLE tickets (ticket_id SERIAL PRIMARY KEY, tenant UUID NOT NULL, title TEXT NOT NULL, opened_by UUID, opened_at TIMESTAMPTZ DEFAULT now());
         CREATE INDEX tickets_tenant_idx ON tickets (tenant)",
    ),
    (
        "202503111400_create_job_queue.cjs",
        "CREATE TABLE pgboss.job (id UUID PRIMARY KEY DEFAULT gen_random_uuid(), name TEXT NOT NULL, data JSONB, state TEXT NOT NULL DEFAULT 'created', created_on TIMESTAMPTZ DEFAULT now())",
    ),
    (
        "202509101530_create_document_embeddings.cjs",
        "CREATE TABLE document_embeddings (document_id UUID PRIMARY KEY, tenant UUID NOT NULL, embedding vector(1536))",
    ),
];

/// Does the steps that are missing.
pub(crate) async fn run(context: &Context, app: &Session) -> Result<(), BootstrapError> {
    app.run("CREATE TABLE IF NOT EXISTS knex_migrations (id SERIAL PRIMARY KEY, name TEXT NOT NULL, batch INTEGER, migration_time TIMESTAMPTZ DEFAULT now())")
        .await?;
    let mut done = 0;
    let more = context.var("BUILD_MIGRATION").and_then(|step| step.split_once(' '));
    for (name, sql) in STEPS.into_iter().chain(more) {
        let query = format!("SELECT 1 FROM knex_migrations WHERE name = {}", literal(name));
        if app.scalar(&query).await?.is_some() {
            continue;
        }
        let record = format!("INSERT INTO knex_migrations (name, batch) VALUES ({}, 1)", literal(name));
        if let Err(error) = app.run(&format!("BEGIN; {sql}; {record}; COMMIT")).await {
            // The failure is what counts; the session ends with the job.
            let _ = app.run("ROLLBACK").await;
            return Err(BootstrapError::Migration {
                name: name.to_owned(),
                reason: Said(&error).to_string(),
            });
        }
        done += 1;
    }
    context.say(if done == 0 {
        "Already up to date".to_owned()
    } else {
        format!("Batch 1 run: {done} migrations")
    });
    Ok(())
}
