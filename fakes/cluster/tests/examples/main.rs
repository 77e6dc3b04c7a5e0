//! The examples are true: each runs to its end.

#[path = "../../examples/controller.rs"]
mod controller;
#[path = "../../examples/log_reader.rs"]
mod log_reader;
#[path = "../../examples/reflector.rs"]
mod reflector;

#[cfg(test)]
mod tests {
    use super::{controller, log_reader, reflector};

    #[test]
    fn a_controller_of_kube_rs_brings_its_own_resource_to_life_and_to_its_end() {
        controller::main().expect("the example holds");
    }

    #[test]
    fn a_reflector_of_kube_rs_survives_an_expired_version() {
        reflector::main().expect("the example holds");
    }

    #[test]
    fn a_log_is_followed_to_its_end() {
        log_reader::main().expect("the example holds");
    }
}
