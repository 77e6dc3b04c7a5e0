//! The world's thread, hooked up to its clock.

use std::future::Future;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;

use jiff::SignedDuration;
use tokio::runtime::{Builder, Handle, Runtime};

use crate::clock::{Clock, Field, awaited, machine_now};
use crate::driver::Driver;
use crate::lull::Lull;
use crate::processes::OwnThread;

/// How far behind the machine a world begins: what happened in it then lies in the past for people who look at it later.
pub const HEAD_START: SignedDuration = SignedDuration::from_mins(30);

/// How a simulated world's time runs.
#[derive(Debug, Clone)]
pub struct Options {
    /// The most seconds of field time in a second of the machine's; infinite unless told otherwise.
    pub speed: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { speed: f64::INFINITY }
    }
}

/// A single-threaded tokio runtime whose idle moments move a field clock.
#[derive(Debug)]
pub struct FieldRuntime {
    runtime: Option<Runtime>,
    clock: Clock,
    field: Arc<Field>,
    driver: Option<JoinHandle<()>>,
}

impl FieldRuntime {
    /// Starts the runtime and its clock; field time begins [`HEAD_START`] before the machine's time of day.
    ///
    /// # Errors
    /// When the runtime's poller or the driver's thread cannot be made.
    pub fn start(options: Options) -> io::Result<Self> {
        let field = Arc::new(Field::new(machine_now() - HEAD_START));
        let (parking, unparking) = (Arc::clone(&field), Arc::clone(&field));
        let lull = Arc::new(Lull::default());
        let before_parking = Arc::clone(&lull);
        let runtime = Builder::new_current_thread()
            .enable_all()
            .on_thread_park(move || {
                if before_parking.looks_again() {
                    return;
                }
                parking.world.get_or_init(OwnThread::current);
                parking.epoch.fetch_add(1, Ordering::AcqRel);
                parking.parked.store(true, Ordering::SeqCst);
                parking.nudge(awaited::PARK);
            })
            .on_thread_unpark(move || {
                unparking.parked.store(false, Ordering::SeqCst);
                unparking.epoch.fetch_add(1, Ordering::AcqRel);
            })
            .build()?;
        runtime.spawn(lull.turn());
        let driver = Driver::new(Arc::clone(&field), options.speed);
        let thread = std::thread::Builder::new().name("field-clock".into()).spawn(move || driver.run())?;
        *field.driver.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread.thread().clone());
        let clock = Clock::field(Arc::clone(&field));
        Ok(Self { runtime: Some(runtime), clock, field, driver: Some(thread) })
    }

    /// The world's clock.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Runs the world until `future` is done.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.handle_runtime().block_on(future)
    }

    /// A handle for spawning from elsewhere.
    pub fn handle(&self) -> &Handle {
        self.handle_runtime().handle()
    }

    fn handle_runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("the runtime lives until the world is dropped")
    }
}

impl Drop for FieldRuntime {
    fn drop(&mut self) {
        self.field.stop.store(true, Ordering::Release);
        if let Some(driver) = self.driver.take() {
            driver.thread().unpark();
            // A driver that panicked has nothing left to stop.
            let _ = driver.join();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
