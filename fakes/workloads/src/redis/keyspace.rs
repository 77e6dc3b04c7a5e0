//! Keys, values, and the commands on them.

use std::collections::BTreeMap;

use super::resp::Reply;

struct Entry {
    value: Vec<u8>,
    /// In milliseconds of Unix time.
    expires: Option<i64>,
}

/// All keys of the server.
#[derive(Default)]
pub(crate) struct Keyspace(BTreeMap<Vec<u8>, Entry>);

/// A command in the form in which it is kept in the file.
type Kept = Option<Vec<Vec<u8>>>;

impl Keyspace {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Does again what the file says.
    pub(crate) fn replay(&mut self, command: &[Vec<u8>]) {
        let Some(name) = command.first() else { return };
        self.execute(&String::from_utf8_lossy(name).to_uppercase(), &command[1..], i64::MIN);
    }

    fn live(&mut self, key: &[u8], now: i64) -> Option<&mut Entry> {
        if self.0.get(key).is_some_and(|entry| entry.expires.is_some_and(|expires| expires <= now)) {
            self.0.remove(key);
        }
        self.0.get_mut(key)
    }

    /// Runs a command; the second value is what a later start has to do again.
    pub(crate) fn execute(&mut self, name: &str, arguments: &[Vec<u8>], now: i64) -> (Reply, Kept) {
        match (name, arguments) {
            ("PING", []) => (Reply::Simple("PONG"), None),
            ("PING" | "ECHO", [text]) => (Reply::Bulk(text.clone()), None),
            ("SELECT" | "CLIENT" | "SAVE" | "BGSAVE" | "CONFIG", _) => (Reply::Simple("OK"), None),
            ("COMMAND", _) => (Reply::List(Vec::new()), None),
            ("DBSIZE", []) => (Reply::Number(number(self.0.len())), None),
            ("INFO", _) => (Reply::Bulk(self.info().into_bytes()), None),
            ("GET", [key]) => {
                (self.live(key, now).map_or(Reply::Nil, |entry| Reply::Bulk(entry.value.clone())), None)
            }
            ("SET", [key, value, options @ ..]) => self.set(key, value, options, now),
            ("DEL" | "UNLINK", keys) => {
                let removed = keys.iter().filter(|key| self.0.remove(*key).is_some()).count();
                (Reply::Number(number(removed)), kept("DEL", keys))
            }
            ("EXISTS", keys) => {
                let found = keys.iter().filter(|key| self.live(key, now).is_some()).count();
                (Reply::Number(number(found)), None)
            }
            ("INCR" | "DECR", [key]) => self.add(key, if name == "INCR" { 1 } else { -1 }, now),
            ("EXPIRE", [key, seconds]) => {
                let at = integer(seconds).map(|seconds| now.saturating_add(seconds.saturating_mul(1000)));
                self.expire(key, at, now)
            }
            ("PEXPIREAT", [key, at]) => self.expire(key, integer(at), now),
            ("TTL", [key]) => (
                Reply::Number(match self.live(key, now) {
                    None => -2,
                    Some(entry) => entry.expires.map_or(-1, |expires| (expires - now + 999) / 1000),
                }),
                None,
            ),
            ("KEYS", [pattern]) => {
                let prefix = pattern.strip_suffix(b"*").unwrap_or(pattern);
                let matching = self.0.keys().filter(|key| key.starts_with(prefix));
                (Reply::List(matching.cloned().map(Reply::Bulk).collect()), None)
            }
            ("FLUSHALL" | "FLUSHDB", _) => {
                self.0.clear();
                (Reply::Simple("OK"), kept("FLUSHALL", &[]))
            }
            ("HELLO", _) => (Reply::Error("NOPROTO unsupported protocol version".to_owned()), None),
            _ => (Reply::Error(format!("ERR unknown command '{name}' or wrong number of arguments")), None),
        }
    }

