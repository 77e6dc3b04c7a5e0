//! Points in time, printed and read in Go's layouts.

use jiff::Timestamp;
use jiff::civil::{self, Weekday};
use jiff::tz::{Offset, TimeZone};

use crate::value::display;

/// A point in time as seen in a zone.
#[derive(Clone, Debug)]
pub(crate) struct Moment {
    pub(crate) timestamp: Timestamp,
    pub(crate) zone: TimeZone,
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.timestamp == other.timestamp
    }
}

/// The beginning of Go's calendar, which is what failed parsing gives.
const GO_ZERO_SECONDS: i64 = -62_135_596_800;

impl Moment {
    pub(crate) fn utc(timestamp: Timestamp) -> Self {
        Self { timestamp, zone: TimeZone::UTC }
    }

    /// Go's zero time.
    pub(crate) fn zero() -> Self {
        Self::from_unix(GO_ZERO_SECONDS)
    }

    pub(crate) fn from_unix(seconds: i64) -> Self {
        Self::utc(Timestamp::from_second(seconds).unwrap_or_default())
    }

    /// The same moment in a named zone, or in UTC if there is none of that name.
    pub(crate) fn within(&self, zone: &str) -> Self {
        let zone = match zone {
            "" | "UTC" | "Local" => TimeZone::UTC,
            name => TimeZone::get(name).unwrap_or(TimeZone::UTC),
        };
        Self { timestamp: self.timestamp, zone }
    }

    /// As Go prints it.
    pub(crate) fn display(&self) -> String {
        self.format("2006-01-02 15:04:05.999999999 -0700 MST")
    }

    /// Nanoseconds later.
    pub(crate) fn plus(&self, nanos: i64) -> Self {
        let moved = self.timestamp.checked_add(jiff::SignedDuration::from_nanos(nanos));
        Self { timestamp: moved.unwrap_or(self.timestamp), zone: self.zone.clone() }
    }

    /// Prints it in a Go layout.
    pub(crate) fn format(&self, layout: &str) -> String {
        let info = self.zone.to_offset_info(self.timestamp);
        let offset = info.offset();
        let time = offset.to_datetime(self.timestamp);
        let mut out = String::new();
        let mut rest = layout;
        while !rest.is_empty() {
            let (part, length) = next_part(rest);
            match part {
                Some(part) => out.push_str(&part.print(time, offset, info.abbreviation())),
                None => out.push_str(&rest[..length]),
            }
            rest = &rest[length..];
        }
        out
    }
}

/// A piece of a layout that stands for a piece of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    YearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperPm,
    LowerPm,
    Zone,
    /// Whether UTC is a Z, whether there is a colon, whether there are only hours, whether there are seconds.
    Offset {
        z: bool,
        colon: bool,
        short: bool,
        seconds: bool,
    },
    Fraction {
        digits: usize,
        trims: bool,
        separator: char,
    },
}

const PARTS: &[(&str, Part)] = &[
    ("January", Part::LongMonth),
    ("Jan", Part::Month),
    ("Monday", Part::LongWeekDay),
    ("Mon", Part::WeekDay),
    ("MST", Part::Zone),
    ("01", Part::ZeroMonth),
    ("002", Part::YearDay),
    ("02", Part::ZeroDay),
    ("03", Part::ZeroHour12),
    ("04", Part::ZeroMinute),
    ("05", Part::ZeroSecond),
    ("06", Part::Year),
    ("15", Part::Hour),
    ("1", Part::NumMonth),
    ("2006", Part::LongYear),
    ("2", Part::Day),
    ("_2006", Part::LongYear),
    ("_2", Part::UnderDay),
    ("3", Part::Hour12),
    ("4", Part::Minute),
    ("5", Part::Second),
    ("PM", Part::UpperPm),
    ("pm", Part::LowerPm),
    ("-07:00:00", Part::Offset { z: false, colon: true, short: false, seconds: true }),
    ("-070000", Part::Offset { z: false, colon: false, short: false, seconds: true }),
    ("-07:00", Part::Offset { z: false, colon: true, short: false, seconds: false }),
    ("-0700", Part::Offset { z: false, colon: false, short: false, seconds: false }),
    ("-07", Part::Offset { z: false, colon: false, short: true, seconds: false }),
    ("Z07:00:00", Part::Offset { z: true, colon: true, short: false, seconds: true }),
    ("Z070000", Part::Offset { z: true, colon: false, short: false, seconds: true }),
    ("Z07:00", Part::Offset { z: true, colon: true, short: false, seconds: false }),
    ("Z0700", Part::Offset { z: true, colon: false, short: false, seconds: false }),
    ("Z07", Part::Offset { z: true, colon: false, short: true, seconds: false }),
];

/// What a layout begins with, and how long that is.
fn next_part(layout: &str) -> (Option<Part>, usize) {
    if let Some(fraction) = fraction_part(layout) {
        return fraction;
    }
    if layout.starts_with("_2006") {
        return (None, 1);
    }
    // A month's name that goes on in lower case is none.
    let found = PARTS.iter().find(|(text, part)| {
        layout.strip_prefix(text).is_some_and(|rest| {
            !(*part == Part::Month && rest.starts_with(|next: char| next.is_ascii_lowercase()))
        })
    });
    match found {
        Some((text, part)) => (Some(*part), text.len()),
        None => (None, layout.chars().next().map_or(1, char::len_utf8)),
    }
}

