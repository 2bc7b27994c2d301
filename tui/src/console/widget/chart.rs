//! A chart of series over rollouts or steps: a smoothed line over what was measured, the spread of what one column
//! has to stand for, and where attempts begin. Draws from buckets that are already summed up.

use ratatui::layout::Rect;
use rldeck_core::deck::Series;

use super::{
    axis::Axis,
    braille::{self, Layer},
    pen::{Pen, Piece, piece},
};
use crate::console::{format, text, theme::Meaning};

/// Columns for the numbers at the left.
const MARGIN: u16 = 7;
/// The x axis holds at least so many x, so that the first points do not leap.
const LEAST_SPAN: u64 = 8;
/// Points from which on a line is smoothed.
const SMOOTH_FROM: usize = 24;

/// A series and its colours.
#[derive(Clone, Copy, Debug)]
pub(in crate::console) struct Curve<'a> {
    pub(in crate::console) series: &'a Series,
    /// Said before its last value when there are several.
    pub(in crate::console) name: &'a str,
    pub(in crate::console) line: Meaning,
    pub(in crate::console) soft: Meaning,
}

/// A titled chart.
#[derive(Clone, Debug)]
pub(in crate::console) struct Chart<'a> {
    pub(in crate::console) title: &'a str,
    /// The first one lies uppermost.
    pub(in crate::console) curves: Vec<Curve<'a>>,
    /// What x counts.
    pub(in crate::console) unit: &'a str,
    /// The x axis goes on to here, when the end is known.
    pub(in crate::console) until: Option<u64>,
}

impl Chart<'_> {
    pub(in crate::console) fn draw(&self, pen: &mut Pen<'_>, area: Rect) {
        let room = usize::from(area.width).saturating_sub(text::width_of(self.title) + 8);
        let wide = |pieces: &[Piece]| pieces.iter().map(|piece| text::width_of(&piece.text) + 1).sum::<usize>();
        let heads = [self.head(true, true), self.head(true, false), self.head(false, true)];
        let head = heads.into_iter().find(|head| wide(head) <= room).unwrap_or_else(|| self.head(false, false));
        let inner = pen.panel(area, self.title, head);
        if self.curves.iter().all(|curve| curve.series.buckets.is_empty()) {
            let y = inner.y + inner.height / 2;
            if inner.height > 0 {
                pen.put(inner.x + 2, y, inner.width.saturating_sub(2).into(), "no value yet", Meaning::Dim);
            }
            return;
        }
        self.plot(pen, inner);
    }

    /// The last values, with or without what they are and where they go.
    fn head(&self, names: bool, arrows: bool) -> Vec<Piece> {
        let several = self.curves.len() > 1;
        let mut head = Vec::new();
        for (i, curve) in self.curves.iter().enumerate() {
            let Some(last) = curve.series.last() else { continue };
            if names && several {
                head.push(piece(curve.name, Meaning::Dim));
            }
            let meaning = if several { curve.line } else { Meaning::Number };
            head.push(piece(format::number(last), meaning).rank(i as u8));
            if arrows {
                head.push(piece(arrow(curve.series), Meaning::Dim).rank(i as u8));
            }
        }
        head.retain(|piece| !piece.text.is_empty());
        head
    }

    fn plot(&self, pen: &mut Pen<'_>, area: Rect) {
        let margin = if area.width >= 24 { MARGIN } else { 0 };
        let below = u16::from(area.height >= 5);
        let field = Rect {
            x: area.x + margin,
            y: area.y,
            width: area.width.saturating_sub(margin + 1),
            height: area.height - below,
        };
        if field.is_empty() {
            return;
        }
        let (first, last) = self.span();
        let (columns, rows) = (usize::from(field.width), usize::from(field.height));
        let traces: Vec<Trace> = self.curves.iter().map(|c| Trace::of(c.series, first, last, columns * 2)).collect();
        let low = traces.iter().map(|trace| trace.range().0).fold(f64::INFINITY, f64::min);
        let high = traces.iter().map(|trace| trace.range().1).fold(f64::NEG_INFINITY, f64::max);
        let axis = Axis::holding(low, high, (rows / 2).clamp(1, 5));
        self.margins(pen, field, margin, below, &axis, (first, last));
        self.attempts(pen, field, area.bottom(), (first, last));
        let mut layers = Vec::new();
        for (trace, curve) in traces.iter().zip(&self.curves) {
            let drawn = trace.layers(&axis, columns, rows);
            layers.push((0, drawn.line, curve.line));
            layers.push((1, drawn.soft, curve.soft));
            layers.push((2, drawn.past, Meaning::Past));
        }
        layers.sort_by_key(|(depth, _, _)| *depth);
        let layers: Vec<(Layer, Meaning)> = layers.into_iter().map(|(_, layer, meaning)| (layer, meaning)).collect();
        braille::draw(pen, field, &layers);
    }

    /// First and last x of all curves.
    fn span(&self) -> (u64, u64) {
        let buckets = || self.curves.iter().flat_map(|curve| &curve.series.buckets);
        let first = buckets().map(|bucket| bucket.from).min().unwrap_or(0);
        let last = buckets().map(|bucket| bucket.to).max().unwrap_or(0);
        (first, last.max(first + LEAST_SPAN).max(self.until.unwrap_or(0)))
    }

    fn margins(&self, pen: &mut Pen<'_>, field: Rect, margin: u16, below: u16, axis: &Axis, span: (u64, u64)) {
        let bottom = field.bottom() - 1;
        if margin > 0 {
            for mark in axis.labelled(field.height.into()) {
                let y = bottom - (axis.place(mark) * f64::from(field.height - 1)).round() as u16;
                pen.put_left_of(field.x - 1, y, &format::tick(mark, axis.step), Meaning::Dim);
            }
            for y in field.top()..field.bottom() {
                pen.glyph(field.x - 1, y, '▏', Meaning::Faint);
            }
        }
        if below > 0 {
            let y = field.bottom();
            let last = format::whole(span.1);
            pen.put(field.x, y, field.width.into(), &format::whole(span.0), Meaning::Dim);
            let at = pen.put_left_of(field.right(), y, &last, Meaning::Dim);
            let unit = self.unit;
            if usize::from(at - field.x) > text::width_of(unit) + 8 {
                pen.put_left_of(at - 1, y, unit, Meaning::Dim);
            }
        }
    }

    /// A line where each attempt but the first begins.
    fn attempts(&self, pen: &mut Pen<'_>, field: Rect, bottom: u16, (first, last): (u64, u64)) {
        let Some(curve) = self.curves.iter().max_by_key(|curve| curve.series.buckets.len()) else { return };
        for pair in curve.series.buckets.windows(2).filter(|pair| pair[1].attempt != pair[0].attempt) {
            let at = dot(pair[1].from, first, last, usize::from(field.width) * 2) / 2;
            let x = field.x + at as u16;
            for y in field.top()..field.bottom() {
                pen.glyph(x, y, '┆', Meaning::Mark);
            }
            let label = pair[1].attempt.to_string();
            let wide = label.len() as u16;
            if (x..x + wide + 2).all(|x| pen.blank(x.max(1) - 1, field.bottom())) && field.bottom() < bottom {
                pen.put(x, field.bottom(), wide.into(), &label, Meaning::Mark);
            } else {
                pen.put(
                    x + 1,
                    field.top(),
                    field.right().saturating_sub(x + 1).min(wide).into(),
                    &label,
                    Meaning::Mark,
                );
            }
        }
    }
}

