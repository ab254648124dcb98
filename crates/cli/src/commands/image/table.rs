//! Tables that fit the terminal.

use console::{Alignment, Term, measure_text_width, pad_str, truncate_str};

/// Between columns.
const GAP: &str = "  ";

/// A column gives up its width down to this.
const NARROWEST: usize = 12;

/// A column's heading, and what it does with its width.
pub(in crate::commands) struct Column {
    pub(in crate::commands) heading: &'static str,
    pub(in crate::commands) alignment: Alignment,
    /// Gives way when the terminal is too narrow.
    pub(in crate::commands) shrinks: bool,
}

impl Column {
    pub(in crate::commands) const fn left(heading: &'static str) -> Self {
        Self { heading, alignment: Alignment::Left, shrinks: false }
    }

    pub(in crate::commands) const fn right(heading: &'static str) -> Self {
        Self { heading, alignment: Alignment::Right, shrinks: false }
    }

    pub(in crate::commands) const fn shrinking(heading: &'static str) -> Self {
        Self { heading, alignment: Alignment::Left, shrinks: true }
    }
}

/// The width of the terminal on standard output; none where there is no terminal.
pub(in crate::commands) fn terminal_width() -> Option<usize> {
    Some(Term::stdout().size_checked()?.1.into())
}

/// Rows below their headings; wider than `limit` only when no column can shrink any more.
pub(in crate::commands) fn render<const N: usize>(
    columns: &[Column; N],
    rows: &[[String; N]],
    limit: Option<usize>,
) -> String {
    let widths = widths(columns, rows, limit);
    let headings = columns.each_ref().map(|column| column.heading.to_owned());
    let lines = std::iter::once(&headings).chain(rows).map(|row| line(columns, row, &widths));
    lines.collect::<Vec<_>>().join("\n")
}

fn widths<const N: usize>(
    columns: &[Column; N],
    rows: &[[String; N]],
    limit: Option<usize>,
) -> [usize; N] {
    let mut widths = columns.each_ref().map(|column| measure_text_width(column.heading));
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(measure_text_width(cell));
        }
    }
    let total = widths.iter().sum::<usize>() + GAP.len() * (N - 1);
    let mut excess = total.saturating_sub(limit.unwrap_or(total));
    for (width, column) in widths.iter_mut().zip(columns) {
        let given = if column.shrinks { excess.min(width.saturating_sub(NARROWEST)) } else { 0 };
        *width -= given;
        excess -= given;
    }
    widths
}

fn line<const N: usize>(columns: &[Column; N], row: &[String; N], widths: &[usize; N]) -> String {
    let cells = row.iter().zip(columns).zip(widths).map(|((cell, column), width)| {
        pad_str(&truncate_str(cell, *width, "…"), *width, column.alignment, None).into_owned()
    });
    cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 3] =
        [Column::left("ID"), Column::shrinking("NAME"), Column::right("SIZE")];

    fn rows() -> [[String; 3]; 2] {
        let row = |id: &str, name: &str, size: &str| [id, name, size].map(str::to_owned);
        [row("1", "a name of some length", "7 B"), row("22", "é", "1.00 GiB")]
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let expected = "\
ID  NAME                       SIZE
1   a name of some length       7 B
22  é                      1.00 GiB";
        assert_eq!(render(&COLUMNS, &rows(), None), expected);
    }

    #[test]
    fn a_narrow_terminal_costs_the_shrinking_column() {
        let table = render(&COLUMNS, &rows(), Some(27));
        assert!(table.lines().all(|line| measure_text_width(line) <= 27), "{table}");
        assert!(table.contains("a name of so…"), "{table}");
    }
}
