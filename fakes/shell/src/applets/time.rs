//! Commands about time: field time.

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Done;
use super::options::{Options, usage};
use crate::process::Process;

/// `5`, `0.2`, `1m`.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let (number, factor) = match text.chars().last()? {
        's' => (&text[..text.len() - 1], 1.0),
        'm' => (&text[..text.len() - 1], 60.0),
        'h' => (&text[..text.len() - 1], 3600.0),
        'd' => (&text[..text.len() - 1], 86400.0),
        _ => (text, 1.0),
    };
    if !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * factor).ok()
}

pub(super) async fn run(process: &Process, name: &str, args: &[String]) -> Done {
    match name {
        "sleep" => sleep(process, args).await,
        "usleep" => {
            let Some(micros) = args.first().and_then(|text| text.parse().ok()) else {
                return Err(usage(process, "usleep").await);
            };
            process.clock().sleep(Duration::from_micros(micros)).await;
            Ok(0)
        }
        "uptime" => {
            let now = process.clock().now().to_zoned(TimeZone::UTC);
            process
                .out(format!(
                    " {} up 1 day,  0 users,  load average: 0.10, 0.10, 0.10\n",
                    now.strftime("%H:%M:%S")
                ))
                .await?;
            Ok(0)
        }
        _ => date(process, args).await,
    }
}

/// What a sleep that never ends comes to.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86400);

async fn sleep(process: &Process, args: &[String]) -> Done {
    if args.is_empty() {
        return Err(usage(process, "sleep").await);
    }
    let mut total = Duration::ZERO;
    for arg in args {
        if arg == "inf" || arg == "infinity" {
            total = FOREVER;
            continue;
        }
        let Some(part) = duration(arg) else {
            process.complain(&format!("sleep: invalid number '{arg}'")).await;
            return Ok(1);
        };
        total = total.saturating_add(part).min(FOREVER);
    }
    process.clock().sleep(total).await;
    Ok(0)
}

async fn date(process: &Process, args: &[String]) -> Done {
    let options = Options::read(process, "date", "uRd:D:s:r:I:", &iso(args)).await?;
    let mut moment = process.clock().now();
    if let Some(path) = options.value('r') {
        match process.files().metadata(&process.cwd, path).and_then(|m| m.modified()) {
            Ok(time) => moment = Timestamp::try_from(time).unwrap_or(moment),
            Err(error) => {
                process.complain(&format!("date: {path}: {}", crate::descriptor::strerror(&error))).await;
                return Ok(1);
            }
        }
    }
    if let Some(text) = options.value('d') {
        let Some(parsed) = parse(text) else {
            process.complain(&format!("date: invalid date '{text}'")).await;
            return Ok(1);
        };
        moment = parsed;
    }
    if options.has('s') {
        process.complain("date: can't set date: Operation not permitted").await;
        return Ok(1);
    }
    let zoned = moment.to_zoned(TimeZone::UTC);
    let format = match options.rest.first().and_then(|arg| arg.strip_prefix('+')) {
        Some(format) => format.replace("%N", &format!("{:09}", zoned.subsec_nanosecond())),
        None if options.has('R') => "%a, %d %b %Y %H:%M:%S +0000".into(),
        None => match options.value('I') {
            Some("seconds") => "%Y-%m-%dT%H:%M:%S+00:00".into(),
            Some("minutes") => "%Y-%m-%dT%H:%M+00:00".into(),
            Some("hours") => "%Y-%m-%dT%H+00:00".into(),
            Some(_) => "%Y-%m-%d".into(),
            None => "%a %b %e %H:%M:%S UTC %Y".into(),
        },
    };
    let shown = jiff::fmt::strtime::format(&format, &zoned).unwrap_or_else(|_| format.clone());
    process.out(format!("{shown}\n")).await?;
    Ok(0)
}

/// `-I` may stand alone.
fn iso(args: &[String]) -> Vec<String> {
    args.iter()
        .map(|arg| if arg == "-I" || arg == "-Idate" { "-Idate".to_owned() } else { arg.clone() })
        .collect()
}

fn parse(text: &str) -> Option<Timestamp> {
    if let Some(seconds) = text.strip_prefix('@') {
        return Timestamp::from_second(seconds.parse().ok()?).ok();
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment);
    }
    let civil = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", text)
        .or_else(|_| jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M", text))
        .or_else(|_| text.parse::<jiff::civil::Date>().map(|date| date.at(0, 0, 0, 0)))
        .ok()?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
