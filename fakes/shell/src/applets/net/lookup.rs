//! `nslookup`, in the big form that Debian's busybox has.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use hickory_proto::op::{Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::net::UdpSocket;

use super::super::Done;
use super::super::options::usage;
use crate::descriptor::strerror;
use crate::process::Process;

/// How long a server is asked.
const WITHIN: Duration = Duration::from_secs(5);
/// When questions without an answer are asked again.
const AGAIN: Duration = Duration::from_millis(2500);

struct Question {
    name: String,
    id: u16,
    packet: Vec<u8>,
    answered: bool,
}

/// Runs `nslookup`.
pub(in super::super) async fn nslookup(process: &Process, args: &[String]) -> Done {
    let mut kinds = Vec::new();
    let mut words = Vec::new();
    for arg in args {
        match arg.strip_prefix('-') {
            None => words.push(arg.as_str()),
            Some(option) => {
                let option = option.to_ascii_lowercase();
                let kind = option.strip_prefix("type=").or_else(|| option.strip_prefix("querytype="));
                match kind.map(|kind| RecordType::from_str(&kind.to_ascii_uppercase())) {
                    Some(Ok(kind)) => kinds.push(kind),
                    Some(Err(_)) => {
                        process.complain(&format!("nslookup: invalid query type \"{}\"", &option[5..])).await;
                        return Ok(1);
                    }
                    None if option == "debug" => {}
                    None => return Err(usage(process, "nslookup").await),
                }
            }
        }
    }
    let Some(host) = words.first() else { return Err(usage(process, "nslookup").await) };
    let mut questions = Vec::new();
    if let Ok(address) = host.parse::<IpAddr>() {
        let name = Name::from(address).to_string();
        questions.extend(question(&name, RecordType::PTR));
    } else {
        if kinds.is_empty() {
            kinds = vec![RecordType::A, RecordType::AAAA];
        }
        for kind in kinds {
            for name in names(process, host) {
                questions.extend(question(&name, kind));
            }
        }
    }
    let servers: Vec<(String, SocketAddr)> = match words.get(1) {
        None => configured(process),
        Some(server) => match super::resolve(process, server).await {
            Some(ip) => vec![((*server).to_owned(), SocketAddr::new(ip, 53))],
            None => {
                process.complain(&format!("nslookup: bad address '{server}'")).await;
                return Ok(1);
            }
        },
    };
    for (name, server) in servers {
        if ask(process, &name, server, &mut questions).await? > 0 {
            let mut silent = false;
            for question in questions.iter().filter(|question| !question.answered) {
                process.out(format!("*** Can't find {}: No answer\n", question.name)).await?;
                silent = true;
            }
            if silent {
                process.out("\n").await?;
            }
            return Ok(0);
        }
    }
    process.out(";; connection timed out; no servers could be reached\n\n").await?;
    Ok(1)
}

/// The names to ask for: one without a dot in every domain of the list.
fn names(process: &Process, host: &str) -> Vec<String> {
    let search = conf_line(process, "search");
    if host.contains('.') || search.is_empty() {
        return vec![host.to_owned()];
    }
    search.iter().map(|domain| format!("{host}.{domain}")).collect()
}

fn conf_line(process: &Process, keyword: &str) -> Vec<String> {
    let conf = process.files().read("/", "/etc/resolv.conf").unwrap_or_default();
    let conf = String::from_utf8_lossy(&conf).into_owned();
    let lines = conf.lines().map(str::split_whitespace);
    let mut found = Vec::new();
    for mut words in lines {
        if words.next() == Some(keyword) {
            found.extend(words.map(str::to_owned));
        }
    }
    found
}

fn configured(process: &Process) -> Vec<(String, SocketAddr)> {
    let mut servers: Vec<(String, SocketAddr)> = Vec::new();
    for text in conf_line(process, "nameserver") {
        if let Ok(ip) = text.parse::<IpAddr>() {
            let known = process.world.network.servers().into_iter().find(|server| server.ip() == ip);
            servers.push((text, known.unwrap_or(SocketAddr::new(ip, 53))));
        }
    }
    servers
}

fn question(name: &str, kind: RecordType) -> Option<Question> {
    let mut fqdn = Name::from_str(name).ok()?;
    fqdn.set_fqdn(true);
    let id = rand::random::<u16>();
    let mut message = Message::new(id, MessageType::Query, OpCode::Query);
    message.metadata.recursion_desired = true;
    message.add_query(Query::query(fqdn, kind));
    Some(Question { name: name.to_owned(), id, packet: message.to_vec().ok()?, answered: false })
}