/// Where the last values go, against how far apart all of them lie.
pub(in crate::console) fn arrow(series: &Series) -> &'static str {
    let buckets = &series.buckets;
    let few = (buckets.len() / 3).clamp(1, 10);
    let means = |range: std::ops::Range<usize>| {
        let part = &buckets[range];
        part.iter().map(|b| b.sum).sum::<f64>() / part.iter().map(|b| b.count).sum::<u64>() as f64
    };
    if buckets.len() < 4 {
        return "→";
    }
    let (before, after) =
        (means(buckets.len() - 2 * few..buckets.len() - few), means(buckets.len() - few..buckets.len()));
    let range = |b: &[rldeck_core::deck::Bucket]| {
        b.iter().map(|b| b.max).fold(f64::NEG_INFINITY, f64::max)
            - b.iter().map(|b| b.min).fold(f64::INFINITY, f64::min)
    };
    let noise = range(&buckets[buckets.len() - 2 * few..]).max(range(buckets) * 0.2) * 0.12;
    match after - before {
        change if change > noise => "▲",
        change if change < -noise => "▼",
        _ => "→",
    }
}

/// The dot column of an x.
fn dot(x: u64, first: u64, last: u64, dots: usize) -> usize {
    let share = x.saturating_sub(first) as f64 / (last - first).max(1) as f64;
    ((share * (dots.saturating_sub(1)) as f64).round() as usize).min(dots.saturating_sub(1))
}

/// What one column of dots stands for.
#[derive(Clone, Copy, Debug)]
struct Column {
    x: usize,
    min: f64,
    max: f64,
    mean: f64,
    count: u64,
    smooth: f64,
}

