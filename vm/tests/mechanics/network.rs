//! What a guest reaches, and what reaches it.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;

use fake_network::{DnsConfig, DnsEffect, DnsFault, DnsServer, Zone};
use smoke_vm::{Cable, Machine, Service, UserNetwork};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::Trials;
use crate::lab::{Lab, PORT, run, tell};

/// Where the registry is, as far as the guest knows: an address of nobody's.
const REGISTRY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);
const PUBLIC: Ipv4Addr = Ipv4Addr::new(1, 1, 1, 1);

pub(crate) fn list(trials: &mut Trials) {
    trials.add("a_guest_asks_our_resolver_which_answers_refuses_and_answers_again", resolver);
    trials.add("a_service_is_reached_where_the_guest_knows_it_and_nothing_else_is", services);
    trials.add("a_cable_that_is_pulled_is_a_network_that_is_lost", cable);
    trials.add("ports_are_forwarded_to_where_nobody_else_listens", forwards);
}

async fn dns() -> DnsServer {
    let zone = Zone::new().with("registry.test", [REGISTRY.into()]);
    let listen = "127.0.0.1:0".parse().unwrap();
    DnsServer::start(DnsConfig { clock: field_clock::Clock::wall(), listen, zone }).await.unwrap()
}

async fn ask(machine: &Machine, server: &str) -> (String, bool) {
    let (lines, well) = run(machine, &format!("nslookup -type=a registry.test {server}")).await;
    (lines.join("\n"), well)
}

async fn resolver(lab: Arc<Lab>) {
    let server = dns().await;
    let control = server.control();
    let network = UserNetwork::new().resolver(server.address()).resolver_at(PUBLIC, server.address());
    let machine = lab.resume("resolver", network).await;
    assert_eq!(tell(&machine, "cat /etc/resolv.conf").await, "nameserver 10.0.2.3");
    for server in ["", "1.1.1.1"] {
        let (said, well) = ask(&machine, server).await;
        assert!(well && said.contains("203.0.113.10"), "{server}: {said}");
    }
    assert_eq!(control.receipts().len(), 2);

    let refusal = control.inject(DnsFault::all(DnsEffect::Refused)).await;
    let (said, well) = ask(&machine, "").await;
    assert!(!well && said.contains("REFUSED"), "{said}");
    control.heal(refusal).await.unwrap();

    let closed = control.inject(DnsFault::ClosedPort).await;
    let (said, well) = ask(&machine, "").await;
    assert!(
        !well && said.to_lowercase().contains("connection refused"),
        "a closed port is known by the kernel's word, not by silence: {said}"
    );
    control.heal(closed).await.unwrap();

    let (said, well) = ask(&machine, "").await;
    assert!(well && said.contains("203.0.113.10"), "{said}");
}

async fn services(lab: Arc<Lab>) {
    let registry = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = registry.local_addr().unwrap().port();
    let at = SocketAddrV4::new(REGISTRY, 80);
    let network = UserNetwork::new().service(Service::Tcp { at, port });
    let machine = lab.resume("services", network).await;
    let serving = tokio::spawn(serve(registry));
    assert_eq!(tell(&machine, &get("203.0.113.10 80", "/v2/")).await, "a registry");
    // Many at once, and more than one frame each.
    let large = get("203.0.113.10 80", "/large");
    let sizes = format!("for n in 1 2 3 4; do ({large}) >/tmp/$n & done; wait; cat /tmp/[1-4] | wc -c");
    assert_eq!(tell(&machine, &sizes).await, "800004");
    serving.abort();
    let _ = serving.await;
    let (said, _) = run(&machine, &get("203.0.113.10 80", "/v2/")).await;
    assert!(said.join(" ").contains("Connection refused"), "{said:?}");
    // The host's own ports and the world outside are out of reach, and the guest knows at once.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = format!("10.0.2.2 {}", listener.local_addr().unwrap().port());
    for other in [own.as_str(), "1.1.1.1 80", "203.0.113.10 81"] {
        let (said, _) = run(&machine, &get(other, "/")).await;
        assert!(said.join(" ").contains("No route to host"), "{other}: {said:?}");
    }
}

/// The command of a guest that fetches something; what it says of HTTP itself is left out.
fn get(from: &str, path: &str) -> String {
    format!("printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' | nc -w 10 {from} | sed '1,/^\\r$/d'; echo")
}

/// Answers as long as it is asked.
async fn serve(listener: TcpListener) {
    loop {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let large = request[..length].starts_with(b"GET /large ");
            let body = if large { "x".repeat(200_000) } else { "a registry".to_owned() };
            let head =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        });
    }
}

async fn cable(lab: Arc<Lab>) {
    let server = dns().await;
    let machine = lab.resume("cable", UserNetwork::new().resolver(server.address())).await;
    assert!(ask(&machine, "").await.1);
    machine.cable(Cable::Out).await.unwrap();
    let carrier = "n=0; while [ $(cat /sys/class/net/eth0/carrier) != WANTED ] && [ $n -lt 50 ]; do sleep 0.1; n=$((n+1)); done; cat /sys/class/net/eth0/carrier";
    assert_eq!(tell(&machine, &carrier.replace("WANTED", "0")).await, "0", "the guest sees it");
    let before = server.control().receipts().len();
    let (said, well) = run(&machine, "timeout 2 nslookup -type=a registry.test").await;
    assert!(!well, "{said:?}");
    assert_eq!(server.control().receipts().len(), before, "no question came through");
    machine.cable(Cable::In).await.unwrap();
    assert_eq!(tell(&machine, &carrier.replace("WANTED", "1")).await, "1");
    let (said, well) = ask(&machine, "").await;
    assert!(well, "{said}");
}

async fn forwards(lab: Arc<Lab>) {
    let (one, two) = tokio::join!(
        lab.resume("forward-1", UserNetwork::new()),
        lab.resume("forward-2", UserNetwork::new())
    );
    assert_eq!(one.reached_at(PORT + 1), None);
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for (machine, word) in [(&one, "one"), (&two, "two")] {
        let address = machine.reached_at(PORT).unwrap();
        assert!(address.ip().is_loopback() && !addresses.contains(&address), "{addresses:?} {address}");
        addresses.push(address);
        tell(machine, &format!("nc -ll -p {PORT} -e echo {word} & sleep 0.2")).await;
        let mut said = String::new();
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.read_to_string(&mut said).await.unwrap();
        assert_eq!(said, format!("{word}\n"));
    }
}
