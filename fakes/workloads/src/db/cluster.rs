//! The data directory: roles, databases, schemas, each database a directory of SQLite files, each schema a file.
//!
//! ```text
//! PG_VERSION             there is a cluster here
//! global/authid.sqlite   roles and what their passwords are checked against
//! global/catalog.sqlite  databases, schemas, extensions; every session sees it
//! base/DATABASE/SCHEMA.sqlite
//! ```

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use pgwire::api::auth::sasl::scram::{ScramSecret, gen_salted_password};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::SqlError;
use crate::room::{NO_SPACE, Room};

/// As `scram_iterations` of a server that is asked for many short sessions.
pub(crate) const ITERATIONS: usize = 1024;

/// What a page of a table takes.
const PAGE: u64 = 8192;
/// What a segment of the write-ahead log takes; real ones take 2,000 times as much.
const SEGMENT: u64 = 8192;
/// What a new data directory takes.
const FRESH: u64 = 64 * 1024;

/// The data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// A file or directory cannot be read or written.
    #[error("could not access \"{path}\"")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A catalogue cannot be read or written.
    #[error("could not open the catalogue")]
    Catalogue(#[source] rusqlite::Error),
    /// The directory holds something that is no cluster.
    #[error("directory \"{0}\" exists but is not empty")]
    NotEmpty(PathBuf),
    /// There is no room for it.
    #[error("could not extend file \"base/1/1249\": {NO_SPACE}")]
    Full,
}

/// An open data directory.
#[derive(Debug)]
pub(crate) struct Cluster {
    root: PathBuf,
    roles: Mutex<Connection>,
    catalogue: Mutex<Connection>,
    /// Counts changes that open sessions must follow.
    generation: AtomicU64,
    room: Room,
}

impl Cluster {
    /// Whether there is a cluster already.
    pub(crate) fn exists(root: &Path) -> bool {
        root.join("PG_VERSION").is_file()
    }

    /// Makes a new cluster with one superuser and the database `postgres`.
    pub(crate) fn init(root: &Path, user: &str, password: &str, room: Room) -> Result<Self, ClusterError> {
        let at = |path: &Path| {
            let path = path.to_path_buf();
            move |source| ClusterError::File { path, source }
        };
        fs::create_dir_all(root).map_err(at(root))?;
        if fs::read_dir(root).map_err(at(root))?.next().is_some() {
            return Err(ClusterError::NotEmpty(root.to_path_buf()));
        }
        room.take(&root.join("base"), FRESH).map_err(|_| ClusterError::Full)?;
        for folder in ["global", "base"] {
            fs::create_dir(root.join(folder)).map_err(at(root))?;
        }
        let cluster = Self::open(root, room)?;
        cluster.roles().execute_batch(
            "CREATE TABLE authid (rolname TEXT PRIMARY KEY, rolsuper BOOLEAN NOT NULL, rolcanlogin BOOLEAN NOT NULL, salt BLOB, stored BLOB, server BLOB)",
        ).map_err(ClusterError::Catalogue)?;
        cluster.catalogue().execute_batch(
            "CREATE TABLE databases (datname TEXT PRIMARY KEY, owner TEXT NOT NULL);
             CREATE TABLE roles (rolname TEXT PRIMARY KEY, rolsuper BOOLEAN NOT NULL, rolcanlogin BOOLEAN NOT NULL);
             CREATE TABLE schemas (datname TEXT, nspname TEXT, owner TEXT, PRIMARY KEY (datname, nspname));
             CREATE TABLE extensions (datname TEXT, extname TEXT, extversion TEXT, PRIMARY KEY (datname, extname));",
        ).map_err(ClusterError::Catalogue)?;
        let setup = cluster
            .put_role(&RoleChange {
                name: user.to_owned(),
                superuser: true,
                login: Some(true),
                password: Some(password.to_owned()),
            })
            .and_then(|()| cluster.create_database("postgres", user));
        setup.map_err(|error| ClusterError::File {
            path: root.to_path_buf(),
            source: io::Error::other(error),
        })?;
        fs::write(root.join("PG_VERSION"), "16\n").map_err(at(root))?;
        Ok(cluster)
    }

    /// Opens the cluster of a directory.
    pub(crate) fn open(root: &Path, room: Room) -> Result<Self, ClusterError> {
        let file = |name: &str| open_file(&root.join("global").join(name)).map_err(ClusterError::Catalogue);
        Ok(Self {
            root: root.to_path_buf(),
            roles: Mutex::new(file("authid.sqlite")?),
            catalogue: Mutex::new(file("catalog.sqlite")?),
            generation: AtomicU64::new(0),
            room,
        })
    }

