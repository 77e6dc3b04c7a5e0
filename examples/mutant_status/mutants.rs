//! The table of mutants.

use serde_json::{Value, json};

use crate::documents::{
    Memory, Place, blocker, each_blocker, has, is_ready, promoted, seconds, state, time, with_blocker,
    with_state, with_tier, without,
};

/// A status service with one thing wrong.
pub(crate) struct Mutant {
    pub(crate) name: &'static str,
    /// What it does, for people.
    pub(crate) about: &'static str,
    pub(crate) door: Door,
    /// What it makes of a document, where it changes any.
    pub(crate) say: Option<fn(&mut Memory, Value) -> Value>,
}

/// Who is let in, and to what.
#[derive(PartialEq, Eq, Clone, Copy)]
pub(crate) enum Door {
    /// As the real service does it.
    AsItIs,
    /// Nobody before the appliance's time has passed by so much.
    Late { seconds: i64 },
    /// Everybody sees the document.
    Open,
    /// `/` is not there.
    NoPage,
    /// No token is the right one.
    Closed,
}

const fn says(name: &'static str, about: &'static str, say: fn(&mut Memory, Value) -> Value) -> Mutant {
    Mutant { name, about, door: Door::AsItIs, say: Some(say) }
}

const fn door(name: &'static str, about: &'static str, door: Door) -> Mutant {
    Mutant { name, about, door, say: None }
}