/// A series, column by column.
#[derive(Debug, Default)]
struct Trace {
    /// From the first x to the last: of each x what the last attempt measured that came by.
    kept: Vec<Column>,
    /// What was measured again by a later attempt.
    past: Vec<Column>,
}

struct Drawn {
    line: Layer,
    soft: Layer,
    past: Layer,
}

impl Trace {
    fn of(series: &Series, first: u64, last: u64, dots: usize) -> Trace {
        let mut trace = Trace::default();
        for (bucket, past) in series.buckets.iter().zip(past(series)).filter(|(bucket, _)| bucket.count > 0) {
            let columns = if past { &mut trace.past } else { &mut trace.kept };
            let x = dot(bucket.from, first, last, dots);
            match columns.last_mut() {
                Some(column) if column.x == x => {
                    let count = column.count + bucket.count;
                    column.mean = (column.mean * column.count as f64 + bucket.sum) / count as f64;
                    column.count = count;
                    column.min = column.min.min(bucket.min);
                    column.max = column.max.max(bucket.max);
                }
                _ => {
                    let (min, max, mean) = (bucket.min, bucket.max, bucket.mean());
                    columns.push(Column { x, min, max, mean, count: bucket.count, smooth: mean });
                }
            }
        }
        smooth(&mut trace.kept);
        trace
    }

    /// The least and the greatest value.
    fn range(&self) -> (f64, f64) {
        self.kept
            .iter()
            .chain(&self.past)
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), column| (low.min(column.min), high.max(column.max)))
    }

    fn layers(&self, axis: &Axis, columns: usize, rows: usize) -> Drawn {
        let blank = Layer::new(columns, rows);
        let mut drawn = Drawn { line: blank.clone(), soft: blank.clone(), past: blank };
        let most = (rows * 4 - 1) as f64;
        let row = |value: f64| ((1.0 - axis.place(value)) * most).round() as usize;
        let mut before = None;
        for column in &self.kept {
            let start: &Column = before.unwrap_or(column);
            if self.kept.len() >= SMOOTH_FROM {
                stroke(&mut drawn.soft, (start.x, start.mean), (column.x, column.mean), &row);
            }
            drawn.soft.column(column.x, row(column.min), row(column.max));
            stroke(&mut drawn.line, (start.x, start.smooth), (column.x, column.smooth), &row);
            before = Some(column);
        }
        let mut before = None;
        for column in &self.past {
            let start: &Column = before.filter(|before: &&Column| before.x <= column.x).unwrap_or(column);
            stroke(&mut drawn.past, (start.x, start.mean), (column.x, column.mean), &row);
            before = Some(column);
        }
        drawn
    }
}

/// For each bucket, whether a later attempt came by its x again.
fn past(series: &Series) -> Vec<bool> {
    let mut past = vec![false; series.buckets.len()];
    let (mut again, mut begins, mut after) = (u64::MAX, u64::MAX, None);
    for (bucket, past) in series.buckets.iter().zip(&mut past).rev() {
        if after.is_some_and(|attempt| attempt != bucket.attempt) {
            again = again.min(begins);
        }
        (begins, after) = (bucket.from, Some(bucket.attempt));
        *past = bucket.from >= again;
    }
    past
}

/// The mean over a few columns on both sides; fewer towards the ends, so that a line begins and ends where its values do.
fn smooth(columns: &mut [Column]) {
    if columns.len() < SMOOTH_FROM {
        return;
    }
    let most = (columns.len() / 24).clamp(1, 6);
    let means: Vec<f64> = columns.iter().map(|column| column.mean).collect();
    for (i, column) in columns.iter_mut().enumerate() {
        let reach = most.min(i).min(means.len() - 1 - i);
        let part = &means[i - reach..=i + reach];
        column.smooth = part.iter().sum::<f64>() / part.len() as f64;
    }
}

/// A line from one point to another, without gaps.
fn stroke(layer: &mut Layer, from: (usize, f64), to: (usize, f64), row: &dyn Fn(f64) -> usize) {
    let mut before = row(from.1);
    for x in from.0..=to.0 {
        let share = if to.0 == from.0 { 1.0 } else { (x - from.0) as f64 / (to.0 - from.0) as f64 };
        let y = row(from.1 + (to.1 - from.1) * share);
        let start = match before.cmp(&y) {
            std::cmp::Ordering::Less => before + 1,
            std::cmp::Ordering::Greater => before - 1,
            std::cmp::Ordering::Equal => y,
        };
        layer.column(x, start, y);
        before = y;
    }
}

#[cfg(test)]
mod tests;
