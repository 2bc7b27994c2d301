use ratatui::buffer::Buffer;

use super::*;
use crate::console::theme::{Depth, Themes};

fn series(points: impl IntoIterator<Item = (u64, u32, f64)>) -> Series {
    let mut series = Series::default();
    points.into_iter().for_each(|(x, attempt, value)| series.push(x, attempt, value));
    series
}

fn drawn(series: &Series, width: u16, height: u16) -> String {
    let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
    let (themes, _) = Themes::load(&[], Depth::Full);
    let area = buf.area;
    let mut pen = Pen { buf: &mut buf, theme: themes.current() };
    let curve = Curve { series, name: "", line: Meaning::CurveA, soft: Meaning::CurveASoft };
    Chart { title: "reward", curves: vec![curve], unit: "rollout", until: None }.draw(&mut pen, area);
    let rows = buf.content.chunks(width.max(1).into());
    rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>().trim_end().to_owned() + "\n").collect()
}

#[test]
fn a_line_goes_from_corner_to_corner() {
    let rising = series((0..10).map(|x| (x, 1, x as f64)));
    assert_eq!(
        drawn(&rising, 30, 6),
        "\
─ reward ──────────── 9.00 ▲ ─
    10▏                  ⢀⣀⠤⠔
     5▏            ⢀⣀⠤⠔⠒⠉⠁
      ▏      ⣀⡠⠤⠒⠊⠉⠁
     0▏⣀⠤⠤⠒⠊⠉
       0            rollout 9
"
    );
}

#[test]
fn an_attempt_is_marked_and_what_it_repeats_is_past() {
    let points = (0..20).map(|x| (x, 1, 1.0)).chain((10..30).map(|x| (x, 2, 2.0)));
    let series = series(points);
    let trace = Trace::of(&series, 0, 29, 60);
    assert_eq!((trace.past.len(), trace.kept.len()), (10, 30));
    assert!(trace.past.iter().all(|column| column.mean == 1.0));
    assert!(trace.kept.windows(2).all(|pair| pair[0].x < pair[1].x));
    assert!(drawn(&series, 40, 8).contains('┆'));
}

#[test]
fn a_spike_stays_in_sight_however_many_points_there_are() {
    let series = series((0..1_000_000).map(|x| (x, 1, if x == 500_000 { 50.0 } else { 1.0 })));
    let trace = Trace::of(&series, 0, 999_999, 80);
    assert!(trace.kept.len() <= 80);
    assert_eq!(trace.range().1, 50.0);
}

#[test]
fn what_is_not_finite_is_left_out() {
    let odd = series([(0, 1, f64::NAN), (1, 1, 2.0), (2, 1, f64::INFINITY), (3, 1, 3.0), (4, 1, f64::NAN)]);
    assert_eq!(Trace::of(&odd, 0, 8, 20).kept.len(), 2);
    assert!(drawn(&odd, 30, 6).contains("nan"));
    let none = series([(0, 1, f64::NAN)]);
    drawn(&none, 30, 6);
}

#[test]
fn any_size_will_do() {
    let long = series((0..300).map(|x| (x, 1 + (x / 100) as u32, (x as f64).sin())));
    for width in (0..60).step_by(3) {
        for height in 0..12 {
            drawn(&long, width, height);
        }
    }
}

#[test]
fn an_arrow_needs_more_than_noise() {
    assert_eq!(arrow(&series((0..100).map(|x| (x, 1, x as f64)))), "▲");
    assert_eq!(arrow(&series((0..100).map(|x| (x, 1, -(x as f64))))), "▼");
    assert_eq!(arrow(&series((0..100).map(|x| (x, 1, (x % 2) as f64)))), "→");
    assert_eq!(arrow(&series([(0, 1, 1.0)])), "→");
}