/// All of them; the first one changes nothing.
pub(crate) const MUTANTS: &[Mutant] = &[
    door("none", "changes nothing", Door::AsItIs),
    says("wrong-component", "names another component", |_, document| {
        each_blocker(document, |it| it["component"] = json!("email-service"))
    }),
    says("wrong-code", "takes a missing tag for a registry that does not answer", |_, document| {
        each_blocker(document, |it| {
            it["code"] = json!("image-registry");
            it["layer"] = json!("Image registry");
        })
    }),
    says("wrong-layer", "keeps the code and names another layer", |_, document| {
        each_blocker(document, |it| it["layer"] = json!("Helm release failure"))
    }),
    says("lost-next-action", "does not say what to do", |_, document| {
        each_blocker(document, |it| it["nextAction"] = json!(""))
    }),
    says("other-next-action", "says to do what helps against something else", |_, document| {
        each_blocker(document, |it| it["nextAction"] = json!("Inspect the named container's log."))
    }),
    says("reason-without-image", "does not say which image is missing", |_, document| {
        each_blocker(document, |it| it["reason"] = json!("Image tag not found"))
    }),
    says(
        "login-blocking-inverted",
        "calls background trouble login-blocking, and the other way round",
        |_, document| {
            each_blocker(document, |it| it["loginBlocking"] = json!(it["loginBlocking"] != json!(true)))
        },
    ),
    says(
        "consequence-first",
        "lists a consequence as a blocker before its root",
        |_, document| match promoted(&document) {
            Some(consequence) => with_blocker(document, Place::First, consequence),
            None => document,
        },
    ),
    says(
        "consequence-on-top",
        "lists a consequence as a blocker after its root",
        |_, document| match promoted(&document) {
            Some(consequence) => with_blocker(document, Place::Last, consequence),
            None => document,
        },
    ),
    says("consequences-dropped", "does not say what follows from a blocker", |_, document| {
        each_blocker(document, |it| it["consequences"] = json!([]))
    }),
    says("a-minute-late", "says what it should have said 60 s before", |memory, document| {
        memory.ago(60).or_else(|| memory.first()).cloned().unwrap_or(document)
    }),
    says("frozen", "says for ever what it said first", |memory, document| {
        memory.first().cloned().unwrap_or(document)
    }),
    says("old-timestamp", "is up to date and says that it were ten minutes old", |_, mut document| {
        if let Some(now) = time(&document) {
            document["timestamp"] = json!((now - jiff::SignedDuration::from_mins(10)).to_string());
        }
        document
    }),
    says("progress-hides", "shows no blocker while any operation is active", |_, mut document| {
        if document["activeOperations"].as_array().is_some_and(|operations| !operations.is_empty()) {
            document["topBlockers"] = json!([]);
        }
        document
    }),
    says("operations-hidden", "shows no active operation", |_, mut document| {
        document["activeOperations"] = json!([]);
        document
    }),
    says("always-blocked", "always names a blocker that is none", |_, document| {
        with_blocker(document, Place::Last, blocker("workload", "redis", "workload readiness failure"))
    }),
    says(
        "hasty",
        "names a blocker for some seconds of an install in which nothing is wrong",
        |memory, document| {
            let Some(now) = time(&document).filter(|_| is_ready(&document, "platform")) else {
                return document;
            };
            let since = *memory.since.get_or_insert(now);
            if seconds(since, now) > 6 {
                return document;
            }
            with_blocker(document, Place::Last, blocker("workload", "redis", "workload readiness failure"))
        },
    ),
    says("never-forgets", "goes on naming a blocker that is gone", |memory, mut document| {
        let now = document["topBlockers"].clone();
        if now.as_array().is_some_and(|blockers| !blockers.is_empty()) {
            memory.blockers = Some(now);
        }
        if let Some(blockers) = &memory.blockers {
            document["topBlockers"] = blockers.clone();
        }
        document
    }),
    door(
        "late-page",
        "lets nobody in for the first 20 s of the appliance's time",
        Door::Late { seconds: 20 },
    ),
    door("no-page", "has no page at /", Door::NoPage),
    door("open-door", "shows the document to everybody", Door::Open),
    says("flapping-rollup", "says another state every other time", |memory, document| {
        memory.told += 1;
        if memory.told.is_multiple_of(2) {
            return document;
        }
        match state(&document) {
            "fully_healthy" => with_state(document, "ready_to_log_in", "Alga is ready to log in."),
            _ => document,
        }
    }),
    says("background-is-failure", "says that background trouble needs action before login", |_, document| {
        match state(&document) {
            "ready_with_background_issues" => with_state(
                document,
                "failed_action_required",
                "A core platform blocker requires action before login is available.",
            ),
            _ => document,
        }
    }),
    says("login-early", "says that login is ready from the start", |_, document| {
        with_tier(document, "login", true)
    }),
    says(
        "background-early",
        "says that the background tier is ready while a worker misses",
        |_, document| with_tier(document, "background", true),
    ),
    says("foreign-login-url", "sends people to another host to log in", |_, mut document| {
        document["loginUrl"] = json!("http://192.0.2.1:3000");
        document["urls"]["loginUrl"] = json!("http://192.0.2.1:3000");
        document
    }),
    says("no-image-detector", "does not know of pulls that fail", |_, document| without(document, "image-")),
    says("no-dns-detector", "does not know of names that do not resolve", |_, document| {
        without(document, "dns")
    }),
    says("no-storage-detector", "does not know of volumes", |_, document| {
        without(document, "postgres-storage")
    }),
    says("no-bootstrap-detector", "does not know of a bootstrap job that failed", |_, document| {
        without(document, "bootstrap-failed")
    }),
    says("no-log-detector", "reads no container's log", |_, document| without(document, "temporal-schema")),
    says("no-drift-detector", "does not know of images that nobody selected", |_, document| {
        without(document, "release-drift")
    }),
    says("roots-swapped", "lists independent causes in the other order", |_, mut document| {
        if let Some(blockers) = document["topBlockers"].as_array_mut() {
            blockers.reverse();
        }
        document
    }),
    says("second-root-lost", "lists one cause where there are two", |_, mut document| {
        if let Some(blockers) = document["topBlockers"].as_array_mut() {
            blockers.truncate(1);
        }
        document
    }),
    says("core-without-pgbouncer", "takes the core tier for ready without pgbouncer", |_, document| {
        let ready = has(&document, "db") && has(&document, "redis");
        with_tier(document, "core", ready)
    }),
    says(
        "bootstrap-without-job",
        "takes the bootstrap tier for ready when the core tier is",
        |_, document| {
            let ready = is_ready(&document, "core");
            with_tier(document, "bootstrap", ready)
        },
    ),
    says("login-without-probe", "takes login for ready without a look at the application", |_, document| {
        let ready = is_ready(&document, "bootstrap") && has(&document, "db");
        with_tier(document, "login", ready)
    }),
    says("full-health-without-background", "takes login for full health", |_, document| {
        let ready = is_ready(&document, "login");
        with_tier(document, "fullHealth", ready)
    }),
    says("full-health-lost", "never takes the appliance for fully healthy in its tiers", |_, document| {
        with_tier(document, "fullHealth", false)
    }),
    says("background-waits-for-all", "takes the background tier for ready when login is", |_, document| {
        let ready = is_ready(&document, "login");
        with_tier(document, "background", ready)
    }),
    says("tiers-are-healthy", "calls a tier healthy that is not ready", |_, mut document| {
        for tier in document["tiers"].as_object_mut().into_iter().flat_map(|tiers| tiers.values_mut()) {
            tier["status"] = json!("healthy");
        }
        document
    }),
    says("other-message", "says what it says of another state", |_, mut document| {
        document["rollup"]["message"] = json!("Alga is ready to log in.");
        document
    }),
    says("two-states", "names another state at the top than in the rollup", |_, mut document| {
        document["status"] = json!("installing");
        document
    }),
    says("two-next-actions", "says to do another thing at the top than in the rollup", |_, mut document| {
        document["nextAction"] = json!("Wait.");
        document
    }),
    says("unknown-is-ready", "takes what it did not find for ready", |_, mut document| {
        for component in document["components"].as_array_mut().into_iter().flatten() {
            if component["status"] == "unknown" {
                component["ready"] = json!(true);
            }
        }
        document
    }),
    says("component-lost", "forgets a component", |_, mut document| {
        if let Some(components) = document["components"].as_array_mut() {
            components.retain(|component| component["name"] != "temporal-ui");
        }
        document
    }),
    says("severity-lost", "calls everything background trouble", |_, document| {
        each_blocker(document, |it| it["severity"] = json!("background"))
    }),
    says("events-dropped", "shows no events", |_, mut document| {
        document["recentEvents"] = json!([]);
        document
    }),
    says("events-without-end", "shows more events than anybody reads", |_, mut document| {
        if let Some(events) = document["recentEvents"].as_array_mut() {
            let more = events.clone();
            events.extend(more);
        }
        document
    }),
    says("job-forgotten", "does not know that the bootstrap job has completed", |_, mut document| {
        document["bootstrap"]["job"]["completed"] = json!(false);
        document
    }),
    says("users-forgotten", "counts no users", |_, mut document| {
        document["bootstrap"]["seed"]["usersCount"] = json!(0);
        document
    }),
    says("probe-forgotten", "says that the application does not answer", |_, mut document| {
        document["loginProbe"]["reachable"] = json!(false);
        document
    }),
    says("size-invented", "gives a size that is another image's", |_, mut document| {
        for operation in document["activeOperations"].as_array_mut().into_iter().flatten() {
            operation["estimatedSizeHuman"] = json!("~12 MB");
        }
        document
    }),
    says("progress-invented", "knows how far a pull is", |_, mut document| {
        for operation in document["activeOperations"].as_array_mut().into_iter().flatten() {
            operation["progressPercent"] = json!(42);
        }
        document
    }),
    says("two-login-urls", "has another login URL in one place than in the other", |_, mut document| {
        document["urls"]["loginUrl"] = json!(null);
        document
    }),
    door("closed-door", "lets nobody in, whatever the token", Door::Closed),
];