    fn set(&mut self, key: &[u8], value: &[u8], options: &[Vec<u8>], now: i64) -> (Reply, Kept) {
        let mut expires = None;
        let mut words = options.iter();
        while let Some(option) = words.next() {
            let unit = match String::from_utf8_lossy(option).to_uppercase().as_str() {
                "NX" if self.live(key, now).is_some() => return (Reply::Nil, None),
                "XX" if self.live(key, now).is_none() => return (Reply::Nil, None),
                "NX" | "XX" => continue,
                "EX" => 1000,
                "PX" => 1,
                "PXAT" => {
                    expires = words.next().and_then(|at| integer(at));
                    continue;
                }
                _ => return (Reply::Error("ERR syntax error".to_owned()), None),
            };
            let Some(length) = words.next().and_then(|length| integer(length)) else {
                return (Reply::Error("ERR value is not an integer or out of range".to_owned()), None);
            };
            expires = Some(now.saturating_add(length.saturating_mul(unit)));
        }
        self.0.insert(key.to_vec(), Entry { value: value.to_vec(), expires });
        let mut again = vec![b"SET".to_vec(), key.to_vec(), value.to_vec()];
        if let Some(expires) = expires {
            again.extend([b"PXAT".to_vec(), expires.to_string().into_bytes()]);
        }
        (Reply::Simple("OK"), Some(again))
    }

    fn add(&mut self, key: &[u8], by: i64, now: i64) -> (Reply, Kept) {
        let held = self.live(key, now).map_or(Some(0), |entry| integer(&entry.value));
        let Some(sum) = held.and_then(|held| held.checked_add(by)) else {
            return (Reply::Error("ERR value is not an integer or out of range".to_owned()), None);
        };
        let (_, again) = self.set(key, sum.to_string().as_bytes(), &[], now);
        (Reply::Number(sum), again)
    }

    fn expire(&mut self, key: &[u8], at: Option<i64>, now: i64) -> (Reply, Kept) {
        let Some(at) = at else {
            return (Reply::Error("ERR value is not an integer or out of range".to_owned()), None);
        };
        let Some(entry) = self.live(key, now) else { return (Reply::Number(0), None) };
        entry.expires = Some(at);
        (Reply::Number(1), kept("PEXPIREAT", &[key.to_vec(), at.to_string().into_bytes()]))
    }

    fn info(&self) -> String {
        format!(
            "# Server\r\nredis_version:7.4.1\r\nredis_mode:standalone\r\n# Persistence\r\naof_enabled:1\r\n# Keyspace\r\ndb0:keys={}\r\n",
            self.0.len()
        )
    }
}

fn kept(name: &str, arguments: &[Vec<u8>]) -> Kept {
    Some(std::iter::once(name.as_bytes().to_vec()).chain(arguments.iter().cloned()).collect())
}

fn integer(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Keyspace, Reply};

    fn words(text: &str) -> Vec<Vec<u8>> {
        text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn a_key_is_gone_when_its_time_is_over() {
        let mut keys = Keyspace::default();
        let (reply, kept) = keys.execute("SET", &words("a 1 EX 10"), 5_000);
        assert_eq!(reply, Reply::Simple("OK"));
        assert_eq!(kept, Some(words("SET a 1 PXAT 15000")));
        assert_eq!(keys.execute("TTL", &words("a"), 6_000).0, Reply::Number(9));
        assert_eq!(keys.execute("GET", &words("a"), 15_000).0, Reply::Nil);
    }

    #[test]
    fn what_was_kept_gives_the_same_keys_again() {
        let mut keys = Keyspace::default();
        let mut again = Keyspace::default();
        for command in ["SET a 1", "INCR a", "SET b x", "DEL b"] {
            let command = words(command);
            let name = String::from_utf8_lossy(&command[0]).into_owned();
            again.replay(&keys.execute(&name, &command[1..], 0).1.unwrap());
        }
        assert_eq!(again.execute("GET", &words("a"), 0).0, Reply::Bulk(b"2".to_vec()));
        assert_eq!(again.len(), 1);
    }
}
