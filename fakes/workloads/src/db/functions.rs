//! Functions of PostgreSQL that SQLite lacks, and views in place of its catalogues.

use field_clock::Clock;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

/// Adds the functions to a session.
pub(crate) fn install(connection: &Connection, clock: &Clock) -> Result<(), rusqlite::Error> {
    let plain = FunctionFlags::SQLITE_UTF8;
    let clock = clock.clone();
    connection.create_scalar_function("now", 0, plain, move |_| Ok(timestamp(&clock)))?;
    for name in ["gen_random_uuid", "uuid_generate_v4"] {
        connection.create_scalar_function(name, 0, plain, |_| Ok(uuid(rand::random())))?;
    }
    connection.create_scalar_function("version", 0, plain, |_| Ok(super::VERSION))?;
    connection.create_scalar_function("pg_backend_pid", 0, plain, |_| Ok(1_i64))?;
    connection.create_scalar_function("pg_advisory_lock", 1, plain, |_| Ok(""))?;
    for name in ["pg_try_advisory_lock", "pg_advisory_unlock"] {
        connection.create_scalar_function(name, 1, plain, |_| Ok(true))?;
    }
    connection.create_scalar_function("set_config", 3, plain, |call| call.get::<String>(1))?;
    connection.create_scalar_function("pg_relname", 1, plain, |call| {
        let name = call.get::<Option<String>>(0)?.unwrap_or_default();
        Ok(name.trim_start_matches("public.").replace('"', ""))
    })
}

/// The views that stand for catalogues, over the schemas that the session has attached.
pub(crate) fn views(database: &str, schemas: &[String]) -> String {
    let sources: Vec<(&str, String)> = std::iter::once(("public", "main".to_owned()))
        .chain(schemas.iter().map(|schema| (schema.as_str(), format!("\"{}\"", schema.replace('"', "\"\"")))))
        .collect();
    let union = |select: &dyn Fn(&str, &str) -> String| {
        sources
            .iter()
            .map(|(shown, attached)| select(shown, attached))
            .collect::<Vec<_>>()
            .join(" UNION ALL ")
    };
    let kept = "type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables = union(&|shown, attached| {
        format!(
            "SELECT '{shown}' AS schemaname, name AS tablename, 'postgres' AS tableowner FROM {attached}.sqlite_master WHERE {kept}"
        )
    });
    let columns = union(&|shown, attached| {
        format!(
            "SELECT '{shown}' AS table_schema, m.name AS table_name, c.name AS column_name, c.cid + 1 AS ordinal_position, lower(c.type) AS data_type \
             FROM {attached}.sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.{kept_m}",
            kept_m = "type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        )
    });
    let database = database.replace('\'', "''");
    let view = |name: &str, body: &str| {
        format!("DROP VIEW IF EXISTS temp.{name}; CREATE TEMP VIEW {name} AS {body};\n")
    };
    [
        view("pg_tables", &tables),
        view("information_schema_tables", &format!("SELECT '{database}' AS table_catalog, schemaname AS table_schema, tablename AS table_name, 'BASE TABLE' AS table_type FROM ({tables})")),
        view("information_schema_columns", &columns),
        view("pg_database", "SELECT datname FROM catalog.databases"),
        view("pg_roles", "SELECT rolname, rolsuper, rolcanlogin FROM catalog.roles"),
        view("pg_user", "SELECT rolname AS usename, rolsuper AS usesuper FROM catalog.roles"),
        view("pg_extension", &format!("SELECT extname, extversion FROM catalog.extensions WHERE datname = '{database}'")),
        view("pg_namespace", &format!("SELECT 'public' AS nspname UNION ALL SELECT nspname FROM catalog.schemas WHERE datname = '{database}'")),
        view("information_schema_schemata", &format!("SELECT 'public' AS schema_name UNION ALL SELECT nspname FROM catalog.schemas WHERE datname = '{database}'")),
    ]
    .concat()
}

fn timestamp(clock: &Clock) -> String {
    clock.now().strftime("%Y-%m-%d %H:%M:%S%.6f+00").to_string()
}

fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}
