//! Front door of appliance-smoke; see `harness` for the machinery.
