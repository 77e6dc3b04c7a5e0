//! The Redis protocol.

use tokio::io::{AsyncRead, AsyncReadExt};

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    Simple(&'static str),
    Error(String),
    Number(i64),
    Bulk(Vec<u8>),
    Nil,
    List(Vec<Reply>),
}

impl Reply {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Simple(text) => format!("+{text}\r\n").into_bytes(),
            Self::Error(text) => format!("-{text}\r\n").into_bytes(),
            Self::Number(number) => format!(":{number}\r\n").into_bytes(),
            Self::Nil => b"$-1\r\n".to_vec(),
            Self::Bulk(value) => bulk(value),
            Self::List(items) => {
                let mut bytes = format!("*{}\r\n", items.len()).into_bytes();
                items.iter().for_each(|item| bytes.extend(item.bytes()));
                bytes
            }
        }
    }
}

fn bulk(value: &[u8]) -> Vec<u8> {
    let mut bytes = format!("${}\r\n", value.len()).into_bytes();
    bytes.extend_from_slice(value);
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// A command as a client sends it.
pub(crate) fn command(words: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    words.iter().for_each(|word| bytes.extend(bulk(word)));
    bytes
}

/// The first command in `bytes` and how long it is; nothing when it is not whole yet.
pub(crate) fn parse(bytes: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let (first, mut used) = line(bytes, 0)?;
    let Some(count) = first.strip_prefix('*') else {
        return Some((first.split_whitespace().map(|word| word.as_bytes().to_vec()).collect(), used));
    };
    let count = count.parse::<usize>().unwrap_or(0);
    let mut words = Vec::new();
    for _ in 0..count {
        let (header, start) = line(bytes, used)?;
        let length = header.strip_prefix('$')?.parse::<usize>().ok()?;
        words.push(bytes.get(start..start.checked_add(length)?)?.to_vec());
        used = start + length + 2;
        if used > bytes.len() {
            return None;
        }
    }
    Some((words, used))
}

fn line(bytes: &[u8], start: usize) -> Option<(&str, usize)> {
    let rest = bytes.get(start..)?;
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    Some((std::str::from_utf8(&rest[..end]).ok()?, start + end + 2))
}

/// More than this in one command is refused by hanging up.
const LONGEST: usize = 16 * 1024 * 1024;

/// Reads commands.
pub(crate) struct Reader<R> {
    input: R,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new() }
    }

    /// The next command; nothing at the end.
    pub(crate) async fn next(&mut self) -> Option<Vec<Vec<u8>>> {
        loop {
            if let Some((words, used)) = parse(&self.buffer) {
                self.buffer.drain(..used);
                if !words.is_empty() {
                    return Some(words);
                }
                continue;
            }
            if self.buffer.len() > LONGEST || self.input.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{command, parse};

    #[test]
    fn a_command_is_read_when_it_is_whole() {
        let bytes = command(&[b"SET".to_vec(), b"a".to_vec(), b"x\r\ny".to_vec()]);
        assert_eq!(parse(&bytes[..bytes.len() - 1]), None);
        let (words, used) = parse(&bytes).unwrap();
        assert_eq!((words[2].as_slice(), used), (b"x\r\ny".as_slice(), bytes.len()));
    }

    #[test]
    fn a_plain_line_is_a_command_too() {
        assert_eq!(parse(b"PING hello\r\n"), Some((vec![b"PING".to_vec(), b"hello".to_vec()], 12)));
    }
}
