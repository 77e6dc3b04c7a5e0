//! What can be wrong with a build of an image.
//!
//! A stand-in has none of the many lines in which a real program can be wrong. How a build behaves that does not do is
//! written in the environment of its image; the name of the program stands before the variable, since several of them share an
//! image: `ALGA_CORE_BUILD_EXITS`.
//!
//! | variable | the program of such a build |
//! |---|---|
//! | `…_BUILD_EXITS` | `CODE TEXT`: prints the text and ends with the code, a second after it was started |
//! | `…_BUILD_TAKES` | a number of bytes: takes so much memory before it does anything else |
//! | `…_BUILD_WAITS` | prints this text and waits for what never comes |
//! | `…_BUILD_UNREADY` | runs, and says of its health that it is not well, for this reason |
//! | `…_BUILD_SLEEPS` | prints this reason and, as its start script does after a failure, sleeps with its health page up |
//! | `BOOTSTRAP_BUILD_MIGRATION` | `NAME SQL`: has this migration besides those of the good one |

use std::time::Duration;

use crate::context::Context;

/// What stands between the program's name and what is wrong.
const MARK: &str = "_BUILD_";
/// How long a program that ends at once takes to do so.
const START: Duration = Duration::from_secs(1);
/// What a program takes of memory at once; it is not done in one piece.
const PIECE: u64 = 256 * 1024 * 1024;
/// How long a piece takes.
const PACE: Duration = Duration::from_millis(250);

/// Gives a program what its build says of it, under names without the program's.
pub(crate) fn own(program: &str, context: &mut Context) {
    let mine = format!("{}{MARK}", program.to_ascii_uppercase().replace('-', "_"));
    let found: Vec<(String, String)> = context
        .env
        .iter()
        .filter_map(|(name, value)| Some((format!("BUILD_{}", name.strip_prefix(&mine)?), value.clone())))
        .collect();
    context.env.extend(found);
}

/// What a build does before, or in place of, the work of its program: an exit code where it ends.
pub(crate) async fn begin(context: &Context) -> Option<i32> {
    if let Some(bytes) = context.var("BUILD_TAKES").and_then(|it| it.parse::<u64>().ok()) {
        context.say("Warming up caches");
        take(context, bytes).await;
    }
    if let Some(text) = context.var("BUILD_EXITS") {
        let (code, text) = text.split_once(' ').unwrap_or((text, ""));
        context.clock.sleep(START).await;
        text.lines().for_each(|line| context.say(line));
        return Some(code.parse().unwrap_or(1));
    }
    if let Some(text) = context.var("BUILD_WAITS") {
        context.say(text);
        std::future::pending::<()>().await;
    }
    None
}

/// Takes memory, piece by piece; who has less to give ends the program.
async fn take(context: &Context, bytes: u64) {
    let mut taken = 0;
    while taken < bytes {
        taken = (taken + PIECE).min(bytes);
        context.memory.use_up(taken);
        context.clock.sleep(PACE).await;
    }
}
