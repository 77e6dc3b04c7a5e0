//! Panics in tasks of a world: nobody awaits those, so the thread's hook remembers them.

use std::collections::HashMap;
use std::panic::{self, PanicHookInfo};
use std::sync::{LazyLock, Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};

static SEEN: LazyLock<Mutex<HashMap<ThreadId, Option<String>>>> = LazyLock::new(Mutex::default);
static HOOK: Once = Once::new();

/// From now on, the first panic on this thread is remembered and not printed.
pub(super) fn remember() {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !note(info) {
                before(info);
            }
        }));
    });
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).insert(thread::current().id(), None);
}

/// The first panic on this thread since [`remember`].
pub(super) fn take() -> Option<String> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner).remove(&thread::current().id()).flatten()
}

fn note(info: &PanicHookInfo<'_>) -> bool {
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(slot) = seen.get_mut(&thread::current().id()) else { return false };
    let payload = info.payload();
    let said = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let said =
        said.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned());
    let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
    slot.get_or_insert_with(|| format!("panicked{place}: {said}"));
    true
}
