//! Times in Go's layouts, read.

use jiff::civil;
use jiff::tz::{Offset, TimeZone};

use super::{MONTHS, Moment, Part, next_part};
use crate::value::display;

/// What has been read of a time.
#[derive(Default)]
struct Read {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    pm: Option<bool>,
    offset: Option<i32>,
}

/// Reads a time in a Go layout, in UTC unless it says otherwise.
pub(crate) fn parse(layout: &str, value: &str) -> Option<Moment> {
    parse_or_complain(layout, value).ok()
}

/// The same, with Go's words about what cannot be read.
pub(crate) fn parse_or_complain(whole_layout: &str, whole_value: &str) -> Result<Moment, String> {
    let mut read = Read::default();
    let (mut layout, mut value) = (whole_layout, whole_value);
    let complaint = |detail: &str| format!("parsing time {}{detail}", display::quote(whole_value));
    let unfit = |value: &str, part: &str| {
        let detail = format!(
            " as {}: cannot parse {} as {}",
            display::quote(whole_layout),
            display::quote(value),
            display::quote(part)
        );
        complaint(&detail)
    };
    while !layout.is_empty() {
        let literal = literal_length(layout);
        let (text, rest) = layout.split_at(literal);
        value = value.strip_prefix(text).ok_or_else(|| unfit(value, text))?;
        let (Some(part), length) = next_part(rest) else {
            break;
        };
        value = read.take(part, value).ok_or_else(|| unfit(value, &rest[..length]))?;
        layout = &rest[length..];
    }
    if !value.is_empty() {
        return Err(complaint(&format!(": extra text: {}", display::quote(value))));
    }
    if let Some(what) = read.out_of_range() {
        return Err(complaint(&format!(": {what} out of range")));
    }
    read.moment().ok_or_else(|| complaint(": day out of range"))
}

/// How much of a layout stands for itself.
fn literal_length(layout: &str) -> usize {
    let mut at = 0;
    while at < layout.len() {
        match next_part(&layout[at..]) {
            (Some(_), _) => break,
            (None, length) => at += length,
        }
    }
    at
}

fn digits(value: &str, least: usize, most: usize) -> Option<(i32, &str)> {
    let length = value.bytes().take(most).take_while(u8::is_ascii_digit).count();
    if length < least {
        return None;
    }
    Some((value[..length].parse().ok()?, &value[length..]))
}

impl Read {
    fn take<'v>(&mut self, part: Part, value: &'v str) -> Option<&'v str> {
        let (number, rest) = match part {
            Part::LongMonth | Part::Month => {
                let index = MONTHS.iter().position(|month| {
                    value.to_ascii_lowercase().starts_with(&part_name(part == Part::LongMonth, month))
                })?;
                self.month = i8::try_from(index + 1).ok();
                let length = part_name(part == Part::LongMonth, MONTHS[index]).len();
                return Some(&value[length..]);
            }
            Part::LongWeekDay | Part::WeekDay => {
                return Some(value.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()));
            }
            Part::Zone => return value.strip_prefix("UTC").or_else(|| value.get(3..)),
            Part::UpperPm | Part::LowerPm => {
                self.pm = Some(value.to_ascii_lowercase().starts_with("pm"));
                return value.get(2..);
            }
            Part::Offset { z, .. } => return self.take_offset(z, value),
            Part::Fraction { .. } => return self.take_fraction(value),
            Part::LongYear => digits(value, 4, 4)?,
            Part::YearDay => digits(value, 3, 3)?,
            Part::UnderDay => digits(value.trim_start_matches(' '), 1, 2)?,
            Part::NumMonth | Part::Day | Part::Hour12 | Part::Minute | Part::Second | Part::Hour => {
                digits(value, 1, 2)?
            }
            _ => digits(value, 2, 2)?,
        };
        let small = i8::try_from(number).ok();
        match part {
            Part::LongYear => self.year = i16::try_from(number).ok(),
            Part::Year => {
                self.year = i16::try_from(if number >= 69 { 1900 + number } else { 2000 + number }).ok()
            }
            Part::NumMonth | Part::ZeroMonth => self.month = small,
            Part::Day | Part::UnderDay | Part::ZeroDay => self.day = small,
            Part::Hour | Part::Hour12 | Part::ZeroHour12 => self.hour = small?,
            Part::Minute | Part::ZeroMinute => self.minute = small?,
            Part::Second | Part::ZeroSecond => {
                self.second = small?;
                if rest.starts_with('.') {
                    return self.take_fraction(rest);
                }
            }
            _ => {}
        }
        Some(rest)
    }

    fn take_fraction<'v>(&mut self, value: &'v str) -> Option<&'v str> {
        let Some(rest) = value.strip_prefix(['.', ',']) else {
            return Some(value);
        };
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let padded = format!("{:0<9}", &rest[..length]);
        self.nanos = padded.get(..9)?.parse().ok()?;
        Some(&rest[length..])
    }

    fn take_offset<'v>(&mut self, z: bool, value: &'v str) -> Option<&'v str> {
        if z && let Some(rest) = value.strip_prefix('Z') {
            self.offset = Some(0);
            return Some(rest);
        }
        let sign = match value.chars().next()? {
            '+' => 1,
            '-' => -1,
            _ => return None,
        };
        let (hours, rest) = digits(&value[1..], 2, 2)?;
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        let (minutes, rest) = digits(rest, 2, 2).unwrap_or((0, rest));
        self.offset = Some(sign * (hours * 3600 + minutes * 60));
        Some(rest)
    }

    fn out_of_range(&self) -> Option<&'static str> {
        let is_outside = |value: Option<i8>, most: i8| value.is_some_and(|value| value < 1 || value > most);
        match self {
            _ if is_outside(self.month, 12) => Some("month"),
            _ if self.hour > 23 => Some("hour"),
            _ if self.minute > 59 => Some("minute"),
            _ if self.second > 59 => Some("second"),
            _ if is_outside(self.day, 31) => Some("day"),
            _ => None,
        }
    }

    fn moment(&self) -> Option<Moment> {
        let hour = match self.pm {
            Some(true) if self.hour < 12 => self.hour + 12,
            Some(false) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let date =
            civil::Date::new(self.year.unwrap_or(0), self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?;
        let time = civil::Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        let offset = Offset::from_seconds(self.offset.unwrap_or(0)).ok()?;
        let timestamp = offset.to_timestamp(date.to_datetime(time)).ok()?;
        let zone = if self.offset.unwrap_or(0) == 0 { TimeZone::UTC } else { TimeZone::fixed(offset) };
        Some(Moment { timestamp, zone })
    }
}

fn part_name(long: bool, name: &str) -> String {
    if long { name } else { &name[..3] }.to_ascii_lowercase()
}
