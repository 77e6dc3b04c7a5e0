//! `appliance bootstrap`: everything, in order.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use appliance_assess::Site;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::cli::{Bootstrap, Mode};
use crate::cluster::Cluster;
use crate::failure::{Failure, api};
use crate::lookout::{Lookout, Past};
use crate::reconcile::Request;
use crate::report::{Phase, line, step, warning};
use crate::settings::Settings;
use crate::status::StatusPage;
use crate::time::ApiTime;
use crate::{core_app, flux, images, plan, reconcile, storage, talos, token, values};

/// What is installed onto.
enum Ground {
    /// A cluster that is there.
    Cluster(PathBuf),
    /// A machine that is to become one.
    Machine(Box<talos::Target>),
}

pub(crate) async fn run(arguments: Bootstrap) -> Result<(), Failure> {
    let settings = Settings::resolve(&arguments)?;
    settings.check_site_values();
    let from_ip = |ip: IpAddr| format!("http://{}", SocketAddr::new(ip, 3000));
    if arguments.dry_run {
        let ip = arguments.node_ip.map_or_else(|| "http://<node>:3000".to_owned(), from_ip);
        if arguments.kubeconfig.is_none() {
            talos::Target::of(&arguments, &settings)?.print_plan();
        }
        return plan::print(&settings, &settings.app_url(arguments.app_url.unwrap_or(ip)));
    }
    let ground = match &arguments.kubeconfig {
        Some(kubeconfig) => Ground::Cluster(kubeconfig.clone()),
        None => Ground::Machine(Box::new(talos::Target::of(&arguments, &settings)?)),
    };
    step(Phase::Flux, &format!("Source {}:{}", settings.source_url, settings.source_tag));
    let kubeconfig = match ground {
        Ground::Cluster(kubeconfig) => kubeconfig,
        Ground::Machine(machine) => machine.install().await?,
    };
    step(Phase::Kubernetes, &format!("Using kubeconfig {}", kubeconfig.display()));
    let cluster = Cluster::connect(&kubeconfig).await?;
    let node_ip = match arguments.node_ip {
        Some(ip) => ip,
        None => cluster.node_ip().await?,
    };
    let app_url = settings.app_url(arguments.app_url.unwrap_or_else(|| from_ip(node_ip)));
    let time = ApiTime::start(cluster.client.clone(), arguments.clock);
    note_existing(&cluster, settings.mode).await?;
    let page = StatusPage::new(node_ip, &token(&cluster, &settings).await?)?;
    let site = Site {
        site_id: Some(settings.site_id.clone()),
        host_ip: Some(node_ip.to_string()),
        status_url: None,
    };
    let past = reconcile::past(&cluster).await?;
    let lookout = Lookout::new(cluster.client.clone(), &time, &page, site, past);
    platform(&cluster, &time, &settings, &lookout).await?;
    let request = release(&cluster, &settings, &app_url, past).await?;
    page.announce("Appliance status UI (submitted):");
    lookout.over(Phase::Flux, page.wait(&time)).await?;
    let checked = async {
        if !arguments.skip_image_tag_validation {
            images::check_background(&settings.tags).await;
        }
    };
    let (outcome, ()) = tokio::join!(core_app::wait(&cluster, &time, &lookout, &request), checked);
    outcome?;
    if settings.mode == Mode::Fresh {
        step(Phase::CoreApp, "Promoting bootstrap mode to recover");
        cluster.apply_all(values::config_maps(&settings, Mode::Recover, &app_url)?).await?;
    }
    line("");
    line("Appliance is installed:");
    line(&format!("  Login: {app_url}"));
    page.announce("Appliance status UI:");
    Ok(())
}

/// Namespaces, and the token in the cluster and in the site's folder.
async fn token(cluster: &Cluster, settings: &Settings) -> Result<String, Failure> {
    step(Phase::Kubernetes, "Creating namespaces");
    cluster.apply_all(namespaces()).await?;
    step(Phase::Kubernetes, "Creating the status token");
    let token = token::ensure(cluster, &settings.site_directory).await?;
    cluster.apply(token::secret(&token)).await?;
    Ok(token)
}

