# `just` lists what there is.
default:
    @just --list

# The main job: every scenario, no root, no Docker, no network.
smoke *ARGS:
    cargo test --test smoke -- {{ARGS}}

# What CI runs.
check:
    bash .ci/run

# Everything that can fail, without the slow lanes of `check`.
test *ARGS:
    cargo test {{ARGS}}

# Virtual machines with a real kernel under a real QEMU: docs/vm.md. Installs what it needs.
vm:
    bash scripts/vm-lane.sh

# How fast it is: scenarios, world boot, clock jumps. Figures belong into docs/benchmarks.md.
bench:
    bash scripts/bench.sh

# What is made from code: the schema of scenario files, and the pages of all crates.
docs:
    cargo run --quiet --bin smoke -- schema > docs/scenario.schema.json
    cargo run --quiet --bin smoke -- list --markdown > scenarios/README.md
    cargo doc --no-deps --workspace

# Whether the harness turns red where it must: systems with one thing wrong, each with the claim that it must break.
teeth *ARGS:
    cargo build --quiet --bins --example mutant_status --example mutant_operator
    cargo test --test teeth -- {{ARGS}}

# Writes docs/teeth.md from the tables of `just teeth`.
teeth-docs:
    TEETH=write cargo test --quiet --test teeth -- the_table

# How true the simulated cluster is to recordings of a real one; SMOKE_RECORDINGS names their directory.
fidelity *ARGS:
    cargo run --quiet --bin smoke -- fidelity {{ARGS}}

# The flake hunt of docs/flakes.md: scenarios at random while both cores are busy; raw results go to docs/soak.
soak RUNS="1000" *NAMES:
    bash scripts/soak.sh {{RUNS}} {{NAMES}}

# Time to diagnosis at the pace at which people live: from the API server's write to the blocker in the document.
diagnosis *NAMES:
    bash scripts/diagnosis.sh {{NAMES}}
