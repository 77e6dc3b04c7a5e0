//! Programs that stand in for the nine services of the appliance and its jobs.
//!
//! They speak the real protocols over real sockets: `db` is a PostgreSQL server over SQLite files in its volume, `redis` a
//! Redis server, the workers hold real connections and answer health checks by them. A program knows what a container
//! knows, and no more: its [`Context`] has environment, arguments, an address, mounted directories, the network, a clock.
//! It ends by itself with an exit code, or soon after its `stop` token is cancelled, and leaves no port open. A build that does
//! not do says so in its image's environment (`build.rs`).
//!
//! | entrypoint | program |
//! |---|---|
//! | `db`, `redis`, `pgbouncer` | [`db`], [`redis`], [`pgbouncer`] |
//! | `alga-core`, `temporal`, `temporal-ui` | [`alga_core`], [`temporal`], [`temporal_ui`] |
//! | `workflow-worker`, `temporal-worker`, `email-service` | [`worker`] |
//! | `bootstrap`, `wait-for-bootstrap` | [`bootstrap`], [`wait_for_bootstrap`] |
//! | `volume-prep`, `storage-smoke` | [`volumes`] |

pub mod alga_core;
pub mod bootstrap;
mod build;
mod container;
mod context;
pub mod db;
mod http_server;
mod kubernetes;
mod link;
pub mod password;
pub mod pgbouncer;
mod postgres;
pub mod redis;
mod room;
mod settings;
pub mod temporal;
pub mod temporal_ui;
pub mod volumes;
pub mod wait_for_bootstrap;
pub mod worker;

pub use container::{Printed, Resolved, Taken};
pub use context::{Connector, Context, Direct, LogLine, Memory, Mounts, Program, program};
pub use room::{BLOCK, Quotas, Refusal};
pub use settings::SettingError;