/// Asks one server everything; returns how many answers came, none when it cannot be reached.
async fn ask(
    process: &Process,
    name: &str,
    server: SocketAddr,
    questions: &mut [Question],
) -> Result<usize, super::super::Fault> {
    let socket = match process.world.network.datagrams(server).await {
        Ok(socket) => socket,
        Err(error) => {
            process
                .complain(&format!("nslookup: can't connect to remote host ({name}): {}", strerror(&error)))
                .await;
            return Ok(0);
        }
    };
    let clock = process.clock();
    let mut asking = Asking { name, server, answers: 0, replies: 0, retries: 0 };
    let rounds = WITHIN.as_millis() / AGAIN.as_millis();
    for _ in 0..rounds {
        asking.retries = 2 * questions.len();
        for question in questions.iter().filter(|question| !question.answered) {
            if let Err(error) = socket.send(&question.packet).await {
                process.complain(&format!("nslookup: write to '{name}': {}", strerror(&error))).await;
                return Ok(0);
            }
        }
        match clock.timeout(AGAIN, asking.listen(process, &socket, questions)).await {
            Ok(done) => {
                done?;
                return Ok(asking.answers);
            }
            Err(_) => continue,
        }
    }
    Ok(asking.answers)
}

struct Asking<'a> {
    name: &'a str,
    server: SocketAddr,
    answers: usize,
    replies: usize,
    /// How often a failure of the server is asked again at once.
    retries: usize,
}

impl Asking<'_> {
    /// Takes answers until all are there.
    async fn listen(
        &mut self,
        process: &Process,
        socket: &UdpSocket,
        questions: &mut [Question],
    ) -> Result<(), super::super::Fault> {
        let mut buffer = vec![0; 4096];
        while self.answers < questions.len() {
            let length = match socket.recv(&mut buffer).await {
                Ok(length) => length,
                Err(error) => {
                    process.complain(&format!("nslookup: read: {}", strerror(&error))).await;
                    if error.kind() != io::ErrorKind::ConnectionRefused {
                        std::future::pending::<()>().await;
                    }
                    continue;
                }
            };
            self.replies += 1;
            if self.replies == 1 {
                let address = SocketAddr::new(self.server.ip(), 53);
                process.out(format!("Server:\t\t{}\nAddress:\t{address}\n\n", self.name)).await?;
            }
            let Ok(message) = Message::from_vec(&buffer[..length]) else { continue };
            let Some(question) = questions.iter_mut().find(|question| question.id == message.metadata.id)
            else {
                continue;
            };
            if question.answered {
                continue;
            }
            let code = message.metadata.response_code.low();
            if code == 2 && self.retries > 0 {
                self.retries -= 1;
                // Whether it can be asked again shows in its answer.
                let _ = socket.send(&question.packet).await;
                continue;
            }
            question.answered = true;
            self.answers += 1;
            let text = match code {
                0 => records(&message),
                code => format!("** server can't find {}: {}\n", question.name, word(code)),
            };
            process.out(format!("{text}\n")).await?;
        }
        Ok(())
    }
}

fn word(code: u8) -> &'static str {
    match code {
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        6 => "YXDOMAIN",
        7 => "YXRRSET",
        8 => "NXRRSET",
        9 => "NOTAUTH",
        10 => "NOTZONE",
        _ => "UNKNOWN",
    }
}

fn records(message: &Message) -> String {
    let mut text = String::new();
    if !message.metadata.authoritative {
        text.push_str("Non-authoritative answer:\n");
    }
    for record in &message.answers {
        let owner = record.name.to_string();
        let owner = owner.trim_end_matches('.');
        match &record.data {
            RData::A(address) => text.push_str(&format!("Name:\t{owner}\nAddress: {address}\n")),
            RData::AAAA(address) => text.push_str(&format!("Name:\t{owner}\nAddress: {address}\n")),
            RData::CNAME(target) => {
                text.push_str(&format!(
                    "{owner}\tcanonical name = {}\n",
                    target.to_string().trim_end_matches('.')
                ));
            }
            RData::PTR(target) => {
                text.push_str(&format!("{owner}\tname = {}\n", target.to_string().trim_end_matches('.')));
            }
            RData::SRV(srv) => {
                let target = srv.target.to_string();
                text.push_str(&format!(
                    "{owner}\tservice = {} {} {} {}\n",
                    srv.priority,
                    srv.weight,
                    srv.port,
                    target.trim_end_matches('.')
                ));
            }
            RData::TXT(value) => text.push_str(&format!("{owner}\ttext = \"{value}\"\n")),
            other => text.push_str(&format!("{owner}\t{other}\n")),
        }
    }
    text
}
