use ratatui::style::{Color, Modifier};

use super::*;

fn built_in() -> Themes {
    let (themes, problems) = Themes::load(&[], Depth::Full);
    assert_eq!(problems, []);
    themes
}

#[test]
fn meanings_stand_at_the_place_of_their_number() {
    for (i, (meaning, _)) in Meaning::ALL.iter().enumerate() {
        assert_eq!(*meaning as usize, i);
    }
}

#[test]
fn every_theme_gives_every_meaning_a_style() {
    let themes = built_in();
    assert_eq!(themes.names().collect::<Vec<_>>(), ["night", "day", "contrast", "mono"]);
    for theme in &themes.all {
        for (meaning, name) in Meaning::ALL {
            assert_ne!(theme.style(meaning), Style::new(), "{name} is nothing in {}", theme.name);
        }
    }
}

#[test]
fn text_stands_out_from_its_ground() {
    for theme in built_in().all.iter().filter(|theme| theme.name != "mono") {
        let ground = theme.style(Meaning::Ground).bg.unwrap();
        for (meaning, name) in Meaning::ALL {
            let least = match meaning {
                Meaning::Ground | Meaning::Faint | Meaning::Sheet => continue,
                Meaning::CurveASoft | Meaning::CurveBSoft | Meaning::CurveCSoft | Meaning::CurveDSoft => 1.5,
                Meaning::Bar | Meaning::BarDropped | Meaning::Past | Meaning::SheetEdge => 1.8,
                Meaning::Stale => 3.0,
                _ => 4.5,
            };
            let style = theme.style(meaning);
            let fg = style.fg.unwrap_or(theme.style(Meaning::Text).fg.unwrap());
            for ground in [style.bg.unwrap_or(ground), theme.style(Meaning::Sheet).bg.unwrap()] {
                if style.bg.is_some_and(|own| own != ground) {
                    continue;
                }
                let found = contrast(fg, ground);
                assert!(found >= least, "{}: {name} has a contrast of {found:.1}, less than {least}", theme.name);
            }
        }
    }
}

#[test]
fn a_person_s_theme_holds_only_what_differs() {
    let own = "inherits = \"day\"\n[palette]\nrosa = \"#ff00ff\"\n[style]\nbad = \"rosa\"\ntabb = \"rosa\"\n";
    let (mut themes, problems) = Themes::load(&[("mine".to_owned(), own.to_owned())], Depth::Full);
    let said: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(said, ["mine.toml:6: there is no meaning `tabb`; did you mean `tab`?"]);
    assert!(themes.choose("mine"));
    assert_eq!(themes.current().style(Meaning::Bad).fg, Some(Color::Rgb(255, 0, 255)));
    let day = themes.all.iter().find(|theme| theme.name == "day").unwrap();
    assert_eq!(themes.current().style(Meaning::Text), day.style(Meaning::Text));
    assert!(!themes.choose("none"));
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_stands() {
    let own = "[style]\nbad = \"nocolour\"\ngood = { fg = \"#00ff00\", blink = true }\ntext = { bold = true }\n";
    let (mut themes, problems) = Themes::load(&[("night".to_owned(), own.to_owned())], Depth::Full);
    assert_eq!(problems.len(), 2, "{problems:?}");
    themes.choose("night");
    assert!(themes.current().style(Meaning::Text).add_modifier.contains(Modifier::BOLD));
    let (_, problems) = Themes::load(&[("x".to_owned(), "[style".to_owned())], Depth::Full);
    assert_eq!(problems.len(), 1);
}

#[test]
fn without_colours_no_colour_is_left() {
    let (themes, _) = Themes::load(&[], Depth::None);
    assert_eq!(themes.current().name, "mono");
    for (meaning, _) in Meaning::ALL {
        let style = themes.current().style(meaning);
        assert!([style.fg, style.bg].iter().all(|colour| matches!(colour, None | Some(Color::Reset))));
    }
}

fn contrast(a: Color, b: Color) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance(colour: Color) -> f64 {
    let Color::Rgb(r, g, b) = colour else { panic!("{colour:?} is not from a theme") };
    let linear = |x: u8| {
        let x = f64::from(x) / 255.0;
        if x <= 0.04045 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}