fn fraction_part(layout: &str) -> Option<(Option<Part>, usize)> {
    let separator = layout.chars().next().filter(|first| matches!(first, '.' | ','))?;
    let rest = &layout[1..];
    let digit = rest.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let digits = rest.len() - rest.trim_start_matches(digit).len();
    if rest[digits..].starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    Some((Some(Part::Fraction { digits, trims: digit == '9', separator }), digits + 1))
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn weekday(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Monday",
        Weekday::Tuesday => "Tuesday",
        Weekday::Wednesday => "Wednesday",
        Weekday::Thursday => "Thursday",
        Weekday::Friday => "Friday",
        Weekday::Saturday => "Saturday",
        Weekday::Sunday => "Sunday",
    }
}

impl Part {
    fn print(self, time: civil::DateTime, offset: Offset, zone: &str) -> String {
        let month = MONTHS[(time.month() - 1).unsigned_abs() as usize];
        let hour = time.hour();
        let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
        match self {
            Self::LongMonth => month.into(),
            Self::Month => month[..3].into(),
            Self::NumMonth => time.month().to_string(),
            Self::ZeroMonth => format!("{:02}", time.month()),
            Self::LongWeekDay => weekday(time.weekday()).into(),
            Self::WeekDay => weekday(time.weekday())[..3].into(),
            Self::Day => time.day().to_string(),
            Self::UnderDay => format!("{:2}", time.day()),
            Self::ZeroDay => format!("{:02}", time.day()),
            Self::YearDay => format!("{:03}", time.day_of_year()),
            Self::Hour => format!("{hour:02}"),
            Self::Hour12 => hour12.to_string(),
            Self::ZeroHour12 => format!("{hour12:02}"),
            Self::Minute => time.minute().to_string(),
            Self::ZeroMinute => format!("{:02}", time.minute()),
            Self::Second => time.second().to_string(),
            Self::ZeroSecond => format!("{:02}", time.second()),
            Self::LongYear => format!("{:04}", time.year()),
            Self::Year => format!("{:02}", time.year().rem_euclid(100)),
            Self::UpperPm => if hour >= 12 { "PM" } else { "AM" }.into(),
            Self::LowerPm => if hour >= 12 { "pm" } else { "am" }.into(),
            Self::Zone => zone.into(),
            Self::Offset { z, colon, short, seconds } => print_offset(offset, z, colon, short, seconds),
            Self::Fraction { digits, trims, separator } => {
                let nanos = format!("{:09}", time.subsec_nanosecond());
                let cut = &nanos[..digits.min(9)];
                let cut = if trims { cut.trim_end_matches('0') } else { cut };
                if cut.is_empty() { String::new() } else { format!("{separator}{cut}") }
            }
        }
    }
}

fn print_offset(offset: Offset, z: bool, colon: bool, short: bool, seconds: bool) -> String {
    let total = offset.seconds();
    if z && total == 0 {
        return "Z".into();
    }
    let sign = if total < 0 { '-' } else { '+' };
    let total = total.abs();
    let colon = if colon { ":" } else { "" };
    let mut out = format!("{sign}{:02}", total / 3600);
    if !short {
        out.push_str(&format!("{colon}{:02}", total / 60 % 60));
    }
    if seconds {
        out.push_str(&format!("{colon}{:02}", total % 60));
    }
    out
}

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

const UNITS: [(&str, i64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// `time.ParseDuration`, in nanoseconds.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let number = rest.find(|next: char| !(next.is_ascii_digit() || next == '.'))?;
        let unit = &rest[number..];
        let end = unit.find(|next: char| next.is_ascii_digit() || next == '.').unwrap_or(unit.len());
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == &unit[..end])?;
        total += rest[..number].parse::<f64>().ok()? * *scale as f64;
        rest = &unit[end..];
    }
    Some(if negative { -(total as i64) } else { total as i64 })
}

/// A duration as Go prints it.
pub(crate) fn display_duration(nanos: i64) -> String {
    let size = nanos.unsigned_abs();
    let sign = if nanos < 0 { "-" } else { "" };
    let fraction = |scale: u64| {
        let text = format!("{}.{:09}", size / scale, (size % scale) * (1_000_000_000 / scale));
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    };
    match size {
        0 => "0s".into(),
        1..1_000 => format!("{sign}{size}ns"),
        1_000..1_000_000 => format!("{sign}{}µs", fraction(1_000)),
        1_000_000..1_000_000_000 => format!("{sign}{}ms", fraction(1_000_000)),
        _ => {
            let seconds = size / 1_000_000_000;
            let rest = format!("{}.{:09}", seconds % 60, size % 1_000_000_000);
            let rest = rest.trim_end_matches('0').trim_end_matches('.');
            match (seconds / 3600, seconds / 60 % 60) {
                (0, 0) => format!("{sign}{rest}s"),
                (0, minutes) => format!("{sign}{minutes}m{rest}s"),
                (hours, minutes) => format!("{sign}{hours}h{minutes}m{rest}s"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Moment, display_duration, parse, parse_duration};

    #[test]
    fn layouts_print_and_read_the_same_moment() {
        let moment = Moment::from_unix(1_795_262_049).plus(120_000_000);
        assert_eq!(moment.format("2006-01-02T15:04:05.000Z07:00"), "2026-11-21T11:54:09.120Z");
        assert_eq!(moment.format("Mon, 2 Jan 06 3:04PM MST"), "Sat, 21 Nov 26 11:54AM UTC");
        let read = parse("2006-01-02 15:04", "2026-11-21 11:54").expect("a moment");
        assert_eq!(read.timestamp.as_second(), 1_795_262_040);
    }

    #[test]
    fn durations_print_and_read_as_go_does_it() {
        assert_eq!(parse_duration("1h2m3.5s"), Some(3_723_500_000_000));
        assert_eq!(parse_duration("soon"), None);
        assert_eq!(display_duration(3_723_500_000_000), "1h2m3.5s");
        assert_eq!(display_duration(1_500_000), "1.5ms");
        assert_eq!(display_duration(0), "0s");
    }
}
