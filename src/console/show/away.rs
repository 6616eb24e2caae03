//! `show ip lisp away` and `show ip lisp smr`. The first command shows the EIDs that are away. The
//! second command shows the EIDs for which SMRs are sent or were received.

use std::ops::Bound;

use super::columns::Columns;
use super::span::{seconds, span};
use super::{ROWS_A_TURN, Rows, Table};
use crate::addr::{EidPrefix, Family, InstanceId};
use crate::console::view::away::{AwayProducer, AwayRow, SmrProducer, SmrRow};
use crate::console::view::{EidTableName, TableHead};
use crate::router::Router;
use crate::router::away::Entry;
use crate::time::Time;

/// The away table of one family and instance.
#[derive(Debug)]
pub struct AwayTable {
    /// The family of the EIDs.
    pub family: Family,
    /// The instance.
    pub instance_id: InstanceId,
    /// If set, the output has only the most specific entry that covers this prefix.
    pub only: Option<EidPrefix>,
    /// The output continues after this prefix.
    pub after: Option<EidPrefix>,
}

impl Table for AwayTable {
    type Head = TableHead;
    type Row = AwayRow;

    fn head(&self, router: &Router, _: Time) -> Result<TableHead, String> {
        let entries = router.away().entries();
        if let Some(only) = &self.only
            && entries.covering(only).next().is_none()
        {
            return Err(format!("Could not find EID {only} in away table."));
        }
        let (family, instance_id) = (self.family, self.instance_id);
        let total = entries.len_of(instance_id, family);
        let eid_table = EidTableName::of(router.config(), instance_id);
        Ok(TableHead { family, eid_table, instance_id, total })
    }

    fn rows(&mut self, router: &Router, now: Time) -> Rows<AwayRow> {
        let entries = router.away().entries();
        if let Some(only) = &self.only {
            let found = entries.covering(only).last().into_iter();
            let rows = found.map(|(prefix, entry)| away_row(prefix, entry, now)).collect();
            return Rows { rows, finished: true };
        }
        let mut rows = Vec::new();
        let rest = entries.iter_after(self.instance_id, self.family, self.after);
        for (prefix, entry) in rest.take(ROWS_A_TURN) {
            self.after = Some(prefix);
            rows.push(away_row(prefix, entry, now));
        }
        Rows { finished: rows.len() < ROWS_A_TURN, rows }
    }

    fn head_text(&self, head: &TableHead) -> String {
        let heading = COLUMNS.line(["Prefix", "Producer", "Created"]);
        format!("{}{heading}", title("Away", head))
    }

    fn row_text(&mut self, row: &AwayRow) -> String {
        let producer = away_producer(row.producer);
        COLUMNS.line([&row.eid_prefix.to_string(), producer, &span(row.created)])
    }
}

fn away_row(prefix: EidPrefix, entry: &Entry, now: Time) -> AwayRow {
    AwayRow {
        eid_prefix: prefix.prefix(),
        producer: AwayProducer::from(entry.producer),
        cause: entry.producer,
        created: seconds(now.since(entry.created_at)),
    }
}

/// The EID prefixes of one family and instance for which this router sends or has received SMRs.
#[derive(Debug)]
pub struct SmrTable {
    /// The family of the EIDs.
    pub family: Family,
    /// The instance.
    pub instance_id: InstanceId,
    /// The output continues after this prefix.
    pub after: Option<EidPrefix>,
}

impl SmrTable {
    /// The remote EID prefixes for which this router sends Map-Requests because of an SMR. The list
    /// begins after the last printed prefix.
    fn remote<'a>(&self, router: &'a Router) -> impl Iterator<Item = EidPrefix> + use<'a> {
        let (family, id) = (self.family, self.instance_id);
        let from = self.after.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = router.map_cache().solicited().range((from, Bound::Unbounded)).copied();
        rest.filter(move |prefix| prefix.instance_id() == id && prefix.family() == family)
    }
}

impl Table for SmrTable {
    type Head = TableHead;
    type Row = SmrRow;

    fn head(&self, router: &Router, _: Time) -> Result<TableHead, String> {
        let (family, instance_id) = (self.family, self.instance_id);
        let away = router.away().entries();
        let local = router.database().entries();
        let listed = local.iter_after(instance_id, family, None);
        let only_local = listed.filter(|(prefix, _)| !away.contains(prefix)).count();
        let only_remote = self
            .remote(router)
            .filter(|prefix| !away.contains(prefix) && !local.contains(prefix))
            .count();
        let total = away.len_of(instance_id, family) + only_local + only_remote;
        let eid_table = EidTableName::of(router.config(), instance_id);
        Ok(TableHead { family, eid_table, instance_id, total })
    }

