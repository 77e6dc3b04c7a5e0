//! What the machine's kernel log says of its memory.

use appliance_assess::PullCause;

/// How Talos begins, at each start, what it says of a machine with less than its least; with less than it recommends it says `NOTE`.
const WARNED: &str = "WARNING: current total memory size is ";
const LEAST: &str = "WARNING: minimum memory size is ";
/// How a kernel without memory tells what it ended. A container that has used up what it may have is told with other words before these.
const ENDED: &str = "Out of memory: Killed process ";
const NEXT_ACTION: &str = "Give the machine more memory, then retry.";

/// Too little memory: what the machine has and what Talos wants, and what the kernel ended to have some.
pub(super) fn of_memory(dmesg: &str) -> Option<PullCause> {
    let has = newest(dmesg, WARNED).map(|has| match newest(dmesg, LEAST) {
        Some(least) => format!("The machine has {has} of memory, and Talos needs at least {least}"),
        None => format!("The machine has {has} of memory, and Talos needs more"),
    });
    let ended = newest(dmesg, ENDED)
        .and_then(|process| process.split_once('(')?.1.split_once(')'))
        .map(|(name, _)| format!("its kernel ended {name} because none was left (out of memory)"));
    let reason = match (has, ended) {
        (Some(has), Some(ended)) => format!("{has}; {ended}"),
        (Some(has), None) => has,
        (None, Some(ended)) => format!("The machine has too little memory: {ended}"),
        (None, None) => return None,
    };
    Some(PullCause { reason, next_action: NEXT_ACTION })
}

/// What follows those words where they were said last.
fn newest<'a>(dmesg: &'a str, words: &str) -> Option<&'a str> {
    dmesg.lines().rev().find_map(|line| line.split_once(words)).map(|(_, rest)| rest.trim())
}

#[cfg(test)]
mod tests {
    use super::of_memory;

    const SMALL: &str = "127.77.1.1: user: warning: [2026-11-23T02:44:26.4Z]: [talos] task memorySizeCheck (1/1): WARNING: minimum memory size is 1698 MiB\n\
        127.77.1.1: user: warning: [2026-11-23T02:44:26.4Z]: [talos] task memorySizeCheck (1/1): WARNING: recommended memory size is 3946 MiB\n\
        127.77.1.1: user: warning: [2026-11-23T02:44:26.4Z]: [talos] task memorySizeCheck (1/1): WARNING: current total memory size is 854 MiB\n";
    const ENDED: &str = "127.77.1.1: kern:     err: [2026-11-23T02:46:26.4Z]: Out of memory: Killed process 1790 (kube-apiserver) total-vm:1302000kB, anon-rss:262000kB\n";

    #[test]
    fn a_machine_with_less_than_the_least_is_told_with_both_figures() {
        let cause = of_memory(SMALL).unwrap();
        assert_eq!(cause.reason, "The machine has 854 MiB of memory, and Talos needs at least 1698 MiB");
        assert_eq!(cause.next_action, "Give the machine more memory, then retry.");
    }

    #[test]
    fn what_the_kernel_ended_is_named() {
        let both = of_memory(&format!("{SMALL}{ENDED}")).unwrap();
        assert!(
            both.reason.contains("854 MiB") && both.reason.contains("ended kube-apiserver"),
            "{}",
            both.reason
        );
        let alone = of_memory(ENDED).unwrap();
        assert_eq!(
            alone.reason,
            "The machine has too little memory: its kernel ended kube-apiserver because none was left (out of memory)"
        );
    }

    #[test]
    fn a_container_that_used_up_what_it_may_have_is_not_the_machines_trouble() {
        let of_a_container = ENDED.replace("Out of memory", "Memory cgroup out of memory");
        assert!(of_memory(&of_a_container).is_none());
        let of_enough =
            SMALL.replace("WARNING: current", "NOTE: current").replace("WARNING: minimum", "NOTE: ");
        assert!(of_memory(&of_enough).is_none());
    }
}