    fn roles(&self) -> MutexGuard<'_, Connection> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn catalogue(&self) -> MutexGuard<'_, Connection> {
        self.catalogue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes when a session's view of the schemas is out of date.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Room for one more page of a table.
    pub(crate) fn extend(&self, database: &str) -> Result<(), SqlError> {
        let file = self.schema_file(database, "public");
        self.room.take(&file, PAGE).map_err(|_| {
            let name = file_name(database);
            SqlError::new("53100", format!("could not extend file \"base/{name}/public\": {NO_SPACE}"))
        })
    }

    /// Room for the next segment of the write-ahead log, which a checkpoint and a start need.
    pub(crate) fn log_room(&self) -> Result<(), String> {
        let file = self.root.join("pg_wal").join("xlogtemp.29");
        let refused = |_| format!("could not write to file \"pg_wal/xlogtemp.29\": {NO_SPACE}");
        self.room.take(&file, SEGMENT).map_err(refused)
    }

    pub(crate) fn catalogue_file(&self) -> PathBuf {
        self.root.join("global").join("catalog.sqlite")
    }

    pub(crate) fn schema_file(&self, database: &str, schema: &str) -> PathBuf {
        self.root.join("base").join(file_name(database)).join(format!("{}.sqlite", file_name(schema)))
    }

    /// What a role's password is checked against; nothing for one that is unknown or may not sign in.
    pub(crate) fn secret(&self, role: &str) -> Result<Option<ScramSecret>, SqlError> {
        let query =
            "SELECT salt, stored, server FROM authid WHERE rolname = ?1 AND rolcanlogin AND salt IS NOT NULL";
        let found = self.roles().query_row(query, [role], |row| {
            Ok(ScramSecret::Verifier {
                salt: row.get(0)?,
                iterations: ITERATIONS,
                stored_key: row.get(1)?,
                server_key: row.get(2)?,
            })
        });
        Ok(found.optional()?)
    }

    pub(crate) fn role_exists(&self, role: &str) -> Result<bool, SqlError> {
        exists(&self.roles(), "SELECT 1 FROM authid WHERE rolname = ?1", role)
    }

    /// Makes a role or changes one.
    pub(crate) fn put_role(&self, change: &RoleChange) -> Result<(), SqlError> {
        let roles = self.roles();
        roles.execute(
            "INSERT INTO authid (rolname, rolsuper, rolcanlogin) VALUES (?1, ?2, coalesce(?3, FALSE)) \
             ON CONFLICT (rolname) DO UPDATE SET rolsuper = rolsuper OR ?2, rolcanlogin = coalesce(?3, rolcanlogin)",
            params![change.name, change.superuser, change.login],
        )?;
        if let Some(password) = &change.password {
            let salt: [u8; 16] = rand::random();
            let salted = gen_salted_password(password, &salt, ITERATIONS);
            let secret = ScramSecret::verifier_from_salted_password(salt.to_vec(), salted, ITERATIONS);
            if let ScramSecret::Verifier { salt, stored_key, server_key, .. } = secret {
                let update = "UPDATE authid SET salt = ?2, stored = ?3, server = ?4 WHERE rolname = ?1";
                roles.execute(update, params![change.name, salt, stored_key, server_key])?;
            }
        }
        self.catalogue().execute(
            "INSERT OR REPLACE INTO roles VALUES (?1, ?2, coalesce(?3, (SELECT rolcanlogin FROM roles WHERE rolname = ?1), FALSE))",
            params![change.name, change.superuser, change.login],
        )?;
        Ok(())
    }

    pub(crate) fn drop_role(&self, role: &str) -> Result<(), SqlError> {
        self.roles().execute("DELETE FROM authid WHERE rolname = ?1", [role])?;
        self.catalogue().execute("DELETE FROM roles WHERE rolname = ?1", [role])?;
        Ok(())
    }

    pub(crate) fn database_exists(&self, database: &str) -> Result<bool, SqlError> {
        exists(&self.catalogue(), "SELECT 1 FROM databases WHERE datname = ?1", database)
    }

    pub(crate) fn create_database(&self, database: &str, owner: &str) -> Result<(), SqlError> {
        let folder = self.root.join("base").join(file_name(database));
        fs::create_dir_all(&folder).map_err(|error| {
            SqlError::new("58030", format!("could not create directory \"{}\": {error}", folder.display()))
        })?;
        self.catalogue().execute("INSERT INTO databases VALUES (?1, ?2)", [database, owner])?;
        Ok(())
    }

    pub(crate) fn drop_database(&self, database: &str) -> Result<(), SqlError> {
        let catalogue = self.catalogue();
        for table in ["databases", "schemas", "extensions"] {
            catalogue.execute(&format!("DELETE FROM {table} WHERE datname = ?1"), [database])?;
        }
        // Sessions that have it open keep their files until they end.
        let _ = fs::remove_dir_all(self.root.join("base").join(file_name(database)));
        Ok(())
    }

    /// The schemas of a database besides `public`.
    pub(crate) fn schemas(&self, database: &str) -> Result<Vec<String>, SqlError> {
        let catalogue = self.catalogue();
        let mut query =
            catalogue.prepare_cached("SELECT nspname FROM schemas WHERE datname = ?1 ORDER BY nspname")?;
        let found = query.query_map([database], |row| row.get(0))?.collect::<Result<_, _>>()?;
        Ok(found)
    }

    pub(crate) fn create_schema(&self, database: &str, schema: &str, owner: &str) -> Result<(), SqlError> {
        self.catalogue().execute("INSERT INTO schemas VALUES (?1, ?2, ?3)", [database, schema, owner])?;
        self.generation.fetch_add(1, Ordering::AcqRel);
        Ok(())
    }

    pub(crate) fn create_extension(&self, database: &str, extension: &str) -> Result<(), SqlError> {
        self.catalogue()
            .execute("INSERT OR IGNORE INTO extensions VALUES (?1, ?2, '1.0')", [database, extension])?;
        Ok(())
    }
}

/// A role to make or to change.
#[derive(Debug)]
pub(crate) struct RoleChange {
    pub(crate) name: String,
    pub(crate) superuser: bool,
    pub(crate) login: Option<bool>,
    pub(crate) password: Option<String>,
}

fn exists(connection: &Connection, query: &str, name: &str) -> Result<bool, SqlError> {
    Ok(connection.prepare_cached(query)?.exists([name])?)
}

/// Opens a file; what is written survives the end of the process, though not the end of the machine.
pub(crate) fn open_file(path: &Path) -> Result<Connection, rusqlite::Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON")?;
    Ok(connection)
}

/// A name that is safe as a file's.
fn file_name(name: &str) -> String {
    name.chars()
        .map(|letter| if letter.is_alphanumeric() || "_-".contains(letter) { letter } else { '_' })
        .collect()
}
