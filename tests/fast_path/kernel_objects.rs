//! The programs of a router in the kernel, and their counters.

use std::collections::BTreeSet;
use std::fs;

use aya::maps::{Array, Map, MapData, MapInfo};
use aya::programs::loaded_programs;
use eidway::driver::fast_path::Miss;

/// The programs of a process.
#[derive(Clone, Debug)]
pub struct Programs {
    ids: BTreeSet<u32>,
    maps: BTreeSet<u32>,
}

impl Programs {
    /// The programs to which a process has a file descriptor, and the maps of these programs.
    pub fn of_process(pid: u32) -> Self {
        let entries = fs::read_dir(format!("/proc/{pid}/fdinfo")).into_iter().flatten().flatten();
        let mut ids = BTreeSet::new();
        for entry in entries {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let id = text.lines().find_map(|line| line.strip_prefix("prog_id:"));
            ids.extend(id.and_then(|id| id.trim().parse::<u32>().ok()));
        }
        let programs = loaded_programs().flatten().filter(|program| ids.contains(&program.id()));
        let maps = programs.filter_map(|program| program.map_ids().ok().flatten()).flatten();
        let maps = maps.collect();
        Programs { ids, maps }
    }

    /// Whether the process has programs.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The programs and the maps that are still in the kernel.
    pub fn remains(&self) -> Vec<String> {
        let programs = loaded_programs().flatten().map(|program| program.id());
        let programs = programs.filter(|id| self.ids.contains(id));
        let programs = programs.map(|id| format!("program {id}"));
        let maps = self.maps.iter().filter(|id| MapInfo::from_id(**id).is_ok());
        programs.chain(maps.map(|id| format!("map {id}"))).collect()
    }

    /// The number of packets that the kernel has encapsulated and decapsulated.
    pub fn hits(&self) -> [u64; 2] {
        [0, 1].map(|number| self.counter(Miss::ALL.len() + number))
    }

    /// The number of packets that went up to the router, by reason.
    pub fn misses(&self) -> Vec<(Miss, u64)> {
        let count = |(number, reason)| (reason, self.counter(number));
        Miss::ALL.into_iter().enumerate().map(count).collect()
    }

    /// The present epoch.
    pub fn epoch(&self) -> u64 {
        // Three words of eight octets.
        let state: Array<MapData, [u64; 3]> = self.array("state");
        state.get(&0, 0).unwrap()[0]
    }

    fn counter(&self, number: usize) -> u64 {
        let counters: Array<MapData, u64> = self.array("counters");
        counters.get(&(number as u32), 0).unwrap()
    }

    fn array<V: aya::Pod>(&self, name: &str) -> Array<MapData, V> {
        let is_it = |id: &&u32| {
            let info = MapInfo::from_id(**id);
            info.is_ok_and(|info| info.name_as_str() == Some(name))
        };
        let id = self.maps.iter().find(is_it).unwrap_or_else(|| panic!("no map {name}: {self:?}"));
        let data = MapData::from_id(*id).unwrap();
        Array::try_from(Map::Array(data)).unwrap()
    }
}
