//! What a container is started with.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use super::env::{ConfigError, Surroundings, environment, expand};
use super::spec;
use super::worker::Worker;
use crate::logs::LogSink;
use crate::pull::Image;
use crate::runtime::{Access, ContainerSpec, Mount};

const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

impl Worker {
    /// Everything the runtime needs to start a container, and the file for its last words.
    pub(super) fn container_spec(
        &self,
        container: &Value,
        image: &Arc<Image>,
    ) -> Result<(ContainerSpec, PathBuf), ConfigError> {
        self.refuse_root(container, image)?;
        let owner = self.owner();
        let around = Surroundings {
            store: &self.node.store,
            api: &self.node.volumes.api,
            pod: &self.pod,
            pod_ip: owner.pod_ip,
            host_ip: owner.host_ip,
        };
        let given = environment(&around, container)?;
        let mut mounts = self.mounts(container, &given)?;
        let service_account_dir = self.account(container, &mut mounts);
        let last_words = self.termination_file(container, &mut mounts)?;
        let argv = argv(container, image, &given);
        let mut env = self.image_env(image);
        env.extend(given);
        if let Some(dir) = &service_account_dir {
            env.push(("SERVICE_ACCOUNT_DIR".into(), dir.to_string_lossy().into_owned()));
        }
        let sandbox = self.sandbox.as_ref().ok_or_else(|| ConfigError("sandbox is not ready".into()))?;
        let spec = ContainerSpec {
            namespace: self.namespace.clone(),
            pod: self.name.clone(),
            pod_uid: self.uid.clone(),
            container: spec::name(container).to_owned(),
            service_account: self.pod["spec"]["serviceAccountName"].as_str().unwrap_or("default").to_owned(),
            image: container["image"].as_str().unwrap_or("").to_owned(),
            image_config: image.config.clone(),
            argv,
            working_dir: container["workingDir"]
                .as_str()
                .map_or_else(|| image.config.working_dir.clone(), str::to_owned),
            memory_limit: memory_limit(container),
            env: last_of_each(env),
            mounts,
            ip: sandbox.ip,
            ports: spec::ports(container),
            network: sandbox.network.clone(),
            log: LogSink::new(self.node.clock.clone()),
            clock: self.node.clock.clone(),
            service_account_dir,
        };
        Ok((spec, last_words))
    }

    fn image_env(&self, image: &Image) -> Vec<(String, String)> {
        let host = if spec::on_host_network(&self.pod) { &self.node.name } else { &self.name };
        let host = self.pod["spec"]["hostname"].as_str().unwrap_or(host).to_owned();
        let mut env = vec![("PATH".to_owned(), USUAL_PATH.to_owned()), ("HOSTNAME".to_owned(), host)];
        let pairs = image.config.env.iter().filter_map(|pair| pair.split_once('='));
        env.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        env
    }

    /// A file for the container's last words.
    fn termination_file(&self, container: &Value, mounts: &mut Vec<Mount>) -> Result<PathBuf, ConfigError> {
        let fail = |error: std::io::Error| ConfigError(error.to_string());
        let dir = self.node.volumes.pod_dir(&self.uid).join("containers").join(spec::name(container));
        std::fs::create_dir_all(&dir).map_err(fail)?;
        let file = dir.join(format!("{}", self.runs));
        std::fs::write(&file, "").map_err(fail)?;
        let path =
            PathBuf::from(container["terminationMessagePath"].as_str().unwrap_or("/dev/termination-log"));
        mounts.push(Mount { path, host: file.clone(), access: Access::ReadWrite });
        Ok(file)
    }

    fn refuse_root(&self, container: &Value, image: &Image) -> Result<(), ConfigError> {
        let of = |field: &str| {
            let own = &container["securityContext"][field];
            if own.is_null() { self.pod["spec"]["securityContext"][field].clone() } else { own.clone() }
        };
        if of("runAsNonRoot") != true {
            return Ok(());
        }
        let place = format!(
            "(pod: \"{}_{}({})\", container: {})",
            self.name,
            self.namespace,
            self.uid,
            spec::name(container)
        );
        match of("runAsUser").as_u64() {
            Some(0) => Err(ConfigError(format!("container's runAsUser breaks non-root policy {place}"))),
            Some(_) => Ok(()),
            // An image that names no user runs as root; of a name nobody can tell whether it is root's.
            None => match image.config.user.split(':').next().unwrap_or_default() {
                "" | "0" => {
                    Err(ConfigError(format!("container has runAsNonRoot and image will run as root {place}")))
                }
                user if user.parse::<u64>().is_ok() => Ok(()),
                user => Err(ConfigError(format!(
                    "container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root {place}"
                ))),
            },
        }
    }
}

/// Command and arguments of the pod over those of the image.
fn argv(container: &Value, image: &Image, env: &[(String, String)]) -> Vec<String> {
    let known = |name: &str| env.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    let list = |field: &str| -> Option<Vec<String>> {
        let texts = container[field].as_array().filter(|list| !list.is_empty())?;
        Some(texts.iter().filter_map(Value::as_str).map(|text| expand(text, &known)).collect())
    };
    let (command, args) = (list("command"), list("args"));
    let args = match (&command, args) {
        (_, Some(args)) => args,
        (Some(_), None) => Vec::new(),
        (None, None) => image.config.cmd.clone(),
    };
    let mut argv = command.unwrap_or_else(|| image.config.entrypoint.clone());
    argv.extend(args);
    argv
}

/// Each name once, with its last value, where it was first named.
fn last_of_each(env: Vec<(String, String)>) -> Vec<(String, String)> {
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut result: Vec<(String, String)> = Vec::new();
    for (name, value) in env {
        if let Some(at) = place.get(&name) {
            result[*at].1 = value;
        } else {
            place.insert(name.clone(), result.len());
            result.push((name, value));
        }
    }
    result
}

/// `resources.limits.memory`, in bytes.
fn memory_limit(container: &Value) -> Option<u64> {
    let limit = &container["resources"]["limits"]["memory"];
    let text = limit.as_str().map(str::to_owned).or_else(|| limit.as_u64().map(|bytes| bytes.to_string()))?;
    u64::try_from(crate::quantity::parse(&text) / 1000).ok().filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use super::{argv, last_of_each};
    use crate::pull::Image;
    use crate::runtime::ImageConfig;
    use serde_json::json;

    #[test]
    fn command_and_args_override_the_image_as_in_kubernetes() {
        let config = ImageConfig {
            entrypoint: vec!["/bin/db".into()],
            cmd: vec!["serve".into()],
            ..ImageConfig::default()
        };
        let image = Image { name: String::new(), id: String::new(), size: 0, config };
        let env = [("PORT".to_owned(), "1".to_owned())];
        assert_eq!(argv(&json!({}), &image, &env), ["/bin/db", "serve"]);
        assert_eq!(argv(&json!({"args": ["-p", "$(PORT)"]}), &image, &env), ["/bin/db", "-p", "1"]);
        assert_eq!(argv(&json!({"command": ["sh"]}), &image, &env), ["sh"]);
    }

    #[test]
    fn a_name_set_twice_has_its_last_value() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            last_of_each(vec![pair("A", "1"), pair("B", "2"), pair("A", "3")]),
            [pair("A", "3"), pair("B", "2")]
        );
    }
}
