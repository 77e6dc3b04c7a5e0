//! Frames of SPDY/3.1, as far as port-forwarding needs them.

use flate2::{Decompress, FlushDecompress};

/// What header blocks are compressed against, from the protocol's definition.
const DICTIONARY: &[u8] = include_bytes!("dictionary.bin");
const VERSION: u16 = 0x8003;
/// The last frame of a stream.
const FIN: u8 = 1;
/// Two bytes of zlib and four of the dictionary's checksum.
const PREAMBLE: usize = 6;

/// A frame that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// The client opens a stream.
    Open { stream: u32, headers: Vec<(String, String)> },
    /// Data of a stream.
    Data { stream: u32, data: Vec<u8>, last: bool },
    /// The client gives a stream up.
    Reset { stream: u32 },
    /// The client asks whether anybody is there.
    Ping { id: u32 },
    /// The client goes.
    GoAway,
    /// Anything else.
    Other,
}

/// Reads frames out of bytes as they come.
pub(super) struct Reader {
    bytes: Vec<u8>,
    inflate: Option<Decompress>,
}

/// Bytes that are no SPDY.
#[derive(Debug, thiserror::Error)]
#[error("malformed SPDY frame")]
pub(super) struct Malformed;

impl Reader {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), inflate: None }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The next whole frame, if it is there.
    pub(super) fn next(&mut self) -> Result<Option<Frame>, Malformed> {
        let Some((head, _)) = self.bytes.split_first_chunk::<8>() else { return Ok(None) };
        let head = *head;
        let length = u32::from_be_bytes([0, head[5], head[6], head[7]]) as usize;
        if self.bytes.len() < 8 + length {
            return Ok(None);
        }
        let body: Vec<u8> = self.bytes.drain(..8 + length).skip(8).collect();
        let number = |at: usize| {
            let four = body.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
            four.map(u32::from_be_bytes).ok_or(Malformed)
        };
        if head[0] & 0x80 == 0 {
            let stream = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
            return Ok(Some(Frame::Data { stream, data: body, last: head[4] & FIN != 0 }));
        }
        Ok(Some(match u16::from_be_bytes([head[2], head[3]]) {
            1 => {
                let block = self.expand(body.get(10..).ok_or(Malformed)?)?;
                Frame::Open { stream: number(0)?, headers: headers(&block).ok_or(Malformed)? }
            }
            3 => Frame::Reset { stream: number(0)? },
            6 => Frame::Ping { id: number(0)? },
            7 => Frame::GoAway,
            _ => Frame::Other,
        }))
    }

    /// Inflates a header block; all blocks of a connection are one zlib stream.
    fn expand(&mut self, block: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut block = block;
        let inflate = match &mut self.inflate {
            Some(inflate) => inflate,
            none => {
                block = block.get(PREAMBLE..).ok_or(Malformed)?;
                let mut fresh = Decompress::new(false);
                // A block that is stored as it is puts the dictionary where references look for it.
                let mut out = Vec::with_capacity(DICTIONARY.len() + 16);
                fresh
                    .decompress_vec(&stored(DICTIONARY), &mut out, FlushDecompress::Sync)
                    .map_err(|_| Malformed)?;
                none.insert(fresh)
            }
        };
        let mut out = Vec::with_capacity(4096);
        let before = inflate.total_in();
        loop {
            let taken = usize::try_from(inflate.total_in() - before).map_err(|_| Malformed)?;
            let had = out.len();
            inflate
                .decompress_vec(&block[taken..], &mut out, FlushDecompress::Sync)
                .map_err(|_| Malformed)?;
            let taken = usize::try_from(inflate.total_in() - before).map_err(|_| Malformed)?;
            if taken == block.len() && out.len() < out.capacity() {
                return Ok(out);
            }
            if out.len() == had && out.len() < out.capacity() {
                return Err(Malformed);
            }
            out.reserve(4096);
        }
    }
}

fn headers(block: &[u8]) -> Option<Vec<(String, String)>> {
    let mut rest = block;
    let number = |rest: &mut &[u8]| {
        let (four, tail) = rest.split_first_chunk::<4>()?;
        *rest = tail;
        Some(u32::from_be_bytes(*four) as usize)
    };
    let text = |rest: &mut &[u8]| {
        let length = number(rest)?;
        let (text, tail) = rest.split_at_checked(length)?;
        *rest = tail;
        Some(String::from_utf8_lossy(text).into_owned())
    };
    let (four, tail) = rest.split_first_chunk::<4>()?;
    rest = tail;
    (0..u32::from_be_bytes(*four)).map(|_| Some((text(&mut rest)?, text(&mut rest)?))).collect()
}

