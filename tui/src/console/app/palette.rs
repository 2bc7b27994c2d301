use super::{App, Line};
use crate::console::verb::{Row, TABLE, Verb};

/// Finding a command by a part of its name.
#[derive(Clone, Debug, Default)]
pub(in crate::console) struct Palette {
    pub(in crate::console) line: Line,
    /// The chosen one among those found.
    pub(in crate::console) at: usize,
}

impl Palette {
    /// The commands that fit what was typed: those whose name begins with it first.
    pub(in crate::console) fn found(&self, app: &App) -> Vec<&'static Row> {
        let wanted = self.line.text().trim().to_lowercase();
        let mut found: Vec<(usize, &Row)> = TABLE
            .iter()
            .filter(|row| row.verb != Verb::Palette && row.verb.available(app).is_ok())
            .filter_map(|row| rank(row, &wanted).map(|rank| (rank, row)))
            .collect();
        found.sort_by_key(|(rank, _)| *rank);
        found.into_iter().map(|(_, row)| row).collect()
    }
}

fn rank(row: &Row, wanted: &str) -> Option<usize> {
    if row.name.starts_with(wanted) {
        return Some(0);
    }
    if row.name.contains(wanted) {
        return Some(1);
    }
    if row.text.contains(wanted) {
        return Some(2);
    }
    let mut name = row.name.chars();
    wanted.chars().all(|c| name.any(|other| other == c)).then_some(3)
}
