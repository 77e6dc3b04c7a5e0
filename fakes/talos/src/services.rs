//! What runs on a machine, and what it has been through.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::wire::machine::{ServiceEvent, ServiceEvents, ServiceHealth, ServiceInfo};

/// How a service is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Waiting,
    Preparing,
    Running(Health),
}

/// What its health check says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Unknown,
    Good,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Waiting => "Waiting",
            Self::Preparing => "Preparing",
            Self::Running(_) => "Running",
        }
    }
}

#[derive(Clone, Debug)]
struct Service {
    state: State,
    events: Vec<(Timestamp, State, String)>,
}

/// All services of a machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct Services(BTreeMap<&'static str, Service>);

impl Services {
    /// Something happens to a service; returns the line that the console has of it.
    pub(crate) fn note(&mut self, at: Timestamp, name: &'static str, state: State, text: &str) -> String {
        let service = self.0.entry(name).or_insert_with(|| Service { state, events: Vec::new() });
        service.state = state;
        service.events.push((at, state, text.to_owned()));
        format!("service[{name}]({}): {text}", state.name())
    }

    pub(crate) fn state(&self, name: &str) -> Option<State> {
        self.0.get(name).map(|it| it.state)
    }

    /// Those that keep the machine from being ready, in words.
    pub(crate) fn missing(&self, wanted: &[&str]) -> Option<String> {
        let missing = wanted.iter().filter(|name| self.state(name) != Some(State::Running(Health::Good)));
        let words: Vec<String> = missing.map(|name| format!("{name} not running")).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// As the API tells them.
    pub(crate) fn list(&self) -> Vec<ServiceInfo> {
        self.0.iter().map(|(name, service)| service.info(name)).collect()
    }
}

impl Service {
    fn info(&self, name: &str) -> ServiceInfo {
        let event = |(at, state, text): &(Timestamp, State, String)| ServiceEvent {
            msg: text.clone(),
            state: state.name().to_owned(),
            ts: Some((*at).into()),
        };
        let healthy = self.state == State::Running(Health::Good);
        let last = self.events.last();
        ServiceInfo {
            id: name.to_owned(),
            state: self.state.name().to_owned(),
            events: Some(ServiceEvents { events: self.events.iter().map(event).collect() }),
            health: Some(ServiceHealth {
                unknown: !healthy,
                healthy,
                last_message: String::new(),
                last_change: last.map(|(at, ..)| (*at).into()),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{Health, Services, State};

    #[test]
    fn what_is_missing_is_told_until_its_health_is_good() {
        let mut services = Services::default();
        let mut note = |name, state, text| services.note(Timestamp::UNIX_EPOCH, name, state, text);
        assert_eq!(
            note("etcd", State::Preparing, "Running pre state"),
            "service[etcd](Preparing): Running pre state"
        );
        note("kubelet", State::Running(Health::Good), "Health check successful");
        assert_eq!(services.missing(&["kubelet", "etcd"]).as_deref(), Some("etcd not running"));
        services.note(Timestamp::UNIX_EPOCH, "etcd", State::Running(Health::Good), "Health check successful");
        assert_eq!(services.missing(&["kubelet", "etcd"]), None);
        let etcd = services.list().into_iter().find(|it| it.id == "etcd").unwrap();
        assert_eq!(etcd.events.unwrap().events.len(), 2);
        assert!(etcd.health.unwrap().healthy);
    }
}