/// A block of deflate that holds bytes as they are.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&[0][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat()
}

fn control(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(0) & 0x00ff_ffff;
    [&VERSION.to_be_bytes()[..], &kind.to_be_bytes(), &length.to_be_bytes(), body].concat()
}

/// Writes frames.
pub(super) struct Writer {
    replies: u32,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { replies: 0 }
    }

    /// The acceptance of a stream, without headers.
    pub(super) fn reply(&mut self, stream: u32) -> Vec<u8> {
        let mut block = Vec::new();
        if self.replies == 0 {
            block.extend([0x78, 0x20]);
            block.extend(checksum(DICTIONARY).to_be_bytes());
        }
        self.replies += 1;
        block.extend(stored(&0_u32.to_be_bytes()));
        // Readers hand on what they have when an empty block says so.
        block.extend(stored(&[]));
        control(2, &[&stream.to_be_bytes()[..], &block].concat())
    }
}

/// Data of a stream, at most what a frame holds.
pub(super) fn data(stream: u32, bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(0) & 0x00ff_ffff;
    [&stream.to_be_bytes()[..], &length.to_be_bytes(), bytes].concat()
}

/// The end of a stream.
pub(super) fn end(stream: u32) -> Vec<u8> {
    [&stream.to_be_bytes()[..], &[FIN, 0, 0, 0]].concat()
}

/// The answer to a ping.
pub(super) fn pong(id: u32) -> Vec<u8> {
    control(6, &id.to_be_bytes())
}

/// Adler-32.
fn checksum(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(stream: u32, block: &[u8]) -> Vec<u8> {
        control(1, &[&stream.to_be_bytes()[..], &[0; 6], block].concat())
    }

    fn block(name: &str, value: &str) -> Vec<u8> {
        let text = |text: &str| [&(text.len() as u32).to_be_bytes()[..], text.as_bytes()].concat();
        [&1_u32.to_be_bytes()[..], &text(name), &text(value)].concat()
    }

    #[test]
    fn streams_are_opened_with_headers_and_frames_may_come_in_pieces() {
        let preamble = [&[0x78, 0x20][..], &checksum(DICTIONARY).to_be_bytes()].concat();
        let first = open(1, &[preamble, stored(&block("port", "80"))].concat());
        let second = open(3, &stored(&block("streamtype", "data")));
        let mut reader = Reader::new();
        reader.add(&first[..20]);
        assert_eq!(reader.next().unwrap(), None);
        reader.add(&first[20..]);
        reader.add(&second);
        reader.add(&data(3, b"hello"));
        reader.add(&end(3));
        let header = |name: &str, value: &str| vec![(name.to_owned(), value.to_owned())];
        assert_eq!(reader.next().unwrap(), Some(Frame::Open { stream: 1, headers: header("port", "80") }));
        assert_eq!(
            reader.next().unwrap(),
            Some(Frame::Open { stream: 3, headers: header("streamtype", "data") })
        );
        assert_eq!(
            reader.next().unwrap(),
            Some(Frame::Data { stream: 3, data: b"hello".to_vec(), last: false })
        );
        assert_eq!(reader.next().unwrap(), Some(Frame::Data { stream: 3, data: Vec::new(), last: true }));
        assert_eq!(checksum(DICTIONARY), 0xe3c6_a7c2);
    }

    #[test]
    fn what_a_go_client_compresses_is_read() {
        let bytes = "800300010000003e0000000100000000000078f9e3c6a7c202253a703a2b294a4dcc851625aca9a0808614cb45e01c60616061c0c0\
                     c0c0590489c64c50f2663400000000ffff800300010000001800000003000000000000826a46153524d23800000000ffff";
        let bytes: Vec<u8> = (0..bytes.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&bytes[at..at + 2], 16).unwrap())
            .collect();
        let mut reader = Reader::new();
        reader.add(&bytes);
        for (stream, id) in [(1, "0"), (3, "1")] {
            let Some(Frame::Open { stream: opened, mut headers }) = reader.next().unwrap() else {
                panic!("{stream}")
            };
            headers.sort();
            let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            let wanted = [header("port", "8080"), header("requestid", id), header("streamtype", "error")];
            assert_eq!((opened, headers.as_slice()), (stream, wanted.as_slice()));
        }
    }
}
