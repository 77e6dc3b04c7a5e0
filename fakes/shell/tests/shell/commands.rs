//! Commands that have no counterpart to compare with.

use cluster_node::Access;

use super::container::{Field, names};

#[tokio::test]
async fn a_volume_that_may_only_be_read_refuses_everything_else() {
    let mut field = Field::new(&["sleep", "1000"]);
    let host = field.mount("/ro", Access::ReadOnly);
    std::fs::write(host.join("file"), "text\n").expect("it can be written");
    let _container = field.start().await.expect("it starts");
    for (script, output) in [
        ("cat /ro/file", "text\n"),
        ("echo x > /ro/x", "sh: can't create /ro/x: Read-only file system\n"),
        ("touch /ro/x", "touch: /ro/x: Read-only file system\n"),
        ("mkdir /ro/d", "mkdir: can't create directory '/ro/d': Read-only file system\n"),
        ("rm /ro/file", "rm: can't remove '/ro/file': Read-only file system\n"),
        ("[ -w /ro/file ] || echo not writable", "not writable\n"),
    ] {
        assert_eq!(field.sh(script).await.output, output, "{script}");
    }
    assert_eq!(names(&host), ["file"]);
}

#[tokio::test]
async fn no_path_leads_out_of_a_container() {
    let mut field = Field::new(&["sleep", "1000"]);
    let host = field.mount("/v", Access::ReadWrite);
    std::fs::write(field.directory.path().join("secret"), "secret").expect("it can be written");
    let _container = field.start().await.expect("it starts");
    let ran = field
        .sh("cd /v && ln -s / escape && cat escape/etc/hostname; cat ../../../../secret; ls /v/escape/v")
        .await;
    assert_eq!(ran.output, "pod\ncat: can't open '../../../../secret': No such file or directory\nescape\n");
    assert_eq!(std::fs::read_link(host.join("escape")).expect("it is a link").as_os_str(), "/");
    let up = field.sh("cd /v; ln -s ../../../.. up; ls up/etc/hostname; cd up; pwd").await;
    assert_eq!(up.output, "up/etc/hostname\n/\n");
}

#[tokio::test]
async fn the_container_knows_itself() {
    let field = Field::new(&["sleep", "1000"]);
    let _container = field.start().await.expect("it starts");
    for (script, output) in [
        ("hostname; id -u; whoami", "pod\n0\nroot\n"),
        (
            "cat /etc/resolv.conf",
            "search ns.svc.cluster.local svc.cluster.local cluster.local\nnameserver 127.88.1.9\noptions ndots:5\n",
        ),
        ("echo $A; env | grep ^A=", "from the pod\nA=from the pod\n"),
        ("grep pod /etc/hosts | cut -f2", "pod\n"),
        ("pwd; echo ~", "/\n/root\n"),
        ("ps | head -n 2", "PID   USER     TIME  COMMAND\n    1 root      0:00 sleep 1000\n"),
        ("ls -la /bin/sh | cut -c1", "l\n"),
    ] {
        assert_eq!(field.sh(script).await.output, output, "{script}");
    }
}

#[tokio::test]
async fn archives_go_in_and_out_over_the_streams() {
    let field = Field::new(&["sleep", "1000"]);
    let _container = field.start().await.expect("it starts");
    let ran = field
        .sh("mkdir -p /tmp/a/b; echo x > /tmp/a/b/f; cd /tmp; tar cf - a | (mkdir /tmp/to; cd /tmp/to; tar xmf -); cat /tmp/to/a/b/f")
        .await;
    assert_eq!(ran.output, "x\n");
    assert_eq!(
        field.sh("tar czf /tmp/z.tgz -C /tmp a; tar tzf /tmp/z.tgz | sort").await.output,
        "a/\na/b/\na/b/f\n"
    );
}
