//! Points in time, printed and read in Go's layouts.

mod read;
mod span;

pub(crate) use read::{parse, parse_or_complain};
pub(crate) use span::{display_duration, parse_duration};

use jiff::Timestamp;
use jiff::civil::{self, Weekday};
use jiff::tz::{Offset, TimeZone};

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
