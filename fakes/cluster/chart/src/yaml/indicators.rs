//! Directives, anchors and aliases.

use super::scan::{Kind, Scanned, Scanner};
use super::{Mark, is_alpha, is_blank, is_blankz, is_break, is_breakz};

impl Scanner {
    pub(super) fn skip_blanks(&mut self) {
        while is_blank(self.look(0)) {
            self.skip();
        }
    }

    /// Skips blanks, a comment and the line break; false if something else is there.
    pub(super) fn rest_of_line(&mut self) -> bool {
        self.skip_blanks();
        if self.look(0) == '#' {
            while !is_breakz(self.look(0)) {
                self.skip();
            }
        }
        if !is_breakz(self.look(0)) {
            return false;
        }
        if is_break(self.look(0)) {
            self.skip_line();
        }
        true
    }

    pub(super) fn directive(&mut self) -> Scanned<Kind> {
        let start = self.mark;
        self.skip();
        let mut name = String::new();
        while is_alpha(self.look(0)) {
            self.read(&mut name);
        }
        if name.is_empty() {
            return self.fail(start, "could not find expected directive name");
        }
        if !is_blankz(self.look(0)) {
            return self.fail(start, "found unexpected non-alphabetical character");
        }
        let kind = match name.as_str() {
            "YAML" => {
                self.skip_blanks();
                let major = self.version_number(start)?;
                if self.look(0) != '.' {
                    return self.fail(start, "did not find expected digit or '.' character");
                }
                self.skip();
                Kind::VersionDirective { major, minor: self.version_number(start)? }
            }
            "TAG" => self.tag_directive(start)?,
            _ => return self.fail(start, "found unknown directive name"),
        };
        if !self.rest_of_line() {
            return self.fail(start, "did not find expected comment or line break");
        }
        Ok(kind)
    }

    fn version_number(&mut self, start: Mark) -> Scanned<u32> {
        let mut number = 0;
        let mut length = 0;
        while let Some(digit) = self.look(0).to_digit(10) {
            length += 1;
            if length > 2 {
                return self.fail(start, "found extremely long version number");
            }
            number = number * 10 + digit;
            self.skip();
        }
        if length == 0 {
            return self.fail(start, "did not find expected version number");
        }
        Ok(number)
    }

    pub(super) fn anchor(&mut self) -> Scanned<Kind> {
        let start = self.mark;
        let is_anchor = self.look(0) == '&';
        self.skip();
        let mut name = String::new();
        while is_alpha(self.look(0)) {
            self.read(&mut name);
        }
        let next = self.look(0);
        if name.is_empty() || !(is_blankz(next) || "?:,]}%@`".contains(next)) {
            return self.fail(start, "did not find expected alphabetic or numeric character");
        }
        Ok(if is_anchor { Kind::Anchor(name) } else { Kind::Alias(name) })
    }
}