    /// Merges three sorted tables: the away table, the database, and the prefixes of the map-cache
    /// for which this router has received an SMR.
    fn rows(&mut self, router: &Router, _: Time) -> Rows<SmrRow> {
        let (family, id) = (self.family, self.instance_id);
        let away = router.away().entries().iter_after(id, family, self.after);
        let local = router.database().entries().iter_after(id, family, self.after);
        let mut away = away.map(|(prefix, _)| prefix).peekable();
        let mut local = local.map(|(prefix, _)| prefix).peekable();
        let mut remote = self.remote(router).peekable();
        let mut rows = Vec::new();
        let mut after = self.after;
        while rows.len() < ROWS_A_TURN {
            let heads = [away.peek(), local.peek(), remote.peek()];
            let Some(next) = heads.into_iter().flatten().min().copied() else {
                return Rows { rows, finished: true };
            };
            let is_away = away.next_if_eq(&next).map(|_| SmrProducer::AwayTable);
            let is_local = local.next_if_eq(&next).map(|_| SmrProducer::LocalEid);
            let is_remote = remote.next_if_eq(&next).map(|_| SmrProducer::RemoteEid);
            let producers = [is_away, is_local, is_remote].into_iter().flatten().collect();
            rows.push(SmrRow { eid_prefix: next.prefix(), producers });
            after = Some(next);
        }
        drop(remote);
        self.after = after;
        Rows { rows, finished: false }
    }

    fn head_text(&self, head: &TableHead) -> String {
        format!("{}{}", title("SMR", head), COLUMNS.line(["Prefix", "Producer", ""]))
    }

    fn row_text(&mut self, row: &SmrRow) -> String {
        let producers: Vec<&str> = row.producers.iter().copied().map(smr_producer).collect();
        COLUMNS.line([&row.eid_prefix.to_string(), &producers.join(", "), ""])
    }
}

fn away_producer(producer: AwayProducer) -> &'static str {
    match producer {
        AwayProducer::LocalEid => "local EID",
        AwayProducer::DynamicEid => "dyn-eid",
        AwayProducer::SiteRegistration => "site-registration",
    }
}

fn smr_producer(producer: SmrProducer) -> &'static str {
    match producer {
        SmrProducer::AwayTable => "away table",
        SmrProducer::LocalEid => "local EID",
        SmrProducer::RemoteEid => "remote EID",
    }
}

fn title(table: &str, head: &TableHead) -> String {
    let TableHead { eid_table, instance_id, total, .. } = head;
    format!(
        "LISP {table} Table for router lisp 0 ({}) IID {instance_id}\nEntries: {total}\n\n",
        eid_table.vrf()
    )
}

/// The widths of the columns, as in IOS.
const COLUMNS: Columns<3> = Columns::of([40, 31, 0]);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::router::away::Producer;

    fn head(total: usize) -> TableHead {
        let (family, instance_id) = (Family::Ipv4, InstanceId::DEFAULT);
        TableHead { family, eid_table: EidTableName::Default, instance_id, total }
    }

    #[test]
    fn the_document_s_away_table_of_xtr1_with_the_age_of_each_entry() {
        let mut table = AwayTable {
            family: Family::Ipv4,
            instance_id: InstanceId::DEFAULT,
            only: None,
            after: None,
        };
        let row = |prefix: &str, cause: Producer, created| AwayRow {
            eid_prefix: prefix.parse().unwrap(),
            producer: AwayProducer::from(cause),
            cause,
            created,
        };
        let mut text = table.head_text(&head(2));
        text += &table.row_text(&row("10.1.0.0/16", Producer::DynamicEid, 4 * 86_400 + 21 * 3600));
        text += &table.row_text(&row("172.16.0.0/24", Producer::NoRoute, 5));
        let expected = "\
LISP Away Table for router lisp 0 (default) IID 0
Entries: 2

Prefix                                  Producer                       Created
10.1.0.0/16                             dyn-eid                        4d21h
172.16.0.0/24                           local EID                      00:00:05
";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_smr_prefix_names_each_table_that_it_stands_in() {
        let mut table =
            SmrTable { family: Family::Ipv4, instance_id: InstanceId::DEFAULT, after: None };
        let row = |prefix: &str, producers: &[SmrProducer]| SmrRow {
            eid_prefix: prefix.parse().unwrap(),
            producers: producers.to_vec(),
        };
        let mut text = table.head_text(&head(2));
        text += &table
            .row_text(&row("192.168.1.0/24", &[SmrProducer::AwayTable, SmrProducer::RemoteEid]));
        text += &table.row_text(&row("192.168.1.1/32", &[SmrProducer::LocalEid]));
        let expected = "\
LISP SMR Table for router lisp 0 (default) IID 0
Entries: 2

Prefix                                  Producer
192.168.1.0/24                          away table, remote EID
192.168.1.1/32                          local EID
";
        assert_eq!(text, expected);
    }
}
