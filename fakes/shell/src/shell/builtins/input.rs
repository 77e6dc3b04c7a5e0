//! `read` and `getopts`.

use std::time::Duration;

use super::super::{Flow, Shell};
use crate::syntax::is_name;

#[derive(Default)]
struct Asked {
    raw: bool,
    within: Option<Duration>,
    most: Option<usize>,
    names: Vec<String>,
}

impl Shell {
    pub(super) async fn input(&mut self, argv: &[String]) -> Result<i32, Flow> {
        if argv[0] == "getopts" {
            return self.getopts(&argv[1..]).await;
        }
        let mut asked = Asked::default();
        let mut rest = argv[1..].iter();
        while let Some(arg) = rest.next() {
            let Some(letters) = arg.strip_prefix('-').filter(|_| asked.names.is_empty()) else {
                asked.names.push(arg.clone());
                continue;
            };
            for (at, letter) in letters.char_indices() {
                let mut value = || {
                    let attached = &letters[at + 1..];
                    if attached.is_empty() { rest.next().cloned() } else { Some(attached.to_owned()) }
                };
                match letter {
                    'r' => asked.raw = true,
                    's' => continue,
                    't' => {
                        let seconds = value().and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
                        asked.within = Duration::try_from_secs_f64(seconds).ok();
                    }
                    'n' => asked.most = value().and_then(|text| text.parse().ok()),
                    'p' => {
                        if let Some(prompt) = value() {
                            let error = self.process.descriptor(2);
                            if let Ok(error) = error {
                                // A prompt that nobody can see is no reason not to read.
                                let _ = error.write(prompt.as_bytes()).await;
                            }
                        }
                    }
                    'd' | 'u' => drop(value()),
                    _ => {
                        self.say_of("read", &format!("illegal option -{letter}")).await;
                        return Ok(2);
                    }
                }
                if !"rs".contains(letter) {
                    break;
                }
            }
        }
        for name in &asked.names {
            if !is_name(name) {
                self.say_of("read", &format!("bad variable name '{name}'")).await;
                return Ok(2);
            }
        }
        let clock = self.process.clock().clone();
        let read = self.read_line(asked.raw, asked.most);
        let (line, complete) = match asked.within {
            None => read.await,
            Some(within) => match clock.timeout(within, read).await {
                Ok(done) => done,
                Err(_) => return Ok(1),
            },
        };
        self.store(&asked, line).await?;
        Ok(i32::from(!complete))
    }

    /// A line with, per character, whether a backslash stood before it.
    async fn read_line(&self, raw: bool, most: Option<usize>) -> (Vec<(u8, bool)>, bool) {
        let mut line = Vec::new();
        let mut escaped = false;
        while let Ok(Some(byte)) = self.process.read_byte(0).await {
            if escaped {
                escaped = false;
                if byte != b'\n' {
                    line.push((byte, true));
                }
            } else if byte == b'\\' && !raw {
                escaped = true;
            } else if byte == b'\n' {
                return (line, true);
            } else {
                line.push((byte, false));
            }
            if most.is_some_and(|most| line.len() >= most) {
                return (line, true);
            }
        }
        (line, false)
    }

    async fn store(&mut self, asked: &Asked, line: Vec<(u8, bool)>) -> Result<(), Flow> {
        let separators = self.get("IFS").unwrap_or_else(|| " \t\n".into());
        let text = |part: &[(u8, bool)]| {
            let bytes: Vec<u8> = part.iter().map(|(byte, _)| *byte).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        if asked.names.is_empty() {
            return self.assign("REPLY", text(&line)).await;
        }
        let separates = |(byte, escaped): &(u8, bool)| !escaped && separators.contains(char::from(*byte));
        let blank = |piece: &(u8, bool)| separates(piece) && piece.0.is_ascii_whitespace();
        let mut rest = &line[..];
        while rest.first().is_some_and(blank) {
            rest = &rest[1..];
        }
        for (number, name) in asked.names.iter().enumerate() {
            if number + 1 == asked.names.len() {
                while rest.last().is_some_and(blank) {
                    rest = &rest[..rest.len() - 1];
                }
                // One separator at the end of the last field goes as well, when no other is in it.
                if rest.last().is_some_and(separates)
                    && rest.iter().filter(|piece| separates(piece)).count() == 1
                {
                    rest = &rest[..rest.len() - 1];
                }
                self.assign(name, text(rest)).await?;
                break;
            }
            let end = rest.iter().position(separates).unwrap_or(rest.len());
            self.assign(name, text(&rest[..end])).await?;
            rest = &rest[end..];
            let mut hard = false;
            while let Some(piece) = rest.first().filter(|piece| separates(piece)) {
                if !blank(piece) {
                    if hard {
                        break;
                    }
                    hard = true;
                }
                rest = &rest[1..];
            }
        }
        Ok(())
    }

    async fn getopts(&mut self, args: &[String]) -> Result<i32, Flow> {
        let [letters, name, given @ ..] = args else { return Ok(2) };
        let list = if given.is_empty() { self.parameters.clone() } else { given.to_vec() };
        let index: usize = self.get("OPTIND").and_then(|n| n.parse().ok()).unwrap_or(1);
        let within: usize = self.get("_OPTAT").and_then(|n| n.parse().ok()).unwrap_or(1);
        let silent = letters.starts_with(':');
        let word = list.get(index.wrapping_sub(1)).filter(|word| word.len() > 1 && word.starts_with('-'));
        let Some(word) = word.filter(|word| *word != "--") else {
            self.assign(name, "?".into()).await?;
            return Ok(1);
        };
        let letter = word.chars().nth(within).unwrap_or('?');
        let mut next = (index, within + 1);
        if within + 1 >= word.chars().count() {
            next = (index + 1, 1);
        }
        let known = letters.find(letter).filter(|_| letter != ':');
        let takes = known.is_some_and(|at| letters[at + 1..].starts_with(':'));
        let mut shown = letter.to_string();
        if known.is_none() {
            shown = "?".into();
            if silent {
                self.assign("OPTARG", letter.to_string()).await?;
            } else {
                self.process.complain(&format!("{}: illegal option -{letter}", self.name)).await;
            }
        } else if takes {
            let attached: String = word.chars().skip(within + 1).collect();
            if !attached.is_empty() {
                self.assign("OPTARG", attached).await?;
                next = (index + 1, 1);
            } else if let Some(value) = list.get(index) {
                self.assign("OPTARG", value.clone()).await?;
                next = (index + 2, 1);
            } else {
                shown = if silent { ":".into() } else { "?".into() };
                if silent {
                    self.assign("OPTARG", letter.to_string()).await?;
                } else {
                    self.process.complain(&format!("{}: no arg for -{letter} option", self.name)).await;
                }
            }
        }
        self.assign(name, shown).await?;
        self.assign("OPTIND", next.0.to_string()).await?;
        self.assign("_OPTAT", next.1.to_string()).await?;
        Ok(0)
    }
}