/// Storage, Flux, DNS.
async fn platform(
    cluster: &Cluster,
    time: &ApiTime,
    settings: &Settings,
    lookout: &Lookout<'_>,
) -> Result<(), Failure> {
    storage::install(cluster, time, lookout).await?;
    flux::install(cluster, time, lookout).await?;
    if !settings.dns_servers.is_empty() {
        forward_dns(cluster, &settings.dns_servers).await?;
    }
    Ok(())
}

/// Values, selection, source, root; what was installed before is asked to take them up.
async fn release(
    cluster: &Cluster,
    settings: &Settings,
    app_url: &str,
    past: Past,
) -> Result<Request, Failure> {
    let version = &settings.release.release_version;
    step(Phase::Helm, &format!("Writing values and selection of release {version}"));
    for own in &settings.site_values {
        step(Phase::Helm, &format!("Values of {} from {}", own.release, own.path.display()));
    }
    let changed = values::write(cluster, settings, app_url).await?;
    cluster.apply(values::selection(settings)).await?;
    step(Phase::Flux, "Submitting the source and the root Kustomization");
    cluster.apply(flux::source(settings)).await?;
    cluster.apply(flux::root()).await?;
    match past {
        Past::Installed => reconcile::ask(cluster, &changed).await,
        Past::None => Ok(Request::default()),
    }
}

pub(crate) fn namespaces() -> Vec<Value> {
    let privileged = json!({
        "pod-security.kubernetes.io/enforce": "privileged",
        "pod-security.kubernetes.io/audit": "privileged",
        "pod-security.kubernetes.io/warn": "privileged",
    });
    let namespace = |name: &str, labels: Value| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } });
    vec![
        namespace("msp", privileged.clone()),
        namespace("appliance-system", privileged),
        namespace("alga-system", json!({})),
        namespace("flux-system", json!({})),
    ]
}

/// A fresh install over an old one keeps its data; the bootstrap job will refuse it.
async fn note_existing(cluster: &Cluster, mode: Mode) -> Result<(), Failure> {
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), "msp");
    let result =
        maps.get_opt("appliance-bootstrap-result").await.map_err(api("look for an earlier install"))?;
    if mode == Mode::Fresh && result.is_some() {
        warning(
            "this cluster was bootstrapped before; a fresh bootstrap refuses existing data. \
             Use --bootstrap-mode recover to keep it, or reset the appliance to wipe it.",
        );
    }
    Ok(())
}

/// Makes cluster DNS ask the given servers, every one of them.
async fn forward_dns(cluster: &Cluster, servers: &[String]) -> Result<(), Failure> {
    step(Phase::Kubernetes, &format!("Forwarding cluster DNS to {}", servers.join(", ")));
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), "kube-system");
    let map = maps.get_opt("coredns").await.map_err(api("read ConfigMap kube-system/coredns"))?;
    let Some(text) = map.and_then(|it| it.data?.remove("Corefile")) else {
        warning("cluster DNS is not configured by kube-system/coredns; its forwarders stay as they are.");
        return Ok(());
    };
    let forwarded = forwarding(&text, servers);
    if forwarded != text {
        let patch = json!({ "data": { "Corefile": forwarded } });
        maps.patch("coredns", &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .map_err(api("write ConfigMap kube-system/coredns"))?;
    }
    Ok(())
}

/// The Corefile with other forwarders for the root zone.
fn forwarding(corefile: &str, servers: &[String]) -> String {
    let mut text = String::new();
    for line in corefile.lines() {
        let content = line.trim_start();
        if let Some(rest) = content.strip_prefix("forward . ") {
            let indent = &line[..line.len() - content.len()];
            let block = if rest.trim_end().ends_with('{') { " {" } else { "" };
            text.push_str(&format!("{indent}forward . {}{block}\n", servers.join(" ")));
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::forwarding;

    #[test]
    fn every_dns_server_is_kept_and_nothing_else_changes() {
        let corefile =
            ".:53 {\n    errors\n    forward . /etc/resolv.conf {\n       max_concurrent 1000\n    }\n}\n";
        let servers = ["1.1.1.1".to_owned(), "8.8.8.8".to_owned()];
        let expected = corefile.replace("/etc/resolv.conf", "1.1.1.1 8.8.8.8");
        assert_eq!(forwarding(corefile, &servers), expected);
    }
}
