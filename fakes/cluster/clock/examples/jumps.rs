//! How long a jump of the clock takes: `cargo run -p field-clock --example jumps`.
#![expect(clippy::print_stdout, reason = "an example talks to a person")]

use std::time::Duration;

use field_clock::{Clock, FieldRuntime, Options};

fn main() -> std::io::Result<()> {
    let world = FieldRuntime::start(Options::default())?;
    let clock = world.clock().clone();
    let start = Clock::wall().now();
    world.block_on(async {
        for _ in 0..1000 {
            clock.sleep(Duration::from_secs(1)).await;
        }
    });
    let took = Clock::wall().now().duration_since(start);
    println!("1000 jumps took {} us", took.as_micros());
    Ok(())
}
