//! The same scenarios with another image, volume, resolver error or Service: diagnosed right with no change to the code.

use crate::smoke::Desk;

/// Scenario, what it is called here, and what is written in it instead.
type Variant = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const VARIANTS: [Variant; 9] = [
    (
        "core-tag-missing",
        "redis-tag-missing",
        &[
            ("image: alga-core", "image: redis"),
            ("component: alga-core", "component: redis"),
            ("/alga-psa-ee:.*/", "/redis:.*/"),
        ],
    ),
    (
        "core-tag-missing",
        "db-tag-missing",
        &[
            ("image: alga-core", "image: db"),
            ("component: alga-core", "component: db"),
            ("/alga-psa-ee:.*/", "/pgvector:.*/"),
        ],
    ),
    ("image-pull-interrupted", "worker-pull-interrupted", &[("email-service", "temporal-worker")]),
    (
        "slow-core-image",
        "slow-temporal-image",
        &[
            ("image: alga-core, takes: 16m", "image: temporal, takes: 12m"),
            (
                "rollup: installing, operations: { alga-core",
                "rollup: ready_to_log_in, operations: { temporal",
            ),
        ],
    ),
    (
        "broken-subpath",
        "broken-subpath-of-redis",
        &[("component: db", "component: redis"), ("postgres-storage", "storage-init")],
    ),
    (
        "dns-refused",
        "dns-fails",
        &[
            ("dns.refused: {}", "dns.servfail: {}"),
            ("connection refused|server misbehaving", "server misbehaving"),
        ],
    ),
    (
        "dns-refused",
        "dns-knows-no-such-host",
        &[("dns.refused: {}", "dns.nxdomain: {}"), ("connection refused|server misbehaving", "no such host")],
    ),
    (
        "dns-refused",
        "dns-knows-one-host-less",
        &[
            ("dns.refused: {}", "dns.nxdomain: { host: registry-1.docker.io }"),
            ("connection refused|server misbehaving", "lookup registry-1.docker.io .*no such host"),
        ],
    ),
    (
        "service-link-collision",
        "service-link-of-a-new-service",
        &[
            ("{ component: temporal-ui }\nexpect", "{ component: temporal, service: frontend-http }\nexpect"),
            ("component: temporal-ui", "component: temporal"),
        ],
    ),
];

#[tokio::test]
async fn other_images_volumes_resolver_errors_and_services_are_told_apart() {
    let desk = Desk::new();
    for (name, called, changes) in VARIANTS {
        let file = format!("{}/scenarios/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
        let mut text = std::fs::read_to_string(&file).expect("one of our own scenarios");
        text = text.replace(&format!("name: {name}\n"), &format!("name: {called}\n"));
        for (from, to) in changes {
            assert!(text.contains(from), "{name} has no {from}");
            text = text.replace(from, to);
        }
        desk.write(&format!("variants/{called}.yaml"), &text);
    }
    let folder = desk.at("variants").display().to_string();
    let ran = desk.smoke(&["run", "--scenarios", &folder]).await;
    ran.ended(0).said(&format!("{} passed", VARIANTS.len()));
}
