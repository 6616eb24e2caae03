//! The columns of a table. Each cell begins at the position that IOS uses, and two cells never
//! touch.

/// The widths of the columns of a table, in characters. The last column has no limit.
#[derive(Clone, Copy, Debug)]
pub struct Columns<const N: usize>([usize; N]);

impl<const N: usize> Columns<N> {
    /// Makes columns with these widths.
    pub const fn of(widths: [usize; N]) -> Self {
        Columns(widths)
    }

    /// Prints a line of cells. If a cell is longer than its column, the next cell begins one blank
    /// after the long cell. A later cell begins at its own column again if the text before this
    /// cell is short enough.
    pub fn line(&self, cells: [&str; N]) -> String {
        let mut line = String::new();
        // The column of the next cell, and the number of characters so far.
        let (mut start, mut length) = (0_usize, 0);
        for (cell, width) in cells.into_iter().zip(self.0) {
            let touches = length > 0 && length >= start && !cell.starts_with(' ');
            let gap = if touches { 1 } else { start.saturating_sub(length) };
            if !cell.is_empty() {
                line.extend(std::iter::repeat_n(' ', gap));
                line.push_str(cell);
                length += gap + cell.chars().count();
            }
            start += width;
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: Columns<4> = Columns::of([15, 10, 11, 7]);

    #[test]
    fn a_cell_begins_at_its_column() {
        assert_eq!(
            STATES.line(["Locator", "Uptime", "State", "Pri/Wgt"]),
            "\
Locator        Uptime    State      Pri/Wgt\n"
        );
        assert_eq!(
            STATES.line(["203.0.113.11", "00:00:06", "up", "  1/100"]),
            "\
203.0.113.11   00:00:06  up           1/100\n"
        );
        assert_eq!(STATES.line(["a", "", "", ""]), "a\n");
        assert_eq!(STATES.line(["", "", "b", ""]), format!("{:25}b\n", ""));
    }

    #[test]
    fn a_long_cell_moves_the_next_one_and_no_more_than_it_must() {
        let line = STATES.line(["203.0.113.11", "00:00:06", "unreachable", "255/0"]);
        assert_eq!(line, "203.0.113.11   00:00:06  unreachable 255/0\n");
        let line = STATES.line(["203.0.113.11", "00:00:06", "unreachable", "  1/100"]);
        assert_eq!(line, "203.0.113.11   00:00:06  unreachable  1/100\n");
        let line = STATES.line(["2001:db8:ffff::1234", "1d", "up", "255/0"]);
        assert_eq!(line, "2001:db8:ffff::1234 1d   up         255/0\n");
    }

    #[test]
    fn cells_never_touch() {
        for longest in 0..40 {
            for length in 0..40 {
                let (long, other) = ("x".repeat(longest + 1), "y".repeat(length + 1));
                let line = STATES.line([&long, &other, &long, &other]);
                let cells: Vec<&str> = line.split_whitespace().collect();
                assert_eq!(cells, [&long, &other, &long, &other], "{line}");
            }
        }
    }
}
