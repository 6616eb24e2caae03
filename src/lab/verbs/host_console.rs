//! The console of a host, which has the command `ping`.

use super::ping;
use crate::addr::Family;
use crate::lab::ping::{Echos, address};
use crate::lab::running::RunningLab;

/// The commands of a host.
const HELP: &str = "ping ADDRESS|HOST [ipv6] [repeat N] [size N]\n";

/// Carries out a line at the console of a host. Returns the text to print and whether the line was
/// understood.
pub fn line(lab: &mut dyn RunningLab, host: &str, line: &str) -> (String, bool) {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.split_first() {
        None => (String::new(), true),
        Some((&("?" | "help"), _)) => (HELP.to_owned(), true),
        Some((word, rest)) if !word.is_empty() && "ping".starts_with(word) => {
            match ping_from(lab, host, rest) {
                Ok(text) => (text, true),
                Err(problem) => (format!("% {problem}\n"), false),
            }
        }
        Some(_) => (format!("% The only command of a host is: {HELP}"), false),
    }
}

fn ping_from(lab: &mut dyn RunningLab, host: &str, words: &[&str]) -> Result<String, String> {
    let (&to, options) = words.split_first().ok_or_else(|| format!("Type {HELP}"))?;
    let mut echos = Echos::default();
    let mut family = Family::Ipv4;
    let mut options = options.iter();
    while let Some(&option) = options.next() {
        let mut number = |most: u32| {
            let number = options.next().and_then(|text| text.parse::<u32>().ok());
            let fits = number.filter(|number| (1..=most).contains(number));
            fits.ok_or_else(|| format!("{option} needs a number from 1 to {most}"))
        };
        match option {
            "ipv6" => family = Family::Ipv6,
            "repeat" => echos.count = number(1000)?,
            "size" => echos.size = u16::try_from(number(9000)?).map_err(|e| e.to_string())?,
            other => return Err(format!("unknown word {other:?}. Type {}", HELP.trim_end())),
        }
    }
    let target = address(lab.lab(), to, Some(family)).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    ping::show(lab, host, target, echos, &mut text).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
