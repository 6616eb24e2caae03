//! The hands of the page as commands of a lesson in a terminal, for the record of a student.

use eidway::watch::hand::Hand;

/// The echos of a ping without `count`, and the octets of each without `size`.
const USUAL: (u16, u16) = (5, 100);

/// Returns the command for a hand. Returns `None` if the record does not need it, and an error if a
/// lesson in a terminal has no command for it.
///
/// On the page, a ping goes on in the background. In a terminal, it ends before the next command.
pub fn of(hand: &Hand) -> Result<Option<String>, ()> {
    Ok(Some(match hand {
        Hand::Ping { from, to, count, size, ipv6, .. } => {
            let family = if *ipv6 { " ipv6" } else { "" };
            let options = match (*count, *size) {
                USUAL => String::new(),
                (count, size) => format!(" count {count} size {size}"),
            };
            format!("ping {from} {to}{family}{options}")
        }
        Hand::Flow { name, from, to, every_us, ipv6 } => {
            let family = if *ipv6 { " ipv6" } else { "" };
            let every = every_us.div_ceil(1000);
            format!("flow {} = {from} {to}{family} every {every}ms", word(name))
        }
        // A ping ends by itself.
        Hand::End { name } if name.starts_with("ping") => return Ok(None),
        Hand::End { name } => format!("end {}", word(name)),
        Hand::Port { node, interface, up } => {
            format!("link {node}:{interface} {}", if *up { "up" } else { "down" })
        }
        Hand::Move { host, to, how } => {
            let how = how.word().map(|word| format!(" {word}")).unwrap_or_default();
            format!("move {host} to {to}{how}")
        }
        Hand::Start { node } => format!("start {node}"),
        Hand::Stop { node } => format!("stop {node}"),
        Hand::Kill { node } => format!("kill {node}"),
        Hand::Hint => "hint".to_owned(),
        Hand::Check => "check".to_owned(),
        Hand::Lesson { .. } => return Ok(None),
        Hand::Impair { link, direction, impairment } => {
            let direction = direction.as_ref().map(|direction| format!(" direction {direction}"));
            format!("impair {link} {impairment}{}", direction.unwrap_or_default())
        }
        Hand::Mtu { .. }
        | Hand::Address { .. }
        | Hand::Send { .. }
        | Hand::Connect { .. }
        | Hand::Transmit { .. } => return Err(()),
    }))
}

/// Returns the command for a line at the console of a host, if it is a ping.
pub fn of_host_line(host: &str, line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let is_ping = words.next().is_some_and(|word| "ping".starts_with(word));
    let words: Vec<&str> =
        words.map(|word| if word == "repeat" { "count" } else { word }).collect();
    (is_ping && !words.is_empty()).then(|| format!("ping {host} {}", words.join(" ")))
}

/// Returns the name of a flow as one word.
fn word(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    name.chars().map(|letter| if is_plain(letter) { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hands_and_lines_of_hosts_are_commands_of_a_lesson() {
        let ping = |count, ipv6| Hand::Ping {
            name: "ping 1".to_owned(),
            from: "B".to_owned(),
            to: "A".to_owned(),
            count,
            size: 100,
            ipv6,
        };
        assert_eq!(of(&ping(5, false)), Ok(Some("ping B A".to_owned())));
        assert_eq!(of(&ping(2, true)), Ok(Some("ping B A ipv6 count 2 size 100".to_owned())));
        let flow = Hand::Flow {
            name: "flow 1".to_owned(),
            from: "B".to_owned(),
            to: "A".to_owned(),
            every_us: 100_000,
            ipv6: false,
        };
        assert_eq!(of(&flow), Ok(Some("flow flow-1 = B A every 100ms".to_owned())));
        let end = Hand::End { name: "flow 1".to_owned() };
        assert_eq!(of(&end), Ok(Some("end flow-1".to_owned())));
        let line = of_host_line("B", "pi 172.16.0.12 repeat 3");
        assert_eq!(line, Some("ping B 172.16.0.12 count 3".to_owned()));
        assert_eq!(of_host_line("B", "help"), None);
    }
}
