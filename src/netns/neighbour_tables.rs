//! Sets the size of the kernel's neighbour tables. A machine has one table for IPv4 and one for
//! IPv6, and all namespaces of the machine use these two tables. If a table is full, labs lose
//! packets. Linux's default of 1,024 entries is too small: Linux adds an entry for each address
//! that sends an ARP request, and keeps the entry for at least five seconds.

use std::fs;
use std::path::Path;

use super::text;
use crate::lab::file::LabFile;

/// The directory below which the settings of the neighbour tables are. Only the first namespace of
/// the machine has these settings. They are valid for all namespaces.
const SETTINGS: &str = "/proc/sys/net";
/// The names of the settings, each with a divisor. The value of a setting is the limit of the table
/// divided by this divisor. So `gc_thresh3` is the limit itself. If a table has more entries than
/// `gc_thresh2`, the kernel removes entries that are five seconds old. If a table has fewer entries
/// than `gc_thresh1`, the kernel removes no entry.
const THRESHOLDS: [(&str, u32); 3] = [("gc_thresh3", 1), ("gc_thresh2", 2), ("gc_thresh1", 4)];

/// The smallest limit of a table, in entries. A thousand new addresses per second do not fill such
/// a table up to `gc_thresh2`, although the kernel keeps each address for five seconds.
const LEAST: u32 = 16_384;

/// Raises the limit of each table that is smaller than [`LEAST`], or that `lab` may fill to more
/// than a half. Calls `say` with a message about each change, and about each change that was needed
/// but has failed. A limit is never lowered, because other labs may need it and an unused entry
/// costs nothing.
pub fn make_room(lab: &LabFile, say: &mut dyn FnMut(&str)) {
    make_room_in(Path::new(SETTINGS), most_neighbours(lab), say);
}

/// Returns the largest number of neighbour entries that the lab can have in one table. Each node on
/// a link or LAN may have all other nodes on this link or LAN as neighbours.
fn most_neighbours(lab: &LabFile) -> u32 {
    let lans = lab.lans.iter().map(|lan| lan.ports.len());
    let ends = lab.links.iter().map(|link| link.ends.len()).chain(lans);
    let neighbours: usize = ends.map(|ends| ends * ends.saturating_sub(1)).sum();
    u32::try_from(neighbours).unwrap_or(u32::MAX)
}

fn make_room_in(settings: &Path, neighbours: u32, say: &mut dyn FnMut(&str)) {
    for (family, name) in [("ipv4", "IPv4"), ("ipv6", "IPv6")] {
        let directory = settings.join(family).join("neigh/default");
        let limit = text::read(&directory.join("gc_thresh3"));
        // The settings exist only in the first namespace of the machine. In any other namespace,
        // nothing is changed.
        let Some(limit) = limit.ok().and_then(|text| text.trim().parse::<u32>().ok()) else {
            continue;
        };
        if limit >= LEAST && neighbours <= limit / 2 {
            continue;
        }
        let larger = neighbours.saturating_mul(4).checked_next_power_of_two().unwrap_or(1 << 31);
        let larger = larger.max(LEAST);
        let set = |(threshold, divisor): &(&str, u32)| {
            fs::write(directory.join(threshold), (larger / divisor).to_string())
        };
        let setting = format!("net.{family}.neigh.default.gc_thresh3");
        match THRESHOLDS.iter().try_for_each(set) {
            Ok(()) => say(&format!(
                "all labs use the {name} neighbour table of this machine. Its limit is now \
                 {larger} entries, before it was {limit} ({setting})"
            )),
            // Only root can raise the limit. For this lab, the present limit is high enough.
            Err(_) if neighbours <= limit / 2 => {}
            Err(error) => say(&format!(
                "all labs use the {name} neighbour table of this machine. Its limit is {limit} \
                 entries. If hosts announce more addresses, all labs may fail. {setting} cannot be \
                 raised: {error}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raise(settings: &Path, neighbours: u32) -> Vec<String> {
        let mut said = Vec::new();
        make_room_in(settings, neighbours, &mut |line| said.push(line.to_owned()));
        said
    }

    fn thresholds(settings: &Path) -> [String; 3] {
        ["gc_thresh1", "gc_thresh2", "gc_thresh3"]
            .map(|name| text::read(&settings.join("ipv4/neigh/default").join(name)).unwrap())
    }

    #[test]
    fn a_lab_gets_a_table_that_it_does_not_fill_and_says_so() {
        let settings = tempfile::tempdir().unwrap();
        let ipv4 = settings.path().join("ipv4/neigh/default");
        fs::create_dir_all(&ipv4).unwrap();
        for (threshold, entries) in [("gc_thresh1", 128), ("gc_thresh2", 512), ("gc_thresh3", 1024)]
        {
            fs::write(ipv4.join(threshold), format!("{entries}\n")).unwrap();
        }
        let said = raise(settings.path(), 5);
        assert!(
            said.len() == 1 && said[0].contains("is now 16384 entries, before it was 1024"),
            "{said:?}"
        );
        assert_eq!(thresholds(settings.path()), ["4096", "8192", "16384"]);
        assert_eq!(raise(settings.path(), 8192), [""; 0], "it is large enough now");
        let said = raise(settings.path(), 8193);
        assert!(
            said.len() == 1 && said[0].contains("is now 65536 entries, before it was 16384"),
            "{said:?}"
        );
        assert_eq!(raise(settings.path(), 8193), [""; 0]);
    }

    #[test]
    fn neighbours_are_counted_on_each_link_and_lan() {
        let text = "name = \"tiny\"
nodes.A = { kind = \"host\", addresses = [\"10.0.0.1/24\"] }
nodes.B = { kind = \"host\", addresses = [\"10.0.0.2/24\"] }
nodes.C = { kind = \"host\", addresses = [\"10.0.0.3/24\"] }
nodes.D = { kind = \"host\", addresses = [\"10.0.1.1/24\"] }
nodes.E = { kind = \"host\", addresses = [\"10.0.1.2/24\"] }
[[lans]]
name = \"lan\"
ports = [\"A:eth0\", \"B:eth0\", \"C:eth0\"]
[[links]]
endpoints = [\"D:eth0\", \"E:eth0\"]
";
        let lab = LabFile::parse("lab.toml", text).unwrap();
        assert_eq!(most_neighbours(&lab), 3 * 2 + 2);
    }
}
