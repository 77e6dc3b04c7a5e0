//! Tags.

use super::scan::{Kind, Scanned, Scanner};
use super::{Mark, is_alpha, is_blank, is_blankz};
use crate::value::text;

impl Scanner {
    pub(super) fn tag_directive(&mut self, start: Mark) -> Scanned<Kind> {
        self.skip_blanks();
        let handle = self.tag_handle(start)?;
        if handle != "!" && !handle.ends_with('!') {
            return self.fail(start, "did not find expected '!'");
        }
        if !is_blank(self.look(0)) {
            return self.fail(start, "did not find expected whitespace");
        }
        self.skip_blanks();
        let prefix = self.tag_uri(None, start)?;
        if !is_blankz(self.look(0)) {
            return self.fail(start, "did not find expected whitespace or line break");
        }
        Ok(Kind::TagDirective { handle, prefix })
    }

    pub(super) fn tag(&mut self) -> Scanned<Kind> {
        let start = self.mark;
        let (handle, suffix) = if self.look(1) == '<' {
            self.skip();
            self.skip();
            let suffix = self.tag_uri(None, start)?;
            if self.look(0) != '>' {
                return self.fail(start, "did not find the expected '>'");
            }
            self.skip();
            (String::new(), suffix)
        } else {
            let handle = self.tag_handle(start)?;
            if handle.len() > 1 && handle.ends_with('!') {
                let suffix = self.tag_uri(None, start)?;
                (handle, suffix)
            } else {
                let suffix = self.tag_uri(Some(&handle), start)?;
                if suffix.is_empty() { (String::new(), "!".into()) } else { ("!".into(), suffix) }
            }
        };
        if !is_blankz(self.look(0)) {
            return self.fail(start, "did not find expected whitespace or line break");
        }
        Ok(Kind::Tag { handle, suffix })
    }

    fn tag_handle(&mut self, start: Mark) -> Scanned<String> {
        if self.look(0) != '!' {
            return self.fail(start, "did not find expected '!'");
        }
        let mut handle = String::new();
        self.read(&mut handle);
        while is_alpha(self.look(0)) {
            self.read(&mut handle);
        }
        if self.look(0) == '!' {
            self.read(&mut handle);
        }
        Ok(handle)
    }

    fn tag_uri(&mut self, head: Option<&str>, start: Mark) -> Scanned<String> {
        let mut uri = head.map_or(String::new(), |head| head[1..].into());
        let mut found = head.is_some();
        let mut escaped: Vec<u8> = Vec::new();
        while is_alpha(self.look(0)) || ";/?:@&=+$,.!~*'()[]%".contains(self.look(0)) {
            found = true;
            if self.look(0) == '%' {
                escaped.push(self.escaped_octet(start)?);
                continue;
            }
            uri.push_str(&text::from_bytes(&std::mem::take(&mut escaped)));
            self.read(&mut uri);
        }
        uri.push_str(&text::from_bytes(&escaped));
        if !found {
            return self.fail(start, "did not find expected tag URI");
        }
        Ok(uri)
    }

    fn escaped_octet(&mut self, start: Mark) -> Scanned<u8> {
        let (Some(high), Some(low)) = (self.look(1).to_digit(16), self.look(2).to_digit(16)) else {
            return self.fail(start, "did not find URI escaped octet");
        };
        for _ in 0..3 {
            self.skip();
        }
        Ok((high * 16 + low) as u8)
    }
}
